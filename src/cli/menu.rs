//! `jiaofei menu …`: the official account's menu, from a file under version control.
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::desk;
use crate::config::Config;
use crate::flow::official::menu;
use crate::official_account::menu::{Menu, differences};

/// What is meant without a file.
pub const USUAL: &str = include_str!("../../wechat-menu.json");

#[derive(Args)]
pub struct MenuArgs {
    #[command(subcommand)]
    act: Act,
    /// The menu, with {public_url} where the address of `server.public_url` belongs; the one that comes with jiaofei
    /// without it
    #[arg(long, global = true)]
    file: Option<PathBuf>,
    #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml", global = true)]
    pub config: PathBuf,
}

#[derive(Clone, Copy, Subcommand)]
enum Act {
    /// Hold the file against every limit of the platform, without asking it
    Check,
    /// What would change; exits with 1 when anything would
    Diff,
    /// Make the account's menu what the file says
    Push,
    /// Print the account's menu as a file
    Pull,
}

pub async fn run(args: MenuArgs, config: Config) -> anyhow::Result<ExitCode> {
    let public_url = config.server.public_url.clone();
    let wanted = match &args.file {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?,
        None => USUAL.to_owned(),
    };
    let wanted = match Menu::read(&wanted, &public_url) {
        Ok(wanted) => wanted,
        Err(_) if matches!(args.act, Act::Pull) => Menu::default(),
        Err(complaints) => {
            complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    if matches!(args.act, Act::Check) {
        wanted.lines().iter().for_each(|line| println!("{line}"));
        return Ok(ExitCode::SUCCESS);
    }
    let app = desk::books(config).await?;
    let there = menu::shown(&app).await?;
    let changes = differences(&there, &wanted);
    match args.act {
        Act::Check => {}
        Act::Pull => print!("{}", there.text(&public_url)),
        Act::Diff => {
            changes.iter().for_each(|line| println!("{line}"));
            return Ok(if changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Act::Push => {
            menu::push(&app, &wanted).await?;
            changes.iter().for_each(|line| println!("{line}"));
            println!("The menu is set; whoever has the account open sees it within five minutes.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
