//! What the commands of the office have in common: one act upon the books of one configuration.
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::log;
use crate::app::App;
use crate::clock::{Chance, Clock};
use crate::config::Config;
use crate::outbound::HttpClient;

/// `jiaofei COMMAND ACT [--config FILE]`
#[derive(Args)]
pub struct Desk<Act: Subcommand> {
    #[command(subcommand)]
    act: Act,
    #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml", global = true)]
    config: PathBuf,
}

impl<Act: Subcommand> Desk<Act> {
    /// The act, and the books it is about. The schema is left as it is.
    pub async fn open(self) -> anyhow::Result<(Act, App)> {
        log::start(log::Form::Plain);
        let config = Config::load(&self.config, std::env::vars())?;
        Ok((self.act, books(config).await?))
    }
}

/// The books of a configuration, with this machine's clock and randomness.
pub async fn books(config: Config) -> anyhow::Result<App> {
    App::open(config, Clock::system(), Chance::system(), HttpClient::new()?).await
}
