//! `jiaofei key new|list|revoke`: the keys of campus systems.
use std::process::ExitCode;

use clap::Subcommand;

use crate::app::App;
use crate::domain::api_key::ApiScope;
use crate::flow::api_keys;

#[derive(Subcommand)]
pub enum Act {
    /// Make a key; it is shown once
    New {
        /// The system it is for
        name: String,
        /// What it may do: payers:write, items:write, charges:write, orders:read, posters:read, posters:write; may be
        /// given several times
        #[arg(long = "scope", required = true, value_parser = scope)]
        scopes: Vec<ApiScope>,
    },
    /// Every key that was ever made, without the keys themselves
    List,
    /// End the key of a name, at once
    Revoke { name: String },
}

fn scope(text: &str) -> Result<ApiScope, String> {
    let known = || ApiScope::ALL.iter().map(|scope| scope.code()).collect::<Vec<_>>().join(", ");
    ApiScope::parse(text).ok_or_else(|| format!("known are {}", known()))
}

pub async fn run(act: Act, app: &App) -> anyhow::Result<ExitCode> {
    app.db.migrate().await?;
    match act {
        Act::New { name, scopes } => println!("{}", api_keys::issue(app, &name, &scopes).await?),
        Act::List => {
            for key in api_keys::list(app).await? {
                let day = |at: crate::domain::moment::Moment| at.format("%Y-%m-%d %H:%M");
                let scopes = key.scopes.iter().map(|scope| scope.code()).collect::<Vec<_>>().join(",");
                let used = key.last_used_at.map_or("never used".to_owned(), |at| format!("used {}", day(at)));
                let end = key.revoked_at.map_or(String::new(), |at| format!("  revoked {}", day(at)));
                println!("{:>4}  {:<24}  {}  {scopes}  {used}{end}", key.id, key.name, day(key.created_at));
            }
        }
        Act::Revoke { name } => anyhow::ensure!(api_keys::revoke(app, &name).await?, "no live key is called {name:?}"),
    }
    Ok(ExitCode::SUCCESS)
}
