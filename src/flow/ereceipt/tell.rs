//! Tells a payer that an e-receipt is there: by text message to the phone, which decides it, else by mail. It goes
//! straight to the gateway: the e-receipt's own row waits until it was taken.
use crate::app::App;
use crate::domain::ereceipt::{Bill, EReceipt, Told};
use crate::domain::ids::{OrderId, PayerId};
use crate::domain::order::Order;
use crate::domain::payer::Phone;
use crate::domain::profile::Email;
use crate::flow::failure::Result;
use crate::messenger::mail;
use crate::messenger::sms::{Text, Texter};
use crate::messenger::unsent::Unsent;
use crate::store::payers::Account;
use crate::store::{journal, members, payers, profiles, receipt_phones};

/// What came of it.
pub enum Heard {
    Told(Told),
    Later(&'static str),
    /// There is no way to reach the payer
    Nobody,
}

/// The mail's subject
const SUBJECT: &str = "财政电子票据 · Fiscal e-receipt";

pub async fn tell(app: &App, row: &EReceipt, bill: &Bill) -> Result<Heard> {
    let db = app.db.read();
    let Some(receipt) = journal::find_receipt_by_id(db, row.receipt_id).await? else { return Ok(Heard::Nobody) };
    let Some(account) = payers::find(db, receipt.payer_id).await? else { return Ok(Heard::Nobody) };
    let text = text(app, bill);
    let mut later = None;
    if let (Some(texter), Some(phone)) = (&app.carrier.sms, phone_of(app, receipt.order_id, &account).await?)
        && texter.takes_text()
    {
        match texter.send(&phone, Text { text: &text, code: "" }).await {
            Ok(()) => return Ok(Heard::Told(Told { at: app.clock.now(), to: phone.masked() })),
            Err(Unsent::Later(why)) => later = Some(why),
            Err(Unsent::Never(_)) => {}
        }
    }
    let email = mailbox(app, receipt.payer_id).await?;
    if let (None, Some(mailer), Some(email)) = (later, &app.carrier.mail, email) {
        let letter = mail::Letter { id: &format!("e{}", row.id), subject: SUBJECT, text: &text };
        match mailer.send(&email, letter, app.clock.now()).await {
            Ok(()) => return Ok(Heard::Told(Told { at: app.clock.now(), to: email.masked() })),
            Err(Unsent::Later(why)) => later = Some(why),
            Err(Unsent::Never(_)) => {}
        }
    }
    Ok(later.map_or(Heard::Nobody, Heard::Later))
}

/// The phone that was proven for the order, else the account's.
async fn phone_of(app: &App, order: OrderId, account: &Account) -> Result<Option<Phone>> {
    match receipt_phones::find(app.db.read(), &app.sealer, order).await? {
        Some(phone) => Ok(Some(phone)),
        None => Ok(account.phone(&app.sealer)?),
    }
}

/// Where the payer of an order will be told, masked; none: nowhere.
pub async fn place(app: &App, order: &Order) -> Result<Option<String>> {
    let Some(account) = payers::find(app.db.read(), order.payer_id).await? else { return Ok(None) };
    let texts = app.carrier.sms.as_ref().is_some_and(Texter::takes_text);
    if let (true, Some(phone)) = (texts, phone_of(app, order.id, &account).await?) {
        return Ok(Some(phone.masked()));
    }
    let email = mailbox(app, order.payer_id).await?;
    Ok(email.filter(|_| app.carrier.mail.is_some()).map(|email| email.masked()))
}

/// The payer's own, else that of the account which has bound the study last.
async fn mailbox(app: &App, payer: PayerId) -> Result<Option<Email>> {
    let db = app.db.read();
    if let Some(own) = profiles::find(db, &app.sealer, payer).await?.email {
        return Ok(Some(own));
    }
    match members::holders(db, payer).await?.first() {
        Some(holder) => Ok(members::email(db, &app.sealer, *holder).await?),
        None => Ok(None),
    }
}

/// Both languages: whoever reads one may read either.
fn text(app: &App, bill: &Bill) -> String {
    let (school, name) = (&app.config.school.name, &bill.name);
    let (code, number, check, sum) = (&name.code, &name.number, &name.check, bill.amount.yuan());
    format!(
        "【{school}】您的财政电子票据已开具：票据代码 {code}，票据号码 {number}，校验码 {check}，金额 {sum} 元。\
         可在缴费系统“已缴费”中查看，或到 pjcy.mof.gov.cn 查验。 \
         Fiscal e-receipt issued: code {code}, no. {number}, check code {check}, {sum} yuan. See it under Paid."
    )
}
