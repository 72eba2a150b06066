//! 缴费人 from a file: new ones are added, known ones (by number) brought up to date. An empty ID number or phone leaves
//! the stored one.
use std::collections::HashMap;

use super::batch::SeenKeys;
use super::context::{Context, ImportError};
use super::report::Report;
use super::table::{Column, Row};
use super::why::Why;
use crate::domain::id_number::IdNumber;
use crate::domain::payer::{PayerKind, Phone};
use crate::store::payers::{self, Account, NewPayer, number_key};

pub const COLUMNS: &[Column] = &[
    Column { names: &["人员编号", "学号", "工号", "number"], required: true },
    Column { names: &["姓名", "name"], required: true },
    Column { names: &["类别", "kind"], required: false },
    Column { names: &["身份证号", "证件号", "id_number"], required: false },
    Column { names: &["手机", "手机号", "phone"], required: false },
    Column { names: &["学院", "部门", "college"], required: false },
    Column { names: &["班级", "class"], required: false },
    Column { names: &["英文名", "英文姓名", "name_en"], required: false },
];

#[derive(Default)]
pub struct Importer {
    seen: SeenKeys,
}

impl Importer {
    pub async fn take(&mut self, context: &Context<'_>, rows: &[Row], report: &mut Report) -> Result<(), ImportError> {
        let mut good = Vec::new();
        for row in rows {
            match read(row) {
                Ok(payer) => match self.seen.earlier(number_key(&payer.number), row.line) {
                    Some(first) => report.refuse(row.line, "人员编号", Why::Repeats { line: first }),
                    None => good.push(payer),
                },
                Err((column, why)) => report.refuse(row.line, column, why),
            }
        }
        let keys: Vec<String> = good.iter().map(|payer| number_key(&payer.number)).collect();
        let known = payers::find_by_number_keys(context.tx, &keys).await?;
        let known: HashMap<String, Account> =
            known.into_iter().map(|account| (number_key(&account.payer.number), account)).collect();
        for payer in good {
            match known.get(&number_key(&payer.number)) {
                None => report.added += 1,
                Some(account) if is_same(context, &payer, account)? => {
                    report.unchanged += 1;
                    continue;
                }
                Some(_) => report.changed += 1,
            }
            payers::upsert(context.tx, &context.app.sealer, &payer, context.now).await?;
        }
        Ok(())
    }
}

fn is_same(context: &Context<'_>, new: &NewPayer, known: &Account) -> Result<bool, ImportError> {
    let sealer = &context.app.sealer;
    let payer = &known.payer;
    let plain = new.kind == payer.kind
        && new.number == payer.number
        && new.name == payer.name
        && new.name_en == payer.name_en
        && new.college == payer.college
        && new.class_name == payer.class_name;
    let id_number = new.id_number.is_none() || new.id_number == known.id_number(sealer)?;
    let phone = new.phone.is_none() || new.phone == known.phone(sealer)?;
    Ok(plain && id_number && phone)
}

fn read(row: &Row) -> Result<NewPayer, (&'static str, Why)> {
    let cell = |at: usize| row.cells.get(at).map_or("", String::as_str);
    let text = |at: usize, column: &'static str, longest: usize| match cell(at) {
        text if text.chars().count() > longest => Err((column, Why::TooLong { most: longest })),
        text => Ok(text.to_owned()),
    };
    if cell(0).is_empty() {
        return Err(("人员编号", Why::Empty));
    }
    if !cell(0).chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')) {
        return Err(("人员编号", Why::NumberLetters));
    }
    if cell(1).is_empty() {
        return Err(("姓名", Why::Empty));
    }
    Ok(NewPayer {
        number: text(0, "人员编号", 32)?,
        name: text(1, "姓名", 64)?,
        kind: kind(cell(2)).ok_or(("类别", Why::PayerKind))?,
        id_number: id_number(cell(3))?,
        phone: match cell(4) {
            "" => None,
            text => Some(Phone::parse(text).ok_or(("手机", Why::NoPhone))?),
        },
        college: text(5, "学院", 64)?,
        class_name: text(6, "班级", 64)?,
        name_en: text(7, "英文名", 96)?,
    })
}

fn kind(word: &str) -> Option<PayerKind> {
    match word {
        "" | "学生" | "在校生" => Some(PayerKind::Student),
        "教职工" | "教师" | "老师" => Some(PayerKind::Staff),
        "新生" => Some(PayerKind::Newcomer),
        "校外" | "校外人员" => Some(PayerKind::Outsider),
        other => PayerKind::parse(other),
    }
}

fn id_number(text: &str) -> Result<Option<IdNumber>, (&'static str, Why)> {
    if text.is_empty() {
        return Ok(None);
    }
    IdNumber::parse(text).map(Some).map_err(|error| ("身份证号", error.into()))
}
