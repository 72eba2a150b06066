//! Brings what was paid to the provider: exactly once, whatever is lost on the way.
//!
//! A try is claimed by compare-and-set for [`HELD`]. The first one asks for delivery; every later one asks first what
//! became of the earlier ones. Money goes back when the provider has refused, or when all tries are over and the
//! provider says that nobody asked: never while the outcome is unknown. A provider takes nothing that was signed more
//! than five minutes ago, so that what it calls absent hours after the last call stays so.
use std::time::Duration;

use futures_util::future;

use super::provider;
use crate::app::App;
use crate::config::Living;
use crate::domain::living::{ASKED_AGAIN, Told, TopUp, TopUpState, pause_after};
use crate::domain::moment::Moment;
use crate::flow::failure::Result;
use crate::flow::refund;
use crate::store::top_ups::{self, Kept};
use crate::store::{journal, orders};

/// How long a claimed try belongs to its process; longer than any two calls can take.
pub const HELD: Duration = Duration::from_secs(60);
/// How many are on their way to one provider at once
const SIDE_BY_SIDE: usize = 8;

/// Brings what is due to every provider. Gives how many tries were made.
pub async fn run_once(app: &App) -> Result<usize> {
    let mut tried = 0;
    for service in &app.config.living {
        tried += serve(app, service).await?;
    }
    Ok(tried)
}

/// Brings what is due to one provider. Gives how many tries were made.
pub async fn serve(app: &App, service: &Living) -> Result<usize> {
    let limit = app.drill.side_by_side(SIDE_BY_SIDE);
    let due = top_ups::find_due(app.db.read(), &service.id, app.clock.now(), limit).await?;
    let tries = future::join_all(due.iter().map(|due| try_once(app, service, due))).await;
    let tries = tries.into_iter().collect::<Result<Vec<bool>>>()?;
    Ok(tries.into_iter().filter(|ours| *ours).count())
}

/// What a try came to.
enum Outcome {
    Done(String),
    /// It was not delivered and will not be
    GiveBack(&'static str),
    /// None: all tries are over
    Again(Option<Duration>),
}

/// False when another process has claimed it.
async fn try_once(app: &App, service: &Living, due: &Kept) -> Result<bool> {
    let until = app.clock.now() + HELD;
    if !top_ups::claim_try(app.db.write(), due, until).await? {
        return Ok(false);
    }
    app.drill.gap("top-up: claimed").await?;
    let account = due.account(&app.sealer)?;
    let outcome = ask(app, service, &due.top_up, &account).await;
    app.drill.gap("top-up: the provider has answered").await?;
    let (top_up, now) = (&due.top_up, app.clock.now());
    let (order_no, tries) = (&top_up.order_no, top_up.tries + 1);
    match outcome {
        Outcome::Done(provider_no) => {
            let tx = app.db.begin().await?;
            let moved = (TopUpState::Waiting, TopUpState::Done);
            if top_ups::move_state(&tx, top_up.id, moved, None, now).await? {
                top_ups::set_provider_no(&tx, top_up.id, &provider_no).await?;
                app.drill.point("top-up: done")?;
                tx.commit().await?;
                tracing::info!(%order_no, service = service.id, tries, "topped up");
            }
        }
        Outcome::GiveBack(why) => give_back(app, top_up, why, now).await?,
        Outcome::Again(Some(pause)) => {
            top_ups::try_again(app.db.write(), top_up.id, until, now + pause).await?;
        }
        Outcome::Again(None) => unclear(app, top_up, until, now).await?,
    }
    let _ = app.changed.send(top_up.order);
    Ok(true)
}

async fn ask(app: &App, service: &Living, top_up: &TopUp, account: &str) -> Outcome {
    let pause = pause_after(top_up.tries + 1, app.chance.below(u64::MAX));
    let mut told = match top_up.tries {
        0 => Some(Told::Absent),
        _ => provider::query(app, service, top_up).await,
    };
    if told == Some(Told::Absent) && pause.is_some() {
        told = provider::deliver(app, service, top_up, account).await;
    }
    match (told, pause) {
        (Some(Told::Done { provider_no }), _) => Outcome::Done(provider_no),
        (Some(Told::Refused), _) => Outcome::GiveBack("未能到账：服务方拒绝"),
        (Some(Told::Absent), None) => Outcome::GiveBack("未能到账：多次未能送达"),
        (_, pause) => Outcome::Again(pause),
    }
}

/// Wants the money back where it came from, in the transaction that ends the top-up.
async fn give_back(app: &App, top_up: &TopUp, why: &'static str, now: Moment) -> Result<()> {
    let Some(order) = orders::find(app.db.read(), top_up.order).await? else { return Ok(()) };
    let tx = app.db.begin().await?;
    let moved = (TopUpState::Waiting, TopUpState::Returning);
    if !top_ups::move_state(&tx, top_up.id, moved, None, now).await? {
        return Ok(());
    }
    app.drill.point("top-up: given up")?;
    refund::request_in(app, &tx, &order, &[(top_up.charge, top_up.amount)], why).await?;
    tx.commit().await?;
    tracing::warn!(order_no = %top_up.order_no, service = top_up.service, why, "a top-up goes back to its payer");
    Ok(())
}

/// Nobody knows what became of it: the office asks the provider, and so do we, now and then.
async fn unclear(app: &App, top_up: &TopUp, until: Moment, now: Moment) -> Result<()> {
    let tx = app.db.begin().await?;
    top_ups::try_again(&tx, top_up.id, until, now + ASKED_AGAIN).await?;
    let details = format!("{}: the provider does not say whether it was delivered", top_up.service);
    journal::raise_office_item(&tx, "top_up_unclear", top_up.order_no.as_str(), &details, now).await?;
    tx.commit().await?;
    tracing::error!(order_no = %top_up.order_no, service = top_up.service, "for the office: a top-up is unclear");
    Ok(())
}
