//! 家长代付: a payer makes a link for one order or one charge; whoever opens it pays without signing in.
//!
//! A link gives nothing away but the masked name, what is paid and how much. It moves no money by itself: what a giver
//! takes up becomes an ordinary order of the payer, under the payer's lock, or is the pending one of the very same
//! lines, so that all that holds for orders holds here: a charge waits in one order at a time, money that comes too
//! late goes back to the account it came from.
use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::attempt::retire;
use super::failure::Result;
use super::guess::{all_allowed, keyed};
use super::{checkout, expire, records};
use crate::app::App;
use crate::domain::amount::{self, AmountRefusal};
use crate::domain::charge::Charge;
use crate::domain::checkout::{Part, Wanted, plan};
use crate::domain::ids::{ChargeId, GiftId, OrderId, PayLinkId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::{CloseReason, Order, OrderLine, OrderState};
use crate::domain::order_no::OrderNo;
use crate::domain::pay_for_me::{For, Gift, Lasting, PayLink, giver_name};
use crate::domain::payer::Payer;
use crate::domain::refusal::Refusal;
use crate::domain::session::{Rights, Session};
use crate::store::pay_for_me::{self as rows, Given};
use crate::store::{attempts, charges, orders, payers};

/// Links of one payer that stand at a time
const MOST: usize = 10;
/// What may be begun by one link: a charge it holds back cannot be paid otherwise meanwhile
const BEGUN: (u32, Duration) = (30, Duration::from_secs(3600));

/// What a link is to be for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    Order(OrderNo),
    Charge(ChargeId),
}

/// Why no link was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotMade {
    /// So many stand already
    TooMany,
    Refused(Refusal),
}

/// How a link stands, for whoever opens it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    Open(Offer),
    /// Somebody is paying just now
    Waiting {
        until: Moment,
    },
    Paid,
    Revoked,
    Expired,
    /// It is not owed or not collected any more as it was
    Gone,
}

/// What may be paid by a link now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    pub payee_code: String,
    pub lines: Vec<OrderLine>,
    pub total: Fen,
    /// The smallest part that may be given; none: all of it
    pub min_split: Option<Fen>,
}

fn allowed(session: &Session) -> Result<()> {
    match session.rights {
        Rights::Full => Ok(()),
        Rights::OwnArrears | Rights::Bound => Err(Refusal::NotFound.into()),
    }
}

/// What a payer may ask others to pay: the charges that are owed and collected now.
pub async fn choices(app: &App, session: &Session) -> Result<Vec<Charge>> {
    allowed(session)?;
    let own = charges::find_of_payer(app.db.read(), session.payer_id).await?;
    Ok(own.into_iter().filter(|charge| may_be_given(charge, app.clock.now())).collect())
}

fn may_be_given(charge: &Charge, now: Moment) -> bool {
    charge.balance.arrears().is_positive() && !charge.is_bought() && charge.item.payable_at(now).is_ok()
}

/// Makes a link. One for the same thing that stands already is given instead.
pub async fn make(
    app: &App,
    session: &Session,
    wish: &Wish,
    lasting: Lasting,
) -> Result<std::result::Result<PayLinkId, NotMade>> {
    let of = match wanted(app, session, wish).await? {
        Ok(of) => of,
        Err(refusal) => return Ok(Err(NotMade::Refused(refusal))),
    };
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    payers::lock(&tx, session.payer_id).await?.ok_or(Refusal::NotFound)?;
    let mut stand = rows::of_payer(&tx, session.payer_id).await?;
    stand.retain(|link| link.revoked_at.is_none() && link.expires_at > now);
    if let Some(same) = stand.iter().find(|link| link.of == of) {
        return Ok(Ok(same.id));
    }
    if stand.len() >= MOST {
        return Ok(Err(NotMade::TooMany));
    }
    let link = PayLink {
        id: PayLinkId(0),
        code: app.chance.token(22),
        payer_id: session.payer_id,
        of,
        created_at: now,
        expires_at: now + lasting.time(),
        revoked_at: None,
    };
    let id = rows::insert(&tx, &link).await?;
    tx.commit().await?;
    Ok(Ok(id))
}

async fn wanted(app: &App, session: &Session, wish: &Wish) -> Result<std::result::Result<For, Refusal>> {
    allowed(session)?;
    match wish {
        Wish::Order(no) => {
            let order = records::find_order(app, session, no).await?.ok_or(Refusal::NotFound)?;
            Ok(match order.state {
                OrderState::Pending { .. } => Ok(For::Order(order.id)),
                OrderState::Paid { .. } => Err(Refusal::OrderPaid),
                OrderState::Closed { reason, .. } => Err(Refusal::OrderClosed { reason }),
            })
        }
        Wish::Charge(id) => {
            let own = choices(app, session).await?;
            let charge = own.iter().find(|charge| charge.id == *id).ok_or(Refusal::ArrearsChanged);
            Ok(charge.map(|charge| For::Charge(charge.id)))
        }
    }
}

/// A link as its own payer sees it.
pub struct Own {
    pub link: PayLink,
    /// What it is for, by the amounts of now
    pub lines: Vec<OrderLine>,
    pub standing: Standing,
    /// First one first
    pub given: Vec<Given>,
}

/// Every link of a payer, newest first.
pub async fn own(app: &App, session: &Session) -> Result<Vec<Own>> {
    allowed(session)?;
    let mut own = Vec::new();
    for link in rows::of_payer(app.db.read(), session.payer_id).await? {
        own.push(seen(app, link).await?);
    }
    Ok(own)
}

/// One link, and only if it is this payer's.
pub async fn find_own(app: &App, session: &Session, id: PayLinkId) -> Result<Option<Own>> {
    allowed(session)?;
    match rows::find(app.db.read(), id).await?.filter(|link| link.payer_id == session.payer_id) {
        Some(link) => Ok(Some(seen(app, link).await?)),
        None => Ok(None),
    }
}

async fn seen(app: &App, link: PayLink) -> Result<Own> {
    let db = app.db.read();
    let lines = match link.of {
        For::Order(id) => orders::lines(db, id).await?,
        For::Charge(id) => {
            let charge = charges::find_one_of_payer(db, link.payer_id, id).await?.ok_or(Refusal::NotFound)?;
            vec![line(&charge, charge.balance.arrears())]
        }
    };
    let standing = standing(app, &link).await?;
    let given = rows::given(db, &app.sealer, link.id).await?;
    Ok(Own { link, lines, standing, given })
}

/// Ends a link. What was begun by it is closed at the channels first, like any order; money that was quicker stays.
pub async fn revoke(app: &App, session: &Session, id: PayLinkId) -> Result<()> {
    let own = find_own(app, session, id).await?.ok_or(Refusal::NotFound)?;
    rows::revoke(app.db.write(), id, app.clock.now()).await?;
    for gift in rows::gifts_of_link(app.db.read(), &app.sealer, own.link.id).await? {
        let Some(order) = orders::find(app.db.read(), gift.order_id).await? else { continue };
        if !matches!(order.state, OrderState::Pending { .. }) {
            continue;
        }
        if order.checkout_id.starts_with(&begun_by(id)) {
            expire::close(app, &order, CloseReason::Cancelled).await?;
            continue;
        }
        // the payer's own order stays theirs to pay
        let live = attempts::find_live(app.db.read(), &app.sealer, order.id).await?;
        if let Some(live) = live.filter(|live| live.gift == Some(gift.id)) {
            retire(app, &live).await?;
        }
    }
    Ok(())
}

/// How the checkouts of a link begin
fn begun_by(id: PayLinkId) -> String {
    format!("for-{id}-")
}

/// A link and whom it is for.
pub async fn find_by_code(app: &App, code: &str) -> Result<Option<(PayLink, Payer)>> {
    let Some(link) = rows::find_by_code(app.db.read(), code).await? else { return Ok(None) };
    let payer = payers::find(app.db.read(), link.payer_id).await?;
    Ok(payer.map(|account| (link, account.payer)))
}

/// How a link stands now.
pub async fn standing(app: &App, link: &PayLink) -> Result<Standing> {
    if link.revoked_at.is_some() {
        return Ok(Standing::Revoked);
    }
    release(app, link).await?;
    Ok(match claim(app, app.db.read(), link, None).await? {
        Claim::Paid => Standing::Paid,
        _ if link.expires_at <= app.clock.now() => Standing::Expired,
        Claim::Free { offer, .. } => Standing::Open(offer),
        Claim::Held { until } => Standing::Waiting { until },
        Claim::Gone | Claim::Amount(_) => Standing::Gone,
    })
}

/// Orders whose time has run out are closed before they stand in the way.
async fn release(app: &App, link: &PayLink) -> Result<()> {
    let held = match link.of {
        For::Order(id) => orders::lines(app.db.read(), id).await?.into_iter().map(|line| line.charge_id).collect(),
        For::Charge(id) => vec![id],
    };
    let wanted: Vec<Wanted> = held.into_iter().map(|charge_id| Wanted { charge_id, amount: None }).collect();
    checkout::release_expired(app, link.payer_id, &wanted).await
}

/// What of a link's thing can be ordered.
enum Claim {
    Free {
        offer: Offer,
        part: Part,
        /// The pending order of the very same lines
        same: Option<OrderId>,
    },
    Held {
        until: Moment,
    },
    Paid,
    Gone,
    Amount(AmountRefusal),
}

/// Looks what can be ordered; `amount` is a giver's, for a charge. Inside a transaction under the payer's lock the
/// answer holds until it ends.
async fn claim(app: &App, db: &impl ConnectionTrait, link: &PayLink, amount: Option<Fen>) -> Result<Claim> {
    let own = charges::find_of_payer(db, link.payer_id).await?;
    let (wanted, shared) = match link.of {
        For::Order(id) => {
            let Some(order) = orders::find(db, id).await? else { return Ok(Claim::Gone) };
            if matches!(order.state, OrderState::Paid { .. }) {
                return Ok(Claim::Paid);
            }
            let lines = orders::lines(db, id).await?;
            if is_pending(&order, app.clock.now()) {
                return Ok(whole(order, lines));
            }
            let wanted = lines.iter().map(|line| Wanted { charge_id: line.charge_id, amount: Some(line.amount) });
            (wanted.collect::<Vec<_>>(), true)
        }
        For::Charge(id) => (vec![Wanted { charge_id: id, amount }], false),
    };
    let arrears = |one: &Wanted| own.iter().find(|charge| charge.id == one.charge_id).map(|one| one.balance.arrears());
    if wanted.iter().all(|one| arrears(one).is_none_or(|arrears| !arrears.is_positive())) {
        return Ok(Claim::Paid);
    }
    if own.iter().any(|charge| charge.is_bought() && wanted.iter().any(|one| one.charge_id == charge.id)) {
        return Ok(Claim::Gone);
    }
    let part = match plan(&own, &wanted, app.clock.now(), false) {
        Ok(parts) => <[Part; 1]>::try_from(parts),
        Err(Refusal::Amount { why, .. }) if !shared => return Ok(Claim::Amount(why)),
        Err(_) => return Ok(Claim::Gone),
    };
    let Ok([part]) = part else { return Ok(Claim::Gone) };
    let pending = orders::pending_lines(db, link.payer_id).await?;
    let same = if shared { checkout::find_same(db, &pending, &part).await? } else { None };
    let holds = |(_, charge): &&(Order, ChargeId)| part.lines.iter().any(|(id, _)| id == charge);
    match pending.iter().find(holds) {
        Some((order, _)) if same.is_none() => Ok(Claim::Held { until: order.expires_at }),
        _ => Ok(Claim::Free { offer: offer(&own, &part, shared), part, same }),
    }
}

fn is_pending(order: &Order, now: Moment) -> bool {
    matches!(order.state, OrderState::Pending { .. }) && order.expires_at > now
}

/// A pending order, to be paid as it is.
fn whole(order: Order, lines: Vec<OrderLine>) -> Claim {
    let part = Part {
        payee_code: order.payee_code.clone(),
        subject: order.subject,
        total: order.total,
        lines: lines.iter().map(|line| (line.charge_id, line.amount)).collect(),
    };
    let offer = Offer { payee_code: order.payee_code, lines, total: order.total, min_split: None };
    Claim::Free { offer, part, same: Some(order.id) }
}

fn offer(own: &[Charge], part: &Part, whole: bool) -> Offer {
    let charge = |id: ChargeId| own.iter().find(|charge| charge.id == id);
    let lines = part.lines.iter().filter_map(|(id, amount)| charge(*id).map(|charge| line(charge, *amount)));
    let one = part.lines.first().and_then(|(id, _)| charge(*id)).filter(|_| !whole);
    let min_split = one.and_then(|charge| {
        let (arrears, min) = (charge.balance.arrears(), charge.item.min_split);
        min.filter(|_| amount::may_change(arrears, min))
    });
    Offer { payee_code: part.payee_code.clone(), lines: lines.collect(), total: part.total, min_split }
}

fn line(charge: &Charge, amount: Fen) -> OrderLine {
    OrderLine {
        charge_id: charge.id,
        item: charge.item.name.clone(),
        period: charge.period.name.clone(),
        amount,
        refunded: Fen::ZERO,
    }
}

/// What a giver has typed.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    /// Minted when the page was drawn: the same form is the same gift
    pub key: &'a str,
    /// In yuan; empty: all that is owed
    pub amount: &'a str,
    /// May be empty
    pub giver: &'a str,
}

/// Why nothing was begun; each field says for itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NotGiven {
    /// The link stands otherwise than its page said
    pub changed: bool,
    pub unreadable: bool,
    pub amount: Option<AmountRefusal>,
    pub giver: bool,
    pub wait_until: Option<Moment>,
}

/// Takes up a link: an order waits for this giver to pay it.
pub async fn take_up(app: &App, link: &PayLink, typed: Typed<'_>) -> Result<std::result::Result<Gift, NotGiven>> {
    if let Some(gift) = rows::find_gift_by_form(app.db.read(), &app.sealer, link.id, typed.key).await? {
        return Ok(Ok(gift));
    }
    let giver = giver_name(typed.giver);
    let amount = match typed.amount.trim() {
        "" => Ok(None),
        text => Fen::typed(text).map(Some).ok_or(()),
    };
    let (Ok(giver), Ok(amount)) = (&giver, &amount) else {
        return Ok(Err(NotGiven { giver: giver.is_err(), unreadable: amount.is_err(), ..NotGiven::default() }));
    };
    release(app, link).await?;
    // a slip of the finger counts for nothing
    if let Claim::Amount(why) = claim(app, app.db.read(), link, *amount).await? {
        return Ok(Err(NotGiven { amount: Some(why), ..NotGiven::default() }));
    }
    let limit = [(format!("give:{}", keyed(app, "pay link", &link.code)), BEGUN)];
    if let Err(until) = all_allowed(app, &limit).await {
        return Ok(Err(NotGiven { wait_until: Some(until), ..NotGiven::default() }));
    }
    let no = checkout::next_order_no(app).await?;
    let (tx, now) = (app.db.begin().await?, app.clock.now());
    payers::lock(&tx, link.payer_id).await?.ok_or(Refusal::NotFound)?;
    if let Some(gift) = rows::find_gift_by_form(&tx, &app.sealer, link.id, typed.key).await? {
        return Ok(Ok(gift));
    }
    let stands = rows::find(&tx, link.id).await?.is_some_and(|link| link.revoked_at.is_none() && link.expires_at > now);
    let claim = claim(app, &tx, link, *amount).await?;
    let (part, same) = match claim {
        Claim::Free { part, same, .. } if stands => (part, same),
        Claim::Amount(why) => return Ok(Err(NotGiven { amount: Some(why), ..NotGiven::default() })),
        _ => return Ok(Err(NotGiven { changed: true, ..NotGiven::default() })),
    };
    let order_id = match same {
        Some(id) => id,
        None => {
            let checkout_id = format!("{}{}", begun_by(link.id), typed.key);
            checkout::insert(app, &tx, (link.payer_id, &checkout_id), (&no, 0), &part).await?
        }
    };
    let code = app.chance.token(22);
    let mut gift = Gift { id: GiftId(0), code, link: link.id, order_id, giver: giver.clone() };
    gift.id = rows::insert_gift(&tx, &app.sealer, &gift, typed.key, now).await?;
    tx.commit().await?;
    Ok(Ok(gift))
}

/// A gift by its code, its order, whose it is, and whether its link stands.
pub struct Begun {
    pub gift: Gift,
    pub order: Order,
    pub payer: Payer,
    pub revoked: bool,
}

pub async fn find_begun(app: &App, code: &str) -> Result<Option<Begun>> {
    let db = app.db.read();
    let Some(gift) = rows::find_gift_by_code(db, &app.sealer, code).await? else { return Ok(None) };
    let Some(link) = rows::find(db, gift.link).await? else { return Ok(None) };
    let Some(order) = orders::find(db, gift.order_id).await? else { return Ok(None) };
    let payer = payers::find(db, order.payer_id).await?;
    Ok(payer.map(|account| Begun { gift, order, payer: account.payer, revoked: link.revoked_at.is_some() }))
}

/// The gift that paid an order, if its payer did not.
pub async fn that_paid(app: &App, order: OrderId) -> Result<Option<Gift>> {
    Ok(rows::find_that_paid(app.db.read(), &app.sealer, order).await?)
}
