//! What can be typed.
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::desk::Desk;
use super::{announce, audit, backup, demo, events, import, key, log, menu, office, poster, reseal, serve};
use crate::clock::Clock;
use crate::config::Config;
use crate::flow::migrate;
use crate::store::chain::Chain;
use crate::store::db::Db;
use clap::{Parser, Subcommand};

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    // one provider for every TLS client of the process, before anything can ask for another
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("jiaofei: another cryptography provider was installed first");
        return ExitCode::FAILURE;
    }
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(args))) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("jiaofei: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// 缴费: the payment platform behind a university's 缴费入口
#[derive(Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve students and channels; migrates the database first
    Serve {
        #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml")]
        config: PathBuf,
        /// Against the sandbox on this machine; refuses whatever could be real
        #[arg(long)]
        rehearsal: bool,
    },
    /// A fictional school with its payers and gateways, all in one process
    Demo(demo::DemoArgs),
    /// The stand-in of WeChat Pay, Alipay and the official account alone
    Sandbox {
        #[arg(long, default_value = "127.0.0.1:8081")]
        listen: String,
        /// The application the phone shows
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        app: String,
    },
    /// Bring payers, fee items or charges in from a spreadsheet
    Import(import::ImportArgs),
    /// Add the books up again; exits with 1 when they do not agree
    Audit(audit::AuditArgs),
    /// What the finance office decides: open items, money of a wrong amount, refunds
    Office(Desk<office::Act>),
    /// What campus systems were told, and whether they took it
    Events(Desk<events::Act>),
    /// 公告: what everybody reads
    Announce(Desk<announce::Act>),
    /// Seal every personal field with the first field key, and enter it under the first index key
    Reseal(reseal::ResealArgs),
    /// Copy the SQLite database into a file while it is used
    Backup(backup::BackupArgs),
    /// Make a database fit for use that was brought back from a backup
    Restored(backup::RestoredArgs),
    /// The official account's menu: 缴费入口 and what stands under it
    Menu(menu::MenuArgs),
    /// The keys of campus systems
    Key(Desk<key::Act>),
    /// 海报: codes that hang on walls, and what came of each
    Poster(Desk<poster::Act>),
    /// Bring the database's schema up to date
    Migrate {
        #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml")]
        config: PathBuf,
    },
}

async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Serve { config, rehearsal } => {
            log::start(log::Form::Json);
            serve::run(Config::load(&config, std::env::vars())?, rehearsal).await?;
        }
        Command::Demo(args) => {
            log::start(log::Form::Plain);
            demo::run(args).await?;
        }
        Command::Sandbox { listen, app } => {
            log::start(log::Form::Plain);
            demo::run_sandbox(&listen, &app).await?;
        }
        Command::Import(args) => {
            let config = configuration(&args.config)?;
            return import::run(args, config).await;
        }
        Command::Audit(args) => {
            let config = configuration(&args.config)?;
            return audit::run(args, config).await;
        }
        Command::Office(desk) => {
            let (act, app) = desk.open().await?;
            return office::run(act, &app).await;
        }
        Command::Events(desk) => {
            let (act, app) = desk.open().await?;
            return events::run(act, &app).await;
        }
        Command::Announce(desk) => {
            let (act, app) = desk.open().await?;
            return announce::run(act, &app).await;
        }
        Command::Reseal(args) => {
            let config = configuration(&args.config)?;
            return reseal::run(config).await;
        }
        Command::Backup(args) => {
            let config = configuration(&args.config)?;
            backup::back_up(&args, config).await?;
        }
        Command::Restored(args) => {
            let config = configuration(&args.config)?;
            backup::declare_restored(config).await?;
        }
        Command::Menu(args) => {
            let config = configuration(&args.config)?;
            return menu::run(args, config).await;
        }
        Command::Key(desk) => {
            let (act, app) = desk.open().await?;
            return key::run(act, &app).await;
        }
        Command::Poster(desk) => {
            let (act, app) = desk.open().await?;
            return poster::run(act, &app).await;
        }
        Command::Migrate { config } => {
            let config = configuration(&config)?;
            let db = Db::connect(&config.database).await?;
            migrate::bring_up(&db, &Chain::new(&config.secrets), &Clock::system()).await?;
            println!("The database is up to date.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The configuration of a command a person runs, who reads the log's lines as they are.
fn configuration(path: &Path) -> anyhow::Result<Config> {
    log::start(log::Form::Plain);
    Ok(Config::load(path, std::env::vars())?)
}
