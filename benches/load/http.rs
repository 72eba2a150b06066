//! A client as thin as can be (HTTP/1.1 over kept connections), so that what is measured is the server.
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Connection {
    stream: TcpStream,
    held: Vec<u8>,
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    /// Length of the body as it came over the wire, without the marks of chunks; bytes
    pub body: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, held: Vec::with_capacity(64 << 10) })
    }

    pub async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        let end = self.until(b"\r\n\r\n").await?;
        let head = String::from_utf8(self.held.drain(..end).collect())?;
        let status = head.get(9..12).context("no status")?.parse()?;
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        let body = match field("content-length") {
            Some(length) => self.take(length.parse()?).await?,
            None if field("transfer-encoding").is_some() => self.chunks().await?,
            None => Vec::new(),
        };
        Ok(Answer { status, head, body })
    }

    async fn chunks(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = self.until(b"\r\n").await?;
            let line = String::from_utf8(self.held.drain(..end).collect())?;
            let length = usize::from_str_radix(line.trim(), 16)?;
            let mut chunk = self.take(length + 2).await?;
            chunk.truncate(length);
            body.append(&mut chunk);
            if length == 0 {
                return Ok(body);
            }
        }
    }

    /// Where the mark ends, reading until it has come.
    async fn until(&mut self, mark: &[u8]) -> anyhow::Result<usize> {
        let mut from = 0;
        loop {
            if let Some(at) = self.held[from..].windows(mark.len()).position(|window| window == mark) {
                return Ok(from + at + mark.len());
            }
            from = self.held.len().saturating_sub(mark.len());
            self.more().await?;
        }
    }

    async fn take(&mut self, length: usize) -> anyhow::Result<Vec<u8>> {
        while self.held.len() < length {
            self.more().await?;
        }
        Ok(self.held.drain(..length).collect())
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.held).await? == 0 {
            bail!("the server hung up");
        }
        Ok(())
    }
}

pub type Requests = Arc<Vec<Vec<u8>>>;

/// What is asked of whom.
#[derive(Clone)]
pub struct Load {
    /// One connection each, dealt out in turn
    pub servers: Vec<SocketAddr>,
    pub clients: usize,
    /// Sent in order; again from the start when `count` is more than there are
    pub requests: Requests,
    pub count: usize,
    /// It ends then, whatever is left
    pub longest: Duration,
    /// Requests a second; none: as fast as answers come
    pub pace: Option<f64>,
}

pub struct Outcome {
    pub answers: usize,
    pub seconds: f64,
    /// Microseconds from when a request was due, shortest first
    pub waits: Vec<u32>,
}

impl Outcome {
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.seconds
    }

    /// Microseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = (self.waits.len() * percent / 100).min(self.waits.len().saturating_sub(1));
        self.waits.get(at).copied().map_or(0.0, f64::from)
    }
}

/// Sends the load; any answer but 200 ends it.
pub async fn send(load: &Load) -> anyhow::Result<Outcome> {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let mut clients = Vec::new();
    for client in 0..load.clients {
        let (load, next) = (load.clone(), Arc::clone(&next));
        let connection = Connection::open(load.servers[client % load.servers.len()]).await?;
        clients.push(tokio::spawn(client_of(load, next, connection, begun)));
    }
    let mut waits = Vec::new();
    for client in clients {
        waits.append(&mut client.await??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    Ok(Outcome { answers: waits.len(), seconds, waits })
}

async fn client_of(
    load: Load,
    next: Arc<AtomicUsize>,
    mut connection: Connection,
    begun: Instant,
) -> anyhow::Result<Vec<u32>> {
    let mut waits = Vec::new();
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        if turn >= load.count || begun.elapsed() >= load.longest {
            return Ok(waits);
        }
        let mut due = Instant::now();
        if let Some(pace) = load.pace {
            due = begun + Duration::from_secs_f64(turn as f64 / pace);
            tokio::time::sleep_until(due.into()).await;
        }
        let answer = connection.exchange(&load.requests[turn % load.requests.len()]).await?;
        if answer.status != 200 {
            bail!("answered {}: {}", answer.status, answer.head);
        }
        waits.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}
