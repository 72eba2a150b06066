//! What lies around every handler: the request's id and its line in the log, the limit of time, the catching of panics,
//! and for pages the language of whatever goes wrong.
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use poem::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use poem::middleware::Compression;

use poem::web::{CompressionAlgo, CompressionLevel};
use poem::{Endpoint, EndpointExt, IntoResponse, Middleware, PathPattern, Request, Response};
use tracing::Instrument;

use super::assets::{content_security_policy_of_linked, with_form_to};
use super::error::{self, Problem};
use super::guard::{Visit, page_of, set_cookie};
use super::html::FormOrigins;
use super::late::Sent;
use super::press;
use crate::app::App;
use crate::domain::module::{Module, Opening};

/// The longest a request may take, waiting for a channel included. What streams ends by itself before. Tests lay a
/// shorter one around their handlers.
#[derive(Clone, Copy)]
pub struct Longest(pub Duration);

impl Default for Longest {
    fn default() -> Longest {
        Longest(Duration::from_secs(30))
    }
}

impl Longest {
    fn of(req: &Request) -> Longest {
        req.data().copied().unwrap_or_default()
    }

    /// The same limit for a page, a little shorter, so that the payer is told in words.
    fn for_a_page(self) -> Duration {
        self.0 * 14 / 15
    }
}

/// Finds a request's lines in the log.
#[derive(Clone)]
pub struct RequestId(pub String);

/// Around everything.
pub async fn watch<E: Endpoint>(ep: Arc<E>, mut req: Request) -> poem::Result<Response> {
    let begun = Instant::now();
    let app: Option<&Arc<App>> = req.data();
    let metrics = app.map(|app| app.metrics.clone());
    let id = app.map(|app| app.chance.token(10)).unwrap_or_default();
    let method = req.method().clone();
    let longest = Longest::of(&req);
    req.set_data(RequestId(id.clone()));
    let span = tracing::info_span!("request", id = %id);
    let work = AssertUnwindSafe(ep.call(req)).catch_unwind();
    let (response, route) = match tokio::time::timeout(longest.0, work).instrument(span.clone()).await {
        Ok(Ok(Ok(response))) => {
            let response = response.into_response();
            let route = response.data::<PathPattern>().cloned();
            (response, route)
        }
        Ok(Ok(Err(error))) => {
            let route = error.data::<PathPattern>().cloned();
            (error::plain(&error::of(error)), route)
        }
        Ok(Err(_)) => {
            metrics.iter().for_each(|metrics| metrics.panicked("request"));
            (error::plain(&Problem::Internal("a panic".to_owned())), None)
        }
        Err(_) => (error::plain(&Problem::Unavailable("too slow".to_owned())), None),
    };
    // the pattern, never the path: paths, queries and forms may say who somebody is
    let route = route.map_or_else(|| Arc::from("-"), |PathPattern(pattern)| pattern);
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(method = method.as_str(), route = &*route, status, ms, "answered"));
    metrics.iter().for_each(|metrics| metrics.answered(Arc::clone(&route), method.as_str(), status, took));
    Ok(response)
}

/// Around what people see. Everything that goes wrong below ends here as a page or, for scripts, as JSON.
pub async fn pages<E: Endpoint>(ep: Arc<E>, mut req: Request) -> poem::Result<Response> {
    let Some(app) = req.data::<Arc<App>>().cloned() else {
        return Err(Problem::Internal("no toolbox".to_owned()).into());
    };
    let id = req.data::<RequestId>().map(|RequestId(id)| id.clone()).unwrap_or_default();
    let secure = app.config.server.public_url.starts_with("https://");
    let visit = Arc::new(Visit::of(&req, app, id));
    let is_script = req.original_uri().path().ends_with("/state") || req.original_uri().path().ends_with("/events");
    // nothing here takes compressed forms, and nothing here unpacks what somebody packed
    req.headers_mut().remove(CONTENT_ENCODING);
    req.set_data(Arc::clone(&visit));
    let longest = Longest::of(&req).for_a_page();
    let mut sent = None;
    let work = async {
        sent = Sent::read(&mut req, &visit).await?;
        ep.call(req).await
    };
    let work = AssertUnwindSafe(work).catch_unwind();
    let outcome = match tokio::time::timeout(longest, work).await {
        Ok(Ok(outcome)) => outcome.map(IntoResponse::into_response),
        Ok(Err(_)) => {
            visit.app.metrics.panicked("request");
            Err(Problem::Internal("a panic".to_owned()).into())
        }
        Err(_) => Err(Problem::Unavailable("too slow".to_owned()).into()),
    };
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => {
            let pattern = error.data::<PathPattern>().cloned();
            let problem = error::of(error);
            log(&problem);
            let mut response = match is_script {
                true => error::json(&problem),
                false => tell(&visit, problem, sent).await,
            };
            if let Some(pattern) = pattern {
                response.set_data(pattern);
            }
            response
        }
    };
    for cookie in visit.cookies() {
        response = set_cookie(response, &cookie);
    }
    if response.content_type().is_some_and(|kind| kind.starts_with("text/html")) {
        response = link(response, &visit);
    }
    if let Some(FormOrigins(origins)) = response.data().cloned() {
        let headers = response.headers_mut();
        let policy = headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok());
        let policy = policy.and_then(|policy| HeaderValue::try_from(with_form_to(policy, &origins)).ok());
        if let Some(policy) = policy {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
    }
    harden(&mut response, secure);
    Ok(response)
}

/// Tells the payer; a form that came too late is led back to where it stood.
async fn tell(visit: &Visit, mut problem: Problem, sent: Option<Sent>) -> Response {
    let mut retry = retry(visit, &problem);
    let mut waits = None;
    if let Some(sent) = sent {
        if let Problem::SignIn { back } = &mut problem {
            *back = sent.stood_at();
        }
        retry = retry.map(|_| sent.stood_at());
        waits = sent.keep(visit, &problem).await;
    }
    let response = error::page(problem, visit.frame(None), retry, &visit.request_id);
    match waits {
        Some(cookie) => set_cookie(response, &cookie),
        None => response,
    }
}

/// A page that names its stylesheets and scripts allows their addresses; one that brings them has the next one name
/// them.
fn link(mut response: Response, visit: &Visit) -> Response {
    if !visit.linked() {
        return set_cookie(response, &visit.linked_cookie());
    }
    let policy = content_security_policy_of_linked(&visit.app.config.server.public_url);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Where 重试 leads: the page itself, or the page a form stood on. Nowhere when it would only fail again.
fn retry(visit: &Visit, problem: &Problem) -> Option<String> {
    let in_vain = matches!(problem, Problem::NotFound | Problem::NotOpen(_) | Problem::BadRequest);
    (!in_vain).then(|| page_of(&visit.path).to_owned())
}

fn log(problem: &Problem) {
    match problem {
        Problem::Internal(why) => tracing::error!("broken: {why}"),
        Problem::Unavailable(why) => tracing::error!("unavailable: {why}"),
        Problem::Forbidden | Problem::FormExpired => tracing::warn!("{problem}"),
        _ => {}
    }
}

/// Headers of every answer, whatever it is; a page has set its own.
fn harden(response: &mut Response, secure: bool) {
    let headers = response.headers_mut();
    let mut add = |name, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    add(CACHE_CONTROL, "no-store");
    add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(REFERRER_POLICY, "strict-origin-when-cross-origin");
    if secure {
        add(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

/// Around a page of a module: nothing below is reached while the school does not offer it.
pub async fn offered<E: Endpoint<Output = Response>>(
    module: Module,
    page: Arc<E>,
    req: Request,
) -> poem::Result<Response> {
    let opening = req.data::<Arc<App>>().map(|app| app.config.school.modules.opening(module)).unwrap_or_default();
    match opening {
        Opening::Open => page.call(req).await,
        Opening::Closed => Err(Problem::NotOpen(module).into()),
        Opening::Hidden => Err(Problem::NotFound.into()),
    }
}

/// Compresses a page: as brotli where the browser takes it, else as gzip.
pub fn compressed<E: Endpoint<Output = Response> + 'static>(page: E) -> impl Endpoint<Output = Response> {
    let gzip = Compression::new().algorithms([CompressionAlgo::GZIP]).with_quality(CompressionLevel::Precise(5));
    gzip.transform(page).around(brotli)
}

async fn brotli<E: Endpoint<Output = Response>>(page: Arc<E>, mut req: Request) -> poem::Result<Response> {
    if !press::is_taken(req.headers()) {
        return page.call(req).await;
    }
    req.headers_mut().remove(ACCEPT_ENCODING);
    let mut response = page.call(req).await?;
    if !response.content_type().is_some_and(|kind| kind.starts_with("text/html")) {
        return Ok(response);
    }
    let body = response.take_body().into_string().await.map_err(|_| Problem::Internal("a page is text".to_owned()))?;
    response.set_body(press::brotli(&body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    Ok(response)
}
