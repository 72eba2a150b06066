//! Around every call: what went wrong becomes a problem, never a page; no answer is kept or framed.
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use poem::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use poem::{Endpoint, PathPattern, Request, Response};
use serde_json::Value;

use super::problem::{self, ApiProblem};
use crate::app::App;
use crate::web::guard::Visit;
use crate::web::layer::RequestId;

/// A little less than what any request may take, so that the caller is told in words.
const LONGEST: Duration = Duration::from_secs(28);

/// All calls, and the spec they keep to.
pub struct Calls<P, E> {
    /// What stands at the root
    pub page: P,
    pub inner: E,
    pub spec: Arc<Value>,
}

impl<P: Endpoint<Output = Response>, E: Endpoint<Output = Response>> Endpoint for Calls<P, E> {
    type Output = Response;

    async fn call(&self, mut req: Request) -> poem::Result<Response> {
        let id = req.data::<RequestId>().map(|RequestId(id)| id.clone()).unwrap_or_default();
        let app = req.data::<Arc<App>>().cloned();
        let outcome = match &app {
            None => Err(ApiProblem::Internal("no toolbox".to_owned()).into()),
            Some(_) if req.headers().contains_key(CONTENT_ENCODING) => Err(ApiProblem::NotJson.into()),
            Some(app) => {
                let visit = Visit::of(&req, Arc::clone(app), id.clone());
                req.set_data(Arc::new(visit));
                let is_page = req.uri().path().trim_matches('/').is_empty();
                let call = async { if is_page { self.page.call(req).await } else { self.inner.call(req).await } };
                let work = AssertUnwindSafe(call).catch_unwind();
                match tokio::time::timeout(LONGEST, work).await {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(_)) => Err(ApiProblem::Internal("a panic".to_owned()).into()),
                    Err(_) => Err(ApiProblem::Unavailable("too slow".to_owned()).into()),
                }
            }
        };
        let mut response = outcome.unwrap_or_else(|error| self.tell(&error, &id));
        let secure = app.is_some_and(|app| app.config.server.public_url.starts_with("https://"));
        harden(&mut response, secure);
        Ok(response)
    }
}

impl<P, E> Calls<P, E> {
    fn tell(&self, error: &poem::Error, id: &str) -> Response {
        let problem = problem::of(error);
        log(&problem);
        let pattern = error.data::<PathPattern>().cloned();
        let mut response = problem.answer(id);
        if matches!(problem, ApiProblem::MethodNotAllowed) {
            problem::allow(&mut response, &self.spec, pattern.as_ref());
        }
        if let Some(pattern) = pattern {
            response.set_data(pattern);
        }
        response
    }
}

/// What is ours to mend is written down.
pub fn log(problem: &ApiProblem) {
    match problem {
        ApiProblem::Internal(why) => tracing::error!("broken: {why}"),
        ApiProblem::Unavailable(why) => tracing::error!("unavailable: {why}"),
        _ => {}
    }
}

fn harden(response: &mut Response, secure: bool) {
    let headers = response.headers_mut();
    let mut add = |name, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    add(CACHE_CONTROL, "no-store");
    add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(REFERRER_POLICY, "no-referrer");
    add(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if secure {
        add(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
