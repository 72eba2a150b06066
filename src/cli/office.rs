//! `jiaofei office …`: what the finance office decides, until there is a page for it.
use std::process::ExitCode;

use clap::Subcommand;

use crate::app::App;
use crate::domain::money::Fen;
use crate::flow::ereceipt::desk;
use crate::flow::office::{self, RefundLine};

#[derive(Subcommand)]
pub enum Act {
    /// 待办: what waits for a person
    List,
    /// Tick off what was looked at
    Resolve { id: i64 },
    /// Send back the money of a wrong amount that lies on an order
    SendBack { order_no: String },
    /// 退费: send back a paid order, or parts of it
    Refund {
        order_no: String,
        /// ITEM/PERIOD or ITEM/PERIOD=yuan, as the import names them; none: all that is left
        #[arg(value_parser = line)]
        lines: Vec<RefundLineArg>,
        /// 退费原因, shown to the payer
        #[arg(long)]
        reason: String,
    },
    /// 微信绑定: end every binding of a payer
    Unbind {
        /// 学号、工号
        number: String,
    },
    /// 财政电子票据 that failed are asked for again, because why is mended
    Ereceipts {
        /// Of this 收费单号 only
        #[arg(long)]
        receipt: Option<String>,
    },
}

#[derive(Clone)]
pub struct RefundLineArg(String, String, Option<Fen>);

fn line(text: &str) -> Result<RefundLineArg, String> {
    let (name, amount) = match text.split_once('=') {
        Some((name, yuan)) => (name, Some(Fen::from_yuan(yuan).ok_or(format!("{yuan:?} is no amount in yuan"))?)),
        None => (text, None),
    };
    let (item, period) = name.split_once('/').ok_or("wanted ITEM/PERIOD or ITEM/PERIOD=yuan")?;
    Ok(RefundLineArg(item.to_owned(), period.to_owned(), amount))
}

pub async fn run(act: Act, app: &App) -> anyhow::Result<ExitCode> {
    match act {
        Act::List => {
            let items = office::items(app).await?;
            for item in &items {
                let since = item.raised_at.format("%Y-%m-%d %H:%M");
                println!("{:>6}  {since}  {:<22}  {}  {}", item.id, item.kind, item.subject, item.details);
            }
            println!("{} open", items.len());
        }
        Act::Resolve { id } => anyhow::ensure!(office::resolve(app, id).await?, "no open item has the id {id}"),
        Act::SendBack { order_no } => {
            let order = office::find_order(app, &order_no).await?;
            let amount = office::send_back(app, &order).await?;
            println!("{order_no}: {} goes back", amount.yuan());
        }
        Act::Refund { order_no, lines, reason } => {
            let order = office::find_order(app, &order_no).await?;
            let line = |RefundLineArg(item, period, amount)| RefundLine { item, period, amount };
            let lines: Vec<RefundLine> = lines.into_iter().map(line).collect();
            let amount = office::refund(app, &order, &lines, &reason).await?;
            println!("{order_no}: {} goes back", amount.yuan());
        }
        Act::Unbind { number } => {
            let ended = office::unbind(app, &number).await?;
            println!("{number}: {ended} ended; no WeChat comes in as this payer without a password any more");
        }
        Act::Ereceipts { receipt } => {
            println!("{} asked for again", desk::want_again(app, receipt.as_deref()).await?);
        }
    }
    Ok(ExitCode::SUCCESS)
}
