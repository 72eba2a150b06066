//! What a run stands on: PostgreSQL and Redis of `benches/run`, the release server with its school, and hello-world.
use std::cell::Cell;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::notices::Voice;
use super::program::{self, Program, free_address};
use super::school::{self, Size};
use super::table::{Aim, Table, median, millis};

pub struct Stage {
    outside: Outside,
    pub size: Size,
    pub voice: Voice,
    pub server: Program,
    pub hello: Program,
    used: Cell<usize>,
}

/// Processor time, in microseconds.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    pub server: f64,
    pub postgres: f64,
}

impl Spent {
    pub fn add(&mut self, from: Spent, until: Spent) {
        self.server += until.server - from.server;
        self.postgres += until.postgres - from.postgres;
    }

    /// For each of so many answers.
    pub fn tell(self, figure: &str, answers: usize, table: &mut Table) {
        let each = |micros: f64| format!("{:.0} µs", micros / answers as f64);
        let told = format!("server {}, PostgreSQL {}", each(self.server), each(self.postgres));
        table.add(&format!("{figure}: processor time of one"), told, String::new(), None, None);
    }
}

/// What `benches/run` has started and tells by environment.
pub struct Outside {
    pub folder: PathBuf,
    program: PathBuf,
    postgres: String,
    redis: String,
}

impl Outside {
    fn read() -> anyhow::Result<Outside> {
        let word = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set: use benches/run"));
        Ok(Outside {
            folder: word("BENCH_FOLDER")?.into(),
            program: word("BENCH_PROGRAM")?.into(),
            postgres: word("BENCH_POSTGRES")?,
            redis: word("BENCH_REDIS")?,
        })
    }

    /// A tool of PostgreSQL, told where the server is.
    pub fn tool(&self, name: &str) -> anyhow::Result<Command> {
        let folder = std::env::var("BENCH_PG_BIN").context("BENCH_PG_BIN is not set: use benches/run")?;
        let mut command = Command::new(Path::new(&folder).join(name));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.postgres]);
        Ok(command)
    }

    pub fn psql(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let file = self.folder.join("statements.sql");
        std::fs::write(&file, sql)?;
        let mut psql = self.tool("psql")?;
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"]).arg(&file);
        program::run(&mut psql)
    }

    /// The release program, told which database to use.
    pub fn jiaofei(&self, database: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("JIAOFEI_CONFIG", self.folder.join("jiaofei.toml"));
        command.env("JIAOFEI__DATABASE__URL", format!("postgres://postgres@127.0.0.1:{}/{database}", self.postgres));
        // Redis knows the same order numbers in every school: each has a database of its own
        let number = database.bytes().filter(|byte| *byte == b'0').count();
        command.env("JIAOFEI__REDIS__URL", format!("{}{number}", self.redis));
        command
    }

    pub async fn serve(&self, database: &str) -> anyhow::Result<Program> {
        let address = free_address()?;
        let mut command = self.jiaofei(database);
        command.arg("serve").env("JIAOFEI__SERVER__LISTEN", address.to_string());
        Program::start(command, address, "/readyz", &self.folder.join("server.log")).await
    }

    async fn hello(&self) -> anyhow::Result<Program> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["hello", &address.to_string()]);
        Program::start(command, address, "/", &self.folder.join("server.log")).await
    }

    /// A school of so many charges in a database of its own; seconds and bytes the import of the charges took.
    fn found(&self, size: Size) -> anyhow::Result<(f64, u64)> {
        let database = database(size);
        program::run(self.tool("createdb")?.arg(&database))?;
        program::run(self.jiaofei(&database).arg("migrate"))?;
        self.psql(&database, &school::people_sql(size))?;
        let file = self.folder.join("charges.csv");
        std::fs::write(&file, school::charges_csv(size))?;
        let cost = self.import(&database, &file)?;
        std::fs::remove_file(&file)?;
        self.psql(&database, &school::acts_sql(size))?;
        let torn = "SELECT count(*) FROM charge WHERE payer_id <> (id + 3) / 4";
        if self.psql(&database, torn)?.trim() != "0" {
            bail!("the charges did not come in the order of the file");
        }
        Ok(cost)
    }

    fn import(&self, database: &str, file: &Path) -> anyhow::Result<(f64, u64)> {
        let mut command = self.jiaofei(database);
        command.args(["import", "charges"]).arg(file);
        cost(command)
    }
}

/// Runs a command to its end; the seconds it took and the bytes it held at most.
fn cost(mut command: Command) -> anyhow::Result<(f64, u64)> {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let mut most = 0;
    loop {
        most = program::memory(child.id(), "VmHWM").unwrap_or(0).max(most);
        match child.try_wait()? {
            Some(status) if status.success() => return Ok((begun.elapsed().as_secs_f64(), most)),
            Some(status) => bail!("{command:?}: {status}"),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn database(size: Size) -> String {
    format!("school{}", size.charges)
}

fn tell_import(table: &mut Table, size: Size, (seconds, bytes): (f64, u64)) {
    let figure = format!("import of {} charges", size.charges);
    let (time, room) = (Aim::at_most(seconds, 60.0, " s"), Aim::at_most((bytes >> 20) as f64, 150.0, " MiB"));
    let aim = Aim::and(time, room).filter(|_| size.charges == 1_000_000);
    table.add(&figure, format!("{seconds:.1} s, {} MiB", bytes >> 20), String::new(), None, aim);
}

impl Stage {
    pub async fn set(charges: usize, table: &mut Table) -> anyhow::Result<Stage> {
        let outside = Outside::read()?;
        std::fs::write(outside.folder.join("jiaofei.toml"), school::config(&outside.folder))?;
        let size = Size { charges };
        tell_import(table, size, outside.found(size)?);
        Ok(Stage {
            voice: Voice::read(&outside.folder)?,
            server: outside.serve(&database(size)).await?,
            hello: outside.hello().await?,
            outside,
            size,
            used: Cell::new(0),
        })
    }

    /// Another school beside, and a server for it.
    pub async fn another(&self, charges: usize) -> anyhow::Result<(Size, Program)> {
        let size = Size { charges };
        self.outside.found(size)?;
        Ok((size, self.outside.serve(&database(size)).await?))
    }

    /// Another process on the same database and Redis.
    pub async fn second_process(&self) -> anyhow::Result<Program> {
        self.outside.serve(&self.database()).await
    }

    pub async fn import_a_million(table: &mut Table) -> anyhow::Result<()> {
        let size = Size { charges: 1_000_000 };
        tell_import(table, size, Outside::read()?.found(size)?);
        Ok(())
    }

    /// Processor time used so far.
    pub fn spent(&self) -> anyhow::Result<Spent> {
        let of = |process| program::processor(process).context("/proc does not tell");
        let file = std::fs::read_to_string(self.outside.folder.join("pg/postmaster.pid"))?;
        let postgres: u32 = file.lines().next().unwrap_or_default().trim().parse()?;
        let backends = program::children(postgres).into_iter().filter_map(program::processor);
        Ok(Spent { server: of(self.server.id())?, postgres: of(postgres)? + backends.sum::<f64>() })
    }

    pub fn outside(&self) -> &Outside {
        &self.outside
    }

    pub fn database(&self) -> String {
        database(self.size)
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Orders nobody has been told about yet.
    pub fn orders(&self, count: usize) -> anyhow::Result<Range<usize>> {
        let from = self.used.get() + 1;
        let until = from + count;
        if until > self.size.orders() + 1 {
            bail!("no more than {} orders were prepared", self.size.orders());
        }
        self.used.set(until - 1);
        Ok(from..until)
    }

    /// The books added up and the chains followed, as the operator does it; both must end well.
    pub fn audit(&self, table: &mut Table) -> anyhow::Result<()> {
        let entries = self.outside.psql(&self.database(), "SELECT count(*) FROM charge_entry")?;
        for words in [&["audit"][..], &["audit", "--chain"][..]] {
            let mut command = self.outside.jiaofei(&self.database());
            command.args(words);
            let (seconds, bytes) = cost(command)?;
            let figure = format!("{} of {} charges, {} entries", words.join(" "), self.size.charges, entries.trim());
            table.add(&figure, format!("{seconds:.1} s, {} MiB", bytes >> 20), String::new(), None, None);
        }
        Ok(())
    }

    pub fn memory(&self, table: &mut Table) -> anyhow::Result<()> {
        let (now, most) = (self.server.memory("VmRSS")?, self.server.memory("VmHWM")?);
        let told = format!("{} MiB, at most {} MiB", now >> 20, most >> 20);
        let aim = Aim::at_most((now >> 20) as f64, 80.0, " MiB");
        table.add("resident memory after the load", told, String::new(), None, aim);
        Ok(())
    }

    pub async fn start_up(&self, table: &mut Table) -> anyhow::Result<()> {
        let mut times = Vec::new();
        for _ in 0..5 {
            times.push(self.second_process().await?.started_in.as_micros() as f64);
        }
        let time = median(&times);
        let aim = Aim::at_most(time / 1000.0, 150.0, " ms");
        table.add("start to first answer (/readyz), migrated", millis(time), String::new(), None, aim);
        Ok(())
    }
}
