//! Orders: `alipay.trade.create` and `alipay.trade.precreate`, and what all four order methods share.
use std::time::Duration;

use rsa::sha2::{Digest, Sha256};
use serde_json::json;

use crate::domain::moment::Moment;
use crate::domain::trade::{Channel, Product};
use crate::sandbox::merchants::Merchant;
use crate::sandbox::trade::{OrderRefusal, TradeAsk, TradeKey};
use crate::sandbox::world::Sandbox;

use super::answer::{Node, Refusal, success};
use super::told::{Asked, Told};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// A code to scan lives two hours whatever the order's deadline (alipay.trade.precreate).
const CODE_LIFE: Duration = Duration::from_secs(7200);

/// A trade for the Alipay app's own web view; it exists at once. Same number and parameters: same trade.
pub fn create(world: &Sandbox, merchant: &Merchant, asked: &Asked, told: &Told) -> Result<Node, Refusal> {
    let ask = read(world, merchant, Product::AlipayJsapi, asked, told)?;
    let (key, until) = (ask.key.clone(), ask.expires_at);
    let mut bank = world.bank();
    let trade_no = bank.order(ask, world.now()).map_err(not_taken)?.trade_no.clone();
    bank.add_code(&trade_no, &key, until);
    Ok(success([("out_trade_no", json!(key.out_trade_no)), ("trade_no", json!(trade_no))]))
}

/// A code to show. The trade exists only once somebody has scanned it.
pub fn precreate(world: &Sandbox, merchant: &Merchant, asked: &Asked, told: &Told) -> Result<Node, Refusal> {
    let ask = TradeAsk { known: false, ..read(world, merchant, Product::AlipayPrecreate, asked, told)? };
    let now = world.now();
    let (key, expires_at) = (ask.key.clone(), ask.expires_at);
    let life = match told.text("qr_code_timeout_express", 6)? {
        Some(text) => span(&text, now).ok_or_else(|| Refusal::parameter("qr_code_timeout_express"))?.min(CODE_LIFE),
        None => CODE_LIFE,
    };
    let mut bank = world.bank();
    bank.order(ask, now).map_err(not_taken)?;
    let code = format!("https://qr.alipay.com/bax{}", world.chance.token(21).to_lowercase());
    bank.add_code(&code, &key, expires_at.min(now + life));
    Ok(success([("out_trade_no", json!(key.out_trade_no)), ("qr_code", json!(code))]))
}

/// What the caller orders, as the bank takes it.
pub fn read(
    world: &Sandbox,
    merchant: &Merchant,
    product: Product,
    asked: &Asked,
    told: &Told,
) -> Result<TradeAsk, Refusal> {
    let number = told.number("out_trade_no")?.ok_or_else(|| Refusal::parameter("out_trade_no不能为空"))?;
    let total = told.amount("total_amount")?;
    let subject = told.need("subject", 256)?;
    if subject.contains(['/', '=', '&']) {
        return Err(Refusal::parameter("subject不可包含/、=、&"));
    }
    check_product_code(product, told)?;
    let seller = told.text("seller_id", 28)?;
    if seller.as_ref().is_some_and(|seller| *seller != merchant.seller_id) {
        return Err(Refusal::business("ACCESS_FORBIDDEN", "没有权限使用接口"));
    }
    if told.has("enable_pay_channels") && told.has("disable_pay_channels") {
        return Err(Refusal::parameter("enable_pay_channels与disable_pay_channels不能同时传入"));
    }
    let buyer = if product == Product::AlipayJsapi { Some(buyer(merchant, told)?) } else { None };
    let (body, attach) = (told.text("body", 128)?, told.text("passback_params", 512)?);
    let expires_at = deadline(told, product, world.now())?;
    let digest = json!([product.code(), number, total, subject, body, buyer, attach]).to_string();
    let digest: String = Sha256::digest(digest).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(TradeAsk {
        key: TradeKey::new(Channel::Alipay, &merchant.id, &number),
        app_id: merchant.app_id.clone(),
        product,
        total,
        description: subject,
        attach,
        digest,
        buyer,
        notify_url: address(asked, "notify_url")?,
        return_url: address(asked, "return_url")?,
        quit_url: told.text("quit_url", 400)?,
        body,
        gbk: asked.charset != encoding_rs::UTF_8,
        txn_time: None,
        expires_at,
        closes_at: expires_at,
        known: true,
    })
}

fn address(asked: &Asked, name: &str) -> Result<Option<String>, Refusal> {
    let address = asked.text(name);
    match address {
        Some(url) if !(url.starts_with("http://") || url.starts_with("https://")) || url.len() > 256 => {
            Err(Refusal::new("40002", "isv.invalid-parameter", &format!("{name}参数无效")))
        }
        address => Ok(address),
    }
}

fn check_product_code(product: Product, told: &Told) -> Result<(), Refusal> {
    let code = told.text("product_code", 64)?;
    let code = code.as_deref();
    let right = match product {
        Product::AlipayWap => code == Some("QUICK_WAP_WAY"),
        Product::AlipayPage => code == Some("FAST_INSTANT_TRADE_PAY"),
        Product::AlipayPrecreate => matches!(code, None | Some("FACE_TO_FACE_PAYMENT" | "QR_CODE_OFFLINE")),
        _ => match code {
            Some("JSAPI_PAY") if told.text("op_app_id", 32)?.is_none() => {
                return Err(Refusal::parameter("op_app_id不能为空"));
            }
            code => matches!(code, None | Some("JSAPI_PAY" | "FACE_TO_FACE_PAYMENT")),
        },
    };
    if right { Ok(()) } else { Err(Refusal::parameter("product_code")) }
}

/// Who is to pay: `buyer_id` (2088 and 12 digits) or `buyer_open_id`, and never the seller.
fn buyer(merchant: &Merchant, told: &Told) -> Result<String, Refusal> {
    let id = match told.text("buyer_id", 28)? {
        Some(id) => id,
        None => told.text("buyer_open_id", 128)?.ok_or_else(|| Refusal::parameter("buyer_id不能为空"))?,
    };
    let user = id.len() == 16 && id.starts_with("2088") && id.bytes().all(|b| b.is_ascii_digit());
    match () {
        () if id == merchant.seller_id => Err(Refusal::business("BUYER_SELLER_EQUAL", "买卖家不能相同")),
        () if !user && !id.starts_with("074") => Err(Refusal::parameter("buyer_id")),
        () => Ok(id),
    }
}

/// `time_expire` wins over `timeout_express`; without either it is 15 days on a page and 3 hours otherwise.
fn deadline(told: &Told, product: Product, now: Moment) -> Result<Moment, Refusal> {
    if let Some(text) = told.text("time_expire", 19)? {
        let at = Moment::parse_beijing(&text).ok_or_else(|| Refusal::parameter("time_expire"))?;
        return match () {
            () if at <= now => {
                Err(Refusal::business("NOW_TIME_AFTER_EXPIRE_TIME_ERROR", "当前时间已超过允许支付的时间"))
            }
            () if at > now + 15 * DAY => Err(Refusal::parameter("time_expire")),
            () => Ok(at),
        };
    }
    match told.text("timeout_express", 6)? {
        Some(text) => {
            let least = if product == Product::AlipayWap { 5 * MINUTE } else { MINUTE };
            let life = span(&text, now).filter(|life| (least..=15 * DAY).contains(life));
            Ok(now + life.ok_or_else(|| Refusal::parameter("timeout_express"))?)
        }
        None if matches!(product, Product::AlipayWap | Product::AlipayPage) => Ok(now + 15 * DAY),
        None => Ok(now + 3 * HOUR),
    }
}

/// `90m`, `2h`, `1d`, or `1c`: until the end of the day.
fn span(text: &str, now: Moment) -> Option<Duration> {
    if text == "1c" {
        let tomorrow = now.day().succ_opt()?;
        return Some(Moment::start_of(tomorrow).since(now));
    }
    let unit = match text.chars().last()? {
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    text[..text.len() - 1].parse::<u32>().ok().map(|count| unit * count)
}

pub fn not_taken(why: OrderRefusal) -> Refusal {
    match why {
        OrderRefusal::Differs => Refusal::business("CONTEXT_INCONSISTENT", "交易信息被篡改"),
        OrderRefusal::Paid => Refusal::business("TRADE_HAS_SUCCESS", "交易已被支付"),
        OrderRefusal::Closed => Refusal::business("TRADE_HAS_CLOSE", "交易已经关闭"),
        OrderRefusal::Expired => Refusal::business("NOW_TIME_AFTER_EXPIRE_TIME_ERROR", "当前时间已超过允许支付的时间"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_minutes_hours_days_or_the_rest_of_the_day() {
        let now = Moment::parse_beijing("2026-09-01 23:30:00").unwrap();
        for (text, seconds) in [("90m", 5400), ("2h", 7200), ("1d", 86_400), ("1c", 1800)] {
            assert_eq!(span(text, now).unwrap().as_secs(), seconds, "{text}");
        }
        for wrong in ["", "m", "1.5h", "10", "-1m", "1w"] {
            assert_eq!(span(wrong, now), None, "{wrong}");
        }
    }
}
