//! 个人信息 a payer gives: sealed as it lies here.
use sea_orm::ConnectionTrait;

use super::db::statement;
use super::error::{Result, StoreError};
use super::seal::{Field, Sealer};
use crate::domain::ids::PayerId;
use crate::domain::moment::Moment;
use crate::domain::payer::Phone;
use crate::domain::profile::{Address, BankCard, Email};

/// What a payer has given; nothing at first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Profile {
    pub email: Option<Email>,
    pub address: Address,
    pub card: Option<BankCard>,
}

pub async fn find(db: &impl ConnectionTrait, sealer: &Sealer, payer: PayerId) -> Result<Profile> {
    let sql = "SELECT email_sealed, address_sealed, card_sealed FROM profile WHERE payer_id = $1";
    let Some(row) = db.query_one_raw(statement(db, sql, [payer.0.into()])).await? else {
        return Ok(Profile::default());
    };
    let unsealed = || StoreError::Unsealed { table: "profile", row: payer.to_string() };
    let open = |field: Field, column: &str| -> Result<Option<String>> {
        let sealed: Option<String> = row.try_get("", column)?;
        sealed.map(|sealed| sealer.open(field, &sealed).ok_or_else(unsealed)).transpose()
    };
    let email = open(Field::Email, "email_sealed")?;
    let address = open(Field::Address, "address_sealed")?;
    let card = open(Field::Card, "card_sealed")?;
    Ok(Profile {
        email: email.map(|plain| Email::parse(&plain).ok_or_else(unsealed)).transpose()?,
        address: match address {
            Some(json) => serde_json::from_str(&json).map_err(|_| unsealed())?,
            None => Address::default(),
        },
        card: card.map(|json| serde_json::from_str(&json).map_err(|_| unsealed())).transpose()?,
    })
}

/// Writes what a payer has given; the caller holds the payer's row.
pub async fn save(
    tx: &impl ConnectionTrait,
    sealer: &Sealer,
    payer: PayerId,
    profile: &Profile,
    now: Moment,
) -> Result<()> {
    let json = |value: std::result::Result<String, serde_json::Error>| value.expect("plain fields become JSON");
    let address = (!profile.address.is_empty()).then(|| json(serde_json::to_string(&profile.address)));
    let card = profile.card.as_ref().map(|card| json(serde_json::to_string(card)));
    let sql = "INSERT INTO profile (payer_id, email_sealed, address_sealed, card_sealed, updated_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (payer_id) DO UPDATE SET email_sealed = excluded.email_sealed, \
        address_sealed = excluded.address_sealed, card_sealed = excluded.card_sealed, \
        updated_at = excluded.updated_at";
    let values = [
        payer.0.into(),
        profile.email.as_ref().map(|email| sealer.seal(Field::Email, email.reveal())).into(),
        address.map(|plain| sealer.seal(Field::Address, &plain)).into(),
        card.map(|plain| sealer.seal(Field::Card, &plain)).into(),
        now.millis().into(),
    ];
    tx.execute_raw(statement(tx, sql, values)).await?;
    Ok(())
}

/// The phone as its payer gives it: imports leave it alone from now on.
pub async fn set_phone(
    tx: &impl ConnectionTrait,
    sealer: &Sealer,
    payer: PayerId,
    phone: &Phone,
    now: Moment,
) -> Result<()> {
    let sql = "UPDATE payer SET phone_sealed = $2, phone_set_at = $3, updated_at = $3 WHERE id = $1";
    let sealed = sealer.seal(Field::Phone, phone.reveal());
    tx.execute_raw(statement(tx, sql, [payer.0.into(), sealed.into(), now.millis().into()])).await?;
    Ok(())
}
