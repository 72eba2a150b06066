//! The load driver behind `benches/run`: real servers on loopback, really signed notices, and a table at the end.
//!
//! Only ratios of one run count: both sides of a ratio are measured in short rounds, one after the other, and medians
//! are told. Nothing of this reaches the shipped program.
mod hello;
mod http;
mod notices;
mod pages;
mod payments;
mod pgbench;
mod program;
mod school;
mod stage;
mod table;

use anyhow::bail;

use stage::Stage;
use table::Table;

/// What can be measured alone, in the order it is measured.
const PARTS: [&str; 8] = ["audit", "weights", "pages", "payments", "two", "ack", "memory", "import"];

struct Options {
    large: bool,
    parts: Vec<String>,
}

impl Options {
    fn read(words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
        let mut options = Options { large: false, parts: Vec::new() };
        for word in words {
            match word.as_str() {
                // cargo adds it
                "--bench" => {}
                "--large" => options.large = true,
                part if PARTS.contains(&part) => options.parts.push(word),
                other => bail!("{other}: not a part; the parts are {}", PARTS.join(", ")),
            }
        }
        Ok(options)
    }

    fn wants(&self, part: &str) -> bool {
        match self.parts.as_slice() {
            // a million rows are imported when asked for
            [] => part != "import" || self.large,
            parts => parts.iter().any(|wanted| wanted == part),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if words.first().is_some_and(|word| word == "hello") {
        return runtime.block_on(hello::serve(&words[1]));
    }
    let options = Options::read(words.into_iter())?;
    runtime.block_on(measure(&options))
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    let mut table = Table::default();
    let size = if options.large { 1_000_000 } else { 100_000 };
    let stage = Stage::set(size, &mut table).await?;
    // before pgbench writes into the journal what no key has sealed
    if options.wants("audit") {
        stage.audit(&mut table)?;
    }
    if options.wants("weights") {
        pages::weights(&stage, &mut table).await?;
    }
    if options.wants("pages") {
        pages::rates(&stage, &mut table).await?;
        if options.large {
            pages::against_small(&stage, &mut table).await?;
        }
    }
    if options.wants("payments") {
        payments::first_time(&stage, &mut table).await?;
        payments::duplicates(&stage, &mut table).await?;
    }
    if options.wants("two") {
        payments::two_processes(&stage, &mut table).await?;
    }
    if options.wants("ack") {
        payments::acknowledgement(&stage, &mut table).await?;
    }
    if options.wants("memory") {
        stage.memory(&mut table)?;
        stage.start_up(&mut table).await?;
    }
    if options.wants("import") && !options.large {
        Stage::import_a_million(&mut table).await?;
    }
    println!("\n{}", table.told());
    Ok(())
}
