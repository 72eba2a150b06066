//! A PostgreSQL and a Redis of one story's own, to be stopped, crashed and started again.
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until something listens there.
fn listening(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing listens on {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub struct Redis {
    pub port: u16,
    child: Option<Child>,
}

impl Redis {
    pub fn start() -> Redis {
        let mut redis = Redis { port: free_port(), child: None };
        redis.come_back();
        redis
    }

    /// Comes back empty: nothing is kept.
    pub fn come_back(&mut self) {
        let port = self.port.to_string();
        let words = ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"];
        self.child = Some(Command::new("redis-server").args(words).stdout(Stdio::null()).spawn().unwrap());
        listening(self.port);
    }

    /// `kill -9`
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}

pub struct Postgres {
    pub port: u16,
    data: PathBuf,
    log: PathBuf,
    /// Whether a commit waits for the disk; without it a crash of the processes alone still loses nothing
    fsync: bool,
}

/// PostgreSQL's own two ways of being stopped in a hurry.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// Connections are cut, then everything is written
    Fast,
    /// Everything is dropped; the next start recovers from the log
    Immediate,
}

impl Postgres {
    /// In a folder others may enter: PostgreSQL refuses to run as root.
    pub fn start(folder: &Path, fsync: bool) -> Postgres {
        let (data, log) = (folder.join("pg"), folder.join("postgres.log"));
        std::fs::create_dir(&data).unwrap();
        std::fs::write(&log, "").unwrap();
        if is_root() {
            let all = [&data, &log].map(|path| path.as_os_str());
            assert!(Command::new("chown").arg("postgres:postgres").args(all).status().unwrap().success());
        }
        let postgres = Postgres { port: free_port(), data, log, fsync };
        let data = postgres.data.to_str().unwrap();
        let words = ["-D", data, "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "--no-sync"];
        let made = postgres.tool("initdb").args(words).stdout(Stdio::null()).status().unwrap();
        assert!(made.success(), "initdb");
        postgres.come_back();
        postgres
    }

    pub fn come_back(&self) {
        let switch = if self.fsync { "on" } else { "off" };
        let options = format!(
            "-c listen_addresses=127.0.0.1 -p {} -c unix_socket_directories= -c max_connections=100 \
             -c synchronous_commit=on -c fsync={switch} -c full_page_writes={switch}",
            self.port
        );
        let log = self.log.to_str().unwrap();
        let words = ["-D", self.data.to_str().unwrap(), "-w", "-t", "60", "-l", log, "-o", &options, "start"];
        let started = self.tool("pg_ctl").args(words).stdout(Stdio::null()).status().unwrap();
        assert!(started.success(), "PostgreSQL does not start");
    }

    pub fn stop(&self, how: Stop) {
        let how = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        let words = ["-D", self.data.to_str().unwrap(), "-w", "-t", "60", "-m", how, "stop"];
        self.tool("pg_ctl").args(words).stdout(Stdio::null()).status().unwrap();
    }

    /// What PostgreSQL has written about itself, deadlocks among it.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn tool(&self, name: &str) -> Command {
        let folders = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let newest = folders.map(|entry| entry.path().join("bin")).max();
        let program = newest.map_or_else(|| name.into(), |folder| folder.join(name));
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        command.current_dir(self.data.parent().unwrap()).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop(Stop::Immediate);
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|told| told.stdout == b"0\n")
}
