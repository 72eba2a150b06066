//! The platform's services over HTTP, and the page of the bills it has issued.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Json, Path};
use poem::{IntoResponse, Request, Response, handler};
use serde_json::{Value, json};

use super::ledger::{Charged, Issued, Ledger, Mishap, Trouble, Wanted};
use super::voice;
use crate::domain::capital::capitals;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::sandbox::html;
use crate::sandbox::spoil::cut;
use crate::sandbox::world::Sandbox;

type World<'a> = Data<&'a Arc<Sandbox>>;

/// Where the services are; their names follow.
pub const BASE: &str = "/standard-web/api/standard";
/// How many bills the page shows
const SHOWN: usize = 50;

/// A code, and a message or words.
type Said = (&'static str, String);

#[handler]
pub async fn serve(Data(world): World<'_>, Path(service): Path<String>, req: &Request, body: Vec<u8>) -> Response {
    let base = world.public_url(req.header("host"));
    let mishap = world.fiscal().strikes(&service);
    match &mishap {
        Some(Mishap::Down) => return StatusCode::SERVICE_UNAVAILABLE.into(),
        Some(Mishap::Hang) => std::future::pending().await,
        _ => {}
    }
    let (code, message) = match (&mishap, voice::heard(&body)) {
        (_, None) => ("E0001", "签名不正确".to_owned()),
        (Some(Mishap::Refuse { code, text }), _) => {
            return Json(voice::said(code, text, voice::APP_KEY)).into_response();
        }
        (_, Some(asked)) => {
            let check = check(world);
            answer(&mut world.fiscal(), &service, &asked, check, world.now(), &base)
        }
    };
    let key = if mishap == Some(Mishap::Forge) { "somebody else's key" } else { voice::APP_KEY };
    let answer = Json(voice::said(code, &message, key)).into_response();
    match mishap {
        Some(Mishap::LoseAnswer) => cut(answer, 0).await,
        _ => answer,
    }
}

/// 校验码: six hexadecimal digits.
fn check(world: &Sandbox) -> String {
    format!("{:06x}", world.chance.below(1 << 24))
}

fn answer(ledger: &mut Ledger, service: &str, asked: &Value, check: String, now: Moment, base: &str) -> Said {
    let refused = |code, text: &str| (code, text.to_owned());
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let name = (text("billBatchCode"), text("billNo"));
    match service {
        "invoiceEBill" => match wanted(asked) {
            Err(why) => refused("E0103", &why),
            Ok(wanted) => match ledger.issue(wanted, check, now) {
                Some(bill) => ("S0000", issued(&bill, base).to_string()),
                None => refused("E0110", "业务流水号重复"),
            },
        },
        "getBillByBusDate" => {
            let within =
                |bill: &&Issued| (text("busBgnDate")..=text("busEndDate")).contains(&bill.business_time.as_str());
            let bills: Vec<Value> = ledger.bills().iter().filter(within).map(|bill| listed(bill, base)).collect();
            ("S0000", json!({ "total": bills.len(), "pageNo": 1, "billList": bills }).to_string())
        }
        "writeOffEBill" => match ledger.reverse(name, (check, text("reason").to_owned()), now) {
            Some(red) => {
                let told = json!({
                    "eScarletBillBatchCode": name.0, "eScarletBillNo": red.number, "eScarletRandom": red.check,
                    "createTime": written(red.at), "billQRCode": "", "pictureUrl": "", "pictureNetUrl": "",
                });
                ("S0000", told.to_string())
            }
            None => refused("E0202", "票据不存在或已冲红"),
        },
        "getEBillStatesByBillInfo" => match ledger.bill(name.0, name.1) {
            Some(bill) => {
                let red = |of: fn(&super::ledger::Red) -> &str| bill.red.as_ref().map_or("", of).to_owned();
                let code = bill.red.as_ref().map_or("", |_| name.0);
                let told = json!({
                    "state": "1", "isScarlet": if bill.red.is_some() { "1" } else { "0" },
                    "scarletBillBatchCode": code, "scarletBillNo": red(|red| &red.number),
                    "scarletRandom": red(|red| &red.check),
                });
                ("S0000", told.to_string())
            }
            None => refused("E0201", "票据不存在"),
        },
        _ => refused("E0404", "没有这个接口"),
    }
}

fn written(at: Moment) -> String {
    at.format("%Y%m%d%H%M%S%3f")
}

fn address(bill: &Issued, base: &str) -> String {
    format!("{base}/fiscal/{}/{}", bill.code, bill.number)
}

fn issued(bill: &Issued, base: &str) -> Value {
    json!({
        "busNo": bill.serial_no, "billBatchCode": bill.code, "billNo": bill.number, "random": bill.check,
        "createTime": written(bill.at), "billQRCode": "", "pictureUrl": "", "pictureNetUrl": address(bill, base),
    })
}

fn listed(bill: &Issued, base: &str) -> Value {
    // a text with six decimals: what a platform may write as well as a number
    let total = format!("{}0000", bill.total_fen.yuan());
    json!({
        "busNo": bill.serial_no, "busDate": bill.business_time, "billName": "非税收入统一票据（电子）", "state": "1",
        "billBatchCode": bill.code, "billNo": bill.number, "random": bill.check, "totalAmt": total,
        "ivcDateTime": written(bill.at), "payer": bill.payer, "remark": bill.remark,
        "pictureNetUrl": address(bill, base),
    })
}

/// Reads what is asked for; every rule a real platform would refuse by is a refusal here.
fn wanted(asked: &Value) -> Result<Wanted, String> {
    let text = |of: &Value, name: &str| match of[name].as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("{name} 不能为空")),
    };
    let amount = |of: &Value, name: &str| {
        let told = of[name].is_number().then(|| of[name].to_string());
        let fen = told.and_then(|told| Fen::from_yuan(&told)).filter(|fen| fen.is_positive());
        fen.ok_or_else(|| format!("{name} 不是金额"))
    };
    if (text(asked, "placeCode")?, text(asked, "billCode")?) != (voice::PLACE.to_owned(), voice::BILL_KIND.to_owned()) {
        return Err("placeCode、billCode 不存在".to_owned());
    }
    text(asked, "author")?;
    if text(asked, "payerType")? != "1" || text(asked, "busDateTime")?.len() != 17 {
        return Err("payerType、busDateTime 不正确".to_owned());
    }
    let mut charges = Vec::new();
    for one in asked["chargeDetail"].as_array().into_iter().flatten() {
        let charge =
            Charged { code: text(one, "chargeCode")?, name: text(one, "chargeName")?, amount_fen: amount(one, "amt")? };
        if charge.code.len() != 11 || one["number"] != 1 || amount(one, "std")? != charge.amount_fen {
            return Err("chargeDetail 不正确".to_owned());
        }
        charges.push(charge);
    }
    let sum: Fen = charges.iter().map(|charge| charge.amount_fen).sum();
    if charges.is_empty() || amount(asked, "totalAmt")? != sum {
        return Err("totalAmt 与明细不符".to_owned());
    }
    Ok(Wanted {
        serial_no: text(asked, "busNo")?,
        payer: text(asked, "payer")?,
        remark: asked["remark"].as_str().unwrap_or_default().to_owned(),
        business_time: text(asked, "busDateTime")?,
        charges,
    })
}

/// `/fiscal`: the bills, the newest first.
#[handler]
pub fn list(Data(world): World) -> Response {
    let ledger = world.fiscal();
    let row = |bill: &Issued| {
        let void = if bill.red.is_some() { " · 已红冲" } else { "" };
        let (code, number, sum) = (&bill.code, &bill.number, bill.total_fen);
        let payer = html::escape(&bill.payer);
        format!("<p><a href=\"/fiscal/{code}/{number}\">{number}</a> · {payer} · {sum}{void}</p>")
    };
    let list: String = ledger.bills().iter().rev().take(SHOWN).map(row).collect();
    let list = if list.is_empty() { "<p class=\"note\">还没有票据 · nothing yet</p>".to_owned() } else { list };
    html::page("财政电子票据", &format!("<h1>财政电子票据 fiscal e-receipts</h1>{list}"))
}

/// `/fiscal/{code}/{number}`: one bill, as its address shows it to whoever has it.
#[handler]
pub fn show(Data(world): World, Path((code, number)): Path<(String, String)>) -> Response {
    let ledger = world.fiscal();
    let Some(bill) = ledger.bill(&code, &number) else { return StatusCode::NOT_FOUND.into() };
    let charge =
        |one: &Charged| format!("<p>{} {} · {}</p>", html::escape(&one.code), html::escape(&one.name), one.amount_fen);
    let charges: String = bill.charges.iter().map(charge).collect();
    let void = match &bill.red {
        Some(red) => format!("<p class=\"alarm\">已红冲，红票号码 {}</p>", red.number),
        None => String::new(),
    };
    let (payer, check, sum) = (html::escape(&bill.payer), &bill.check, capitals(bill.total_fen));
    let remark = html::escape(&bill.remark);
    html::page(
        "财政电子票据",
        &format!(
            "<h1>非税收入统一票据（电子）</h1><p class=\"note\">演示票据，不具有任何效力 · fictional</p>{void}\
             <p>票据代码 {code}<br>票据号码 {number}<br>校验码 {check}<br>交款人 {payer}</p>{charges}\
             <p>{sum}</p><p class=\"note\">{remark}</p>",
            code = bill.code,
            number = bill.number
        ),
    )
}

/// `/control/fiscal`: everything as JSON.
#[handler]
pub fn state(Data(world): World) -> Json<Value> {
    let ledger = world.fiscal();
    Json(json!({ "bills": ledger.bills(), "trouble": ledger.trouble() }))
}

/// What goes wrong from now on; `null`: nothing.
#[handler]
pub fn set(Data(world): World, Json(trouble): Json<Option<Trouble>>) -> StatusCode {
    world.fiscal().set_trouble(trouble);
    StatusCode::NO_CONTENT
}
