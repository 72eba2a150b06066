//! `jiaofei audit`: prints what does not agree and exits with 1 when anything does not.
use std::process::ExitCode;

use crate::app::App;
use crate::clock::{Chance, Clock};
use crate::config::Config;
use crate::flow::audit;
use crate::outbound::HttpClient;

pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let app = App::open(config, Clock::system(), Chance::system(), HttpClient::new()?).await?;
    let findings = audit::run(&app).await?;
    let mut clean = true;
    for finding in &findings {
        let mark = if finding.differences.is_empty() { "ok  " } else { "DIFF" };
        println!("{mark}  {}", finding.must_hold);
        for row in &finding.differences {
            clean = false;
            println!("      {}: stands at {}, should be {}", row.subject, row.stands_fen, row.should_be_fen);
        }
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
