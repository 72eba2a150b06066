//! 报名项目 from a file, by code. Each has a fee item of its own (报名费), made here. More seats than before go to the queue
//! at once.
use std::time::Duration;

use super::batch::{self, SeenKeys};
use super::context::{Context, ImportError};
use super::report::Report;
use super::table::{Column, Row};
use super::why::Why;
use crate::domain::bilingual::Bilingual;
use crate::domain::fee::{Collection, FeeItem, FeeKind, Window};
use crate::domain::ids::{FeeItemId, PeriodId, ProgrammeId};
use crate::domain::moment::Moment;
use crate::domain::payer::PayerKind;
use crate::domain::programme::{Programme, read_form};
use crate::flow::enrol;
use crate::flow::failure::Failure;
use crate::store::{fees, programmes};

pub const COLUMNS: &[Column] = &[
    Column { names: &["项目编码", "code"], required: true },
    Column { names: &["项目名称", "name"], required: true },
    Column { names: &["英文名称", "name_en"], required: false },
    Column { names: &["收费部门", "department"], required: true },
    Column { names: &["收费内容", "about"], required: false },
    Column { names: &["英文内容", "about_en"], required: false },
    Column { names: &["收款单位", "payee"], required: true },
    Column { names: &["收费期间", "period"], required: true },
    Column { names: &["报名费", "金额", "fee"], required: true },
    Column { names: &["名额", "capacity"], required: true },
    Column { names: &["报名起始", "opens"], required: false },
    Column { names: &["报名终止", "closes"], required: false },
    Column { names: &["缴费时限", "pay_hours"], required: true },
    Column { names: &["报名对象", "kinds"], required: false },
    Column { names: &["报名表", "form"], required: false },
    Column { names: &["部门英文", "department_en"], required: false },
];

#[derive(Default)]
pub struct Importer {
    seen: SeenKeys,
}

/// What a row says; the programme's item and period are not known yet.
struct Said {
    programme: Programme,
    payee_code: String,
    period: String,
    form: String,
}

type Refused = (&'static str, Why);

impl Importer {
    pub async fn take(&mut self, context: &Context<'_>, rows: &[Row], report: &mut Report) -> Result<(), ImportError> {
        for row in rows {
            let said = match read(context, row) {
                Ok(said) => said,
                Err((column, why)) => {
                    report.refuse(row.line, column, why);
                    continue;
                }
            };
            match self.seen.earlier(&said.programme.code, row.line) {
                Some(first) => report.refuse(row.line, "项目编码", Why::Repeats { line: first }),
                None => keep(context, said, row.line, report).await?,
            }
        }
        Ok(())
    }
}

async fn keep(context: &Context<'_>, said: Said, line: u64, report: &mut Report) -> Result<(), ImportError> {
    let known = programmes::lock_by_code(context.tx, &said.programme.code).await?;
    if let Some(known) = known.as_ref().filter(|known| known.taken > said.programme.capacity) {
        report.refuse(line, "名额", Why::SeatsTaken { taken: known.taken });
        return Ok(());
    }
    let item = FeeItem {
        id: FeeItemId(0),
        code: format!("BM-{}", said.programme.code),
        name: said.programme.name.clone(),
        kind: FeeKind::Enrolment,
        payee_code: said.payee_code,
        collection: Collection::Collecting,
        // the seat's own time to pay decides
        window: Window::default(),
        min_split: None,
        fiscal_code: None,
    };
    let items = fees::find_items(context.tx).await?;
    let same_item = items.iter().find(|known| known.code == item.code).cloned();
    let period = fees::find_periods(context.tx).await?;
    let period = match period.into_iter().find(|known| known.code == said.period || known.name.zh == said.period) {
        Some(known) => known.id,
        None => fees::upsert_period(context.tx, &said.period, &Bilingual::new(&said.period, "")).await?,
    };
    let unchanged = same_item.as_ref().is_some_and(|known| FeeItem { id: item.id, ..known.clone() } == item);
    let item = match same_item {
        Some(known) if unchanged => known.id,
        _ => fees::upsert_item(context.tx, &item, context.now).await?,
    };
    let mut new = Programme { item, period, ..said.programme };
    match &known {
        None => report.added += 1,
        Some(known) => {
            (new.id, new.taken) = (known.id, known.taken);
            if unchanged && *known == new {
                report.unchanged += 1;
                return Ok(());
            }
            report.changed += 1;
        }
    }
    new.id = programmes::upsert(context.tx, &new, &said.form, context.now).await?;
    match enrol::fill(context.app, context.tx, &new, context.now).await {
        Ok(_) => Ok(()),
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => {
            report.refuse(line, "名额", Why::Refused(refusal.code()));
            Ok(())
        }
    }
}

fn read(context: &Context<'_>, row: &Row) -> Result<Said, Refused> {
    let cell = |at: usize| row.cells.get(at).map_or("", String::as_str);
    let filled = |at: usize, column: &'static str, longest: usize| match cell(at) {
        "" => Err((column, Why::Empty)),
        text if text.chars().count() > longest => Err((column, Why::TooLong { most: longest })),
        text => Ok(text.to_owned()),
    };
    let whole = |at: usize, column: &'static str, most: i64| match cell(at).parse::<i64>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err((column, Why::NoWholeNumber { most })),
    };
    let payee_code = filled(6, "收款单位", 32)?;
    if context.app.config.payee(&payee_code).is_none() {
        return Err(("收款单位", Why::UnknownPayee));
    }
    let fee = batch::amount(cell(8)).ok_or(("报名费", Why::NoAmount))?;
    let form = cell(14).to_owned();
    let fields = read_form(&form).ok_or(("报名表", Why::Form))?;
    let hours = whole(12, "缴费时限", 24 * 365)?;
    let programme = Programme {
        id: ProgrammeId(0),
        code: filled(0, "项目编码", 24)?,
        department: Bilingual::new(filled(3, "收费部门", 32)?, cell(15)),
        name: Bilingual::new(filled(1, "项目名称", 64)?, cell(2)),
        about: Bilingual::new(cell(4), cell(5)),
        item: FeeItemId(0),
        period: PeriodId(0),
        fee,
        capacity: whole(9, "名额", 1_000_000)?,
        taken: 0,
        window: window(cell(10), cell(11))?,
        pay_within: Duration::from_secs(hours.unsigned_abs() * 3_600),
        kinds: kinds(cell(13))?,
        fields,
    };
    Ok(Said { programme, payee_code, period: filled(7, "收费期间", 32)?, form })
}

/// The last day counts to its end.
fn window(opens: &str, closes: &str) -> Result<Window, Refused> {
    let day = |text: &str, column: &'static str| match text {
        "" | "--" => Ok(None),
        text => batch::day(text).map(Some).ok_or((column, Why::NoDay)),
    };
    let opens_at = day(opens, "报名起始")?.map(Moment::start_of);
    let closes_at = day(closes, "报名终止")?.map(|day| Moment::start_of(day) + Duration::from_secs(86_400));
    match opens_at.zip(closes_at).is_some_and(|(opens, closes)| closes <= opens) {
        true => Err(("报名终止", Why::EndsBeforeStart)),
        false => Ok(Window { opens_at, closes_at }),
    }
}

fn kinds(text: &str) -> Result<Vec<PayerKind>, Refused> {
    let words = text.split(['、', ',', '，', ' ']).filter(|word| !word.is_empty());
    let kind = |word: &str| match word {
        "学生" | "在校生" => Some(PayerKind::Student),
        "教职工" => Some(PayerKind::Staff),
        "新生" => Some(PayerKind::Newcomer),
        "校外" | "校外人员" => Some(PayerKind::Outsider),
        other => PayerKind::parse(other),
    };
    let kinds: Option<Vec<PayerKind>> = words.map(kind).collect();
    kinds.ok_or(("报名对象", Why::PayerKinds))
}
