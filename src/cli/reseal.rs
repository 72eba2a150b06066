//! `jiaofei reseal`: every personal field under the first keys of the configuration, while the server runs.
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::desk;
use crate::config::Config;
use crate::flow::migrate;
use crate::flow::rotate::{self, Resealed};
use crate::store::seal::Purpose;

#[derive(Args)]
pub struct ResealArgs {
    #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml")]
    pub config: PathBuf,
}

/// Exits with 1 when an old key is needed still.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let app = desk::books(config).await?;
    migrate::bring_up(&app.db, &app.chain, &app.clock).await?;
    let complaints = rotate::take_up(&app).await?;
    anyhow::ensure!(complaints.is_empty(), "the keys do not fit the database:\n  {}", complaints.join("\n  "));
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent}%  {pos} / {len}  {elapsed}") {
        bar.set_style(style);
    }
    let resealed = rotate::reseal(&app, &|seen, fields| {
        bar.set_length(fields);
        bar.set_position(seen);
    })
    .await?;
    bar.finish_and_clear();
    print!("{}", told(&resealed));
    Ok(if resealed.is_done() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(resealed: &Resealed) -> String {
    let Resealed { fields, renewed, left, unopened, unopened_count, gone, busy, needed } = resealed;
    let mut out = format!("共 {fields} 项，重新加密 {renewed} 项 ({fields} fields, {renewed} sealed anew)\n");
    if *left > 0 {
        out += &format!("{left} 项正被占用，请再运行一次 ({left} were held by others: run this again)\n");
    }
    if *unopened_count > 0 {
        out += &format!("{unopened_count} 项无法解密 (opened by none of the listed keys):\n");
        out.extend(unopened.iter().map(|row| format!("  {row}\n")));
    }
    for (purpose, name) in gone {
        out += &format!("旧密钥 {name} 可以从 {0} 中删除 (the old key may go from {0})\n", setting(*purpose));
    }
    for (purpose, name) in busy {
        let setting = setting(*purpose);
        out += &format!(
            "仍有进程使用旧密钥 {name}：重启后等三分钟再运行 (a process has used {name} as the first of {setting} in the \
             last three minutes: restart it with the new list, wait three minutes, run this again)\n"
        );
    }
    for (purpose, name) in needed {
        out += &format!("仍需要旧密钥 {name} ({name} is needed still: leave it in {})\n", setting(*purpose));
    }
    if resealed.is_done() && gone.is_empty() {
        out += "没有旧密钥需要保留 (no other key than the first ones is needed)\n";
    }
    out
}

const fn setting(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Field => "secrets.field_key",
        Purpose::Index => "secrets.index_key",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_reads_which_key_may_go_and_why_another_may_not() {
        let resealed = Resealed { fields: 3, renewed: 2, gone: vec![(Purpose::Field, "0a1b2c3d".into())], ..default() };
        let text = told(&resealed);
        assert!(
            text.contains("重新加密 2 项") && text.contains("旧密钥 0a1b2c3d 可以从 secrets.field_key 中删除"),
            "{text}"
        );
        assert!(resealed.is_done());
        let busy = Resealed { left: 1, busy: vec![(Purpose::Index, "0a1b2c3d".into())], ..default() };
        let text = told(&busy);
        assert!(text.contains("secrets.index_key") && text.contains("wait three minutes"), "{text}");
        assert!(!text.contains("可以") && !busy.is_done(), "{text}");
        assert!(told(&default()).contains("没有旧密钥"));
    }

    fn default() -> Resealed {
        Resealed::default()
    }
}
