//! What is to stand on an e-receipt, from what has been paid and has not gone back.
use sea_orm::ConnectionTrait;

use crate::domain::ereceipt::{Content, ContentLine};
use crate::domain::ids::ReceiptId;
use crate::domain::money::Fen;
use crate::flow::failure::Result;
use crate::store::ereceipts::{self, Line};
use crate::store::{journal, payers};

/// What of a receipt's money has not gone back.
pub fn left(lines: &[Line]) -> Fen {
    lines.iter().map(|line| Fen::new(line.left_fen)).sum()
}

/// The content of a bill for what is left, or what the office must mend first.
pub async fn of(
    db: &impl ConnectionTrait,
    receipt: ReceiptId,
    lines: &[Line],
) -> Result<std::result::Result<Content, String>> {
    let gone = |what: &str| sea_orm::DbErr::RecordNotFound(format!("{what} of receipt {receipt}"));
    let found = journal::find_receipt_by_id(db, receipt).await?.ok_or_else(|| gone("row"))?;
    let payer = payers::find(db, found.payer_id).await?.ok_or_else(|| gone("payer"))?.payer;
    let left: Vec<&Line> = lines.iter().filter(|line| line.left_fen > 0).collect();
    if let Some(line) = left.iter().find(|line| line.fiscal_code.is_none()) {
        return Ok(Err(format!("收费项目 {} 没有非税项目编码（导入收费项目时填写）", line.item)));
    }
    let mut periods: Vec<&str> = left.iter().map(|line| line.period.as_str()).collect();
    periods.dedup();
    let remark = [payer.college.as_str(), payer.class_name.as_str(), &periods.join("、")];
    Ok(Ok(Content {
        lines: left
            .iter()
            .map(|line| ContentLine {
                code: line.fiscal_code.clone().unwrap_or_default(),
                name: line.name.clone(),
                amount: Fen::new(line.left_fen),
            })
            .collect(),
        remark: remark.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        payer: payer.name,
        paid_at: found.issued_at.millis(),
    }))
}

/// Reads the lines of a receipt and what of them is left.
pub async fn lines_left(db: &impl ConnectionTrait, receipt: ReceiptId) -> Result<(Vec<Line>, Fen)> {
    let lines = ereceipts::lines(db, receipt).await?;
    let left = left(&lines);
    Ok((lines, left))
}
