//! `jiaofei poster new|list|revoke|print`: 海报, codes that hang on walls.
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::app::App;
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::moment::Moment;
use crate::domain::poster::{NewPoster, PosterKind, PosterNo};
use crate::flow::poster::desk;
use crate::web::paper::Kind;
use crate::web::print;
use crate::web::view::poster::Size;

#[derive(Subcommand)]
pub enum Act {
    /// Make a poster; prints its number
    New(New),
    /// Every poster, and what came of each
    List,
    /// End a poster, at once and for good
    Revoke {
        #[arg(value_parser = number)]
        number: PosterNo,
    },
    /// Draw a poster into a file that ends in .png (300 dots an inch), .pdf or .svg
    Print {
        #[arg(value_parser = number)]
        number: PosterNo,
        file: PathBuf,
        /// a3, a4 or a5
        #[arg(long, default_value = "a4", value_parser = size)]
        size: Size,
    },
}

#[derive(Args)]
pub struct New {
    /// platform (平台), item (收费项目), programme (报名项目) or department (部门)
    #[arg(value_parser = kind)]
    kind: PosterKind,
    /// The code of the fee item or the programme, or the department's name
    #[arg(default_value = "")]
    about: String,
    /// A fee item of the department; may be given several times
    #[arg(long = "item")]
    items: Vec<String>,
    /// At most 30 characters
    #[arg(long)]
    title: String,
    /// At most 72 characters
    #[arg(long, default_value = "")]
    title_en: String,
    /// Which language stands first: zh or en
    #[arg(long, default_value = "zh", value_parser = lang)]
    lang: Lang,
    /// "2026-09-30 23:59:59", Beijing time; without it the poster is good until it is revoked
    #[arg(long, value_parser = moment)]
    until: Option<Moment>,
}

fn number(text: &str) -> Result<PosterNo, String> {
    PosterNo::parse(text).ok_or_else(|| "wanted a number like HB000001".to_owned())
}

fn kind(text: &str) -> Result<PosterKind, String> {
    PosterKind::parse(text).ok_or_else(|| "known are platform, item, programme and department".to_owned())
}

fn size(text: &str) -> Result<Size, String> {
    Size::parse(text).ok_or_else(|| "known are a3, a4 and a5".to_owned())
}

fn lang(text: &str) -> Result<Lang, String> {
    Lang::parse(text).ok_or_else(|| "known are zh and en".to_owned())
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse_beijing(text).ok_or_else(|| "wanted YYYY-MM-DD HH:MM:SS".to_owned())
}

pub async fn run(act: Act, app: &App) -> anyhow::Result<ExitCode> {
    app.db.migrate().await?;
    match act {
        Act::New(new) => {
            let new = NewPoster {
                kind: new.kind,
                about: new.about,
                items: new.items,
                title: Bilingual::new(new.title, new.title_en),
                lang: new.lang,
                expires_at: new.until,
            };
            let made = desk::issue(app, &new).await?;
            println!("{}  {}", made.poster_no, print::address(app, &made));
        }
        Act::List => {
            let now = app.clock.now();
            for (one, came) in desk::list(app, None).await? {
                let about = if one.about.is_empty() { "-" } else { &one.about };
                println!(
                    "{}  {:<8} {:<10} {about}  {}  scans {}  sign-ins {}  orders {}  paid {} orders, {} fen",
                    one.poster_no,
                    one.state(now).code(),
                    one.kind.code(),
                    one.title.zh,
                    came.scans,
                    came.sign_ins,
                    came.orders,
                    came.paid_orders,
                    came.paid.get(),
                );
            }
        }
        Act::Revoke { number } => {
            anyhow::ensure!(desk::revoke(app, &number).await?, "no poster that is not revoked has the number {number}");
        }
        Act::Print { number, file, size } => {
            let poster = desk::find(app, &number).await?;
            let poster = poster.with_context(|| format!("no poster has the number {number}"))?;
            let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            let kind = [Kind::Print, Kind::Pdf, Kind::Svg].into_iter().find(|kind| kind.ending() == ending);
            let kind = kind.context("the file must end in .png, .pdf or .svg")?;
            let drawn = print::poster(app, &poster, size, kind).await?;
            std::fs::write(&file, drawn).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
