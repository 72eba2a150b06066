//! 报名项目 and the count of their seats.
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Value};

use super::db::statement;
use super::error::Result;
use super::fees::{returned_id, unfit};
use crate::domain::bilingual::Bilingual;
use crate::domain::fee::Window;
use crate::domain::ids::{FeeItemId, PeriodId, ProgrammeId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::payer::PayerKind;
use crate::domain::programme::{Programme, read_form};

const SELECT: &str = "SELECT id, code, department, department_en, name, name_en, about, about_en, fee_item_id, \
    period_id, fee_fen, capacity, taken, opens_at, closes_at, pay_seconds, kinds, form FROM programme";

fn read(row: &QueryResult) -> Result<Programme> {
    let text = |column: &str| row.try_get::<String>("", column);
    let moment = |column: &str| row.try_get::<Option<i64>>("", column).map(|millis| millis.map(Moment::from_millis));
    let id: i64 = row.try_get("", "id")?;
    let (kinds, form) = (text("kinds")?, text("form")?);
    let each = kinds.split(',').filter(|code| !code.is_empty());
    let known: Option<Vec<PayerKind>> = each.map(PayerKind::parse).collect();
    Ok(Programme {
        id: ProgrammeId(id),
        code: text("code")?,
        department: Bilingual::new(text("department")?, text("department_en")?),
        name: Bilingual::new(text("name")?, text("name_en")?),
        about: Bilingual::new(text("about")?, text("about_en")?),
        item: FeeItemId(row.try_get("", "fee_item_id")?),
        period: PeriodId(row.try_get("", "period_id")?),
        fee: Fen::new(row.try_get("", "fee_fen")?),
        capacity: row.try_get("", "capacity")?,
        taken: row.try_get("", "taken")?,
        window: Window { opens_at: moment("opens_at")?, closes_at: moment("closes_at")? },
        pay_within: Duration::from_secs(row.try_get::<i64>("", "pay_seconds")?.unsigned_abs()),
        kinds: known.ok_or_else(|| unfit("programme", "kinds", id, &kinds))?,
        fields: read_form(&form).ok_or_else(|| unfit("programme", "form", id, &form))?,
    })
}

async fn query(db: &impl ConnectionTrait, tail: &str, values: Vec<Value>) -> Result<Vec<Programme>> {
    let rows = db.query_all_raw(statement(db, &format!("{SELECT} {tail}"), values)).await?;
    rows.iter().map(read).collect()
}

/// All of them; what ends first stands first, what never ends last.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<Programme>> {
    query(db, "ORDER BY COALESCE(closes_at, 9223372036854775807), code", Vec::new()).await
}

pub async fn find(db: &impl ConnectionTrait, id: ProgrammeId) -> Result<Option<Programme>> {
    Ok(query(db, "WHERE id = $1", vec![id.0.into()]).await?.pop())
}

/// Holds a programme's row until the transaction ends: whoever wants a seat, or gives one back, waits here.
pub async fn lock(tx: &impl ConnectionTrait, id: ProgrammeId) -> Result<Option<Programme>> {
    Ok(query(tx, &format!("WHERE id = $1{}", hold(tx)), vec![id.0.into()]).await?.pop())
}

/// As [`lock`], by the office's code.
pub async fn lock_by_code(tx: &impl ConnectionTrait, code: &str) -> Result<Option<Programme>> {
    Ok(query(tx, &format!("WHERE code = $1{}", hold(tx)), vec![code.into()]).await?.pop())
}

fn hold(tx: &impl ConnectionTrait) -> &'static str {
    if tx.get_database_backend() == DbBackend::Postgres { " FOR NO KEY UPDATE" } else { "" }
}

/// Inserts a programme or brings the one of the same code up to date; `id`, `taken` and `fields` of the value are not
/// read. `form` is what [`read_form`] reads.
pub async fn upsert(db: &impl ConnectionTrait, new: &Programme, form: &str, now: Moment) -> Result<ProgrammeId> {
    let sql = "INSERT INTO programme (code, department, name, name_en, about, about_en, fee_item_id, period_id, \
        fee_fen, capacity, opens_at, closes_at, pay_seconds, kinds, form, updated_at, \
        department_en) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
        ON CONFLICT (code) DO UPDATE SET department = excluded.department, name = excluded.name, \
        name_en = excluded.name_en, about = excluded.about, about_en = excluded.about_en, \
        fee_item_id = excluded.fee_item_id, period_id = excluded.period_id, fee_fen = excluded.fee_fen, \
        capacity = excluded.capacity, opens_at = excluded.opens_at, closes_at = excluded.closes_at, \
        pay_seconds = excluded.pay_seconds, kinds = excluded.kinds, form = excluded.form, \
        updated_at = excluded.updated_at, department_en = excluded.department_en RETURNING id";
    let kinds: Vec<&str> = new.kinds.iter().map(|kind| kind.code()).collect();
    let values: Vec<Value> = vec![
        new.code.as_str().into(),
        new.department.zh.as_str().into(),
        new.name.zh.as_str().into(),
        new.name.en.as_str().into(),
        new.about.zh.as_str().into(),
        new.about.en.as_str().into(),
        new.item.0.into(),
        new.period.0.into(),
        new.fee.get().into(),
        new.capacity.into(),
        new.window.opens_at.map(Moment::millis).into(),
        new.window.closes_at.map(Moment::millis).into(),
        i64::try_from(new.pay_within.as_secs()).unwrap_or(i64::MAX).into(),
        kinds.join(",").into(),
        form.into(),
        now.millis().into(),
        new.department.en.as_str().into(),
    ];
    Ok(ProgrammeId(returned_id(db, sql, values).await?))
}

/// One seat more is taken; false when there is none.
pub async fn take_seat(tx: &impl ConnectionTrait, id: ProgrammeId) -> Result<bool> {
    let sql = "UPDATE programme SET taken = taken + 1 WHERE id = $1 AND taken < capacity";
    Ok(tx.execute_raw(statement(tx, sql, [id.0.into()])).await?.rows_affected() == 1)
}

pub async fn give_back_seat(tx: &impl ConnectionTrait, id: ProgrammeId) -> Result<()> {
    let sql = "UPDATE programme SET taken = taken - 1 WHERE id = $1";
    match tx.execute_raw(statement(tx, sql, [id.0.into()])).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(DbErr::RecordNotFound(format!("programme {id}")).into()),
    }
}
