//! A campus system with its key.
use std::sync::atomic::{AtomicU32, Ordering};

use jiaofei::domain::api_key::ApiScope;
use jiaofei::flow::api_keys;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::payer::json;
use crate::world::app::TestApp;
use crate::world::page::Page;

pub struct Desk {
    pub world: TestApp,
    pub caller: Caller,
}

/// Somebody who calls with a key, or with none.
#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    url: String,
    pub key: String,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A key nobody has used.
pub fn fresh() -> String {
    format!("call-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Caller {
    pub fn new(url: &str, key: &str) -> Caller {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Caller { http, url: url.to_owned(), key: key.to_owned() }
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Page {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut all = HeaderMap::new();
        if !self.key.is_empty() {
            all.append("authorization", HeaderValue::from_str(&format!("Bearer {}", self.key)).unwrap());
        }
        for (name, value) in headers {
            let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            all.append(name, HeaderValue::from_str(value).unwrap());
        }
        let request = self.http.request(method, format!("{}{path}", self.url)).headers(all).body(body);
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Page { path: path.to_owned(), status, headers, bytes: answer.bytes().await.unwrap().to_vec() }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send("GET", path, &[], Vec::new()).await
    }

    pub async fn post_under(&self, key: &str, path: &str, body: &Value) -> Page {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.send("POST", path, &headers, body.to_string().into_bytes()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Page {
        self.post_under(&fresh(), path, body).await
    }

    /// A batch that must be taken: (added, changed, unchanged).
    pub async fn taken(&self, path: &str, rows: Value) -> (u64, u64, u64) {
        let page = self.post(path, &json!({ "rows": rows })).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body());
        let said = json(&page);
        let count = |name: &str| said[name].as_u64().unwrap();
        (count("added"), count("changed"), count("unchanged"))
    }
}

impl Desk {
    /// A system that may do everything.
    pub async fn open() -> Desk {
        let world = TestApp::start().await;
        let key = api_keys::issue(&world.app, "学工系统", ApiScope::ALL).await.unwrap();
        let caller = Caller::new(&world.url, &key);
        Desk { world, caller }
    }

    pub async fn caller(&self, name: &str, scopes: &[ApiScope]) -> Caller {
        Caller::new(&self.world.url, &api_keys::issue(&self.world.app, name, scopes).await.unwrap())
    }
}

pub const PAYERS: &str = "/api/campus/payers";
pub const ITEMS: &str = "/api/campus/items";
pub const CHARGES: &str = "/api/campus/charges";
pub const ORDERS: &str = "/api/campus/orders";

pub fn payer(number: &str, name: &str) -> Value {
    json!({ "number": number, "name": name })
}

pub fn charge(number: &str, item: &str, fen: i64) -> Value {
    json!({ "number": number, "period": "2019", "item": item, "assessed_fen": fen })
}
