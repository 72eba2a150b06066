//! 注册: which accounts people opened themselves, and with what.
use std::collections::HashSet;

use sea_orm::ConnectionTrait;

use super::db::statement;
use super::error::Result;
use super::fees::unfit;
use super::seal::{Field, Sealer};
use crate::domain::document::Document;
use crate::domain::fee::coded;
use crate::domain::id_number::IdNumber;
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::profile::Gender;

/// How many accounts people may open for themselves with one document number: who has it, and somebody who only says so
pub const MOST: usize = 2;

coded! {
    /// How an account came to whoever signed up
    Opened {
        /// An account of its own
        New = "new",
        /// The office's account of the same person, whose phone was proven
        Joined = "joined",
    }
}

/// What is kept of a sign-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignUp {
    pub payer: PayerId,
    pub opened: Opened,
    pub document: Document,
    pub gender: Gender,
    pub at: Moment,
}

/// Notes a sign-up; false when its form has opened an account before.
pub async fn insert(tx: &impl ConnectionTrait, ticket_hash: &str, new: SignUp) -> Result<bool> {
    let sql = "INSERT INTO sign_up (ticket_hash, payer_id, opened, document, gender, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (ticket_hash) DO NOTHING";
    let values = [
        ticket_hash.into(),
        new.payer.0.into(),
        new.opened.code().into(),
        new.document.code().into(),
        new.gender.code().into(),
        new.at.millis().into(),
    ];
    Ok(tx.execute_raw(statement(tx, sql, values)).await?.rows_affected() == 1)
}

/// The sign-up of a form.
pub async fn find(db: &impl ConnectionTrait, ticket_hash: &str) -> Result<Option<SignUp>> {
    let sql = "SELECT payer_id, opened, document, gender, created_at FROM sign_up WHERE ticket_hash = $1";
    let Some(row) = db.query_one_raw(statement(db, sql, [ticket_hash.into()])).await? else { return Ok(None) };
    let payer: i64 = row.try_get("", "payer_id")?;
    let word = |column: &str| -> Result<String> { Ok(row.try_get("", column)?) };
    let (opened, document, gender) = (word("opened")?, word("document")?, word("gender")?);
    let bad = |column: &'static str, text: &str| unfit("sign_up", column, payer, text);
    Ok(Some(SignUp {
        payer: PayerId(payer),
        opened: Opened::parse(&opened).ok_or_else(|| bad("opened", &opened))?,
        document: Document::parse(&document).ok_or_else(|| bad("document", &document))?,
        gender: Gender::parse(&gender).ok_or_else(|| bad("gender", &gender))?,
        at: Moment::from_millis(row.try_get("", "created_at")?),
    }))
}

/// The accounts of this document number that people opened for themselves.
pub async fn opened_by_themselves(
    db: &impl ConnectionTrait,
    sealer: &Sealer,
    id: &IdNumber,
) -> Result<HashSet<PayerId>> {
    let mut found = HashSet::new();
    for (index, _) in sealer.indexes(Field::IdNumber, id.reveal()) {
        let sql = "SELECT s.payer_id FROM sign_up s JOIN payer p ON p.id = s.payer_id \
            WHERE p.id_number_index = $1 AND s.opened = 'new'";
        for row in db.query_all_raw(statement(db, sql, [index.into()])).await? {
            found.insert(PayerId(row.try_get("", "payer_id")?));
        }
    }
    Ok(found)
}
