//! A door of the network that can be shut: what connects to it is led to one of the ports behind it, as nginx would.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

pub struct Door {
    pub port: u16,
    behind: Vec<u16>,
    open: AtomicBool,
    next: AtomicUsize,
    /// Tells every connection under way that the door is shut
    cut: Notify,
}

impl Door {
    pub async fn open(behind: Vec<u16>) -> Arc<Door> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, next) = (AtomicBool::new(true), AtomicUsize::new(0));
        let door = Arc::new(Door { port, behind, open, next, cut: Notify::new() });
        tokio::spawn(Arc::clone(&door).stand(listener));
        door
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Breaks what is under way and refuses what comes, until opened again.
    pub fn shut(&self) {
        self.open.store(false, Ordering::SeqCst);
        self.cut.notify_waiters();
    }

    pub fn unlock(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    async fn stand(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((caller, _)) => {
                    tokio::spawn(Arc::clone(&self).lead(caller));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// One connection, to the next port that takes it; a caller nobody takes is hung up on.
    async fn lead(self: Arc<Self>, mut caller: TcpStream) {
        let cut = self.cut.notified();
        tokio::pin!(cut);
        cut.as_mut().enable();
        if !self.open.load(Ordering::SeqCst) {
            return;
        }
        let first = self.next.fetch_add(1, Ordering::SeqCst);
        for at in 0..self.behind.len() {
            let port = self.behind[(first + at) % self.behind.len()];
            if let Ok(mut inside) = TcpStream::connect(("127.0.0.1", port)).await {
                tokio::select! {
                    _ = copy_bidirectional(&mut caller, &mut inside) => {}
                    () = cut => {}
                }
                return;
            }
        }
    }
}
