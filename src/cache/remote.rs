//! The line to Redis (6.2 or later), and the fuse in it.
//!
//! A command that fails or takes longer than [`PATIENCE`] blows the fuse: from then on every command is refused at once
//! and a task tries the line every [`RETRY`]. Before the fuse is put back, keys that were changed meanwhile are deleted
//! from Redis, so that it never gives back a value from before the break. No key, value or address reaches a log.
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, FromRedisValue, RedisError, RedisResult};

use super::memory::Twin;

/// The longest a caller waits for Redis, connecting included.
pub const PATIENCE: Duration = Duration::from_millis(300);
/// Time between two tries while Redis is away.
pub const RETRY: Duration = Duration::from_secs(2);
/// Changed keys remembered while Redis is away; beyond them all values are deleted when it is back.
const OWED: usize = 10_000;
/// Every key in Redis begins so; values and counters go on with `v:` and `t:`.
pub const PREFIX: &str = "jiaofei:";

/// The address cannot be read. The text never repeats it: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("redis.url: not an address of the form redis://host:6379/0")]
pub struct RedisUrlError;

pub struct Remote {
    client: redis::Client,
    /// Empty until the first command and after each failure
    line: Mutex<Option<ConnectionManager>>,
    fuse: Mutex<Fuse>,
    twin: Arc<Twin>,
}

#[derive(Default)]
struct Fuse {
    blown: bool,
    /// How often it was blown
    falls: u64,
    owed: HashSet<String>,
    owes_all: bool,
}

impl Fuse {
    fn owe(&mut self, key: &str) {
        if self.owed.len() < OWED {
            self.owed.insert(key.to_owned());
        } else {
            self.owes_all = true;
        }
    }
}

impl Remote {
    /// Reads the address; connects with the first command.
    pub fn new(url: &str, twin: Arc<Twin>) -> Result<Self, RedisUrlError> {
        let client = redis::Client::open(url).map_err(|_| RedisUrlError)?;
        Ok(Self { client, line: Mutex::default(), fuse: Mutex::default(), twin })
    }

    pub fn is_away(&self) -> bool {
        self.fuse().blown
    }

    /// How often Redis went away.
    pub fn falls(&self) -> u64 {
        self.fuse().falls
    }

    /// Sends one command; none when Redis is away. `changes` names the key whose value in Redis must go if the command
    /// does not arrive.
    pub async fn ask<T: FromRedisValue>(self: &Arc<Self>, changes: Option<&str>, command: &Cmd) -> Option<T> {
        {
            let mut fuse = self.fuse();
            if fuse.blown {
                if let Some(key) = changes {
                    fuse.owe(key);
                }
                return None;
            }
        }
        match self.send(command).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.blow(changes, &error);
                None
            }
        }
    }

    async fn send<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let answer = match self.connected() {
            Ok(mut line) => match tokio::time::timeout(PATIENCE, command.query_async(&mut line)).await {
                Ok(answer) => answer,
                Err(_) => Err(RedisError::from((redis::ErrorKind::Io, "no answer in time"))),
            },
            Err(error) => Err(error),
        };
        if answer.is_err() {
            // a line that failed once may stay broken (the manager renews it for some errors only)
            *self.line.lock().expect("no holder of the line panics") = None;
        }
        answer
    }

    fn connected(&self) -> RedisResult<ConnectionManager> {
        let mut line = self.line.lock().expect("no holder of the line panics");
        if let Some(line) = &*line {
            return Ok(line.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let fresh = ConnectionManager::new_lazy_with_config(self.client.clone(), config)?;
        *line = Some(fresh.clone());
        Ok(fresh)
    }

    fn blow(self: &Arc<Self>, changes: Option<&str>, error: &RedisError) {
        let mut fuse = self.fuse();
        if let Some(key) = changes {
            fuse.owe(key);
        }
        if !fuse.blown {
            fuse.blown = true;
            fuse.falls += 1;
            self.twin.forget_values();
            tracing::warn!(kind = ?error.kind(), "Redis is away; the in-process cache answers");
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    /// True when Redis is back and owes nothing.
    async fn mend(&self) -> bool {
        // a write: a Redis that is full or may only be read is not back
        let mut probe = redis::cmd("SET");
        probe.arg(format!("{PREFIX}probe")).arg(1).arg("PX").arg(1000);
        if self.send::<()>(&probe).await.is_err() {
            return false;
        }
        loop {
            let (owed, all) = {
                let mut fuse = self.fuse();
                if fuse.owed.is_empty() && !fuse.owes_all {
                    fuse.blown = false;
                    self.twin.forget_values();
                    return true;
                }
                (std::mem::take(&mut fuse.owed), std::mem::take(&mut fuse.owes_all))
            };
            if self.settle_debt(&owed, all).await.is_err() {
                let mut fuse = self.fuse();
                fuse.owed.extend(owed);
                fuse.owes_all |= all;
                return false;
            }
        }
    }

    async fn settle_debt(&self, owed: &HashSet<String>, all: bool) -> RedisResult<()> {
        let keys: Vec<&String> = owed.iter().collect();
        for some in keys.chunks(500) {
            self.send::<()>(redis::cmd("UNLINK").arg(some)).await?;
        }
        if all { self.delete_values().await } else { Ok(()) }
    }

    /// Deletes all values now, or when Redis is back.
    pub async fn forget(self: &Arc<Self>) {
        if let Err(error) = self.delete_values().await {
            self.fuse().owes_all = true;
            self.blow(None, &error);
        }
    }

    async fn delete_values(&self) -> RedisResult<()> {
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{PREFIX}v:*")).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) = self.send(&scan).await?;
            if !keys.is_empty() {
                self.send::<()>(redis::cmd("UNLINK").arg(keys)).await?;
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    fn fuse(&self) -> MutexGuard<'_, Fuse> {
        self.fuse.lock().expect("no holder of the fuse panics")
    }
}

/// Tries the line until Redis is back or nobody holds the cache any more.
async fn watch(remote: std::sync::Weak<Remote>) {
    loop {
        tokio::time::sleep(RETRY).await;
        let Some(remote) = remote.upgrade() else { return };
        if remote.mend().await {
            tracing::info!("Redis is back");
            return;
        }
    }
}
