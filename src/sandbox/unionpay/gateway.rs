//! `/gateway/api/….do`: reads a form, checks it and who signed it, lets it happen, signs the answer, and spoils it when
//! told to.
use std::sync::Arc;

use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response, Result};

use crate::domain::trade::Channel;
use crate::sandbox::faults::Call;
use crate::sandbox::keys::UNIONPAY_MERCHANT_CERT_ID;
use crate::sandbox::merchants::Merchant;
use crate::sandbox::spoil;
use crate::sandbox::world::Sandbox;

use super::answer::response;
use super::fields::Fields;
use super::refusal::Refusal;
use super::voice::merchant_signed;
use super::{cashier, orders, query, refunds};

/// A body larger than this is not read (bytes).
const BODY_LIMIT: usize = 64 * 1024;

/// Which of the gateway's addresses was called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    /// A payer's browser with an order
    Front,
    /// The merchant's server with a refund
    Back,
    /// The merchant's server with a question
    Query,
}

impl Door {
    pub const fn path(self) -> &'static str {
        match self {
            Door::Front => "/gateway/api/frontTransReq.do",
            Door::Back => "/gateway/api/backTransReq.do",
            Door::Query => "/gateway/api/queryTrans.do",
        }
    }

    pub fn gateway(self, world: &Arc<Sandbox>) -> Gateway {
        Gateway { world: Arc::clone(world), door: self }
    }
}

pub struct Gateway {
    world: Arc<Sandbox>,
    door: Door,
}

impl Endpoint for Gateway {
    type Output = Response;

    async fn call(&self, mut req: Request) -> Result<Response> {
        let world = &self.world;
        if *req.method() != Method::POST {
            return Ok(StatusCode::METHOD_NOT_ALLOWED.into());
        }
        let body = req.take_body().into_bytes_limit(BODY_LIMIT).await?;
        let form = req.content_type().is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let read = if form { Fields::read(&body) } else { Err(Refusal::new("10")) };
        let call = match (self.door, &read) {
            (Door::Front, _) => Call::Order,
            (Door::Back, _) => Call::Refund,
            (Door::Query, Ok(asked)) => query::call_of(world, asked),
            (Door::Query, Err(_)) => Call::Query,
        };
        if let Some(spoilt) = spoil::before(world, Channel::UnionPay, call).await {
            return Ok(spoilt);
        }
        let answer = match self.door {
            Door::Front => front(world, read),
            Door::Back => back(world, call, read, refunds::ask),
            Door::Query => back(world, call, read, query::query),
        };
        Ok(spoil::after(world, Channel::UnionPay, call, answer).await)
    }
}

fn front(world: &Sandbox, read: Result<Fields, Refusal>) -> Response {
    let landed = read.and_then(|asked| orders::land(world, &admit(world, &asked)?, &asked));
    match landed {
        Ok(to) => Response::builder().status(StatusCode::FOUND).header(header::LOCATION, to).finish(),
        Err(refusal) => cashier::refused(refusal),
    }
}

/// What is done with a call once it is admitted.
type Act = fn(&Sandbox, &Merchant, &Fields) -> Result<Fields, Refusal>;

fn back(world: &Sandbox, call: Call, read: Result<Fields, Refusal>, act: Act) -> Response {
    let asked = read.clone().unwrap_or_default();
    let outcome = read.and_then(|asked| act(world, &admit(world, &asked)?, &asked));
    let signing = world.faults().signing_of_answer(Channel::UnionPay, call);
    response(&asked, outcome, signing)
}

/// The caller, once everything common to all calls is in order: 13 for what is missing, 10 for what is malformed, 31
/// for a merchant nobody knows, 11 for a signature that does not fit.
fn admit(world: &Sandbox, asked: &Fields) -> Result<Merchant, Refusal> {
    const NEEDED: [&str; 6] = ["certId", "signature", "txnType", "txnSubType", "bizType", "merId"];
    for name in NEEDED {
        asked.need(name)?;
    }
    for (name, value) in [("version", "5.1.0"), ("encoding", "UTF-8"), ("signMethod", "01"), ("accessType", "0")] {
        asked.must_be(name, value)?;
    }
    let order_id = asked.need("orderId")?;
    let plain = order_id.bytes().all(|b| b.is_ascii_alphanumeric());
    asked.need("txnTime")?;
    if !plain || !(8..=40).contains(&order_id.len()) || asked.moment("txnTime")?.is_none() {
        return Err(Refusal::new("10"));
    }
    let merchant = world.bank().merchant(Channel::UnionPay, asked.need("merId")?).cloned();
    let merchant = merchant.ok_or(Refusal::new("31"))?;
    if asked.need("certId")? != UNIONPAY_MERCHANT_CERT_ID || !merchant_signed(asked) {
        return Err(Refusal::new("11"));
    }
    Ok(merchant)
}

#[cfg(test)]
mod tests;
