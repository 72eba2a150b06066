//! 海报, and what came of each.
use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::db::statement;
use super::error::Result;
use super::fees::{returned_id, unfit};
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::ids::{OrderId, PosterId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::poster::{NewPoster, Poster, PosterKind, PosterNo, PosterTally};

const COLUMNS: &str =
    "p.id, poster_no, code, kind, about, items, title, title_en, lang, p.created_at, p.expires_at, revoked_at";

fn read(row: &QueryResult) -> Result<Poster> {
    let text = |column: &str| row.try_get::<String>("", column);
    let moment = |column: &str| row.try_get::<Option<i64>>("", column).map(|millis| millis.map(Moment::from_millis));
    let id: i64 = row.try_get("", "id")?;
    let (no, kind, lang, items) = (text("poster_no")?, text("kind")?, text("lang")?, text("items")?);
    Ok(Poster {
        id: PosterId(id),
        poster_no: PosterNo::parse(&no).ok_or_else(|| unfit("poster", "poster_no", id, &no))?,
        code: text("code")?,
        kind: PosterKind::parse(&kind).ok_or_else(|| unfit("poster", "kind", id, &kind))?,
        about: text("about")?,
        items: items.split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect(),
        title: Bilingual::new(text("title")?, text("title_en")?),
        lang: Lang::parse(&lang).ok_or_else(|| unfit("poster", "lang", id, &lang))?,
        created_at: Moment::from_millis(row.try_get("", "created_at")?),
        expires_at: moment("expires_at")?,
        revoked_at: moment("revoked_at")?,
    })
}

async fn one(db: &impl ConnectionTrait, column: &str, value: Value) -> Result<Option<Poster>> {
    let sql = format!("SELECT {COLUMNS} FROM poster p WHERE {column} = $1");
    db.query_one_raw(statement(db, &sql, [value])).await?.as_ref().map(read).transpose()
}

pub async fn find(db: &impl ConnectionTrait, id: PosterId) -> Result<Option<Poster>> {
    one(db, "p.id", id.0.into()).await
}

pub async fn find_by_no(db: &impl ConnectionTrait, no: &PosterNo) -> Result<Option<Poster>> {
    one(db, "poster_no", no.as_str().into()).await
}

pub async fn find_by_code(db: &impl ConnectionTrait, code: &str) -> Result<Option<Poster>> {
    one(db, "code", code.into()).await
}

/// All of them with what came of each, or the one of a number; the newest first.
pub async fn list(db: &impl ConnectionTrait, no: Option<&PosterNo>) -> Result<Vec<(Poster, PosterTally)>> {
    let sql = format!(
        "SELECT {COLUMNS}, p.scans, p.sign_ins, COUNT(o.id) AS orders, \
         COUNT(CASE WHEN o.state = 'paid' THEN 1 END) AS paid_orders, \
         CAST(COALESCE(SUM(CASE WHEN o.state = 'paid' THEN o.total_fen - (SELECT COALESCE(SUM(l.refunded_fen), 0) \
         FROM order_line l WHERE l.order_id = o.id) END), 0) AS BIGINT) AS paid_fen FROM poster p \
         LEFT JOIN poster_order x ON x.poster_id = p.id LEFT JOIN payment_order o ON o.id = x.order_id \
         {} GROUP BY p.id ORDER BY p.id DESC",
        if no.is_some() { "WHERE p.poster_no = $1" } else { "" }
    );
    let values: Vec<Value> = no.map(|no| no.as_str().into()).into_iter().collect();
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    let tally = |row: &QueryResult| -> Result<PosterTally> {
        let count = |column: &str| row.try_get::<i64>("", column);
        Ok(PosterTally {
            scans: count("scans")?,
            sign_ins: count("sign_ins")?,
            orders: count("orders")?,
            paid_orders: count("paid_orders")?,
            paid: Fen::new(count("paid_fen")?),
        })
    };
    rows.iter().map(|row| Ok((read(row)?, tally(row)?))).collect()
}

pub async fn insert(
    db: &impl ConnectionTrait,
    new: &NewPoster,
    (no, code): (&PosterNo, &str),
    now: Moment,
) -> Result<PosterId> {
    let sql = "INSERT INTO poster (poster_no, code, kind, about, items, title, title_en, lang, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id";
    let values = [
        no.as_str().into(),
        code.into(),
        new.kind.code().into(),
        new.about.as_str().into(),
        new.items.join(",").into(),
        new.title.zh.as_str().into(),
        new.title.en.as_str().into(),
        if new.lang == Lang::En { "en" } else { "zh" }.into(),
        now.millis().into(),
        new.expires_at.map(Moment::millis).into(),
    ];
    Ok(PosterId(returned_id(db, sql, values).await?))
}

/// False when there is none of the number, or it was revoked before.
pub async fn revoke(db: &impl ConnectionTrait, no: &PosterNo, now: Moment) -> Result<bool> {
    let sql = "UPDATE poster SET revoked_at = $2 WHERE poster_no = $1 AND revoked_at IS NULL";
    let values = [no.as_str().into(), now.millis().into()];
    Ok(db.execute_raw(statement(db, sql, values)).await?.rows_affected() == 1)
}

pub async fn count_scan(db: &impl ConnectionTrait, id: PosterId) -> Result<()> {
    let sql = "UPDATE poster SET scans = scans + 1 WHERE id = $1";
    db.execute_raw(statement(db, sql, [id.0.into()])).await?;
    Ok(())
}

pub async fn count_sign_in(db: &impl ConnectionTrait, id: PosterId) -> Result<()> {
    let sql = "UPDATE poster SET sign_ins = sign_ins + 1 WHERE id = $1";
    db.execute_raw(statement(db, sql, [id.0.into()])).await?;
    Ok(())
}

/// An order came from a poster; the first one it is said of keeps it.
pub async fn note_order(db: &impl ConnectionTrait, id: PosterId, order: OrderId) -> Result<()> {
    let sql = "INSERT INTO poster_order (order_id, poster_id) VALUES ($1, $2) ON CONFLICT (order_id) DO NOTHING";
    db.execute_raw(statement(db, sql, [order.0.into(), id.0.into()])).await?;
    Ok(())
}
