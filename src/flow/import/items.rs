//! 收费项目 from a file, by code.
use std::time::Duration;

use super::batch::{self, SeenKeys};
use super::context::{Context, ImportError};
use super::report::Report;
use super::table::{Column, Row};
use super::why::Why;
use crate::domain::bilingual::Bilingual;
use crate::domain::ereceipt::is_item_code;
use crate::domain::fee::{Collection, FeeItem, FeeKind, Window};
use crate::domain::ids::FeeItemId;
use crate::domain::moment::Moment;
use crate::store::fees;

pub const COLUMNS: &[Column] = &[
    Column { names: &["项目编码", "code"], required: true },
    Column { names: &["项目名称", "name"], required: true },
    Column { names: &["英文名称", "name_en"], required: false },
    Column { names: &["收费类型", "kind"], required: true },
    Column { names: &["收款单位", "payee"], required: true },
    Column { names: &["收费状态", "collection"], required: false },
    Column { names: &["收费起始", "opens"], required: false },
    Column { names: &["收费终止", "closes"], required: false },
    Column { names: &["最小拆分金额", "min_split"], required: false },
    Column { names: &["非税项目编码", "fiscal_code"], required: false },
];

#[derive(Default)]
pub struct Importer {
    seen: SeenKeys,
}

impl Importer {
    pub async fn take(&mut self, context: &Context<'_>, rows: &[Row], report: &mut Report) -> Result<(), ImportError> {
        let known = fees::find_items(context.tx).await?;
        for row in rows {
            let mut item = match read(context, row) {
                Ok(item) => item,
                Err((column, why)) => {
                    report.refuse(row.line, column, why);
                    continue;
                }
            };
            if let Some(first) = self.seen.earlier(&item.code, row.line) {
                report.refuse(row.line, "项目编码", Why::Repeats { line: first });
                continue;
            }
            let same = known.iter().find(|other| other.code == item.code);
            item.fiscal_code = item.fiscal_code.or_else(|| same.and_then(|other| other.fiscal_code.clone()));
            match same {
                None => report.added += 1,
                Some(other) if FeeItem { id: item.id, ..other.clone() } == item => {
                    report.unchanged += 1;
                    continue;
                }
                Some(_) => report.changed += 1,
            }
            fees::upsert_item(context.tx, &item, context.now).await?;
        }
        Ok(())
    }
}

fn read(context: &Context<'_>, row: &Row) -> Result<FeeItem, (&'static str, Why)> {
    let cell = |at: usize| row.cells.get(at).map_or("", String::as_str);
    let filled = |at: usize, column: &'static str, longest: usize| match cell(at) {
        "" => Err((column, Why::Empty)),
        text if text.chars().count() > longest => Err((column, Why::TooLong { most: longest })),
        text => Ok(text.to_owned()),
    };
    let day = |at: usize, column: &'static str| match cell(at) {
        "" | "--" => Ok(None),
        text => batch::day(text).map(Some).ok_or((column, Why::NoDay)),
    };
    let payee_code = filled(4, "收款单位", 32)?;
    if context.app.config.payee(&payee_code).is_none() {
        return Err(("收款单位", Why::UnknownPayee));
    }
    let opens_at = day(6, "收费起始")?.map(Moment::start_of);
    // the last day counts to its end
    let closes_at = day(7, "收费终止")?.map(|day| Moment::start_of(day) + Duration::from_secs(86_400));
    if opens_at.zip(closes_at).is_some_and(|(opens, closes)| closes <= opens) {
        return Err(("收费终止", Why::EndsBeforeStart));
    }
    let min_split = match cell(8) {
        "" => None,
        text => match batch::amount(text) {
            Some(min) if min.is_positive() => Some(min),
            _ => return Err(("最小拆分金额", Why::NoPositiveAmount)),
        },
    };
    let fiscal_code = match cell(9) {
        "" => None,
        code if is_item_code(code) => Some(code.to_owned()),
        _ => return Err(("非税项目编码", Why::FiscalCode)),
    };
    Ok(FeeItem {
        id: FeeItemId(0),
        code: filled(0, "项目编码", 32)?,
        name: Bilingual::new(filled(1, "项目名称", 64)?, cell(2)),
        kind: kind(cell(3)).ok_or(("收费类型", Why::FeeKind))?,
        payee_code,
        collection: match cell(5) {
            "" | "收费" => Collection::Collecting,
            "停止" => Collection::Suspended,
            other => Collection::parse(other).ok_or(("收费状态", Why::Collection))?,
        },
        window: Window { opens_at, closes_at },
        min_split,
        fiscal_code,
    })
}

fn kind(word: &str) -> Option<FeeKind> {
    match word {
        "学费" => Some(FeeKind::Tuition),
        "其他费用" | "其他" | "其它费用" => Some(FeeKind::Other),
        "生活缴费" => Some(FeeKind::Living),
        "报名费" => Some(FeeKind::Enrolment),
        other => FeeKind::parse(other),
    }
}
