//! The processes of `jiaofei`: a server that is started again whenever it ends, the sandbox, and single commands.
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::process::{Child, Command};

use super::notes::Notes;

/// The program under test: what cargo built for this test, or what `JIAOFEI_TEST_PROGRAM` names.
pub fn program() -> PathBuf {
    std::env::var_os("JIAOFEI_TEST_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_jiaofei").into(), PathBuf::from)
}

/// A command that reads this configuration and nobody's environment.
pub fn jiaofei(config: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("JIAOFEI_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command.env("JIAOFEI_CONFIG", config).args(words).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// One server process and whoever starts it again, as systemd would, without waiting.
pub struct Server {
    pub port: u16,
    pub log: PathBuf,
    pid: AtomicU32,
    killed: AtomicBool,
}

impl Server {
    pub fn start(config: &Path, port: u16, log: PathBuf, notes: Arc<Notes>) -> Arc<Server> {
        let (pid, killed) = (AtomicU32::new(0), AtomicBool::new(false));
        let server = Arc::new(Server { port, log, pid, killed });
        tokio::spawn(Arc::clone(&server).keep(config.to_owned(), notes));
        server
    }

    async fn keep(self: Arc<Self>, config: PathBuf, notes: Arc<Notes>) {
        loop {
            let from = self.written().len();
            let mut child = self.spawn(&config);
            self.killed.store(false, Ordering::SeqCst);
            self.pid.store(child.id().unwrap_or_default(), Ordering::SeqCst);
            let status = child.wait().await.unwrap();
            self.pid.store(0, Ordering::SeqCst);
            let said = self.written().split_off(from);
            match self.killed.load(Ordering::SeqCst) {
                true => notes.count("servers killed and started again"),
                // it may start while PostgreSQL is away: it says so and ends
                false if !said.contains("\"serving\"") => notes.count("starts without a database, tried again"),
                false => notes.wrong(format!("a server ended by itself: {status}: {said}")),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn spawn(&self, config: &Path) -> Child {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = jiaofei(config, &["serve", "--rehearsal"]);
        command.env("JIAOFEI__SERVER__LISTEN", format!("127.0.0.1:{}", self.port));
        command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    /// Everything this server has said in all its lives.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// `kill -9`, if it runs.
    pub async fn kill(&self) -> bool {
        let pid = self.pid.load(Ordering::SeqCst);
        self.killed.store(true, Ordering::SeqCst);
        pid != 0 && signal(pid, "-KILL").await
    }
}

/// The gateways and the bank. It is never killed: its books are what ours are compared with.
pub struct Gateways {
    pub port: u16,
    pub log: PathBuf,
    pid: u32,
    _child: Child,
}

impl Gateways {
    pub fn start(port: u16, app: &str, path: &Path) -> Gateways {
        let log = File::create(path).unwrap();
        let listen = format!("127.0.0.1:{port}");
        let mut command = jiaofei(Path::new("none"), &["sandbox", "--listen", &listen, "--app", app]);
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Gateways { port, log: path.to_owned(), pid: child.id().unwrap(), _child: child }
    }

    /// Takes connections and answers nobody: a network that swallows everything.
    pub async fn freeze(&self) {
        signal(self.pid, "-STOP").await;
    }

    pub async fn thaw(&self) {
        signal(self.pid, "-CONT").await;
    }
}

async fn signal(pid: u32, name: &str) -> bool {
    Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status().await.unwrap().success()
}
