//! The e-bill platform's standard interface for units (`standard-web/api/standard`), over HTTP.
//!
//! From its interface document as public integrations have it: `invoiceEBill`, `getBillByBusDate`, `writeOffEBill`,
//! `getEBillStatesByBillInfo`; `result` is `S0000` when it is done, any other code says that it was not; `message` is
//! base64.
//! The document names no code for a serial number that was used before, so nothing is taken from a refusal but the no:
//! whoever asks finds out first whether the bill exists.
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::contract::{EReceiptPlatform, IssueAsk, PlatformError, Reversal, ReverseAsk};
use super::signature;
use crate::clock::Chance;
use crate::config::Fiscal;
use crate::domain::ereceipt::{Bill, BillName};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::outbound::HttpClient;

type Result<T> = std::result::Result<T, PlatformError>;

/// The code of success
const DONE: &str = "S0000";
/// How much of the platform's words is kept, in characters
const SAID: usize = 80;
/// 个人
const PERSON: &str = "1";
/// Longer addresses are not shown
const LONGEST_ADDRESS: usize = 500;

pub struct Standard {
    config: Fiscal,
    chance: Chance,
    http: HttpClient,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Issue<'a> {
    bus_no: &'a str,
    bus_date_time: String,
    place_code: &'a str,
    bill_code: &'a str,
    payer: &'a str,
    payer_type: &'static str,
    payee: &'a str,
    author: &'a str,
    total_amt: Box<RawValue>,
    remark: &'a str,
    charge_detail: Vec<Charge<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Charge<'a> {
    charge_code: &'a str,
    charge_name: &'a str,
    std: Box<RawValue>,
    number: u32,
    amt: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    bill_batch_code: String,
    bill_no: String,
    random: String,
    create_time: String,
    #[serde(default)]
    picture_net_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    bus_no: String,
    bill_batch_code: String,
    bill_no: String,
    random: String,
    ivc_date_time: String,
    total_amt: Box<RawValue>,
    #[serde(default)]
    picture_net_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(default)]
    bill_list: Vec<Listed>,
}

#[derive(Deserialize)]
struct Scarlet {
    #[serde(rename = "eScarletBillBatchCode")]
    code: String,
    #[serde(rename = "eScarletBillNo")]
    number: String,
    #[serde(rename = "eScarletRandom")]
    check: String,
}

/// What of a bill's state counts here. The red bill's numbers are told by some platforms only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    /// 1: a red bill was issued; a number or a text
    is_scarlet: Box<RawValue>,
    #[serde(default)]
    scarlet_bill_batch_code: String,
    #[serde(default)]
    scarlet_bill_no: String,
    #[serde(default)]
    scarlet_random: String,
}

#[derive(Deserialize)]
struct Reply {
    result: String,
    #[serde(default)]
    message: String,
}

impl Standard {
    pub fn new(config: &Fiscal, chance: Chance, http: HttpClient) -> Standard {
        Standard { config: config.clone(), chance, http }
    }

    async fn call<T: DeserializeOwned>(&self, service: &str, message: &impl Serialize) -> Result<T> {
        let message = serde_json::to_vec(message).expect("texts and numbers are always JSON");
        let request = signature::sealed(&self.config, &message, self.chance.token(32));
        let body = serde_json::to_vec(&request).expect("texts are always JSON");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let url = format!("{}/{service}", self.config.api_base);
        let answer = self.http.send(Method::POST, &url, headers, body).await?;
        if answer.status != 200 {
            return Err(PlatformError::Untrusted("no answer of the platform's"));
        }
        let opened = signature::opened(&self.config, &answer.body).map_err(PlatformError::Untrusted)?;
        let reply: Reply = serde_json::from_slice(&opened).map_err(|_| PlatformError::Untrusted("no result"))?;
        let said = BASE64.decode(&reply.message).map_err(|_| PlatformError::Untrusted("message is no base64"))?;
        if reply.result != DONE {
            let text = String::from_utf8_lossy(&said).chars().filter(|c| !c.is_control()).take(SAID).collect();
            let code = reply.result.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
            return Err(PlatformError::Refused { code, text });
        }
        serde_json::from_slice(&said).map_err(|_| PlatformError::Untrusted("a field is missing"))
    }
}

/// `8000.00`, as a number of JSON without a detour over a float.
fn yuan(amount: Fen) -> Box<RawValue> {
    RawValue::from_string(amount.yuan()).expect("digits with a point are JSON")
}

/// A number or a text of the platform's.
fn plain(raw: &RawValue) -> &str {
    raw.get().trim_matches('"')
}

/// An amount as the platform writes it, which may be with more zeros than there are fen.
fn read_yuan(raw: &RawValue) -> Option<Fen> {
    let text = plain(raw);
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    Fen::from_yuan(short)
}

/// `yyyyMMddHHmmssSSS`, Beijing time.
fn written(at: Moment) -> String {
    at.format("%Y%m%d%H%M%S%3f")
}

fn read_time(text: &str) -> Option<Moment> {
    if text.len() < 14 || !text.is_ascii() {
        return None;
    }
    let part = |from: usize, to: usize| &text[from..to];
    let (day, time) = ((part(0, 4), part(4, 6), part(6, 8)), (part(8, 10), part(10, 12), part(12, 14)));
    let text = format!("{}-{}-{} {}:{}:{}", day.0, day.1, day.2, time.0, time.1, time.2);
    Moment::parse_beijing(&text)
}

fn bill(name: (&str, &str, &str), time: &str, amount: Option<Fen>, address: Option<String>) -> Result<Bill> {
    let name = BillName::new(name.0, name.1, name.2).ok_or(PlatformError::Untrusted("no bill's numbers"))?;
    let issued_at = read_time(time).ok_or(PlatformError::Untrusted("no time"))?;
    let amount = amount.filter(|amount| amount.is_positive()).ok_or(PlatformError::Untrusted("no amount"))?;
    let shown =
        |url: &String| url.len() <= LONGEST_ADDRESS && (url.starts_with("https://") || url.starts_with("http://"));
    Ok(Bill { name, issued_at, amount, address: address.filter(shown) })
}

#[async_trait]
impl EReceiptPlatform for Standard {
    async fn issue(&self, ask: &IssueAsk<'_>) -> Result<Bill> {
        let (config, content) = (&self.config, ask.content);
        let charges = content.lines.iter().map(|line| Charge {
            charge_code: &line.code,
            charge_name: &line.name,
            std: yuan(line.amount),
            number: 1,
            amt: yuan(line.amount),
        });
        let message = Issue {
            bus_no: ask.serial_no,
            bus_date_time: written(Moment::from_millis(content.paid_at)),
            place_code: &config.place_code,
            bill_code: &config.bill_kind,
            payer: &content.payer,
            payer_type: PERSON,
            payee: &config.handler,
            author: &config.handler,
            total_amt: yuan(content.total()),
            remark: &content.remark,
            charge_detail: charges.collect(),
        };
        let issued: Issued = self.call("invoiceEBill", &message).await?;
        let name = (issued.bill_batch_code.as_str(), issued.bill_no.as_str(), issued.random.as_str());
        bill(name, &issued.create_time, Some(content.total()), issued.picture_net_url)
    }

    async fn find(&self, ask: &IssueAsk<'_>) -> Result<Option<Bill>> {
        // by the moment of the payment, which is the bill's own to the millisecond: few bills share it
        let at = written(Moment::from_millis(ask.content.paid_at));
        let message = serde_json::json!({
            "busBgnDate": at,
            "busEndDate": at,
            "placeCode": self.config.place_code,
            "dataType": "1",
            "pageNo": 1,
            "pageSize": 100,
        });
        let list: List = self.call("getBillByBusDate", &message).await?;
        let Some(found) = list.bill_list.into_iter().find(|one| one.bus_no == ask.serial_no) else { return Ok(None) };
        let name = (found.bill_batch_code.as_str(), found.bill_no.as_str(), found.random.as_str());
        bill(name, &found.ivc_date_time, read_yuan(&found.total_amt), found.picture_net_url).map(Some)
    }

    async fn reverse(&self, ask: &ReverseAsk<'_>) -> Result<Reversal> {
        let message = serde_json::json!({
            "billBatchCode": ask.bill.code,
            "billNo": ask.bill.number,
            "reason": ask.reason,
            "operator": self.config.handler,
            "busDateTime": written(ask.at),
            "placeCode": self.config.place_code,
        });
        let scarlet: Scarlet = self.call("writeOffEBill", &message).await?;
        Ok(Reversal { red: BillName::new(&scarlet.code, &scarlet.number, &scarlet.check) })
    }

    async fn reversal_of(&self, bill: &BillName) -> Result<Option<Reversal>> {
        let message = serde_json::json!({ "billBatchCode": bill.code, "billNo": bill.number });
        let state: State = self.call("getEBillStatesByBillInfo", &message).await?;
        let red = BillName::new(&state.scarlet_bill_batch_code, &state.scarlet_bill_no, &state.scarlet_random);
        Ok((plain(&state.is_scarlet) == "1").then_some(Reversal { red }))
    }
}
