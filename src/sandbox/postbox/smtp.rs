//! A mail server that takes every letter and sends none on (RFC 5321, without extensions).
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::mime;
use super::shelf::Arrived;
use crate::domain::message::Way;
use crate::sandbox::world::Sandbox;

/// The longest letter that is taken, in bytes
const LONGEST: usize = 1 << 20;

impl Sandbox {
    /// Takes mail for ever on a bound port.
    pub async fn serve_mail(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let world = Arc::clone(&self);
            tokio::spawn(async move {
                // whoever hangs up has nothing to be told
                let _ = talk(&world, stream).await;
            });
        }
    }
}

async fn talk(world: &Sandbox, stream: TcpStream) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    write.write_all(b"220 sandbox\r\n").await?;
    let mut to: Vec<String> = Vec::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let upper = line.trim().to_ascii_uppercase();
        let answer = match upper.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-sandbox\r\n250 8BITMIME".to_owned(),
            "HELO" | "NOOP" => "250 sandbox".to_owned(),
            "MAIL" | "RSET" => {
                to.clear();
                "250 go on".to_owned()
            }
            "RCPT" => match world.postbox().refusal(Way::Mail) {
                Some(code) => format!("{code} not now"),
                None => {
                    to.extend(
                        line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(a, _)| a.to_owned()),
                    );
                    "250 go on".to_owned()
                }
            },
            "DATA" if to.is_empty() => "503 to whom?".to_owned(),
            "DATA" => {
                write.write_all(b"354 go on, end with a dot\r\n").await?;
                match letter(&mut lines).await? {
                    Some(raw) => {
                        keep(world, &to, &raw);
                        "250 taken".to_owned()
                    }
                    None => "552 too long".to_owned(),
                }
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 not here".to_owned(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// Everything up to the line with a dot; a dot that was doubled is one.
async fn letter(lines: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Option<String>> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.as_str() {
            ".\r\n" => return Ok((raw.len() <= LONGEST).then_some(raw)),
            text if raw.len() <= LONGEST => raw.push_str(text.strip_prefix('.').unwrap_or(text)),
            _ => {}
        }
    }
}

fn keep(world: &Sandbox, to: &[String], raw: &str) {
    let at = world.now();
    let mut shelf = world.postbox();
    for to in to {
        let mail = mime::read(raw);
        let way = Way::Mail.code();
        shelf.take(Arrived { way, to: to.clone(), subject: mail.subject, text: mail.text, id: mail.id, at });
    }
}
