//! The relay: fetches a page for a tab as its app would, and hands it back fit for the tab.
//!
//! Goes to the app's configured address and to the sandbox itself, never elsewhere. Cookies stay here, per tab. The
//! page's own fences against being framed are taken down, because the frame is ours; nothing else of it is changed.
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Endpoint, IntoResponse, Request, Response, Result};

use crate::sandbox::html::{escape, page};
use crate::sandbox::world::Sandbox;

use super::address::{Host, Link, Map, Place, Tab};
use super::device::Device;
use super::jar::Memory;
use super::rewrite::rewrite;
use super::{pay, scan};

/// A body larger than this is not relayed (bytes).
const BODY_LIMIT: usize = 1024 * 1024;
/// A page larger than this is not changed, so not shown (bytes).
const PAGE_LIMIT: usize = 4 * 1024 * 1024;
/// How long a page may take to begin.
const PATIENCE: Duration = Duration::from_secs(40);
/// What a page's answer may bring along besides its body.
const BROUGHT: [header::HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_DISPOSITION,
    header::RETRY_AFTER,
    header::LAST_MODIFIED,
];
/// What a browser's request takes along besides what an app says of itself.
const TAKEN: [header::HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, header::IF_MODIFIED_SINCE];

/// Everything the phones share.
pub struct Relay {
    pub world: Arc<Sandbox>,
    http: reqwest::Client,
    memory: Mutex<Memory>,
}

impl Relay {
    pub fn new(world: &Arc<Sandbox>) -> Arc<Relay> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client without certificates of its own can always be built");
        Arc::new(Relay { world: Arc::clone(world), http, memory: Mutex::default() })
    }

    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world of a tab; `host` is the Host header by which the browser came.
    pub fn map(&self, tab: Tab, host: Option<&str>) -> Map {
        let mut gates = vec![self.world.public_url(host)];
        gates.extend(host.map(|host| format!("http://{host}")));
        Map { tab, app: self.world.app_url().map(str::to_owned), gates }
    }
}

/// `/as/…`
pub struct Tabs(pub Arc<Relay>);

impl Endpoint for Tabs {
    type Output = Response;

    async fn call(&self, req: Request) -> Result<Response> {
        let path = req.original_uri().path().to_owned();
        let Some((tab, rest)) = Tab::read(&path) else { return Ok(StatusCode::NOT_FOUND.into()) };
        let map = self.0.map(tab, req.header(header::HOST));
        match Place::of(rest) {
            Place::Tab => Ok(scan::arrive(&map, req.original_uri().query())),
            Place::Pay => pay::serve(&self.0.world, &map.tab, req).await,
            Place::Closed => Ok(closed()),
            Place::Page(Host::Gate, path) if path.starts_with("/as/") => Ok(StatusCode::NOT_FOUND.into()),
            Place::Page(host, path) => self.0.forward(&map, host, path, req).await,
        }
    }
}

fn closed() -> Response {
    page("App 已关闭", "<h1>App 已关闭</h1><p class=\"note\">付款的人把 App 关掉了，页面收不到任何结果。</p>")
}

/// A path that a page's script has built for its own host: the Referer tells whose it was.
pub fn astray(req: &Request) -> Response {
    let referer = req.header(header::REFERER).and_then(path_of);
    let tab = referer.and_then(Tab::read);
    let target = req.original_uri().path_and_query().map(ToString::to_string);
    match (tab, target) {
        (Some((tab, rest)), Some(target)) => {
            let mark = if rest.starts_with("/~") { "/~" } else { "" };
            let to = format!("{}{mark}{target}", tab.prefix());
            StatusCode::TEMPORARY_REDIRECT.with_header(header::LOCATION, to).into_response()
        }
        _ => page("没有这个页面", "<h1>沙箱没有这个页面</h1><p><a href=\"/\">模拟手机</a></p>")
            .with_status(StatusCode::NOT_FOUND)
            .into_response(),
    }
}

/// Path and query of an absolute address.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.find('/').map(|at| &rest[at..])
}

impl Relay {
    async fn forward(&self, map: &Map, host: Host, path: &str, mut req: Request) -> Result<Response> {
        let query = req.original_uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let Some(url) = map.outward(host, &format!("{path}{query}")) else {
            return Ok(trouble("沙箱不知道缴费平台的地址", "启动时用 --app 告诉它。"));
        };
        if !matches!(*req.method(), Method::GET | Method::POST | Method::HEAD) {
            return Ok(StatusCode::METHOD_NOT_ALLOWED.into());
        }
        let body = req.take_body().into_bytes_limit(BODY_LIMIT).await?;
        let headers = self.headers(map, host, path, req.headers());
        let request = self.http.request(req.method().clone(), &url).headers(headers).body(body);
        match tokio::time::timeout(PATIENCE, request.send()).await {
            Ok(Ok(answer)) => Ok(self.bring(map, host, answer).await),
            Ok(Err(_)) => Ok(trouble("连接不上", &url)),
            Err(_) => Ok(trouble("一直没有应答", &url)),
        }
    }

    /// What the app on the phone would say with its request.
    fn headers(&self, map: &Map, host: Host, path: &str, from: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: header::HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        put(header::USER_AGENT, map.tab.device.user_agent());
        for name in TAKEN {
            if let Some(value) = from.get(&name).and_then(|value| value.to_str().ok()) {
                put(name, value);
            }
        }
        let mut cookies = self.memory().jar(&map.tab, host).pairs(path);
        if host == Host::Gate {
            // the sandbox's own pages know a phone by this cookie
            cookies.retain(|(name, _)| name != "phone");
            cookies.push(("phone".to_owned(), map.tab.phone.clone()));
        }
        if !cookies.is_empty() {
            let pairs: Vec<_> = cookies.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            put(header::COOKIE, &pairs.join("; "));
        }
        if let Some((came, page)) = self.came_from(map, from) {
            if let Some(referer) = self.referer(map, came, &page, host) {
                put(header::REFERER, &referer);
            }
            if let (true, Some(origin)) = (from.contains_key(header::ORIGIN), map.outward(came, "")) {
                put(header::ORIGIN, &origin);
            }
        }
        headers
    }

    /// The page a request comes from, by the browser's own Referer: its host and path.
    fn came_from(&self, map: &Map, from: &HeaderMap) -> Option<(Host, String)> {
        let referer = from.get(header::REFERER)?.to_str().ok()?;
        let (tab, rest) = Tab::read(path_of(referer)?)?;
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        match Place::of(&rest[..end]) {
            Place::Page(host, path) if tab == map.tab => Some((host, format!("{path}{}", &rest[end..]))),
            _ => None,
        }
    }

    /// The Referer a browser would send under the page's own `Referrer-Policy`, which the relay replaces by one of its.
    fn referer(&self, map: &Map, came: Host, page: &str, to: Host) -> Option<String> {
        let memory = self.memory();
        let policy = memory.policy(&map.tab, came).unwrap_or("strict-origin-when-cross-origin");
        let (whole, origin) = (map.outward(came, page), map.outward(came, "/"));
        match policy {
            "no-referrer" => None,
            "same-origin" => whole.filter(|_| came == to),
            "origin" | "strict-origin" => origin,
            "origin-when-cross-origin" | "strict-origin-when-cross-origin" if came != to => origin,
            _ => whole,
        }
    }

    async fn bring(&self, map: &Map, host: Host, mut answer: reqwest::Response) -> Response {
        self.remember(map, host, answer.headers());
        let mut response = Response::builder().status(answer.status()).finish();
        for name in BROUGHT {
            if let Some(value) = answer.headers().get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        match location.map(|link| (link, map.inward(host, link))) {
            None => {}
            Some((link, Link::Foreign)) => return trouble("这部手机到不了这个地址", link),
            Some((link, inward)) => {
                let to = if let Link::Relayed(path) = inward { path } else { link.to_owned() };
                if let Ok(to) = HeaderValue::from_str(&to) {
                    response.headers_mut().insert(header::LOCATION, to);
                }
            }
        }
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("text/html")) {
            let Some(bytes) = whole(&mut answer).await else { return trouble("页面没有传完", "") };
            match String::from_utf8(bytes) {
                Ok(html) => response.set_body(rewrite(&html, map, host, &script(&map.tab, host))),
                Err(other) => response.set_body(other.into_bytes()),
            }
        } else {
            response.set_body(streamed(answer));
        }
        response
    }

    fn remember(&self, map: &Map, host: Host, headers: &reqwest::header::HeaderMap) {
        let now = self.world.now();
        let mut memory = self.memory();
        for cookie in headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            memory.jar(&map.tab, host).keep(cookie, now);
        }
        let policy = headers.get(header::REFERRER_POLICY).and_then(|value| value.to_str().ok());
        let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if let (Some(policy), true) = (policy, is_page) {
            memory.note_policy(&map.tab, host, policy);
        }
    }
}

/// What WeChat and Alipay put into every page they show.
fn script(tab: &Tab, host: Host) -> String {
    let name = match (tab.device, host) {
        (Device::Wechat, Host::App) => "wechat.js",
        (Device::Alipay, Host::App) => "alipay.js",
        _ => return String::new(),
    };
    let (phone, prefix) = (&tab.phone, tab.prefix());
    format!(
        "<script src=\"/phone/sheet.js\"></script>\
         <script src=\"/phone/{name}\" data-phone=\"{phone}\" data-prefix=\"{prefix}\"></script>"
    )
}

/// The whole body; None when it breaks off or is too long.
async fn whole(answer: &mut reqwest::Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.ok()? {
        if body.len() + part.len() > PAGE_LIMIT {
            return None;
        }
        body.extend_from_slice(&part);
    }
    Some(body)
}

/// Bytes as they come: pictures, and events that never end.
fn streamed(answer: reqwest::Response) -> Body {
    let parts = stream::unfold(Some(answer), |answer| async {
        let mut answer = answer?;
        match answer.chunk().await {
            Ok(Some(part)) => Some((Ok(part), Some(answer))),
            Ok(None) => None,
            Err(_) => Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None)),
        }
    });
    Body::from_bytes_stream(parts)
}

fn trouble(what: &str, about: &str) -> Response {
    let body = format!("<h1>{}</h1><p class=\"note\">{}</p>", escape(what), escape(about));
    page(what, &body).with_status(StatusCode::BAD_GATEWAY).into_response()
}

#[cfg(test)]
mod tests;
