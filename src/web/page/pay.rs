//! From the tap on 支付 to the channel's own window.
//!
//! `pay` starts the attempt and sends the browser on to `go`, which can be opened again at any time. Where the
//! channel must first be asked who pays, what was wanted is remembered for this browser, and `go` finishes it after
//! the way back. Every step out of our pages is a link, or a form to an origin its page names, on a page of ours:
//! browsers refuse to follow a form to any other host.
use std::time::Duration;

use poem::{IntoResponse, Response, Result, handler};

use super::access::{Access, facts};
use super::{cashier, ways};
use crate::domain::order::OrderState;
use crate::domain::refusal::Refusal;
use crate::domain::trade::{Buyer, Channel, Product};
use crate::flow::checkout::{self, PayAsk, Started};
use crate::flow::failure::Failure;
use crate::flow::launch::{self, Step};
use crate::flow::{buyer, records};
use crate::web::error::{Problem, see_other};
use crate::web::form::Form;
use crate::web::guard::Visit;
use crate::web::html::{FormOrigins, Page};
use crate::web::view::launch::{How, Launch};

/// How long a browser's wish to pay is remembered while it is away at the channel's sign-in
const WISH: Duration = Duration::from_secs(600);

/// `POST …/pay`: `method` is a channel.
#[handler]
pub async fn pay(visit: &Visit, access: Access, form: Form) -> Result<Response> {
    let payee = &access.order.payee_code;
    let Some(channel) = Channel::parse(form.get("method")) else {
        return cashier::draw(visit, access, Some(Refusal::NotOffered)).await;
    };
    if let Some(why) = checkout::barred(&visit.app, &access.order, channel) {
        return cashier::draw(visit, access, Some(Refusal::Barred { channel, why })).await;
    }
    let Some(product) = ways::product(&visit.app, payee, visit.device, channel) else {
        return match ways::needs_browser(&visit.app, payee, visit.device, channel) {
            true => Ok(see_other(&access.door().browser())),
            false => cashier::draw(visit, access, Some(Refusal::NotOffered)).await,
        };
    };
    remember_bearer(visit, &access).await;
    match start(visit, &access, product).await {
        Ok(_) => Ok(see_other(&access.door().go())),
        Err(Failure::Refused(Refusal::BuyerNeeded { .. })) => {
            visit.app.cache.put(&wish(visit, &access), channel.code(), WISH).await;
            Ok(see_other(&access.door().go()))
        }
        Err(failure) => refuse(visit, access, failure).await,
    }
}

/// `GET …/go`
#[handler]
pub async fn go(visit: &Visit, access: Access) -> Result<Response> {
    if !matches!(access.order.state, OrderState::Pending { .. }) {
        return Ok(see_other(&access.door().result()));
    }
    let wish = wish(visit, &access);
    if let Some(channel) = visit.app.cache.get(&wish).await.and_then(|code| Channel::parse(&code)) {
        let product = ways::product(&visit.app, &access.order.payee_code, visit.device, channel);
        let Some(product) = product else { return Ok(see_other(&access.door().cashier())) };
        return fulfil(visit, access, product, &wish).await;
    }
    let started = match checkout::resume(&visit.app, &access.order).await {
        Ok(started) => started,
        Err(failure) => return refuse(visit, access, failure).await,
    };
    let Some(started) = started else { return Ok(see_other(&access.door().cashier())) };
    // a payment somebody else has begun, or this payer in another app, is not this browser's to go on with
    let channel = started.attempt.product.channel();
    let own = ways::product(&visit.app, &access.order.payee_code, visit.device, channel);
    let known = match own {
        Some(product) => buyer_of(visit, &access, product).await,
        None => None,
    };
    let same = started.attempt.gift == access.gift;
    match same && own.is_some_and(|product| launch::fits(&started, product, known.as_ref())) {
        true => show(visit, access, &started).await,
        false => Ok(see_other(&access.door().cashier())),
    }
}

/// Pays as was wished, or sends the browser to the channel to say who pays.
async fn fulfil(visit: &Visit, access: Access, product: Product, wish: &str) -> Result<Response> {
    let channel = product.channel();
    if buyer_of(visit, &access, product).await.is_some() {
        visit.app.cache.remove(wish).await;
        match start(visit, &access, product).await {
            Ok(started) => return show(visit, access, &started).await,
            Err(Failure::Refused(Refusal::BuyerNeeded { .. })) => {}
            Err(failure) => return refuse(visit, access, failure).await,
        }
    }
    // once: a channel that goes on not saying who pays must not send the payer round in a circle
    let sent = format!("sent:{}:{}", access.order.order_no, visit.visitor());
    if !visit.app.cache.once(&sent, Duration::from_secs(60)).await {
        visit.app.cache.remove(wish).await;
        return cashier::draw(visit, access, Some(Refusal::ChannelBusy { channel })).await;
    }
    let (payee, back) = (&access.order.payee_code, access.door().go());
    match buyer::send(&visit.app, payee, channel, &visit.visitor(), &back).await {
        Ok(url) => launch_page(visit, access, How::Redirect { channel, url }).await,
        Err(failure) => refuse(visit, access, failure).await,
    }
}

async fn start(visit: &Visit, access: &Access, product: Product) -> Result<Started, Failure> {
    let ask = PayAsk {
        product,
        buyer: buyer_of(visit, access, product).await,
        gift: access.gift,
        payer_ip: visit.address.to_string(),
        return_url: format!("{}{}", visit.app.config.server.public_url, access.door().result()),
    };
    checkout::pay(&visit.app, &access.order, &ask).await
}

async fn buyer_of(visit: &Visit, access: &Access, product: Product) -> Option<Buyer> {
    match product.needs_buyer() {
        true => buyer::known(&visit.app, &access.order.payee_code, product.channel(), &visit.visitor()).await,
        false => None,
    }
}

async fn show(visit: &Visit, access: Access, started: &Started) -> Result<Response> {
    let channel = started.attempt.product.channel();
    let how = match launch::step(&visit.app, started).map_err(Problem::from)? {
        Step::WechatBridge { parameters } => How::Wechat { parameters },
        Step::AlipayBridge { trade_no } => How::Alipay { trade_no },
        Step::Redirect { url } => How::Redirect { channel, url },
        Step::Form(form) => {
            How::Form { channel, action: form.action, fields: form.fields, origins: form.origins.join(" ") }
        }
        // no page of ours shows a channel's own code: the order's code serves every app
        Step::Code { .. } => return Ok(see_other(&access.door().cashier())),
    };
    launch_page(visit, access, how).await
}

async fn launch_page(visit: &Visit, access: Access, how: How) -> Result<Response> {
    let lines = records::lines_of(&visit.app, access.order.id).await.map_err(Problem::from)?;
    let order = facts(&visit.app, &access.order, lines);
    let origins = match &how {
        How::Form { origins, .. } => Some(FormOrigins(origins.clone())),
        _ => None,
    };
    let mut page = Page::new(Launch { frame: access.frame(visit), order, how, viewer: access.viewer }).into_response();
    if let Some(origins) = origins {
        page.set_data(origins);
    }
    Ok(page)
}

/// What the office or the channel said no to, told where the payer can choose again.
async fn refuse(visit: &Visit, access: Access, failure: Failure) -> Result<Response> {
    match failure {
        Failure::Refused(Refusal::OrderPaid | Refusal::UnderReview) => Ok(see_other(&access.door().result())),
        Failure::Refused(Refusal::OrderClosed { .. }) => Ok(see_other(&access.door().cashier())),
        Failure::Refused(refusal) => cashier::draw(visit, access, Some(refusal)).await,
        failure => Err(Problem::from(failure).into()),
    }
}

fn wish(visit: &Visit, access: &Access) -> String {
    format!("wish:{}:{}", access.order.order_no, visit.visitor())
}

/// Whoever pays with a code may see how it ended; others who have the code may not.
async fn remember_bearer(visit: &Visit, access: &Access) {
    if !access.viewer.is_owner() {
        visit.app.cache.put(&bearer(visit, access), "1", Duration::from_secs(86_400)).await;
    }
}

pub async fn is_paying_bearer(visit: &Visit, access: &Access) -> bool {
    visit.app.cache.get(&bearer(visit, access)).await.is_some()
}

fn bearer(visit: &Visit, access: &Access) -> String {
    format!("bearer:{}:{}", access.order.order_no, visit.visitor())
}
