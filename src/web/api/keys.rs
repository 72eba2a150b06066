//! Who calls with a key, and whether the key may. A handler that takes a [`May`] cannot forget the question.
use std::marker::PhantomData;
use std::sync::Arc;

use poem::http::header::AUTHORIZATION;
use poem::{FromRequest, Request, RequestBody};

use super::problem::ApiProblem;
use crate::app::App;
use crate::domain::api_key::{ApiKey, ApiScope};
use crate::flow::api_keys::{self, Admission};

/// A scope as a type.
pub trait Scoped {
    const SCOPE: ApiScope;
}

macro_rules! scopes {
    ($($name:ident),+ $(,)?) => {$(
        pub struct $name;
        impl Scoped for $name {
            const SCOPE: ApiScope = ApiScope::$name;
        }
    )+};
}

scopes!(PayersWrite, ItemsWrite, ChargesWrite, OrdersRead, PostersRead, PostersWrite);

/// The call came with a live key of this scope.
pub struct May<S>(PhantomData<S>);

impl<'a, S: Scoped + Send> FromRequest<'a> for May<S> {
    async fn from_request(req: &'a Request, _body: &mut RequestBody) -> poem::Result<May<S>> {
        let key = match req.data::<Arc<ApiKey>>() {
            Some(key) => Arc::clone(key),
            None => key_of(req).await?,
        };
        match key.may(S::SCOPE) {
            true => Ok(May(PhantomData)),
            false => Err(ApiProblem::ScopeMissing(S::SCOPE).into()),
        }
    }
}

/// What a call brings as its key, whatever it is; an empty text where it brings none.
pub fn brought(req: &Request) -> &str {
    let said = req.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, key) = said.split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") { key.trim() } else { "" }
}

/// The key a call came with; counts the call.
pub async fn key_of(req: &Request) -> Result<Arc<ApiKey>, ApiProblem> {
    let app: &Arc<App> = req.data().ok_or_else(|| ApiProblem::Internal("no toolbox".to_owned()))?;
    match api_keys::admit(app, brought(req)).await? {
        Admission::Admitted(key) => Ok(Arc::new(key)),
        Admission::Unknown => Err(ApiProblem::KeyUnknown),
        Admission::Wait(wait) => Err(ApiProblem::TooMany { wait_seconds: wait.as_millis().div_ceil(1000) as u64 }),
    }
}
