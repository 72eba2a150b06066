//! 公告.
use sea_orm::{ConnectionTrait, QueryResult};

use super::db::statement;
use super::error::Result;
use crate::domain::announcement::Announcement;
use crate::domain::bilingual::Bilingual;
use crate::domain::ids::{AnnouncementId, PayerId};
use crate::domain::moment::Moment;

const COLUMNS: &str = "id, department, department_en, title, title_en, body, body_en, pinned, published_at";

fn read(row: &QueryResult) -> Result<Announcement> {
    let text = |column: &str| row.try_get::<String>("", column);
    Ok(Announcement {
        id: AnnouncementId(row.try_get("", "id")?),
        department: Bilingual::new(text("department")?, text("department_en")?),
        title: Bilingual::new(text("title")?, text("title_en")?),
        body: Bilingual::new(text("body")?, text("body_en")?),
        pinned: row.try_get::<i64>("", "pinned")? == 1,
        published_at: Moment::from_millis(row.try_get("", "published_at")?),
    })
}

/// Those published by `now` and not withdrawn, newest first.
pub async fn list(db: &impl ConnectionTrait, now: Moment, (offset, limit): (u64, u64)) -> Result<Vec<Announcement>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM announcement WHERE withdrawn_at IS NULL AND published_at <= $1 \
         ORDER BY published_at DESC, id DESC LIMIT {limit} OFFSET {offset}"
    );
    let rows = db.query_all_raw(statement(db, &sql, [now.millis().into()])).await?;
    rows.iter().map(read).collect()
}

/// How many are shown at `now`.
pub async fn count(db: &impl ConnectionTrait, now: Moment) -> Result<u64> {
    let sql = "SELECT COUNT(*) AS n FROM announcement WHERE withdrawn_at IS NULL AND published_at <= $1";
    let row = db.query_one_raw(statement(db, sql, [now.millis().into()])).await?;
    let count: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
    Ok(count.unsigned_abs())
}

/// Those of the last days that a payer has not opened: published since `since` and shown at `now`.
pub async fn unread(
    db: &impl ConnectionTrait,
    payer: PayerId,
    (since, now): (Moment, Moment),
) -> Result<Vec<AnnouncementId>> {
    let sql = "SELECT a.id FROM announcement a WHERE a.withdrawn_at IS NULL AND a.published_at >= $1 \
        AND a.published_at <= $2 AND NOT EXISTS (SELECT 1 FROM announcement_read r \
        WHERE r.announcement_id = a.id AND r.payer_id = $3)";
    let values = [since.millis().into(), now.millis().into(), payer.0.into()];
    let rows = db.query_all_raw(statement(db, sql, values)).await?;
    rows.iter().map(|row| Ok(AnnouncementId(row.try_get("", "id")?))).collect()
}

/// Notes that a payer has opened one.
pub async fn note_read(db: &impl ConnectionTrait, payer: PayerId, id: AnnouncementId, now: Moment) -> Result<()> {
    let sql = "INSERT INTO announcement_read (payer_id, announcement_id, read_at) VALUES ($1, $2, $3) \
        ON CONFLICT (payer_id, announcement_id) DO NOTHING";
    db.execute_raw(statement(db, sql, [payer.0.into(), id.0.into(), now.millis().into()])).await?;
    Ok(())
}

/// The newest one that is shown after signing in.
pub async fn pinned(db: &impl ConnectionTrait, now: Moment) -> Result<Option<Announcement>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM announcement WHERE withdrawn_at IS NULL AND pinned = 1 AND published_at <= $1 \
         ORDER BY published_at DESC, id DESC LIMIT 1"
    );
    let row = db.query_one_raw(statement(db, &sql, [now.millis().into()])).await?;
    row.as_ref().map(read).transpose()
}

/// One that is shown at `now`.
pub async fn find(db: &impl ConnectionTrait, id: AnnouncementId, now: Moment) -> Result<Option<Announcement>> {
    let sql =
        format!("SELECT {COLUMNS} FROM announcement WHERE id = $1 AND withdrawn_at IS NULL AND published_at <= $2");
    let row = db.query_one_raw(statement(db, &sql, [id.0.into(), now.millis().into()])).await?;
    row.as_ref().map(read).transpose()
}

/// The id of `new` is not read.
pub async fn insert(db: &impl ConnectionTrait, new: &Announcement) -> Result<AnnouncementId> {
    let sql = "INSERT INTO announcement (department, department_en, title, title_en, body, body_en, pinned, \
        published_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";
    let values = [
        new.department.zh.as_str().into(),
        new.department.en.as_str().into(),
        new.title.zh.as_str().into(),
        new.title.en.as_str().into(),
        new.body.zh.as_str().into(),
        new.body.en.as_str().into(),
        i64::from(new.pinned).into(),
        new.published_at.millis().into(),
    ];
    let row = db.query_one_raw(statement(db, sql, values)).await?;
    let row = row.ok_or_else(|| sea_orm::DbErr::RecordNotInserted)?;
    Ok(AnnouncementId(row.try_get("", "id")?))
}

/// False when there is none, or it was withdrawn before.
pub async fn withdraw(db: &impl ConnectionTrait, id: AnnouncementId, now: Moment) -> Result<bool> {
    let sql = "UPDATE announcement SET withdrawn_at = $2 WHERE id = $1 AND withdrawn_at IS NULL";
    Ok(db.execute_raw(statement(db, sql, [id.0.into(), now.millis().into()])).await?.rows_affected() == 1)
}
