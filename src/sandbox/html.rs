//! The few plain pages the sandbox shows people (cashiers, consent, errors), and who is looking at them.
use poem::http::header;
use poem::web::Html;
use poem::{IntoResponse, Request, Response};

/// Who looks when nobody says so.
pub const PASSER_BY: &str = "passer-by";

const STYLE: &str = "
body{font:16px/1.6 system-ui,sans-serif;margin:0 auto;max-width:26em;padding:2em 1em;text-align:center}
button{display:block;width:100%;margin:.8em 0;padding:.8em;border:0;border-radius:.5em;font-size:1em;cursor:pointer}
button[value=pay]{background:#07c160;color:#fff}
button.alipay{background:#1677ff;color:#fff}
button.unionpay{background:#c8102e;color:#fff}
fieldset{border:1px solid #ddd;border-radius:.5em;margin:1em 0}
select{font:inherit;max-width:100%}
.amount{font-size:2.4em;margin:.2em 0}
.note{color:#888}
.alarm{color:#c00}";

/// Text made safe for HTML, attributes included.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A page of one column in Chinese. `body` is HTML, `title` is text.
pub fn page(title: &str, body: &str) -> Response {
    let title = escape(title);
    let head = format!(
        "<meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\">\
         <title>{title}</title>"
    );
    Html(format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">{head}<style>{STYLE}</style></head>\
         <body>{body}</body></html>"
    ))
    .with_header(header::CACHE_CONTROL, "no-store")
    .into_response()
}

/// A page that says only this.
pub fn notice(text: &str) -> Response {
    page(text, &format!("<h1>{}</h1>", escape(text)))
}

/// Whose phone a request comes from: the query's `phone`, else the cookie `phone`. None: nobody said.
pub fn phone_of(req: &Request) -> Option<String> {
    let query = req.original_uri().query().unwrap_or_default();
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "phone");
    let named = named.map(|(_, value)| value.into_owned());
    named.or_else(|| cookie(req, "phone")).filter(|phone| !phone.is_empty() && phone.len() <= 64)
}

/// Whose phone a page that is signed down to its query is opened with: the cookie's, else a passer-by's.
pub fn phone_of_cookie(req: &Request) -> String {
    let named = cookie(req, "phone").filter(|phone| !phone.is_empty() && phone.len() <= 64);
    named.unwrap_or_else(|| PASSER_BY.to_owned())
}

/// The Set-Cookie value that makes a browser this phone's.
pub fn phone_cookie(phone: &str) -> String {
    let value: String = form_urlencoded::byte_serialize(phone.as_bytes()).collect();
    format!("phone={value}; Path=/; HttpOnly; SameSite=Lax")
}

/// A cookie of the request, decoded.
pub fn cookie(req: &Request, name: &str) -> Option<String> {
    let pairs = req.header(header::COOKIE)?.split(';').filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.into_iter().find(|(own, _)| *own == name)?.1;
    form_urlencoded::parse(value.as_bytes()).next().map(|(text, _)| text.into_owned())
}

/// Whether the request claims to come from inside WeChat.
pub fn in_wechat(req: &Request) -> bool {
    req.header(header::USER_AGENT).is_some_and(|agent| agent.contains("MicroMessenger"))
}
