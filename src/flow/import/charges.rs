//! 应收 from a file, by payer, item and period. New charges are assessed; a known one whose figures differ gets entries
//! of the difference, so the journal tells how it came about. What was paid at the counter (实缴) is entered as paid.
use std::collections::HashMap;

use super::batch::{self, SeenKeys};
use super::context::{Context, ImportError};
use super::report::Report;
use super::table::{Column, Row};
use super::why::Why;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::{Balance, COUNTER, Cause, CounterSlip};
use crate::domain::ids::{ChargeId, FeeItemId, PayerId, PeriodId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::store::bulk::{self, Bare, Entry, Key, NewCharge, Told};
use crate::store::chain::NewEntry;
use crate::store::payers::number_key;
use crate::store::{books, fees, payments};

pub const COLUMNS: &[Column] = &[
    Column { names: &["人员编号", "学号", "工号", "number"], required: true },
    Column { names: &["收费期间", "收费区间", "period"], required: true },
    Column { names: &["项目编码", "收费项目", "item"], required: true },
    Column { names: &["应收金额", "应缴金额", "应收", "assessed"], required: true },
    Column { names: &["减免金额", "减免", "waived"], required: false },
    Column { names: &["实缴金额", "实缴", "paid"], required: false },
    Column { names: &["截止日期", "due"], required: false },
    Column { names: &["收费批次", "批次", "batch"], required: false },
    Column { names: &["收费日期", "paid_day"], required: false },
    Column { names: &["收费单号", "slip_no"], required: false },
    Column { names: &["制单人", "clerk"], required: false },
];
const PAID: usize = 5;

pub struct Importer {
    seen: SeenKeys,
    /// By code; by name where only one item has it
    items: HashMap<String, FeeItemId>,
    periods: HashMap<String, PeriodId>,
}

/// What a row says, before its payer is known.
struct Said {
    line: u64,
    number_key: String,
    period: String,
    item: FeeItemId,
    assessed: Fen,
    waived: Option<Fen>,
    /// Paid at the counter, all in all
    paid: Option<Fen>,
    due_day: Option<i64>,
    /// Of what this row adds to what was paid at the counter
    slip: CounterSlip,
    /// Empty: as it was
    batch: String,
}

type Refused = (&'static str, Why);

impl Importer {
    pub async fn new(context: &Context<'_>) -> Result<Importer, ImportError> {
        let mut items = HashMap::new();
        let all = fees::find_items(context.tx).await?;
        for item in &all {
            if all.iter().filter(|other| other.name.zh == item.name.zh).count() == 1 {
                items.insert(item.name.zh.clone(), item.id);
            }
        }
        items.extend(all.iter().map(|item| (item.code.clone(), item.id)));
        let mut periods = HashMap::new();
        for period in fees::find_periods(context.tx).await? {
            periods.insert(period.name.zh, period.id);
            periods.insert(period.code, period.id);
        }
        Ok(Importer { seen: SeenKeys::default(), items, periods })
    }

    pub async fn take(&mut self, context: &Context<'_>, rows: &[Row], report: &mut Report) -> Result<(), ImportError> {
        let mut said = Vec::with_capacity(rows.len());
        for row in rows {
            match self.read(row) {
                Ok(row) => said.push(row),
                Err((column, why)) => report.refuse(row.line, column, why),
            }
        }
        let keys: Vec<&str> = said.iter().map(|row| row.number_key.as_str()).collect();
        let payers = bulk::payer_ids(context.tx, &keys).await?;
        let mut wanted: Vec<(Key, Said)> = Vec::with_capacity(said.len());
        for row in said {
            let Some(payer) = payers.get(&row.number_key) else {
                report.refuse(row.line, "人员编号", Why::UnknownPayer);
                continue;
            };
            let key = Key { payer: *payer, item: row.item, period: self.period(context, &row.period).await? };
            match self.seen.earlier(key, row.line) {
                Some(first) => report.refuse(row.line, "人员编号", Why::RepeatsCharge { line: first }),
                None => {
                    report.assessed_fen = report.assessed_fen.saturating_add(row.assessed.get());
                    wanted.push((key, row));
                }
            }
        }
        self.write(context, wanted, report).await
    }

    /// Unknown periods are made, with the text as code and name.
    async fn period(&mut self, context: &Context<'_>, text: &str) -> Result<PeriodId, ImportError> {
        if let Some(id) = self.periods.get(text) {
            return Ok(*id);
        }
        let id = fees::upsert_period(context.tx, text, &Bilingual::new(text, "")).await?;
        self.periods.insert(text.to_owned(), id);
        Ok(id)
    }

    async fn write(
        &self,
        context: &Context<'_>,
        wanted: Vec<(Key, Said)>,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let payers: Vec<PayerId> = wanted.iter().map(|(key, _)| key.payer).collect();
        let known = bulk::charges_of(context.tx, &payers).await?;
        let ids: Vec<ChargeId> = known.values().map(|charge| charge.id).collect();
        let counter = match context.present[PAID] {
            true => bulk::paid_at_counter(context.tx, &ids).await?,
            false => HashMap::new(),
        };
        let mut new = Vec::new();
        for (key, row) in wanted {
            match known.get(&key) {
                None if self.may_add(&row, report) => new.push((key, row)),
                None => {}
                Some(charge) => {
                    let paid_before = counter.get(&charge.id).copied().unwrap_or_default();
                    self.change(context, charge, paid_before, &row, report).await?;
                }
            }
        }
        // nothing is kept once a row is bad; the rest is only checked
        if report.is_clean() && !new.is_empty() {
            add(context, &new).await?;
        }
        report.added += new.len() as u64;
        Ok(())
    }

    fn may_add(&self, row: &Said, report: &mut Report) -> bool {
        let covered = row.waived.unwrap_or_default() + row.paid.unwrap_or_default();
        if covered > row.assessed {
            report.refuse(row.line, "应收金额", Why::CoveredBeyondAssessed);
        }
        covered <= row.assessed
    }

    async fn change(
        &self,
        context: &Context<'_>,
        charge: &Bare,
        paid_before: Fen,
        row: &Said,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let told = row.told(&charge.told);
        let told_differs = told != charge.told;
        if moves(&charge.balance, paid_before, row).iter().all(|(_, amount)| amount.is_zero()) && !told_differs {
            report.unchanged += 1;
            return Ok(());
        }
        // a payment may have come in since the figures were read: they are judged again under the lock
        let mut book = books::lock_one(context.tx, charge.id).await?;
        let moves = moves(&book.balance, paid_before, row);
        let [(_, assessed), (_, waived), (_, more_paid)] = moves;
        if more_paid < Fen::ZERO {
            report.refuse(row.line, "实缴金额", Why::CounterTakesBack);
            return Ok(());
        }
        let owed = book.balance.assessed + assessed - book.balance.waived - waived;
        if owed < book.balance.kept() + more_paid {
            report.refuse(row.line, "应收金额", Why::BelowPaid);
            return Ok(());
        }
        report.changed += 1;
        for (cause, amount) in moves.into_iter().filter(|(_, amount)| !amount.is_zero()) {
            let cause_no = cause_no(cause, &context.run, row.line);
            let entry = NewEntry { cause, cause_no: &cause_no, amount, at: context.now };
            books::enter(context.tx, &context.app.chain, &mut book, entry).await?;
            if cause == Cause::Paid && !row.slip.is_empty() {
                payments::note_slips(context.tx, &[(charge.id, &cause_no, &row.slip)]).await?;
            }
        }
        if told_differs {
            bulk::set_told(context.tx, charge.id, &told).await?;
        }
        Ok(())
    }

    fn read(&self, row: &Row) -> Result<Said, Refused> {
        let cell = |at: usize| row.cells.get(at).map_or("", String::as_str);
        let amount = |at: usize, column: &'static str| match cell(at) {
            "" => Ok(None),
            text => batch::amount(text).map(Some).ok_or((column, Why::NoAmount)),
        };
        if cell(0).is_empty() {
            return Err(("人员编号", Why::Empty));
        }
        match cell(1).chars().count() {
            0 => return Err(("收费期间", Why::Empty)),
            1..=32 => {}
            _ => return Err(("收费期间", Why::TooLong { most: 32 })),
        }
        let item = self.items.get(cell(2)).copied();
        let due_day = match cell(6) {
            "" | "--" => None,
            text => {
                let day = batch::day(text).ok_or(("截止日期", Why::NoDay))?;
                day.format("%Y%m%d").to_string().parse().ok()
            }
        };
        if cell(7).chars().count() > 32 {
            return Err(("收费批次", Why::TooLong { most: 32 }));
        }
        Ok(Said {
            line: row.line,
            number_key: number_key(cell(0)),
            period: cell(1).to_owned(),
            item: item.ok_or(("项目编码", Why::UnknownItem))?,
            assessed: amount(3, "应收金额")?.ok_or(("应收金额", Why::Empty))?,
            waived: amount(4, "减免金额")?,
            paid: amount(PAID, "实缴金额")?,
            due_day,
            slip: slip(&row.cells)?,
            batch: cell(7).to_owned(),
        })
    }
}

/// 收费日期, 收费单号 and 制单人 of a row.
fn slip(cells: &[String]) -> Result<CounterSlip, Refused> {
    let cell = |at: usize| cells.get(at).map_or("", String::as_str);
    let text = |at: usize, column: &'static str| match cell(at) {
        "--" => Ok(String::new()),
        text if text.chars().count() > 32 => Err((column, Why::TooLong { most: 32 })),
        text => Ok(text.to_owned()),
    };
    let day = match cell(8) {
        "" | "--" => None,
        text => Some(Moment::start_of(batch::day(text).ok_or(("收费日期", Why::NoDay))?)),
    };
    Ok(CounterSlip { slip_no: text(9, "收费单号")?, clerk: text(10, "制单人")?, day })
}

impl Said {
    /// What stands beside the charge from now on: what the row leaves out stays.
    fn told(&self, before: &Told) -> Told {
        let batch = if self.batch.is_empty() { &before.batch } else { &self.batch };
        Told { due_day: self.due_day.or(before.due_day), batch: batch.clone() }
    }
}

/// How the books must move to say what the row says.
fn moves(balance: &Balance, paid_before: Fen, row: &Said) -> [(Cause, Fen); 3] {
    [
        (Cause::Adjusted, row.assessed - balance.assessed),
        (Cause::Waived, row.waived.map_or(Fen::ZERO, |waived| waived - balance.waived)),
        (Cause::Paid, row.paid.map_or(Fen::ZERO, |paid| paid - paid_before)),
    ]
}

/// Payments made at the counter are told from the platform's own by their number.
fn cause_no(cause: Cause, run: &str, line: u64) -> String {
    match cause {
        Cause::Paid => format!("{}{run}:{line}", COUNTER),
        _ => format!("import:{run}:{line}"),
    }
}

async fn add(context: &Context<'_>, new: &[(Key, Said)]) -> Result<(), ImportError> {
    let charge = |(key, row): &(Key, Said)| {
        let moves = [(Cause::Assessed, Some(row.assessed)), (Cause::Waived, row.waived), (Cause::Paid, row.paid)];
        let entry = |(cause, amount): (Cause, Option<Fen>)| {
            let amount = amount.filter(|amount| !amount.is_zero())?;
            Some(Entry { cause, cause_no: cause_no(cause, &context.run, row.line), amount })
        };
        let entries = moves.into_iter().filter_map(entry).collect();
        NewCharge { key: *key, told: row.told(&Told::default()), entries, slip: row.slip.clone() }
    };
    let charges: Vec<NewCharge> = new.iter().map(charge).collect();
    Ok(bulk::insert_charges(context.tx, &context.app.chain, &charges, context.now).await?)
}
