//! The moves carried out. An act that is ended by the storm ends; an error that is nobody's doing is a find.
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiaofei::channel::contract::Prepay;
use jiaofei::domain::charge::Cause;
use jiaofei::domain::checkout::Wanted;
use jiaofei::domain::message::Way;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order::{Order, OrderState};
use jiaofei::domain::trade::{Buyer, Channel, Product};
use jiaofei::flow::checkout::{self, PayAsk, Started};
use jiaofei::flow::failure::Failure;
use jiaofei::flow::{inquire, office, records, refund};
use jiaofei::sandbox::faults::{Fault, Setting};
use jiaofei::sandbox::merchants::{WECHAT_APP_ID, alipay_user, openid};
use jiaofei::store::chain::NewEntry;
use jiaofei::store::{attempts, books, orders};

use super::invariants;
use super::moves::{Act, Goes, Move};
use super::stage::{Stage, places};
use super::telling;

/// Carries one move out, with what happens in the middle of it, and looks whether everything still holds.
pub async fn make(stage: &Arc<Stage>, number: usize, one: &Move) {
    let drill = stage.app(one.process).drill.clone();
    if let Some((after, process, act)) = one.between.clone() {
        let inner = Arc::clone(stage);
        let between = async move {
            inner.history.add(format!("      in between, process {process}: {act:?}"));
            let result = perform(Arc::clone(&inner), process, act).await;
            inner.history.add(format!("      → {result}"));
        };
        drill.come_between(after, Box::pin(between));
    }
    if let Some((after, strike)) = one.strike {
        drill.arm(after, strike);
    }
    stage.history.add(format!("{number:3} process {}: {:?}", one.process, one.act));
    let result = perform(Arc::clone(stage), one.process, one.act.clone()).await;
    stage.history.add(format!("    → {result}"));
    stage.clear_up().await;
}

/// One act, boxed because another may come in between.
pub fn perform(stage: Arc<Stage>, process: usize, act: Act) -> Pin<Box<dyn Future<Output = String> + Send>> {
    Box::pin(async move {
        match act {
            Act::Open { who, charges, part } => open(&stage, process, (who, charges, part)).await,
            Act::Pay { order, product, phone, goes } => pay(&stage, process, order, (product, phone, goes)).await,
            Act::Resume { order } => resume(&stage, process, order).await,
            Act::PayOld { order, phone, late } => pay_old(&stage, process, order, phone, late).await,
            Act::Look { order, telling } => look(&stage, process, order, telling).await,
            Act::Cancel { order } => cancel(&stage, process, order).await,
            Act::Deliver => deliver(&stage, process).await,
            Act::Jobs => jobs(&stage, process).await,
            Act::Pass { seconds } => {
                stage.pass(Duration::from_secs(seconds));
                jobs(&stage, process).await
            }
            Act::Trouble { fault, times } => {
                stage.sandbox.set_fault(Setting::once(fault).times(times));
                "set".to_owned()
            }
            Act::Refund { order, part } => send_back(&stage, process, order, part).await,
            Act::SendBack { order } => send_wrong_amount_back(&stage, process, order).await,
            Act::Waive { who, charge } => waive(&stage, process, who, charge).await,
            Act::Campus { mishap, times } => {
                stage.sandbox.set_campus_mishap(Some(mishap), Some(times));
                "set".to_owned()
            }
            Act::Resend { event } => telling::resend(&stage, process, event).await,
            Act::Forget { who } => telling::forget(&stage, process, who).await,
            Act::Silence { times } => {
                stage.sandbox.postbox().refuse(Way::Sms, 503, times);
                "set".to_owned()
            }
            Act::LieInWait { place, strike } => {
                let places = places();
                let at = places.iter().nth(place % places.len()).cloned();
                let told = format!("at {at:?}");
                stage.app(process).drill.lie_in_wait(at.map(|at| (at, strike)));
                told
            }
            Act::Restart => {
                stage.restart(process).await;
                "a new process".to_owned()
            }
        }
    })
}

/// What an act came to. An error that no strike explains breaks the storm off.
pub fn told<T>(stage: &Stage, result: Result<T, Failure>, word: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => word(value),
        Err(Failure::Refused(refusal)) => refusal.code().to_owned(),
        Err(Failure::Store(error)) => {
            let error = error.to_string();
            if !Stage::struck(&error) {
                stage.history.break_off(format!("an error of ours: {error}"));
            }
            error
        }
    }
}

/// One of the orders there are.
async fn order(stage: &Stage, process: usize, number: usize) -> Option<Order> {
    let app = stage.app(process);
    let all = invariants::orders(stage).await;
    let id = all.get(number % all.len().max(1))?;
    orders::find(app.db.read(), *id).await.unwrap()
}

fn phone(order: &Order, number: usize) -> String {
    format!("1380000{:02}{number:02}", order.payer_id.0 % 100)
}

async fn open(stage: &Stage, process: usize, (who, mask, part): (usize, u64, bool)) -> String {
    let (app, person) = (stage.app(process), &stage.people[who]);
    let mut wanted = Vec::new();
    for (at, charge_id) in person.charges.into_iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0) {
        let amount = (part && at == 0).then(|| Fen::new(200_000));
        wanted.push(Wanted { charge_id, amount });
    }
    let opened = checkout::open(&app, person.id, &app.chance.token(12), &wanted).await;
    told(stage, opened, |orders| orders.iter().map(|order| order.order_no.to_string()).collect::<Vec<_>>().join(", "))
}

async fn pay(stage: &Stage, process: usize, number: usize, (product, at, goes): (Product, usize, Goes)) -> String {
    let Some(order) = order(stage, process, number).await else { return "no order".to_owned() };
    let phone = phone(&order, at);
    let buyer = match product {
        Product::WechatJsapi => Some(Buyer::WechatOpenid(openid(WECHAT_APP_ID, &phone))),
        Product::AlipayJsapi => Some(Buyer::AlipayUser(alipay_user(&phone))),
        _ => None,
    };
    let payer_ip = format!("203.0.113.{}", 7 + at);
    let ask = PayAsk { product, buyer, gift: None, payer_ip, return_url: "http://inside.example/h5/result".to_owned() };
    let started = checkout::pay(&stage.app(process), &order, &ask).await;
    let Ok(started) = started else { return told(stage, started, |_| String::new()) };
    let no = started.attempt.attempt_no.to_string();
    if goes == Goes::Nowhere {
        return format!("{no} started");
    }
    arrive(stage, &started, &phone).await;
    if goes == Goes::ToTheCashier {
        return format!("{no} at the cashier");
    }
    format!("{no} {}", confirm(stage, product.channel(), &no, &phone, false))
}

/// Reaches the channel's page or scans the code. At Alipay a trade comes to life only then.
async fn arrive(stage: &Stage, started: &Started, phone: &str) {
    let channel = started.attempt.product.channel();
    match &started.prepay {
        Prepay::Redirect { url } if channel == Channel::Alipay => stage.visit(url, phone).await,
        Prepay::Code { text } => drop(stage.sandbox.open(channel, text, phone)),
        _ => {}
    }
}

/// The payer pays. `late`: the channel takes the money of what is closed or expired, against its word.
fn confirm(stage: &Stage, channel: Channel, no: &str, phone: &str, late: bool) -> String {
    if late {
        stage.sandbox.set_fault(Setting::always(Fault::TakeLatePayment));
    }
    let paid = stage.sandbox.pay(channel, no, phone);
    stage.sandbox.faults().lift(Fault::TakeLatePayment);
    match paid {
        Ok(paid) => {
            invariants::paid_once(stage, no, late);
            format!("paid, {}", paid.trade_no)
        }
        Err(refusal) => format!("not paid: {refusal:?}"),
    }
}

async fn resume(stage: &Stage, process: usize, number: usize) -> String {
    let Some(order) = order(stage, process, number).await else { return "no order".to_owned() };
    let resumed = checkout::resume(&stage.app(process), &order).await;
    told(stage, resumed, |started| {
        started.map_or_else(|| "nothing under way".to_owned(), |started| started.attempt.attempt_no.to_string())
    })
}

async fn pay_old(stage: &Stage, process: usize, number: usize, at: usize, late: bool) -> String {
    let Some(order) = order(stage, process, number).await else { return "no order".to_owned() };
    let app = stage.app(process);
    // an hour after the deadline nobody asks any more: of such a payment only its notice tells, which must come
    if stage.clock.now().since(order.expires_at) > Duration::from_secs(3_000) {
        stage.sandbox.faults().lift(Fault::LoseNotice);
    }
    let mut results = Vec::new();
    for attempt in attempts::find_of_order(app.db.read(), &app.sealer, order.id).await.unwrap() {
        let no = attempt.attempt_no.as_str();
        let result = confirm(stage, attempt.product.channel(), no, &phone(&order, at), late);
        results.push(format!("{no} {result}"));
    }
    results.join("; ")
}

async fn look(stage: &Stage, process: usize, number: usize, telling: bool) -> String {
    let Some(order) = order(stage, process, number).await else { return "no order".to_owned() };
    let every = if telling { inquire::TELLING } else { inquire::WAITING };
    let no = order.order_no.to_string();
    let before = invariants::payments(stage, &no);
    let seen = inquire::on_read(&stage.app(process), order, every).await;
    if seen.as_ref().is_ok_and(|seen| seen.certain) {
        invariants::certainly_unpaid(stage, &no, before).await;
    }
    told(stage, seen, |seen| {
        let sure = if seen.certain { ", certainly" } else { "" };
        format!("{no} {}{sure}", seen.order.state.code())
    })
}

async fn cancel(stage: &Stage, process: usize, number: usize) -> String {
    let Some(order) = order(stage, process, number).await else { return "no order".to_owned() };
    told(stage, checkout::cancel(&stage.app(process), &order).await, |()| "cancelled".to_owned())
}

pub async fn deliver(stage: &Stage, process: usize) -> String {
    stage.receive_at(process);
    let deliveries = stage.sandbox.deliver_due().await;
    let received = deliveries.iter().filter(|one| one.received).count();
    for one in deliveries.iter().filter(|one| one.received) {
        invariants::acknowledged_is_booked(stage, one).await;
    }
    format!("{received} of {} received", deliveries.len())
}

pub async fn jobs(stage: &Stage, process: usize) -> String {
    told(stage, jiaofei::jobs::run_once(&stage.app(process)).await, |done| format!("{done} done"))
}

async fn send_back(stage: &Stage, process: usize, number: usize, part: i64) -> String {
    let Some(order) = order(stage, process, number).await else { return "no order".to_owned() };
    let app = stage.app(process);
    if !matches!(order.state, OrderState::Paid { .. }) {
        return "not paid".to_owned();
    }
    let lines = records::lines_of(&app, order.id).await.unwrap();
    let line = &lines[0];
    let amount = Fen::new(line.amount.get() / part);
    let requested = refund::request(&app, &order, &[(line.charge_id, amount)], "退费").await;
    told(stage, requested, |id| format!("{} fen of {} wanted back, number {}", amount.get(), order.order_no, id.0))
}

async fn send_wrong_amount_back(stage: &Stage, process: usize, number: usize) -> String {
    let Some(order) = order(stage, process, number).await else { return "no order".to_owned() };
    let sent = office::send_back(&stage.app(process), &order).await;
    // from now on it may be paid once more, and the bank had broken its word before
    stage.note_broken_word(order.order_no.as_str());
    told(stage, sent, |sent| format!("{} fen of {} wanted back", sent.get(), order.order_no))
}

/// The office waives a tenth of a charge, if so much is owed.
async fn waive(stage: &Stage, process: usize, who: usize, charge: usize) -> String {
    let (app, id) = (stage.app(process), stage.people[who].charges[charge]);
    let cause_no = app.chance.token(8);
    let act = async {
        let tx = app.db.begin().await?;
        let mut book = books::lock_one(&tx, id).await?;
        let amount = Fen::new(book.balance.assessed.get() / 10);
        if book.balance.arrears() < amount {
            return Ok("too little is owed".to_owned());
        }
        let entry = NewEntry { cause: Cause::Waived, cause_no: &cause_no, amount, at: app.clock.now() };
        books::enter(&tx, &app.chain, &mut book, entry).await?;
        tx.commit().await?;
        Ok::<_, Failure>(format!("{} fen waived", amount.get()))
    };
    told(stage, act.await, |word| word)
}
