//! `/v3/…`: finds what is asked, checks who asks, lets it happen, signs the answer, and spoils it when told to.
use std::sync::Arc;

use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response, Result};

use crate::domain::trade::{Channel, Product};
use crate::sandbox::faults::Call;
use crate::sandbox::spoil;
use crate::sandbox::world::Sandbox;

use super::answer::{self, Answer, Refusal};
use super::authorization::{self, Asked};
use super::voice::VoiceKey;
use super::{certificates, orders, refunds};

/// A body larger than this is not read (bytes).
const BODY_LIMIT: usize = 1024 * 1024;

pub struct Gateway(pub Arc<Sandbox>);

/// What a method and a path ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Wish {
    Order(Product),
    QueryByNo(String),
    QueryById(String),
    Close(String),
    Refund,
    QueryRefund(String),
    Certificates,
}

impl Wish {
    const fn call(&self) -> Call {
        match self {
            Wish::Order(_) => Call::Order,
            Wish::QueryByNo(_) | Wish::QueryById(_) => Call::Query,
            Wish::Close(_) => Call::Close,
            Wish::Refund => Call::Refund,
            Wish::QueryRefund(_) => Call::RefundQuery,
            Wish::Certificates => Call::Certificates,
        }
    }

    const fn method(&self) -> Method {
        match self {
            Wish::Order(_) | Wish::Close(_) | Wish::Refund => Method::POST,
            Wish::QueryByNo(_) | Wish::QueryById(_) | Wish::QueryRefund(_) | Wish::Certificates => Method::GET,
        }
    }

    fn of(path: &str) -> Option<Wish> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match segments.as_slice() {
            ["v3", "pay", "transactions", "jsapi"] => Some(Wish::Order(Product::WechatJsapi)),
            ["v3", "pay", "transactions", "native"] => Some(Wish::Order(Product::WechatNative)),
            ["v3", "pay", "transactions", "h5"] => Some(Wish::Order(Product::WechatH5)),
            ["v3", "pay", "transactions", "id", id] => Some(Wish::QueryById(decoded(id))),
            ["v3", "pay", "transactions", "out-trade-no", no] => Some(Wish::QueryByNo(decoded(no))),
            ["v3", "pay", "transactions", "out-trade-no", no, "close"] => Some(Wish::Close(decoded(no))),
            ["v3", "refund", "domestic", "refunds"] => Some(Wish::Refund),
            ["v3", "refund", "domestic", "refunds", no] => Some(Wish::QueryRefund(decoded(no))),
            ["v3", "certificates"] => Some(Wish::Certificates),
            _ => None,
        }
    }

    /// `/v3/pay/…`: other words when the Authorization header is missing, and no look at User-Agent.
    const fn about_pay(&self) -> bool {
        !matches!(self, Wish::Refund | Wish::QueryRefund(_) | Wish::Certificates)
    }
}

/// Percent-decodes one path segment.
fn decoded(segment: &str) -> String {
    let as_query = segment.replace('+', "%2B");
    form_urlencoded::parse(as_query.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

impl Endpoint for Gateway {
    type Output = Response;

    async fn call(&self, mut req: Request) -> Result<Response> {
        let world = &self.0;
        let Some(wish) = Wish::of(req.uri().path()) else { return Ok(answer::bare(StatusCode::NOT_FOUND)) };
        if *req.method() != wish.method() {
            return Ok(answer::bare(StatusCode::METHOD_NOT_ALLOWED));
        }
        let call = wish.call();
        if let Some(spoilt) = spoil::before(world, Channel::Wechat, call).await {
            return Ok(spoilt);
        }
        let body = req.take_body().into_bytes_limit(BODY_LIMIT).await?;
        let mchid = match admit(world, &wish, &req, &body) {
            Ok(mchid) => mchid,
            Err(refusal) => return Ok(answer::unsigned(world, &refusal, !wish.about_pay())),
        };
        let outcome = act(world, &wish, &mchid, &req, &body);
        let key = VoiceKey::of_answer(req.header("Wechatpay-Serial"), world.switches());
        let how = world.faults().signing_of_answer(Channel::Wechat, call);
        let answer = answer::signed(world, key, how, &outcome);
        Ok(spoil::after(world, Channel::Wechat, call, answer).await)
    }
}

/// The caller's mchid, or why it is not let in.
fn admit(world: &Sandbox, wish: &Wish, req: &Request, body: &[u8]) -> Result<String, Refusal> {
    let given = |name: header::HeaderName| req.header(name).is_some_and(|value| !value.is_empty());
    let introduced = given(header::USER_AGENT) && given(header::ACCEPT);
    if !wish.about_pay() && !introduced {
        return Err(Refusal::new(400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent"));
    }
    let uri = req.uri();
    let asked = Asked {
        method: req.method().as_str(),
        url: uri.path_and_query().map_or(uri.path(), |whole| whole.as_str()),
        authorization: req.header(header::AUTHORIZATION),
        body,
        about_pay: wish.about_pay(),
    };
    let mchid = authorization::caller(world, &asked)?;
    let json = req.content_type().is_some_and(|kind| kind.starts_with("application/json"));
    if *req.method() == Method::POST && !json {
        return Err(Refusal::new(400, "INVALID_REQUEST", "Http头Content-Type值必须为application/json"));
    }
    Ok(mchid)
}

fn act(world: &Sandbox, wish: &Wish, mchid: &str, req: &Request, body: &[u8]) -> Result<Answer, Refusal> {
    let query = req.uri().query().unwrap_or_default();
    let stated = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "mchid").map(|(_, value)| value);
    match wish {
        Wish::Order(product) => orders::take(world, mchid, *product, body, req.header(header::HOST)),
        Wish::QueryByNo(no) => orders::query_by_no(world, mchid, stated.as_deref(), no),
        Wish::QueryById(id) => orders::query_by_id(world, mchid, stated.as_deref(), id),
        Wish::Close(no) => orders::close(world, mchid, no, body),
        Wish::Refund => refunds::ask(world, mchid, body),
        Wish::QueryRefund(no) => refunds::query(world, mchid, no),
        Wish::Certificates => certificates::list(world),
    }
}

#[cfg(test)]
mod tests;
