//! Around every POST: the `Idempotency-Key`. The first call under a key does the work, on a task of its own, so that
//! a caller who hangs up loses nothing; every other one with the same body is given the same answer, to the byte.
use std::sync::Arc;

use poem::http::StatusCode;
use poem::http::header::{CONTENT_TYPE, RETRY_AFTER};
use poem::{Body, Endpoint, IntoResponse, Request, Response};
use tracing::Instrument;

use super::keys::{brought, key_of};
use super::layer::log;
use super::problem::{self, ApiProblem};
use crate::app::App;
use crate::flow::idempotency::{self, Answer, CallKey, Ticket, Turn, WORK};
use crate::web::layer::RequestId;

/// The longest body that is read, in bytes: a thousand rows of payers with every field filled take about half.
pub const LONGEST: usize = 2 * 1024 * 1024;
/// The longest key
const KEY: usize = 255;
pub const HEADER: &str = "idempotency-key";

/// Makes an endpoint one that happens once per key.
pub fn once<E: Endpoint + 'static>(endpoint: E) -> impl Endpoint<Output = Response> {
    Once(Arc::new(endpoint))
}

struct Once<E>(Arc<E>);

impl<E: Endpoint + 'static> Endpoint for Once<E> {
    type Output = Response;

    async fn call(&self, mut req: Request) -> poem::Result<Response> {
        let api_key = key_of(&req).await?;
        let app = req.data::<Arc<App>>().cloned().ok_or_else(|| ApiProblem::Internal("no toolbox".to_owned()))?;
        let idempotency_key = idempotency_key(&req)?;
        let body = req.take_body().into_bytes_limit(LONGEST).await?;
        let text = |value: Option<&str>| value.unwrap_or_default().as_bytes().to_vec();
        let (path, kind) = (text(Some(req.original_uri().path())), text(req.header(CONTENT_TYPE)));
        let fingerprint = idempotency::fingerprint(brought(&req), &[&path, &kind, &body]);
        let key = CallKey { api_key: api_key.id, idempotency_key };
        let ticket = match idempotency::take(&app, key, &fingerprint).await.map_err(ApiProblem::from)? {
            Turn::Mine(ticket) => ticket,
            Turn::Done(answer) => return Ok(told(answer)),
            Turn::Running { wait } => return Err(ApiProblem::StillRunning { wait_seconds: wait.as_secs() }.into()),
            Turn::Other => return Err(ApiProblem::KeyReused.into()),
        };
        req.set_data(api_key);
        req.set_body(Body::from_bytes(body));
        let id = req.data::<RequestId>().map(|RequestId(id)| id.clone()).unwrap_or_default();
        let endpoint = Arc::clone(&self.0);
        let work = async move { work(&app, endpoint, req, &ticket, &id).await };
        match tokio::spawn(work.in_current_span()).await {
            Ok(outcome) => outcome,
            // the claim stays and runs out
            Err(_) => Err(ApiProblem::Internal("a panic".to_owned()).into()),
        }
    }
}

fn idempotency_key(req: &Request) -> Result<String, ApiProblem> {
    let mut values = req.headers().get_all(HEADER).into_iter();
    let first = values.next().map(|value| value.as_bytes()).unwrap_or_default();
    let fits = (1..=KEY).contains(&first.len()) && first.iter().all(u8::is_ascii_graphic) && values.next().is_none();
    match std::str::from_utf8(first) {
        Ok(key) if fits => Ok(key.to_owned()),
        _ => Err(ApiProblem::KeyMissing),
    }
}

async fn work<E: Endpoint>(
    app: &App,
    endpoint: Arc<E>,
    req: Request,
    ticket: &Ticket,
    id: &str,
) -> poem::Result<Response> {
    let response = match tokio::time::timeout(WORK, endpoint.call(req)).await {
        Ok(Ok(response)) => response.into_response(),
        Ok(Err(error)) => {
            let problem = problem::of(&error);
            log(&problem);
            problem.answer(id)
        }
        Err(_) => ApiProblem::Unavailable("too slow".to_owned()).answer(id),
    };
    let retry_after = response.headers().get(RETRY_AFTER).cloned();
    let status = response.status();
    let content_type = response.content_type().unwrap_or_default().to_owned();
    let body = response.into_body().into_string().await?;
    let answer = Answer { status: status.as_u16(), content_type, body };
    if is_kept(status) {
        return Ok(told(idempotency::finish(app, ticket, answer).await.map_err(ApiProblem::from)?));
    }
    idempotency::release(app, ticket).await.map_err(ApiProblem::from)?;
    let mut response = told(answer);
    if let Some(value) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    Ok(response)
}

/// What would be answered again; not what is ours to mend, nor what the key may not do.
fn is_kept(status: StatusCode) -> bool {
    let passing =
        [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS];
    !status.is_server_error() && !passing.contains(&status)
}

fn told(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Response::builder().status(status).content_type(&answer.content_type).body(answer.body)
}
