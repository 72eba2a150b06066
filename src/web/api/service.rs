//! The endpoint of `/api`: the calls, the spec at `openapi.json`, and a page to read and try it on. The page brings
//! all it needs with it and asks no other host.
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poem::endpoint::make_sync;
use poem::http::header::{CONTENT_SECURITY_POLICY, HeaderValue, X_FRAME_OPTIONS};
use poem::{Endpoint, IntoEndpoint, Response, Route, RouteMethod};
use poem_openapi::OpenApiService;
use serde_json::Value;

use super::arrears::ArrearsApi;
use super::batches::BatchesApi;
use super::feed::FeedApi;
use super::orders::OrdersApi;
use super::posters::PostersApi;
use super::receipts::ReceiptsApi;
use super::session::SessionApi;
use super::{layer, spec};
use crate::app::App;
use crate::web::layer::compressed;

const ABOUT: &str = "What a payer's own program may read, with the session of the H5, and what campus systems do with \
a key. Amounts are whole fen, with the same in yuan; times are RFC 3339 with their offset. Problems are RFC 9457, in \
English and Chinese.\n\n供缴费人自己的程序（使用 H5 的登录会话）和校内业务系统（使用接口密钥）调用。金额以分为单位的整数表示，\
并附元；时间为带时区的 RFC 3339；错误按 RFC 9457 以中英文说明。";

type Payer = (SessionApi, ArrearsApi, OrdersApi, ReceiptsApi);
type Campus = (BatchesApi, FeedApi, PostersApi);

fn calls() -> OpenApiService<(Payer, Campus), ()> {
    let payer = (SessionApi, ArrearsApi, OrdersApi, ReceiptsApi);
    OpenApiService::new((payer, (BatchesApi, FeedApi, PostersApi)), "jiaofei 缴费", env!("CARGO_PKG_VERSION"))
        .description(ABOUT)
        .server("/api")
}

/// Everything under `/api`.
pub fn service(app: &App) -> impl Endpoint<Output = Response> + use<> {
    let calls = calls();
    let spec = Arc::new(spec::complete(&calls.spec(), app.config.server.public_url.starts_with("https://")));
    let told = spec.to_string();
    let spec_json = make_sync(move |_| Response::builder().content_type("application/json").body(told.clone()));
    let spec_json = RouteMethod::new().get(compressed(spec_json));
    let route = Route::new().at("/openapi.json", spec_json).nest("/", calls.into_endpoint());
    // a million bytes, put together when somebody wants to see them
    let (drawn, of_page) = (OnceLock::new(), Arc::clone(&spec));
    let page = make_sync(move |_| drawn.get_or_init(|| page(&of_page)).response());
    layer::Calls { page: RouteMethod::new().get(compressed(page)), inner: route, spec }
}

/// The browsable page with the policy that allows its own scripts and nothing of anybody else's.
struct Page {
    html: String,
    policy: HeaderValue,
}

impl Page {
    fn response(&self) -> Response {
        let mut response = Response::builder().content_type("text/html; charset=utf-8").body(self.html.clone());
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        response.headers_mut().insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        response
    }
}

fn page(spec: &Value) -> Page {
    let calls = calls();
    with_policy(&calls.swagger_ui_html(), &calls.spec(), spec)
}

fn with_policy(drawn: &str, plain: &str, spec: &Value) -> Page {
    // inside a script no text may look like the end of one
    let spec = spec.to_string().replace('<', "\\u003c");
    let html = format!("<!doctype html>{}", drawn.trim_start().replacen(plain, &spec, 1));
    let hashes = |tag: &str| inner_texts(&html, tag).into_iter().map(hash).collect::<Vec<_>>().join(" ");
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hashes("script"),
        hashes("style"),
    );
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    Page { html, policy }
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// What stands between `<tag …>` and `</tag>`, each time.
fn inner_texts<'a>(html: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let mut texts = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once(&open) {
        let Some((_, after)) = after.split_once('>') else { break };
        let Some((text, after)) = after.split_once(&close) else { break };
        texts.push(text);
        rest = after;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_the_page_names_each_of_its_scripts_and_styles() {
        let html = "<style charset=\"x\">a{}</style><script>f()</script><script>\nlet spec = {\"a\": 1};</script>";
        let page = with_policy(html, "{\"a\": 1}", &serde_json::json!({ "a": "</script>" }));
        assert!(page.html.contains("let spec = {\"a\":\"\\u003c/script>\"};"), "{}", page.html);
        let policy = page.policy.to_str().unwrap();
        assert_eq!(policy.matches("sha256-").count(), 3, "{policy}");
        assert!(policy.contains(&hash("a{}")) && policy.contains(&hash("f()")));
    }
}
