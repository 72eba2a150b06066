//! Payers. Personal fields leave the store one by one, to whom a flow has found entitled.
use sea_orm::sea_query::{Expr, ExprTrait, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};

use super::db::statement;
use super::error::{Result, StoreError};
use super::fees::{returned_id, unfit};
use super::schema::payer::{Column, Entity, Model};
use super::seal::{Field, Sealer};
use crate::domain::id_number::IdNumber;
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::payer::{Payer, PayerKind, Phone, name_key};

/// A payer with what signing in needs.
#[derive(Clone, Debug)]
pub struct Account {
    pub payer: Payer,
    /// As [`name_key`] makes it
    pub name_key: String,
    pub password_hash: Option<String>,
    pub epoch: i64,
    id_number_sealed: Option<String>,
    phone_sealed: Option<String>,
}

impl Account {
    pub fn id_number(&self, sealer: &Sealer) -> Result<Option<IdNumber>> {
        let Some(plain) = self.open(sealer, Field::IdNumber, self.id_number_sealed.as_deref())? else {
            return Ok(None);
        };
        Ok(Some(IdNumber::parse(&plain).map_err(|_| unfit("payer", "id_number_sealed", self.payer.id, "…"))?))
    }

    pub fn phone(&self, sealer: &Sealer) -> Result<Option<Phone>> {
        let plain = self.open(sealer, Field::Phone, self.phone_sealed.as_deref())?;
        Ok(plain.and_then(|plain| Phone::parse(&plain)))
    }

    fn open(&self, sealer: &Sealer, field: Field, sealed: Option<&str>) -> Result<Option<String>> {
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = sealer.open(field, sealed);
        plain.map(Some).ok_or_else(|| StoreError::Unsealed { table: "payer", row: self.payer.id.to_string() })
    }
}

impl TryFrom<Model> for Account {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Account> {
        let kind = PayerKind::parse(&row.kind).ok_or_else(|| unfit("payer", "kind", row.id, &row.kind))?;
        let payer = Payer {
            id: PayerId(row.id),
            kind,
            number: row.number,
            name: row.name,
            name_en: row.name_en,
            college: row.college,
            class_name: row.class_name,
        };
        Ok(Account {
            payer,
            name_key: row.name_key,
            password_hash: row.password_hash,
            epoch: row.epoch,
            id_number_sealed: row.id_number_sealed,
            phone_sealed: row.phone_sealed,
        })
    }
}

pub async fn find(db: &impl ConnectionTrait, id: PayerId) -> Result<Option<Account>> {
    Entity::find_by_id(id.0).one(db).await?.map(Account::try_from).transpose()
}

/// Holds a payer's row until the transaction ends, so that two checkouts of one payer follow each other.
pub async fn lock(tx: &impl ConnectionTrait, id: PayerId) -> Result<Option<Account>> {
    Entity::find_by_id(id.0).lock(LockType::NoKeyUpdate).one(tx).await?.map(Account::try_from).transpose()
}

/// By student or staff number, without regard to case.
pub async fn find_by_number(db: &impl ConnectionTrait, number: &str) -> Result<Option<Account>> {
    let row = Entity::find().filter(Column::NumberKey.eq(number_key(number))).one(db).await?;
    row.map(Account::try_from).transpose()
}

/// Everybody of these number keys.
pub async fn find_by_number_keys(db: &impl ConnectionTrait, keys: &[String]) -> Result<Vec<Account>> {
    let query = Entity::find().filter(Column::NumberKey.is_in(keys.iter().map(String::as_str)));
    query.all(db).await?.into_iter().map(Account::try_from).collect()
}

/// Everybody with this ID number (one person may hold several student numbers), newest first.
pub async fn find_by_id_number(db: &impl ConnectionTrait, sealer: &Sealer, id: &IdNumber) -> Result<Vec<Account>> {
    let indexes = sealer.indexes(Field::IdNumber, id.reveal()).into_iter().map(|(index, _)| index);
    let query = Entity::find().filter(Column::IdNumberIndex.is_in(indexes)).order_by_desc(Column::Id).limit(20);
    query.all(db).await?.into_iter().map(Account::try_from).collect()
}

/// Student numbers are compared without blanks and without case.
pub fn number_key(number: &str) -> String {
    crate::domain::id_number::normalise(number)
}

/// What an import says of a payer.
#[derive(Clone, Debug)]
pub struct NewPayer {
    pub kind: PayerKind,
    pub number: String,
    pub name: String,
    pub name_en: String,
    pub college: String,
    pub class_name: String,
    pub id_number: Option<IdNumber>,
    pub phone: Option<Phone>,
}

const INSERT: &str = "INSERT INTO payer (kind, number, number_key, name, name_key, name_en, college, class_name, \
    id_number_sealed, id_number_index, phone_sealed, epoch, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $12)";

/// Inserts a payer of a number nobody has; None when somebody has it.
pub async fn insert(
    db: &impl ConnectionTrait,
    sealer: &Sealer,
    payer: &NewPayer,
    now: Moment,
) -> Result<Option<PayerId>> {
    let sql = format!("{INSERT} ON CONFLICT (number_key) DO NOTHING RETURNING id");
    let row = db.query_one_raw(statement(db, &sql, values(sealer, payer, now))).await?;
    Ok(row.map(|row| row.try_get("", "id")).transpose()?.map(PayerId))
}

/// Inserts a payer or brings the one of the same number up to date. An absent ID number or phone leaves the stored one,
/// and so does a phone the payer has changed.
pub async fn upsert(db: &impl ConnectionTrait, sealer: &Sealer, payer: &NewPayer, now: Moment) -> Result<PayerId> {
    let set = "ON CONFLICT (number_key) DO UPDATE SET \
        kind = excluded.kind, name = excluded.name, name_key = excluded.name_key, name_en = excluded.name_en, \
        college = excluded.college, class_name = excluded.class_name, \
        id_number_sealed = COALESCE(excluded.id_number_sealed, payer.id_number_sealed), \
        id_number_index = COALESCE(excluded.id_number_index, payer.id_number_index), \
        phone_sealed = CASE WHEN payer.phone_set_at IS NULL \
        THEN COALESCE(excluded.phone_sealed, payer.phone_sealed) ELSE payer.phone_sealed END, \
        updated_at = excluded.updated_at \
        RETURNING id";
    Ok(PayerId(returned_id(db, &format!("{INSERT} {set}"), values(sealer, payer, now)).await?))
}

fn values(sealer: &Sealer, payer: &NewPayer, now: Moment) -> [Value; 12] {
    let id_number = payer.id_number.as_ref().map(IdNumber::reveal);
    [
        payer.kind.code().into(),
        payer.number.as_str().into(),
        number_key(&payer.number).into(),
        payer.name.as_str().into(),
        name_key(&payer.name).into(),
        payer.name_en.as_str().into(),
        payer.college.as_str().into(),
        payer.class_name.as_str().into(),
        id_number.map(|plain| sealer.seal(Field::IdNumber, plain)).into(),
        id_number.map(|plain| sealer.index(Field::IdNumber, plain)).into(),
        payer.phone.as_ref().map(|phone| sealer.seal(Field::Phone, phone.reveal())).into(),
        now.millis().into(),
    ]
}

/// Ends every session of a payer, those other processes have cached too: their epoch no longer fits.
pub async fn raise_epoch(db: &impl ConnectionTrait, id: PayerId) -> Result<()> {
    let raise = Entity::update_many().col_expr(Column::Epoch, Expr::col(Column::Epoch).add(1));
    raise.filter(Column::Id.eq(id.0)).exec(db).await?;
    Ok(())
}
