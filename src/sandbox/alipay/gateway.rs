//! `/gateway.do`: reads a call from query and body, checks who signed it, lets it happen, signs the answer, and spoils
//! it when told to.
use std::sync::Arc;

use encoding_rs::UTF_8;
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response, Result};

use crate::domain::moment::Moment;
use crate::domain::trade::{Channel, Product};
use crate::sandbox::faults::{Call, Signing};
use crate::sandbox::html::phone_of_cookie;
use crate::sandbox::merchants::Merchant;
use crate::sandbox::spoil;
use crate::sandbox::world::Sandbox;

use super::answer::{Manner, Node, Refusal, response};
use super::params::Params;
use super::told::Asked;
use super::voice::{APP_CERT_SN, app_signed};
use super::{orders, pages, refunds, token, trades};

/// A body larger than this is not read (bytes).
const BODY_LIMIT: usize = 1024 * 1024;

pub struct Gateway(pub Arc<Sandbox>);

/// What a method asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wish {
    /// A page for the payer's browser
    Page(Product),
    Create,
    Precreate,
    Query,
    Close,
    Refund,
    QueryRefund,
    Token,
}

impl Wish {
    fn of(method: &str) -> Option<Wish> {
        match method {
            "alipay.trade.wap.pay" => Some(Wish::Page(Product::AlipayWap)),
            "alipay.trade.page.pay" => Some(Wish::Page(Product::AlipayPage)),
            "alipay.trade.create" => Some(Wish::Create),
            "alipay.trade.precreate" => Some(Wish::Precreate),
            "alipay.trade.query" => Some(Wish::Query),
            "alipay.trade.close" => Some(Wish::Close),
            "alipay.trade.refund" => Some(Wish::Refund),
            "alipay.trade.fastpay.refund.query" => Some(Wish::QueryRefund),
            "alipay.system.oauth.token" => Some(Wish::Token),
            _ => None,
        }
    }

    const fn call(self) -> Call {
        match self {
            Wish::Page(_) | Wish::Create | Wish::Precreate => Call::Order,
            Wish::Query => Call::Query,
            Wish::Close => Call::Close,
            Wish::Refund => Call::Refund,
            Wish::QueryRefund => Call::RefundQuery,
            Wish::Token => Call::Account,
        }
    }
}

impl Endpoint for Gateway {
    type Output = Response;

    async fn call(&self, mut req: Request) -> Result<Response> {
        let world = &self.0;
        if !matches!(*req.method(), Method::GET | Method::POST) {
            return Ok(StatusCode::METHOD_NOT_ALLOWED.into());
        }
        let body = req.take_body().into_bytes_limit(BODY_LIMIT).await?;
        let form = req.content_type().is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let query = req.uri().query().unwrap_or_default();
        let params = Params::read(query.as_bytes(), if form { &body } else { b"" });
        let method = params.text(UTF_8, "method").unwrap_or_default();
        let Some(wish) = Wish::of(&method) else { return Ok(unknown_method(&params)) };
        let call = wish.call();
        if let Some(spoilt) = spoil::before(world, Channel::Alipay, call).await {
            return Ok(spoilt);
        }
        let asked = Asked { charset: params.charset().unwrap_or(UTF_8), params };
        let answer = match wish {
            Wish::Page(product) => {
                let phone = phone_of_cookie(&req);
                match admit(world, &asked).and_then(|merchant| pages::land(world, &merchant, product, &asked, &phone)) {
                    Ok(cashier) => StatusCode::FOUND.with_location(&cashier),
                    Err(refusal) => pages::refused(&refusal),
                }
            }
            _ => api(world, wish, &method, &asked),
        };
        Ok(spoil::after(world, Channel::Alipay, call, answer).await)
    }
}

/// A redirect in one word.
trait WithLocation {
    fn with_location(self, to: &str) -> Response;
}

impl WithLocation for StatusCode {
    fn with_location(self, to: &str) -> Response {
        Response::builder().status(self).header(header::LOCATION, to).finish()
    }
}

fn api(world: &Sandbox, wish: Wish, method: &str, asked: &Asked) -> Response {
    let admitted = admit(world, asked);
    // who is not known gets no signature
    let stranger = admitted.as_ref().is_err_and(|refusal| refusal.sub_code.ends_with("app-id"));
    let outcome = admitted.and_then(|merchant| act(world, wish, &merchant, asked));
    let signing = match stranger {
        true => Signing::Missing,
        false => world.faults().signing_of_answer(Channel::Alipay, wish.call()),
    };
    let manner = Manner { charset: asked.charset, signing, certified: asked.text("app_cert_sn").is_some() };
    let name = match (&outcome, wish) {
        (Err(_), Wish::Token) => "error_response".to_owned(),
        _ => format!("{}_response", method.replace('.', "_")),
    };
    response(manner, &name, &outcome)
}

fn act(world: &Sandbox, wish: Wish, merchant: &Merchant, asked: &Asked) -> Result<Node, Refusal> {
    if wish == Wish::Token {
        return token::exchange(world, merchant, asked);
    }
    let told = asked.told()?;
    match wish {
        Wish::Create => orders::create(world, merchant, asked, &told),
        Wish::Precreate => orders::precreate(world, merchant, asked, &told),
        Wish::Query => trades::query(world, merchant, &told),
        Wish::Close => trades::close(world, merchant, &told),
        Wish::Refund => refunds::ask(world, merchant, &told),
        Wish::QueryRefund => refunds::query(world, merchant, &told),
        Wish::Page(_) | Wish::Token => Err(invalid("isv.invalid-method", "不存在的方法名")),
    }
}

fn invalid(sub_code: &str, words: &str) -> Refusal {
    Refusal::new("40002", sub_code, words)
}

fn unknown_method(params: &Params) -> Response {
    let refusal = match params.text(UTF_8, "method") {
        None => Refusal::new("40001", "isv.missing-method", "缺少方法名参数"),
        Some(_) => invalid("isv.invalid-method", "不存在的方法名"),
    };
    let charset = params.charset().unwrap_or(UTF_8);
    let manner = Manner { charset, signing: Signing::Missing, certified: false };
    response(manner, "error_response", &Err(refusal))
}

/// The caller, once everything common to all calls is in order.
fn admit(world: &Sandbox, asked: &Asked) -> Result<Merchant, Refusal> {
    const NEEDED: [(&str, &str, &str); 5] = [
        ("app_id", "isv.missing-app-id", "缺少appId参数"),
        ("sign", "isv.missing-signature", "缺少签名参数"),
        ("sign_type", "isv.missing-signature-type", "缺少签名类型参数"),
        ("timestamp", "isv.missing-timestamp", "缺少时间戳参数"),
        ("version", "isv.missing-version", "缺少版本参数"),
    ];
    for (name, sub_code, words) in NEEDED {
        if asked.text(name).is_none() {
            return Err(Refusal::new("40001", sub_code, words));
        }
    }
    let given = |name| asked.text(name).unwrap_or_default();
    let bank = world.bank();
    let merchant = bank.merchant(Channel::Alipay, &given("app_id")).cloned();
    drop(bank);
    let merchant = merchant.ok_or_else(|| invalid("isv.invalid-app-id", "无效的AppID参数"))?;
    if asked.params.charset().is_none() {
        return Err(invalid("isv.invalid-charset", "字符集错误"));
    }
    if asked.text("format").is_some_and(|format| !format.eq_ignore_ascii_case("json")) {
        return Err(invalid("isv.invalid-format", "无效的数据格式"));
    }
    if given("sign_type") != "RSA2" {
        return Err(invalid("isv.invalid-signature-type", "无效的签名类型"));
    }
    if Moment::parse_beijing(&given("timestamp")).is_none() || given("timestamp").len() != 19 {
        return Err(invalid("isv.invalid-timestamp", "非法的时间戳参数"));
    }
    if asked.text("app_cert_sn").is_some_and(|number| number != APP_CERT_SN) {
        return Err(Refusal::new("40001", "isv.missing-signature-key", "应用未配置对应签名算法的公钥或者证书"));
    }
    let source = asked.params.source();
    if !app_signed(&source, &given("sign")) {
        let built = asked.charset.decode_without_bom_handling(&source).0;
        let words = "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：";
        return Err(invalid("isv.invalid-signature", &format!("{words}{built}")));
    }
    Ok(merchant)
}

#[cfg(test)]
mod tests;
