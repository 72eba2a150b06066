//! What every request is asked before a page sees it: which browser, whose session, what language, from where.
//!
//! [`Visit`] is read once per request. [`SignedIn`] is the proof a handler holds that somebody is signed in; there
//! is no other way to it.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use poem::http::header::{ACCEPT_LANGUAGE, COOKIE, HOST, HeaderMap, HeaderValue, SET_COOKIE, USER_AGENT};
use poem::{FromRequest, Request, RequestBody, Response};

use super::assets;
use super::csrf::Bound;
use super::device::Device;
use super::error::Problem;
use super::html::{Frame, Person};
use super::view::links;
use crate::app::App;
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::payer::Payer;
use crate::domain::session::{Rights, Session};
use crate::flow::account;
use crate::flow::guess::Caller;
use crate::flow::session;

/// Letters of a visitor's id, 5.8 bits each
const VISITOR: usize = 32;
/// Bytes of a path to come back to; that of 确认缴费 names every selected charge
const LONGEST_PATH: usize = 4096;
/// Seconds a browser keeps what it chose, and its visitor's id
const YEAR: u64 = 365 * 86_400;
/// Seconds it keeps from which poster it came
const FROM_POSTER: u64 = 2 * 3600;

/// One request, as far as all pages care.
pub struct Visit {
    pub app: Arc<App>,
    /// Finds the request in the log
    pub request_id: String,
    pub lang: Lang,
    pub care: bool,
    pub device: Device,
    pub address: IpAddr,
    /// Path and query, without the choice of a language; of a form, the page it stands on
    pub path: String,
    query: Vec<(String, String)>,
    visitor: String,
    /// The browser did not bring the id; it was made for this request
    is_new: bool,
    token: Option<String>,
    /// The code of the poster this browser came from
    poster: Option<String>,
    linked: bool,
}

impl Visit {
    pub fn of(req: &Request, app: Arc<App>, request_id: String) -> Visit {
        let headers = req.headers();
        let secure = is_secure(&app);
        let is_id = |value: &String| value.len() == VISITOR && value.bytes().all(|b| b.is_ascii_alphanumeric());
        let known = cookie(headers, &cookie_name("jf_v", secure)).filter(is_id);
        let query: Vec<(String, String)> =
            form_urlencoded::parse(req.original_uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let wanted = query.iter().find(|(name, _)| name == "lang").and_then(|(_, value)| Lang::parse(value));
        let chosen = || cookie(headers, "lang").and_then(|value| Lang::parse(&value));
        Visit {
            request_id,
            lang: wanted.or_else(chosen).unwrap_or_else(|| accepted(headers)),
            care: cookie(headers, "care").is_some_and(|value| value == "1"),
            device: Device::of(headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()),
            address: client_address(headers, peer(req), app.config.server.trusted_proxies),
            path: match (req.method().is_safe(), req.original_uri().path()) {
                // what came with it counts once, and is nothing to come back to
                (true, path) if path.ends_with("/callback") => page_of(path).to_owned(),
                (true, path) => path_without_lang(path, &query),
                (false, path) => page_of(path).to_owned(),
            },
            query,
            is_new: known.is_none(),
            visitor: known.unwrap_or_else(|| app.chance.token(VISITOR)),
            token: cookie(headers, &cookie_name("jf_s", secure)),
            poster: cookie(headers, &cookie_name("jf_p", secure)),
            linked: has_assets(headers, &app),
            app,
        }
    }

    /// A parameter of the query; empty when it is not there.
    pub fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn query_pairs(&self) -> &[(String, String)] {
        &self.query
    }

    /// What stands for this browser outside its own cookie.
    pub fn visitor(&self) -> String {
        BASE64.encode(digest(&SHA256, self.visitor.as_bytes()))
    }

    pub fn caller<'a>(&self, visitor: &'a str, captcha: Option<(&'a str, &'a str)>) -> Caller<'a> {
        Caller { address: self.address, visitor, captcha }
    }

    /// Whether the browser says that it was signed in, true or not.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub fn bound(&self) -> Bound<'_> {
        let session = self.token.as_deref().unwrap_or_default();
        Bound { keys: &self.app.form_keys, visitor: &self.visitor, session }
    }

    /// The frame around a page; `payer` is who is signed in.
    pub fn frame(&self, payer: Option<&Payer>) -> Frame {
        self.frame_bound(payer, self.bound())
    }

    /// The frame of a page that follows a sign-out: its forms are sent without the session's cookie.
    pub fn frame_signed_out(&self) -> Frame {
        self.frame_bound(None, Bound { session: "", ..self.bound() })
    }

    fn frame_bound(&self, payer: Option<&Payer>, bound: Bound<'_>) -> Frame {
        let school = &self.app.config.school;
        Frame {
            lang: self.lang,
            care: self.care,
            school: school.bilingual_name(),
            phone: school.phone.clone(),
            hours: Bilingual::new(&school.office_hours, &school.office_hours_en),
            csrf: bound.token(self.app.chance.bytes()),
            path: self.path.clone(),
            person: payer.map(Person::of),
            now: self.app.clock.now(),
            modules: school.modules.clone(),
            linked: self.linked,
        }
    }

    /// Whether this browser has had the stylesheets and scripts of this build, and keeps them.
    pub fn linked(&self) -> bool {
        self.linked
    }

    /// Says with the next request that this browser has had them.
    pub fn linked_cookie(&self) -> String {
        plain_cookie(LINKED, assets::version(), is_secure(&self.app))
    }

    /// `Set-Cookie` values every answer to this request carries.
    pub fn cookies(&self) -> Vec<String> {
        let mut cookies = Vec::new();
        if self.is_new {
            cookies.push(self.cookie("jf_v", &self.visitor, YEAR));
        }
        if let Some(lang) = Lang::parse(self.query("lang")) {
            cookies.push(self.lang_cookie(lang));
        }
        cookies
    }

    /// Keeps a new session's token in the browser as long as a session can last.
    pub fn session_cookie(&self, token: &str) -> String {
        self.cookie("jf_s", token, session::LONGEST.as_secs())
    }

    pub fn no_session_cookie(&self) -> String {
        self.cookie("jf_s", "", 0)
    }

    /// The poster this browser came from in the last hours, by its code; for counting, and for nothing else.
    pub fn poster(&self) -> Option<&str> {
        self.poster.as_deref()
    }

    pub fn poster_cookie(&self, code: &str) -> String {
        self.cookie("jf_p", code, FROM_POSTER)
    }

    pub fn lang_cookie(&self, lang: Lang) -> String {
        plain_cookie("lang", if lang == Lang::En { "en" } else { "zh" }, is_secure(&self.app))
    }

    pub fn care_cookie(&self, care: bool) -> String {
        plain_cookie("care", if care { "1" } else { "0" }, is_secure(&self.app))
    }

    fn cookie(&self, name: &str, value: &str, max_age: u64) -> String {
        let secure = is_secure(&self.app);
        let end = if secure { "; Secure" } else { "" };
        format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{end}", cookie_name(name, secure))
    }
}

/// The cookie of [`Visit::linked`]
const LINKED: &str = "jf_a";

/// Only at the address the policy of a linked page names: at any other one the page brings everything itself.
fn has_assets(headers: &HeaderMap, app: &App) -> bool {
    let home = app.config.server.public_url.split_once("://").map(|(_, host)| host);
    let here = headers.get(HOST).and_then(|value| value.to_str().ok());
    here == home && cookie(headers, LINKED).is_some_and(|value| value == assets::version())
}

pub(super) fn is_secure(app: &App) -> bool {
    app.config.server.public_url.starts_with("https://")
}

/// Over https the name begins with `__Host-`: browsers then take it from nobody but this very host.
fn cookie_name(name: &str, secure: bool) -> String {
    if secure { format!("__Host-{name}") } else { name.to_owned() }
}

fn plain_cookie(name: &str, value: &str, secure: bool) -> String {
    let end = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{end}")
}

pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    values.next().filter(|value| !value.is_empty() && value.len() <= 128).map(str::to_owned)
}

/// The first language of the browser's list that we speak; Chinese when there is none.
fn accepted(headers: &HeaderMap) -> Lang {
    let list = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let weighed = list.split(',').filter_map(|part| {
        let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
        Some((Lang::parse(tag)?, weight.trim().parse::<f32>().ok()?))
    });
    // of equal weights the first one counts
    let best = weighed.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.filter(|(_, weight)| *weight > 0.0).map(|(lang, _)| lang).unwrap_or_default()
}

fn path_without_lang(path: &str, query: &[(String, String)]) -> String {
    let kept = query.iter().filter(|(name, _)| name != "lang");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn peer(req: &Request) -> IpAddr {
    req.remote_addr().as_socket_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), SocketAddr::ip)
}

/// The payer's own address. Each of our proxies adds at the right end of `X-Forwarded-For` whom it heard; what stands
/// further left may have been written by anybody.
fn client_address(headers: &HeaderMap, peer: IpAddr, proxies: usize) -> IpAddr {
    if proxies == 0 {
        return peer;
    }
    let all = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = all.flat_map(|line| line.split(',')).map(str::trim).collect();
    let heard = named.len().checked_sub(proxies).and_then(|at| named.get(at));
    let address = |text: &&str| text.parse().or_else(|_| text.parse().map(|at: SocketAddr| at.ip())).ok();
    heard.and_then(address).unwrap_or(peer)
}

/// Adds a cookie to an answer.
pub fn set_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// A path of ours to go on to after a form, or none: no other host, no trick with slashes, no line break.
pub fn local_path(path: &str) -> Option<&str> {
    let ours = |root: &str| {
        path.strip_prefix(root).is_some_and(|rest| matches!(rest.bytes().next(), None | Some(b'/' | b'?')))
    };
    let plain = path.bytes().all(|b| b.is_ascii_graphic()) && !path.contains(['\\', '#']);
    // a browser takes `.` and `..` out of a path before it goes there, in whatever way they are written
    let dots = |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    let straight = !path.contains("//") && !path.split(['/', '?']).any(dots);
    let ours = ["/h5", "/q", "/for", "/verify"].into_iter().any(ours);
    let fits = ours && plain && straight && path.len() <= LONGEST_PATH;
    let fits = fits && !["/h5/login", "/h5/logout", "/h5/sso"].iter().any(|door| path.starts_with(door));
    fits.then_some(path)
}

impl<'a> FromRequest<'a> for &'a Visit {
    async fn from_request(req: &'a Request, _body: &mut RequestBody) -> poem::Result<&'a Visit> {
        let visit = req.data::<Arc<Visit>>();
        Ok(visit.map(Arc::as_ref).ok_or_else(|| Problem::Internal("a page outside the pages' layer".to_owned()))?)
    }
}

/// Somebody is signed in.
pub struct SignedIn {
    pub session: Session,
    pub payer: Payer,
    /// Has chosen a password; not the school's initial one
    pub own_password: bool,
}

impl SignedIn {
    /// Signed in with document number and name: own arrears, nothing personal, no history.
    pub fn is_limited(&self) -> bool {
        self.session.rights == Rights::OwnArrears
    }
}

impl<'a> FromRequest<'a> for SignedIn {
    async fn from_request(req: &'a Request, body: &mut RequestBody) -> poem::Result<SignedIn> {
        let visit = <&Visit>::from_request(req, body).await?;
        let found = match visit.token() {
            Some(token) => session::account_of_token(&visit.app, token).await.map_err(Problem::from)?,
            None => None,
        };
        let (session, account) = found.ok_or_else(|| Problem::SignIn { back: page_of(&visit.path).to_owned() })?;
        let path = req.original_uri().path();
        if session.is_unbound() && needs_study(path) {
            return Err(Problem::ChooseStudy.into());
        }
        let (session, account) = match session.member.is_some() && is_of_account(path) {
            false => (session, account),
            true => {
                let session = session.own();
                let account = account::find(&visit.app, session.payer_id).await.map_err(Problem::from)?;
                (session, account)
            }
        };
        Ok(SignedIn { session, own_password: account.password_hash.is_some(), payer: account.payer })
    }
}

/// Whether a page is about the account of who signed in by e-mail; all others are about the study that was chosen.
fn is_of_account(path: &str) -> bool {
    [links::STUDIES, links::ME].into_iter().any(|page| is_at(path, page))
}

/// Whether a page needs a study to be chosen. The API then finds nothing owed.
fn needs_study(path: &str) -> bool {
    let ends = [links::LOGOUT, links::LOGOUT_EVERYWHERE].into_iter().any(|page| is_at(path, page));
    is_at(path, links::HOME) && !is_of_account(path) && !ends
}

fn is_at(path: &str, page: &str) -> bool {
    path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Somebody is signed in who has a password of their own, or does not need one here. Whoever must choose one first is
/// sent to choose it; what is owed can be paid before.
pub struct Settled(pub SignedIn);

impl<'a> FromRequest<'a> for Settled {
    async fn from_request(req: &'a Request, body: &mut RequestBody) -> poem::Result<Settled> {
        let signed = SignedIn::from_request(req, body).await?;
        let visit = <&Visit>::from_request(req, body).await?;
        match account::must_set_up(&visit.app, &signed.session, signed.own_password) {
            true => Err(Problem::SetUp.into()),
            false => Ok(Settled(signed)),
        }
    }
}

/// The page a request belongs to: itself, or for what only a form, a script or an image asks for, the page it
/// stands on.
pub fn page_of(path: &str) -> &str {
    let bare = path.split('?').next().unwrap_or(path);
    for act in [
        "/pay",
        "/go",
        "/cancel",
        "/browser",
        "/code.png",
        "/voucher.png",
        "/voucher.pdf",
        "/state",
        "/events",
        "/ask",
        "/revoke",
        "/again",
        "/person",
    ] {
        if let Some(page) = bare.strip_suffix(act) {
            return page;
        }
    }
    match bare {
        "/h5/checkout" => "/h5/tuition",
        "/cas/callback" => "/h5/sso",
        "/wechat/callback" | "/alipay/callback" => "/h5",
        "/h5/me/mail" => "/h5/me",
        "/h5/me/wechat/unbind" => "/h5/me/wechat",
        "/h5/studies/choose" | "/h5/studies/unbind" => "/h5/studies",
        "/h5/logout" | "/h5/logout-everywhere" | "/h5/settings" => "/h5",
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_own_pages_are_gone_on_to() {
        for path in [
            "/h5",
            "/h5/",
            "/h5?x=1",
            "/h5/tuition?period=2026&amt1=1500.00",
            "/q/abc",
            "/for/abc?lang=en",
            "/h5/orders/XF1",
            "/verify?no=1",
        ] {
            assert_eq!(local_path(path), Some(path));
        }
        for path in [
            "",
            "/",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/h5",
            "/h5//evil.example",
            "/h5\\evil",
            "/h5evil",
            "/h5@evil.example",
            "/h5/../evil",
            "/h5/%2e%2E/evil",
            "/h5/%2e./evil",
            "/h5/..?x=1",
            "/h5/./logout",
            "/h5/%2E",
            "/h5\r\nSet-Cookie: a=b",
            "/h5/\u{7f}",
            "/h5/中文",
            "h5",
            " /h5",
            "/healthz",
            "/h5/login?back=/h5",
            "/h5/logout",
            "/h5/sso?next=/h5",
            "javascript:alert(1)",
        ] {
            assert_eq!(local_path(path), None, "{path}");
        }
    }

    #[test]
    fn forwarded_addresses_are_believed_as_far_as_our_own_proxies_go() {
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let of = |forwarded: &str, proxies| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            client_address(&headers, peer, proxies).to_string()
        };
        assert_eq!(of("203.0.113.7", 0), "10.0.0.1");
        assert_eq!(of("203.0.113.7", 1), "203.0.113.7");
        assert_eq!(of("6.6.6.6, 203.0.113.7", 1), "203.0.113.7", "the left end is anybody's word");
        assert_eq!(of("6.6.6.6, 203.0.113.7, 10.0.0.2", 2), "203.0.113.7");
        assert_eq!(of("203.0.113.7", 2), "10.0.0.1", "a request that came around a proxy");
        assert_eq!(of("2001:db8::7", 1), "2001:db8::7");
        assert_eq!(of("203.0.113.7:5678", 1), "203.0.113.7");
        assert_eq!(of("unknown", 1), "10.0.0.1");
    }

    #[test]
    fn the_browsers_first_language_that_we_speak_is_taken() {
        let of = |list: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, list.parse().unwrap());
            accepted(&headers)
        };
        assert_eq!(of("en-GB,en;q=0.9,zh-CN;q=0.8"), Lang::En);
        assert_eq!(of("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        assert_eq!(of("ko-KR,ko;q=0.9,en;q=0.8"), Lang::En);
        assert_eq!(of("fr"), Lang::Zh);
        assert_eq!(of("en;q=0"), Lang::Zh);
        assert_eq!(of(";;q=,en;q=x"), Lang::Zh);
    }

    #[test]
    fn the_first_cookie_of_a_name_counts_and_an_endless_one_does_not() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; jf_s=first; b=2".parse().unwrap());
        headers.append(COOKIE, "jf_s=second".parse().unwrap());
        assert_eq!(cookie(&headers, "jf_s").as_deref(), Some("first"));
        assert_eq!(cookie(&headers, "jf"), None);
        headers.insert(COOKIE, format!("jf_s={}", "x".repeat(200)).parse().unwrap());
        assert_eq!(cookie(&headers, "jf_s"), None);
    }
}
