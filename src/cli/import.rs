//! `jiaofei import payers|items|charges|programmes|studies FILE`: a bar while it runs, then what happened, row by row
//! where a row is wrong.
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::desk;
use crate::config::Config;
use crate::domain::money::Fen;
use crate::flow::import::report::Report;
use crate::flow::import::run::{Kind, import};
use crate::flow::{migrate, rotate};

#[derive(Args)]
pub struct ImportArgs {
    what: What,
    /// A .csv (UTF-8 or GBK) or .xlsx file; docs/IMPORT.md names the columns
    file: PathBuf,
    /// Check everything and tell what would happen, then undo it
    #[arg(long)]
    dry_run: bool,
    #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml")]
    pub config: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// 缴费人
    Payers,
    /// 收费项目
    Items,
    /// 应收
    Charges,
    /// 报名项目
    Programmes,
    Studies,
}

pub async fn run(args: ImportArgs, config: Config) -> anyhow::Result<ExitCode> {
    let app = desk::books(config).await?;
    migrate::bring_up(&app.db, &app.chain, &app.clock).await?;
    let complaints = rotate::take_up(&app).await?;
    anyhow::ensure!(complaints.is_empty(), "the keys do not fit the database:\n  {}", complaints.join("\n  "));
    let kind = match args.what {
        What::Payers => Kind::Payers,
        What::Items => Kind::Items,
        What::Charges => Kind::Charges,
        What::Programmes => Kind::Programmes,
        What::Studies => Kind::Studies,
    };
    let bar = bar(std::fs::metadata(&args.file).map_or(0, |file| file.len()));
    let report = import(&app, kind, &args.file, args.dry_run, &|rows, bytes| {
        bar.set_position(bytes);
        bar.set_message(format!("{rows} 行"));
    })
    .await?;
    bar.finish_and_clear();
    print!("{}", told(&report, args.dry_run));
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Hidden by itself when standard error is no terminal.
fn bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent}%  {msg}  {elapsed}") {
        bar.set_style(style);
    }
    bar
}

fn told(report: &Report, dry_run: bool) -> String {
    let mut out = String::new();
    for row in &report.bad {
        out += &format!("第 {} 行 {}：{}\n", row.line, row.column, row.why.words().zh);
    }
    if report.bad_count > report.bad.len() as u64 {
        out += &format!("……另有 {} 行\n", report.bad_count - report.bad.len() as u64);
    }
    if !report.ignored_columns.is_empty() {
        out += &format!("未使用的列：{}\n", report.ignored_columns.join("、"));
    }
    let counts = format!(
        "共 {} 行：新增 {}，更新 {}，不变 {}，错误 {}",
        report.rows, report.added, report.changed, report.unchanged, report.bad_count
    );
    let sum = match report.assessed_fen {
        0 => String::new(),
        fen => format!("，应收合计 {} 元", Fen::new(fen)),
    };
    let end = match (report.is_clean(), dry_run) {
        (false, _) => "没有导入任何一行 (nothing was imported)",
        (true, true) => "试运行，没有保存 (dry run, nothing was kept)",
        (true, false) => "已导入 (imported)",
    };
    out + &format!("{counts}{sum}\n{end}\n")
}
