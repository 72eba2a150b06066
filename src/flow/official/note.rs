//! 公众号通知: payments, refunds, due days and sign-ins, told to the WeChats a payer has bound with full rights, where the
//! school has a template for it.
//!
//! A note is written in the transaction of its cause, under a key of cause and binding, so that it is there once. It
//! goes with the other messages (`flow/post.rs`). Whoever has unbound, left or refused meanwhile is not told.
use std::collections::BTreeMap;
use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::call::call;
use super::talk;
use crate::app::App;
use crate::config::Template;
use crate::domain::ids::{BindingId, PayerId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::note::{Fact, NoteKind};
use crate::domain::order::Order;
use crate::domain::refund::Refund;
use crate::flow::failure::Result;
use crate::flow::letter::Letter;
use crate::messenger::unsent::{Outcome, Unsent};
use crate::official_account::api::AccountError;
use crate::official_account::note::{Note, compose, is_unreachable};
use crate::store::bindings::{self, DueSoon};
use crate::store::messages::{self, Due, Once};
use crate::store::{charges, orders};

/// How many payers are reminded at once
const REMINDED: u64 = 200;
/// When people are reminded, hours in Beijing
const BY_DAY: std::ops::Range<u32> = 9..20;

type Facts = BTreeMap<String, String>;

fn template(app: &App, kind: NoteKind) -> Option<&Template> {
    app.config.official_account.as_ref()?.templates.get(kind.code())
}

fn facts<const N: usize>(of: [(Fact, String); N]) -> Facts {
    of.into_iter().map(|(fact, text)| (fact.code().to_owned(), text)).collect()
}

fn money(amount: Fen) -> String {
    format!("¥{}", amount.yuan())
}

fn time(at: Moment) -> String {
    at.format("%Y年%-m月%-d日 %H:%M")
}

/// An order was booked as paid.
pub async fn paid(app: &App, tx: &impl ConnectionTrait, order: &Order, paid_at: Moment, now: Moment) -> Result<()> {
    let told = told(app, tx, NoteKind::Paid, order.payer_id).await?;
    if told.is_empty() {
        return Ok(());
    }
    let news = of_order(tx, NoteKind::Paid, order, order.order_no.as_str(), order.total, paid_at).await?;
    write(app, tx, &told, &news, now).await
}

/// Money is back with its payer.
pub async fn refunded(app: &App, tx: &impl ConnectionTrait, refund: &Refund, now: Moment) -> Result<()> {
    let Some(order) = orders::find(tx, refund.order_id).await? else { return Ok(()) };
    let told = told(app, tx, NoteKind::Refunded, order.payer_id).await?;
    if told.is_empty() {
        return Ok(());
    }
    let news = of_order(tx, NoteKind::Refunded, &order, refund.refund_no.as_str(), refund.amount, now).await?;
    write(app, tx, &told, &news, now).await
}

/// A browser that was not seen before has signed in.
pub async fn signed_in(app: &App, tx: &impl ConnectionTrait, payer: PayerId, now: Moment) -> Result<()> {
    let told = told(app, tx, NoteKind::SignIn, payer).await?;
    let (kind, subject, to) = (NoteKind::SignIn, now.millis().to_string(), "/h5/me".to_owned());
    write(app, tx, &told, &News { kind, payer, subject, to, facts: facts([(Fact::Time, time(now))]) }, now).await
}

/// Whether anything is told in WeChat.
pub fn is_offered(app: &App) -> bool {
    NoteKind::ALL.iter().any(|kind| template(app, *kind).is_some())
}

/// Whether sign-ins are told in WeChat.
pub fn tells_sign_ins(app: &App) -> bool {
    template(app, NoteKind::SignIn).is_some()
}

/// What is told, and under which subject once.
struct News {
    kind: NoteKind,
    payer: PayerId,
    subject: String,
    /// The page a tap opens
    to: String,
    facts: Facts,
}

async fn of_order(
    tx: &impl ConnectionTrait,
    kind: NoteKind,
    order: &Order,
    subject: &str,
    amount: Fen,
    at: Moment,
) -> Result<News> {
    let lines = orders::lines(tx, order.id).await?;
    let first = lines.first().map(|line| line.item.zh.as_str()).unwrap_or_default();
    let facts = facts([
        (Fact::OrderNo, order.order_no.to_string()),
        (Fact::Item, items(first, lines.len())),
        (Fact::Amount, money(amount)),
        (Fact::Time, time(at)),
    ]);
    let to = format!("/h5/orders/{}", order.order_no);
    Ok(News { kind, payer: order.payer_id, subject: subject.to_owned(), to, facts })
}

fn items(first: &str, many: usize) -> String {
    if many > 1 { format!("{first}等{many}项") } else { first.to_owned() }
}

/// The WeChats that are told of a payer's news of a kind; none where the school has no template for it.
async fn told(
    app: &App,
    tx: &impl ConnectionTrait,
    kind: NoteKind,
    payer: PayerId,
) -> Result<Vec<(BindingId, String)>> {
    match template(app, kind) {
        Some(_) => Ok(bindings::told_of(tx, payer).await?),
        None => Ok(Vec::new()),
    }
}

/// Writes one note for each WeChat, unless it is there already.
async fn write(
    app: &App,
    tx: &impl ConnectionTrait,
    told: &[(BindingId, String)],
    news: &News,
    now: Moment,
) -> Result<()> {
    let News { kind, payer, subject, to, facts } = news;
    for (binding, openid) in told {
        let (openid, to, facts) = (openid.clone(), to.clone(), facts.clone());
        let letter = Letter::Note { note: *kind, payer: *payer, openid: openid.clone(), to, facts };
        let once = Once { key: format!("{}:{subject}:{binding}", kind.code()), openid };
        messages::insert_once(tx, &app.sealer, letter.kind(), &letter.write(), once, now).await?;
    }
    Ok(())
}

/// Reminds whose arrears are due within the configured days, once for each due day. Looks once an hour, by day.
pub async fn remind_once(app: &App) -> Result<usize> {
    let Some(account) = &app.config.official_account else { return Ok(0) };
    let now = app.clock.now();
    let hour: u32 = now.format("%H").parse().unwrap_or_default();
    if template(app, NoteKind::DueSoon).is_none() || !BY_DAY.contains(&hour) {
        return Ok(0);
    }
    let turn = format!("due-soon:{}", now.format("%Y%m%d%H"));
    if !app.cache.once(&turn, Duration::from_secs(7_200)).await {
        return Ok(0);
    }
    let day = |at: Moment| at.format("%Y%m%d").parse().unwrap_or(i64::MAX);
    let last = now + Duration::from_secs(u64::from(account.due_soon_days) * 86_400);
    let due = bindings::due_soon(app.db.read(), (day(now), day(last)), now, REMINDED).await?;
    let many = due.len();
    for one in due {
        remind(app, one, now).await?;
    }
    if many as u64 == REMINDED {
        app.cache.remove(&turn).await;
    }
    Ok(many)
}

async fn remind(app: &App, due: DueSoon, now: Moment) -> Result<()> {
    let facts = facts([
        (Fact::Item, items(&due.item, usize::try_from(due.many).unwrap_or(1))),
        (Fact::Amount, money(due.arrears)),
        (Fact::Due, format!("{}年{}月{}日", due.day / 10_000, due.day / 100 % 100, due.day % 100)),
    ]);
    let (kind, subject, to) = (NoteKind::DueSoon, due.day.to_string(), "/h5/tuition".to_owned());
    let news = News { kind, payer: due.payer, subject, to, facts };
    write(app, app.db.write(), &[(due.binding, due.openid)], &news, now).await
}

/// Tells a note that waits in the outbox. Nobody: unbound, left or refused, or paid meanwhile.
pub async fn carry(app: &App, due: &Due, letter: &Letter) -> Result<Outcome> {
    let Letter::Note { note, payer, openid, to, facts } = letter else {
        return Ok(Outcome::Unsent(Unsent::Never("no account message")));
    };
    let Some(template) = template(app, *note) else {
        return Ok(Outcome::Unsent(Unsent::Never("no template")));
    };
    let bound = bindings::told_of(app.db.read(), *payer).await?;
    if !bound.iter().any(|(_, own)| own == openid) || is_over(app, *note, *payer).await? {
        return Ok(Outcome::Nobody);
    }
    let id = format!("m{}-{}", due.id, due.useful_until.unix());
    let url = talk::entrance(&app.config, to);
    let told = compose(template, &Note { openid, id: &id, url: &url, facts });
    Ok(match call(app, &told).await {
        Ok(_) => Outcome::Sent,
        Err(error) if is_unreachable(&error) => {
            tracing::info!(message = %due.id, %error, "a follower cannot be told");
            Outcome::Nobody
        }
        Err(AccountError::Refused { code, .. }) => {
            tracing::error!(message = %due.id, kind = due.kind.code(), code, "the account refuses this template");
            Outcome::Unsent(Unsent::Never("refused"))
        }
        Err(AccountError::Busy(_)) => Outcome::Unsent(Unsent::Later("busy")),
        Err(AccountError::Token(_)) => Outcome::Unsent(Unsent::Later("token")),
        Err(AccountError::Unreachable(_)) => Outcome::Unsent(Unsent::Later("connection")),
    })
}

/// Whether there is nothing to be reminded of any more.
async fn is_over(app: &App, kind: NoteKind, payer: PayerId) -> Result<bool> {
    if kind != NoteKind::DueSoon {
        return Ok(false);
    }
    let owed = charges::find_of_payer(app.db.read(), payer).await?;
    Ok(!owed.iter().any(|charge| charge.due_day.is_some() && charge.balance.arrears().is_positive()))
}
