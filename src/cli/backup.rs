//! `jiaofei backup` copies a SQLite database while it is used; `jiaofei restored` makes a database fit for use that was
//! brought back by other means than the program recognises by itself.
use std::path::PathBuf;

use clap::Args;

use super::desk;
use crate::config::Config;
use crate::flow::{migrate, restore};
use crate::store::db::Db;
use crate::store::home;

#[derive(Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist yet
    to: PathBuf,
    #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml")]
    pub config: PathBuf,
}

#[derive(Args)]
pub struct RestoredArgs {
    #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml")]
    pub config: PathBuf,
}

pub async fn back_up(args: &BackupArgs, config: Config) -> anyhow::Result<()> {
    let db = Db::connect(&config.database).await?;
    db.migrate().await?;
    anyhow::ensure!(
        home::copy(&db, &args.to).await?,
        "this database is PostgreSQL: pg_dump --format=custom --file={} jiaofei",
        args.to.display()
    );
    println!(
        "已备份到 {0} (copied to {0}). It cannot be read without the secrets: keep those elsewhere.",
        args.to.display()
    );
    Ok(())
}

pub async fn declare_restored(config: Config) -> anyhow::Result<()> {
    let app = desk::books(config).await?;
    migrate::bring_up(&app.db, &app.chain, &app.clock).await?;
    let restored = restore::declare(&app).await?;
    let until = restored.until.map_or_else(|| "—".to_owned(), |at| at.rfc3339());
    let moved = restored.moved;
    println!("账目到 {until} 为止 (the books end at {until})");
    println!("编号已跳过 {0} (every serial moved on by {0})", restore::STRETCH);
    println!(
        "待查 {} 笔支付，{} 张未付缴费单，结束 {} 个会话 (attempts to ask about, pending orders, sessions ended)",
        moved.attempts, moved.orders, moved.sessions
    );
    Ok(())
}
