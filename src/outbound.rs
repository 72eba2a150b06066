//! The one HTTP client for calls to the outside: pooled, bounded in time and size.
//!
//! It never follows a redirect, never asks an environment's proxy (a forwarder is named as a gateway's base address),
//! and its errors never carry an address, because addresses may carry secrets.
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, redirect};

/// The longest answer that is read, in bytes (1 MiB).
pub const LONGEST_ANSWER: usize = 1 << 20;

/// Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct HttpClient(Way);

#[derive(Clone, Debug)]
enum Way {
    Network(Client),
    Wire(Arc<dyn Wire>),
}

/// Carries requests without a network: straight into a stand-in in the same process.
#[async_trait]
pub trait Wire: std::fmt::Debug + Send + Sync {
    /// # Errors
    /// As [`HttpClient::send`].
    async fn carry(&self, method: Method, url: &str, headers: HeaderMap, body: Vec<u8>)
    -> Result<Reply, OutboundError>;
}

/// An answer of any status, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there was no whole answer. Except after `Address`, `Setup` and `Connect`, the call may have had its effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("the HTTP client could not be set up (are CA certificates installed?)")]
    Setup,
    #[error("the address or a header cannot be sent")]
    Address,
    #[error("no connection")]
    Connect,
    #[error("no whole answer in time")]
    Timeout,
    #[error("the answer is longer than 1 MiB")]
    TooLong,
    #[error("the answer broke off")]
    Broken,
}

impl OutboundError {
    fn of(error: &reqwest::Error) -> Self {
        match error {
            e if e.is_builder() => Self::Address,
            e if e.is_connect() => Self::Connect,
            e if e.is_timeout() => Self::Timeout,
            _ => Self::Broken,
        }
    }
}

impl HttpClient {
    /// 3 s to connect, 8 s in all: an answer that takes longer is asked for again later.
    pub fn new() -> Result<HttpClient, OutboundError> {
        Self::with_timeouts(Duration::from_secs(3), Duration::from_secs(8))
    }

    pub fn with_timeouts(connect: Duration, total: Duration) -> Result<HttpClient, OutboundError> {
        Client::builder()
            .connect_timeout(connect)
            .timeout(total)
            // WeChat Pay closes an idle connection after 8 s; a connection is given up before that
            .pool_idle_timeout(Duration::from_secs(6))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("jiaofei/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(|client| HttpClient(Way::Network(client)))
            .map_err(|_| OutboundError::Setup)
    }

    /// No network: every request is carried by `wire`.
    pub fn over(wire: Arc<dyn Wire>) -> HttpClient {
        HttpClient(Way::Wire(wire))
    }

    /// Sends one request and reads the whole answer, whatever its status. An empty `body` is sent as none.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, OutboundError> {
        let client = match &self.0 {
            Way::Network(client) => client,
            Way::Wire(wire) => return wire.carry(method, url, headers, body).await,
        };
        let mut request = client.request(method, url).headers(headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        let mut answer = request.send().await.map_err(|e| OutboundError::of(&e))?;
        let status = answer.status().as_u16();
        let headers = std::mem::take(answer.headers_mut());
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|e| OutboundError::of(&e))? {
            if body.len() + part.len() > LONGEST_ANSWER {
                return Err(OutboundError::TooLong);
            }
            body.extend_from_slice(&part);
        }
        Ok(Reply { status, headers, body })
    }

    pub async fn get(&self, url: &str) -> Result<Reply, OutboundError> {
        self.send(Method::GET, url, HeaderMap::new(), Vec::new()).await
    }
}

/// A server for tests that says exactly the bytes it is told to, or nothing, or half.
#[cfg(test)]
pub mod fake {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};

    /// A request as it came over the wire.
    #[derive(Clone, Debug)]
    pub struct Seen {
        pub method: String,
        /// Path and query
        pub target: String,
        /// Names in small letters
        pub headers: Vec<(String, String)>,
        pub body: Vec<u8>,
        /// Counts from 0; two requests with one number shared a connection.
        pub connection: usize,
    }

    impl Seen {
        pub fn header(&self, name: &str) -> Option<&str> {
            self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
        }
    }

    /// What the server does with a request.
    pub enum Play {
        Answer {
            status: u16,
            headers: Vec<(String, String)>,
            body: Vec<u8>,
        },
        /// Keeps the connection and says nothing.
        Silence,
        /// Promises `Content-Length: 1000`, says this much, and hangs up.
        Cut(Vec<u8>),
    }

    impl Play {
        pub fn plain(status: u16, body: &str) -> Play {
            Play::Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
        }
    }

    type Script = Arc<Mutex<dyn FnMut(&Seen) -> Play + Send>>;

    pub struct Fake {
        /// `http://127.0.0.1:port`
        pub base: String,
        seen: Arc<Mutex<Vec<Seen>>>,
    }

    impl Fake {
        pub fn start(script: impl FnMut(&Seen) -> Play + Send + 'static) -> Fake {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let base = format!("http://{}", listener.local_addr().expect("bound"));
            let seen = Arc::new(Mutex::new(Vec::new()));
            let (journal, script): (_, Script) = (seen.clone(), Arc::new(Mutex::new(script)));
            std::thread::spawn(move || {
                for (number, stream) in listener.incoming().flatten().enumerate() {
                    let (journal, script) = (journal.clone(), script.clone());
                    std::thread::spawn(move || serve(stream, number, &journal, &script));
                }
            });
            Fake { base, seen }
        }

        /// All requests so far, in order of arrival.
        pub fn seen(&self) -> Vec<Seen> {
            self.seen.lock().expect("no script panics").clone()
        }
    }

    fn serve(mut stream: TcpStream, number: usize, journal: &Mutex<Vec<Seen>>, script: &Script) {
        while let Some(seen) = read(&mut stream, number) {
            journal.lock().expect("no script panics").push(seen.clone());
            let play = (script.lock().expect("no script panics"))(&seen);
            let kept = match play {
                Play::Answer { status, headers, body } => answer(&mut stream, status, &headers, &body),
                Play::Silence => stream.read(&mut [0]).map(|_| false),
                Play::Cut(part) => {
                    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
                    stream.write_all(&[head, part.as_slice()].concat()).map(|()| false)
                }
            };
            if !kept.unwrap_or(false) {
                return;
            }
        }
    }

    fn answer(stream: &mut TcpStream, status: u16, headers: &[(String, String)], body: &[u8]) -> std::io::Result<bool> {
        let mut head = format!("HTTP/1.1 {status} X\r\n");
        if status != 204 {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(&[head.as_bytes(), body].concat()).map(|()| true)
    }

    fn read(stream: &mut TcpStream, connection: usize) -> Option<Seen> {
        let mut bytes = Vec::new();
        let head_end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            let mut part = [0; 4096];
            let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
            bytes.extend_from_slice(&part[..count]);
        };
        let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
        let mut body = bytes[head_end + 4..].to_vec();
        while body.len() < length {
            let mut part = [0; 4096];
            let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
            body.extend_from_slice(&part[..count]);
        }
        Some(Seen { method: first.next()?.to_owned(), target: first.next()?.to_owned(), headers, body, connection })
    }
}

#[cfg(test)]
mod tests {
    use super::fake::{Fake, Play};
    use super::*;

    fn hasty() -> HttpClient {
        HttpClient::with_timeouts(Duration::from_millis(300), Duration::from_millis(300)).unwrap()
    }

    #[tokio::test]
    async fn five_calls_share_one_connection_and_name_the_program() {
        let fake = Fake::start(|_| Play::plain(200, "{}"));
        let client = HttpClient::new().unwrap();
        for _ in 0..5 {
            client.get(&format!("{}/a?b=c", fake.base)).await.unwrap();
        }
        let seen = fake.seen();
        assert_eq!(seen.len(), 5);
        assert!(seen.iter().all(|one| one.connection == 0 && one.target == "/a?b=c"));
        assert_eq!(seen[0].header("user-agent"), Some(concat!("jiaofei/", env!("CARGO_PKG_VERSION"))));
    }

    #[tokio::test]
    async fn silence_and_a_cut_answer_are_errors_in_bounded_time() {
        let silent = Fake::start(|_| Play::Silence);
        assert_eq!(hasty().get(&silent.base).await.unwrap_err(), OutboundError::Timeout);
        let cut = Fake::start(|_| Play::Cut(b"{\"code\":".to_vec()));
        assert_eq!(hasty().get(&cut.base).await.unwrap_err(), OutboundError::Broken);
        let nobody = HttpClient::new().unwrap().get("http://127.0.0.1:1/secret?secret=s3cret").await.unwrap_err();
        assert_eq!(nobody, OutboundError::Connect);
        assert!(!format!("{nobody} {nobody:?}").contains("s3cret"));
    }

    #[tokio::test]
    async fn an_endless_answer_and_a_redirect_are_not_followed() {
        let long = Fake::start(|_| Play::plain(200, &"x".repeat(LONGEST_ANSWER + 1)));
        assert_eq!(HttpClient::new().unwrap().get(&long.base).await.unwrap_err(), OutboundError::TooLong);
        let away = Fake::start(|_| Play::Answer {
            status: 302,
            headers: vec![("Location".to_owned(), "/elsewhere".to_owned())],
            body: Vec::new(),
        });
        assert_eq!(HttpClient::new().unwrap().get(&away.base).await.unwrap().status, 302);
        assert_eq!(away.seen().len(), 1);
    }
}
