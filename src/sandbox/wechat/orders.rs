//! Orders: take (JSAPI, Native, H5), query, close (WeChat Pay v3, orders).
use std::net::IpAddr;
use std::time::Duration;

use rsa::sha2::{Digest, Sha256};
use serde_json::{Value, json};

use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::{Channel, Product};
use crate::sandbox::bank::{Bank, digits};
use crate::sandbox::faults::{Call, Fault};
use crate::sandbox::merchants::openid_fits;
use crate::sandbox::trade::{CloseRefusal, OrderRefusal, TradeAsk, TradeKey};
use crate::sandbox::world::Sandbox;

use super::answer::{Answer, Refusal};
use super::fields::{self, canonical, unfit};
use super::voice::hex;
use super::{forms, transaction};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// prepay_id and code_url
const LONG_CODE: Duration = Duration::from_secs(2 * 3600);
/// h5_url
const SHORT_CODE: Duration = Duration::from_secs(5 * 60);

/// POST /v3/pay/transactions/{jsapi|native|h5}
pub fn take(
    world: &Sandbox,
    mchid: &str,
    product: Product,
    body: &[u8],
    host: Option<&str>,
) -> Result<Answer, Refusal> {
    let form = match product {
        Product::WechatJsapi => forms::JSAPI,
        Product::WechatNative => forms::NATIVE,
        _ => forms::H5,
    };
    let told = fields::read(body, form)?;
    own_merchant(mchid, text(&told, "/mchid"))?;
    let now = world.now();
    let ask = read_ask(world, mchid, product, &told, now)?;
    let key = ask.key.clone();
    let mut bank = world.bank();
    bank.order(ask, now).map_err(|why| not_taken(world, why))?;
    Ok(Answer::Json(hand_out_code(world, &mut bank, &key, product, host)))
}

fn read_ask(world: &Sandbox, mchid: &str, product: Product, told: &Value, now: Moment) -> Result<TradeAsk, Refusal> {
    let app_id = text(told, "/appid").unwrap_or_default();
    if !world.options.merchants.iter().any(|m| m.channel == Channel::Wechat && m.id == mchid && m.app_id == app_id) {
        let refusal = Refusal::new(400, "APPID_MCHID_NOT_MATCH", "商户号mchid与appid不匹配");
        return Err(refusal.numbered(268_445_527));
    }
    let buyer = text(told, "/payer/openid");
    if buyer.is_some_and(|openid| !openid_fits(app_id, openid)) {
        return Err(Refusal::new(400, "PARAM_ERROR", "appid与openid不匹配").numbered(268_435_461));
    }
    check_notify_url(text(told, "/notify_url").unwrap_or_default())?;
    check_currency(told)?;
    if text(told, "/scene_info/payer_client_ip").is_some_and(|ip| ip.parse::<IpAddr>().is_err()) {
        return Err(unfit("/body/scene_info/payer_client_ip", "用户终端IP", "不是合法的IP地址"));
    }
    let digest = Sha256::digest(format!("{}{}", product.code(), canonical(told)));
    Ok(TradeAsk {
        key: TradeKey::new(Channel::Wechat, mchid, text(told, "/out_trade_no").unwrap_or_default()),
        app_id: app_id.to_owned(),
        product,
        total: Fen::new(told.pointer("/amount/total").and_then(Value::as_i64).unwrap_or_default()),
        description: text(told, "/description").unwrap_or_default().to_owned(),
        attach: text(told, "/attach").map(str::to_owned),
        digest: hex(&digest),
        buyer: buyer.map(str::to_owned),
        notify_url: text(told, "/notify_url").map(str::to_owned),
        return_url: None,
        quit_url: None,
        body: None,
        gbk: false,
        txn_time: None,
        expires_at: deadline(text(told, "/time_expire"), product, now)?,
        closes_at: now + 7 * DAY,
        known: true,
    })
}

/// Earlier than in a minute becomes in a minute; later than allowed becomes the last day allowed; none is seven days.
fn deadline(told: Option<&str>, product: Product, now: Moment) -> Result<Moment, Refusal> {
    let Some(told) = told else { return Ok(now + 7 * DAY) };
    let at = Moment::parse_rfc3339(told)
        .ok_or_else(|| unfit("/body/time_expire", "交易结束时间", "必须符合RFC3339标准格式"))?;
    let days = if product == Product::WechatNative { 7 } else { 15 };
    Ok(at.clamp(now + MINUTE, now + days * DAY))
}

fn check_notify_url(url: &str) -> Result<(), Refusal> {
    let path = "/body/notify_url";
    match () {
        () if !url.starts_with("http://") && !url.starts_with("https://") => {
            Err(unfit(path, "通知地址", "字符串必须匹配正则表达式“^https?://…”"))
        }
        () if url.contains(['?', '#']) => Err(unfit(path, "通知地址", "不允许携带查询串")),
        () => Ok(()),
    }
}

fn check_currency(told: &Value) -> Result<(), Refusal> {
    match text(told, "/amount/currency") {
        None | Some("CNY") => Ok(()),
        Some(_) => Err(unfit("/body/amount/currency", "货币类型", "枚举值不合法")),
    }
}

fn not_taken(world: &Sandbox, why: OrderRefusal) -> Refusal {
    let as_400 = || world.strikes(Fault::RepeatAs400, Channel::Wechat, Call::Order).is_some();
    match why {
        OrderRefusal::Differs if as_400() => {
            Refusal::new(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致").numbered(268_498_688)
        }
        OrderRefusal::Differs => Refusal::new(403, "OUT_TRADE_NO_USED", "商户订单号重复").numbered(268_498_688),
        OrderRefusal::Paid => Refusal::new(400, "ORDERPAID", "该订单已支付").numbered(268_498_689),
        OrderRefusal::Closed => Refusal::new(400, "ORDER_CLOSED", "订单已关闭").numbered(268_447_914),
        OrderRefusal::Expired => {
            Refusal::new(400, "INVALID_REQUEST", "订单已过期，请更换商户订单号重新下单").numbered(268_447_914)
        }
    }
}

fn hand_out_code(world: &Sandbox, bank: &mut Bank, key: &TradeKey, product: Product, host: Option<&str>) -> Value {
    let now = world.now();
    let prepay_id = || format!("wx{}{}0000", now.format("%Y%m%d%H%M%S"), hex(&world.chance.bytes::<8>()));
    match product {
        Product::WechatJsapi => {
            let prepay_id = prepay_id();
            bank.add_code(&prepay_id, key, now + LONG_CODE);
            json!({ "prepay_id": prepay_id })
        }
        Product::WechatNative => {
            let code_url = format!("weixin://wxpay/bizpayurl?pr={}00", world.chance.token(7));
            bank.void_codes(key);
            bank.add_code(&code_url, key, now + LONG_CODE);
            json!({ "code_url": code_url })
        }
        _ => {
            let prepay_id = prepay_id();
            bank.add_code(&prepay_id, key, now + SHORT_CODE);
            let package = digits(&world.chance, 10);
            let base = world.public_url(host);
            let path = "cgi-bin/mmpayweb-bin/checkmweb";
            json!({ "h5_url": format!("{base}/{path}?prepay_id={prepay_id}&package={package}") })
        }
    }
}

/// GET /v3/pay/transactions/out-trade-no/{out_trade_no}?mchid=…
pub fn query_by_no(world: &Sandbox, mchid: &str, stated: Option<&str>, no: &str) -> Result<Answer, Refusal> {
    queried_merchant(mchid, stated)?;
    let lies = world.faults().lies(Channel::Wechat, Call::Query);
    let bank = world.bank();
    let trade = bank.trade(&TradeKey::new(Channel::Wechat, mchid, no)).ok_or_else(not_exist)?;
    Ok(Answer::Json(transaction::as_queried(trade, lies)))
}

/// GET /v3/pay/transactions/id/{transaction_id}?mchid=…
pub fn query_by_id(world: &Sandbox, mchid: &str, stated: Option<&str>, id: &str) -> Result<Answer, Refusal> {
    queried_merchant(mchid, stated)?;
    let lies = world.faults().lies(Channel::Wechat, Call::Query);
    let bank = world.bank();
    let trade = bank.trade_by_no(id).filter(|trade| trade.key().channel == Channel::Wechat && trade.is_paid());
    let trade = trade.ok_or_else(not_exist)?;
    if trade.key().merchant != mchid {
        return Err(Refusal::new(400, "INVALID_REQUEST", "商户号和订单不匹配").numbered(268_447_843));
    }
    Ok(Answer::Json(transaction::as_queried(trade, lies)))
}

/// POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close
pub fn close(world: &Sandbox, mchid: &str, no: &str, body: &[u8]) -> Result<Answer, Refusal> {
    let told = fields::read(body, forms::CLOSE)?;
    own_merchant(mchid, text(&told, "/mchid"))?;
    let key = TradeKey::new(Channel::Wechat, mchid, no);
    let mut bank = world.bank();
    match bank.close(&key, world.now()) {
        Ok(_) => Ok(Answer::Done),
        Err(CloseRefusal::Paid) => Err(Refusal::new(400, "ORDER_PAID", "该订单已支付").numbered(268_449_538)),
        Err(CloseRefusal::Unknown) => {
            world.strikes(Fault::CloseBurnsNumber, Channel::Wechat, Call::Close).ok_or_else(not_exist)?;
            bank.burn(key, world.now());
            Ok(Answer::Done)
        }
    }
}

fn not_exist() -> Refusal {
    Refusal::new(404, "ORDER_NOT_EXIST", "订单不存在").numbered(268_512_771)
}

/// The body's mchid is the caller's.
fn own_merchant(mchid: &str, stated: Option<&str>) -> Result<(), Refusal> {
    if stated == Some(mchid) {
        return Ok(());
    }
    let message = "http header中的mchid与post payload中的mchid不匹配";
    Err(Refusal::new(400, "PARAM_ERROR", message).numbered(268_435_461))
}

fn queried_merchant(mchid: &str, stated: Option<&str>) -> Result<(), Refusal> {
    let stated = stated.ok_or_else(|| fields::missing("/uri_template/mchid", "直连商户号"))?;
    if stated == mchid {
        return Ok(());
    }
    Err(Refusal::new(400, "INVALID_REQUEST", "商户号和订单不匹配").numbered(268_447_843))
}

pub fn text<'a>(told: &'a Value, pointer: &str) -> Option<&'a str> {
    told.pointer(pointer).and_then(Value::as_str)
}
