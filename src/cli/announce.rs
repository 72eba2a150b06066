//! `jiaofei announce …`: 公告, until there is a page for it.
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::app::App;
use crate::domain::announcement::Announcement;
use crate::domain::bilingual::Bilingual;
use crate::domain::ids::AnnouncementId;
use crate::domain::moment::Moment;
use crate::flow::announcements;

#[derive(Subcommand)]
pub enum Act {
    /// What is shown now, newest first
    List,
    /// Publish a text; an empty line in it begins a new paragraph
    Publish(Publish),
    /// Take one back
    Withdraw { id: i64 },
}

#[derive(Args)]
pub struct Publish {
    #[arg(long)]
    title: String,
    #[arg(long, default_value = "")]
    title_en: String,
    /// A file of plain text in UTF-8
    #[arg(long)]
    body: PathBuf,
    #[arg(long)]
    body_en: Option<PathBuf>,
    #[arg(long, default_value = "")]
    department: String,
    #[arg(long, default_value = "")]
    department_en: String,
    /// Shown on the first page after signing in, until a newer one is
    #[arg(long)]
    pinned: bool,
    /// "2026-09-01 08:00:00", Beijing time; now without it
    #[arg(long, value_parser = moment)]
    from: Option<Moment>,
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse_beijing(text).ok_or_else(|| "wanted YYYY-MM-DD HH:MM:SS".to_owned())
}

pub async fn run(act: Act, app: &App) -> anyhow::Result<ExitCode> {
    match act {
        Act::List => {
            let (shown, total) = announcements::list(app, 1).await?;
            for one in &shown {
                let pinned = if one.pinned { "pinned" } else { "" };
                println!("{:>6}  {}  {pinned:<6}  {}", one.id, one.published_at.beijing_text(), one.title.zh);
            }
            if total > shown.len() as u64 {
                println!("… and older ones");
            }
        }
        Act::Publish(new) => {
            let read = |path: &PathBuf| {
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
            };
            let body_en = new.body_en.as_ref().map(read).transpose()?.unwrap_or_default();
            let new = Announcement {
                id: AnnouncementId(0),
                department: Bilingual::new(new.department, new.department_en),
                title: Bilingual::new(new.title, new.title_en),
                body: Bilingual::new(read(&new.body)?, body_en),
                pinned: new.pinned,
                published_at: new.from.unwrap_or_else(|| app.clock.now()),
            };
            println!("{}", announcements::publish(app, &new).await?);
        }
        Act::Withdraw { id } => {
            let done = announcements::withdraw(app, AnnouncementId(id)).await?;
            anyhow::ensure!(done, "no announcement that is shown has the id {id}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
