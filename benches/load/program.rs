//! Starting and stopping the programs of a run. Each ends with its value, or with the run.
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::http::Connection;

pub struct Program {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to its first answer
    pub started_in: Duration,
}

impl Program {
    /// Starts a server and waits for its first answer at `path`.
    pub async fn start(mut command: Command, address: SocketAddr, path: &str, log: &Path) -> anyhow::Result<Program> {
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let begun = Instant::now();
        let mut program = Program { child: command.spawn()?, address, started_in: Duration::ZERO };
        // so that whoever started the run can end it too
        let folder = std::env::var("BENCH_FOLDER").context("benches/run sets BENCH_FOLDER")?;
        std::fs::write(Path::new(&folder).join(format!("{}.pid", program.child.id())), "")?;
        let ask = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        loop {
            if let Ok(mut connection) = Connection::open(address).await
                && connection.exchange(ask.as_bytes()).await.is_ok_and(|answer| answer.status == 200)
            {
                program.started_in = begun.elapsed();
                return Ok(program);
            }
            if let Some(status) = program.child.try_wait()? {
                bail!("a server ended at once: {status}");
            }
            if begun.elapsed() > Duration::from_secs(30) {
                bail!("a server does not answer");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A value of /proc/…/status, in bytes: `VmRSS` now, `VmHWM` at most.
    pub fn memory(&self, key: &str) -> anyhow::Result<u64> {
        memory(self.child.id(), key).context("/proc does not tell")
    }
}

pub fn memory(process: u32, key: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Processor time a process and those of its children that have ended have used, in microseconds; none when there is
/// no such process. Fields 14 to 17 of proc_pid_stat(5), in hundredths of a second on Linux.
pub fn processor(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // the name in brackets may hold blanks
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: Option<Vec<f64>> = fields.get(11..15)?.iter().map(|field| field.parse().ok()).collect();
    Some(ticks?.iter().sum::<f64>() * 10_000.0)
}

/// The children of a process that live now.
pub fn children(process: u32) -> Vec<u32> {
    let tasks = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    tasks.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

impl Drop for Program {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Runs a command to its end; what it printed, or an error with it.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{command:?}: {}\n{printed}{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(printed)
}
