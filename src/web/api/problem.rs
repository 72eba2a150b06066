//! Every way a call of the API can fail, as RFC 9457 has it: `application/problem+json` with a `type` that never
//! changes its meaning, and words in English and Chinese. The only place that chooses status codes of the API.
//!
//! A problem never repeats what was sent: a body may hold names and document numbers.
use poem::http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use poem::http::{Method, StatusCode};
use poem::{PathPattern, Response};
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError};
use serde_json::{Value, json};

use crate::domain::api_key::ApiScope;
use crate::domain::poster::PosterProblem;
use crate::domain::refusal::Refusal;
use crate::flow::failure::Failure;
use crate::web::error;

/// The media type of every problem.
pub const MEDIA: &str = "application/problem+json";

/// A row of a batch that was refused.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct RowProblem {
    /// From 1, as it stands in the array
    pub row: u64,
    /// The field, as the spec calls it
    pub field: &'static str,
    /// The field, as the office's files call it
    pub column: &'static str,
    /// Why, for programs
    pub code: &'static str,
    /// Why, in English
    pub detail: String,
    /// Why, in Chinese, as the office reads it in an import's report
    pub detail_zh: String,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiProblem {
    /// A parameter or the body is not what the spec says; the reason names the place, never the value.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// The header `Idempotency-Key` is absent, twice there, or no key.
    #[error("no idempotency key")]
    KeyMissing,
    /// The idempotency key was used for another call.
    #[error("idempotency key used for another call")]
    KeyReused,
    /// A call under this idempotency key is being worked on.
    #[error("still running")]
    StillRunning { wait_seconds: u64 },
    /// Another call changed the same rows at the same time; nothing was kept.
    #[error("conflict")]
    Conflict,
    /// Rows that cannot be imported; none was.
    #[error("{count} rows refused")]
    RowsRefused { rows: Vec<RowProblem>, count: u64 },
    /// A poster that cannot be made.
    #[error("poster refused: {}", .0.code())]
    PosterRefused(PosterProblem),
    /// No API key, none of ours, or a revoked one.
    #[error("key unknown")]
    KeyUnknown,
    #[error("scope {} missing", .0.code())]
    ScopeMissing(ApiScope),
    #[error("too many calls")]
    TooMany { wait_seconds: u64 },
    /// Nobody is signed in with this browser.
    #[error("signed out")]
    SignedOut,
    /// It does not exist, or it is somebody else's.
    #[error("not found")]
    NotFound,
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("too large")]
    TooLarge,
    #[error("not JSON")]
    NotJson,
    /// Took too long, or the database cannot be reached.
    #[error("unavailable: {0}")]
    Unavailable(String),
    #[error("{0}")]
    Internal(String),
}

impl poem::error::ResponseError for ApiProblem {
    fn status(&self) -> StatusCode {
        self.said().status
    }
}

impl From<Failure> for ApiProblem {
    fn from(failure: Failure) -> ApiProblem {
        match failure {
            Failure::Refused(Refusal::NotFound) => ApiProblem::NotFound,
            Failure::Refused(refusal) => ApiProblem::Internal(format!("refused: {}", refusal.code())),
            Failure::Store(error) if error.is_away() => ApiProblem::Unavailable(error.to_string()),
            Failure::Store(error) => ApiProblem::Internal(error.to_string()),
        }
    }
}

/// What a problem says: its code, status and words.
pub struct Said {
    pub code: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    pub title_zh: &'static str,
    pub detail: String,
    pub detail_zh: String,
}

fn said(
    (code, status): (&'static str, StatusCode),
    (title, title_zh): (&'static str, &'static str),
    (detail, detail_zh): (impl Into<String>, impl Into<String>),
) -> Said {
    Said { code, status, title, title_zh, detail: detail.into(), detail_zh: detail_zh.into() }
}

impl ApiProblem {
    pub fn said(&self) -> Said {
        self.about_the_call().or_else(|| self.about_the_caller()).unwrap_or_else(|| {
            said(
                ("internal", StatusCode::INTERNAL_SERVER_ERROR),
                ("Something of ours broke", "系统内部错误"),
                ("The request_id finds it in our log.", "请把 request_id 告知管理员以便查询。"),
            )
        })
    }

    /// What is wrong with a call that asks for something to be kept.
    fn about_the_call(&self) -> Option<Said> {
        Some(match self {
            ApiProblem::Unreadable(why) => said(
                ("unreadable", StatusCode::BAD_REQUEST),
                ("The call does not fit the spec", "请求不符合接口约定"),
                (why.clone(), format!("请求的参数或正文不符合约定：{why}")),
            ),
            ApiProblem::KeyMissing => said(
                ("idempotency-key-missing", StatusCode::BAD_REQUEST),
                ("No Idempotency-Key", "缺少 Idempotency-Key"),
                (
                    "Send one header Idempotency-Key of 1 to 255 visible ASCII characters, new for each new call.",
                    "请发送一个 Idempotency-Key 请求头，1 至 255 个可见 ASCII 字符，每次新请求用新的值。",
                ),
            ),
            ApiProblem::KeyReused => said(
                ("idempotency-key-reused", StatusCode::UNPROCESSABLE_ENTITY),
                ("The Idempotency-Key was used for another call", "此 Idempotency-Key 已用于另一个请求"),
                ("Take a new key for a new call.", "新的请求请使用新的 Idempotency-Key。"),
            ),
            ApiProblem::StillRunning { .. } => said(
                ("still-running", StatusCode::CONFLICT),
                ("A call under this Idempotency-Key is still running", "此 Idempotency-Key 的请求仍在处理"),
                ("Call again later with the same key and body.", "请稍后以相同的值和正文重试。"),
            ),
            ApiProblem::Conflict => said(
                ("conflict", StatusCode::CONFLICT),
                ("Another call changed the same rows", "另一个请求同时修改了相同的数据"),
                ("Nothing was kept; call again.", "本次没有保存任何数据，请重试。"),
            ),
            ApiProblem::RowsRefused { count, .. } => said(
                ("rows-refused", StatusCode::UNPROCESSABLE_ENTITY),
                ("Some rows were refused, so none was kept", "有数据行不能导入，因此一行也没有保存"),
                (format!("{count} bad rows; see rows."), format!("有 {count} 行错误，见 rows。")),
            ),
            ApiProblem::PosterRefused(why) => said(
                ("poster-refused", StatusCode::UNPROCESSABLE_ENTITY),
                ("No such poster can be made", "不能新建这样的海报"),
                (format!("{}: {why}", why.code()), format!("请检查 {}。", why.code())),
            ),
            _ => return None,
        })
    }

    /// Who may not, what is not there, and when.
    fn about_the_caller(&self) -> Option<Said> {
        Some(match self {
            ApiProblem::KeyUnknown => said(
                ("key-unknown", StatusCode::UNAUTHORIZED),
                ("No valid API key", "没有有效的接口密钥"),
                ("Send Authorization: Bearer jfk_…", "请发送 Authorization: Bearer jfk_…"),
            ),
            ApiProblem::ScopeMissing(scope) => said(
                ("scope-missing", StatusCode::FORBIDDEN),
                ("The API key may not do this", "接口密钥没有此权限"),
                (format!("The scope {} is needed.", scope.code()), format!("需要权限 {}。", scope.code())),
            ),
            ApiProblem::TooMany { .. } => said(
                ("too-many-calls", StatusCode::TOO_MANY_REQUESTS),
                ("Too many calls", "请求过于频繁"),
                ("Call again after Retry-After seconds.", "请在 Retry-After 秒后重试。"),
            ),
            ApiProblem::SignedOut => said(
                ("signed-out", StatusCode::UNAUTHORIZED),
                ("Nobody is signed in", "尚未登录"),
                (
                    "Sign in at /h5/login; the session cookie is needed here.",
                    "请先在 /h5/login 登录，此处需要登录会话。",
                ),
            ),
            ApiProblem::NotFound => said(
                ("not-found", StatusCode::NOT_FOUND),
                ("Not found", "没有找到"),
                ("It does not exist here, or it is somebody else's.", "此处没有这项内容，或者它属于别人。"),
            ),
            ApiProblem::MethodNotAllowed => said(
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED),
                ("Method not allowed", "不支持这种请求方法"),
                ("The header Allow names the methods of this path.", "响应头 Allow 列出了此路径支持的方法。"),
            ),
            ApiProblem::TooLarge => said(
                ("too-large", StatusCode::PAYLOAD_TOO_LARGE),
                ("The body is too large", "请求正文过大"),
                ("Send fewer rows at a time.", "请减少每次发送的行数。"),
            ),
            ApiProblem::NotJson => said(
                ("not-json", StatusCode::UNSUPPORTED_MEDIA_TYPE),
                ("The body is not JSON", "请求正文不是 JSON"),
                (
                    "Send Content-Type: application/json, uncompressed.",
                    "请以 Content-Type: application/json 发送，不要压缩。",
                ),
            ),
            ApiProblem::Unavailable(_) => said(
                ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
                ("Unavailable for the moment", "服务暂时不可用"),
                ("Call again in a few seconds.", "请几秒后重试。"),
            ),
            _ => return None,
        })
    }

    /// Seconds after which to call again, where that helps.
    fn retry_after(&self) -> Option<u64> {
        match self {
            ApiProblem::Unavailable(_) => Some(5),
            ApiProblem::StillRunning { wait_seconds } | ApiProblem::TooMany { wait_seconds } => {
                Some((*wait_seconds).max(1))
            }
            ApiProblem::Conflict => Some(1),
            _ => None,
        }
    }

    /// The answer; `request_id` finds it in the log.
    pub fn answer(&self, request_id: &str) -> Response {
        let said = self.said();
        let mut body = json!({
            "type": kind(said.code),
            "code": said.code,
            "status": said.status.as_u16(),
            "title": said.title,
            "title_zh": said.title_zh,
            "detail": said.detail,
            "detail_zh": said.detail_zh,
            "request_id": request_id,
        });
        if let ApiProblem::RowsRefused { rows, .. } = self {
            body["rows"] = json!(rows);
        }
        let mut response = Response::builder().status(said.status).content_type(MEDIA).body(body.to_string());
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if said.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"jiaofei\""));
        }
        response
    }
}

/// The `type` of a problem.
pub fn kind(code: &str) -> String {
    format!("urn:jiaofei:problem:{code}")
}

/// What any error of a call says, whoever raised it.
pub fn of(error: &poem::Error) -> ApiProblem {
    if let Some(own) = error.downcast_ref::<ApiProblem>() {
        return own.clone();
    }
    if let Some(problem) = error.downcast_ref::<error::Problem>() {
        return of_page(problem);
    }
    if let Some(param) = error.downcast_ref::<ParseParamError>() {
        return ApiProblem::Unreadable(format!("{}: {}", param.name, place(&param.reason)));
    }
    if let Some(payload) = error.downcast_ref::<ParseRequestPayloadError>() {
        return ApiProblem::Unreadable(format!("body: {}", place(&payload.reason)));
    }
    if error.is::<ContentTypeError>() {
        return ApiProblem::NotJson;
    }
    if error.is::<ParsePathError>() {
        return ApiProblem::NotFound;
    }
    match error.status() {
        StatusCode::NOT_FOUND => ApiProblem::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ApiProblem::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => ApiProblem::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiProblem::NotJson,
        status if status.is_client_error() => ApiProblem::Unreadable("the request cannot be read".to_owned()),
        _ => ApiProblem::Internal(error.to_string()),
    }
}

fn of_page(problem: &error::Problem) -> ApiProblem {
    match problem {
        error::Problem::SignIn { .. } => ApiProblem::SignedOut,
        error::Problem::NotFound => ApiProblem::NotFound,
        error::Problem::BadRequest => ApiProblem::Unreadable("the request cannot be read".to_owned()),
        error::Problem::TooLarge => ApiProblem::TooLarge,
        error::Problem::MethodNotAllowed => ApiProblem::MethodNotAllowed,
        error::Problem::Unavailable(why) => ApiProblem::Unavailable(why.clone()),
        other => ApiProblem::Internal(other.to_string()),
    }
}

/// The reason without the value that was sent.
fn place(reason: &str) -> &str {
    reason.split(", found").next().unwrap_or(reason)
}

/// Names the methods a path has, as an answer 405 must.
pub fn allow(response: &mut Response, spec: &Value, pattern: Option<&PathPattern>) {
    let segments = |path: &str| -> Vec<String> {
        let blank = |part: &str| if part.starts_with([':', '{']) { String::new() } else { part.to_owned() };
        path.trim_end_matches('/').split('/').map(blank).collect()
    };
    let pattern = pattern.map(|PathPattern(pattern)| pattern.strip_prefix("/api").unwrap_or(pattern));
    let paths = spec["paths"].as_object();
    let known = pattern.zip(paths).and_then(|(pattern, paths)| {
        paths.iter().find(|(path, _)| segments(path) == segments(pattern)).and_then(|(_, item)| item.as_object())
    });
    let mut methods: Vec<String> = known.map_or(vec!["GET".to_owned()], |operations| {
        operations.keys().map(|method| method.to_ascii_uppercase()).collect()
    });
    if methods.iter().any(|method| method == Method::GET.as_str()) {
        methods.push(Method::HEAD.to_string());
    }
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(ALLOW, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_never_repeats_the_value() {
        let reason = r#"failed to parse "PayerRow_name": Expected input type "string", found 99000020010203."#;
        assert_eq!(place(reason), r#"failed to parse "PayerRow_name": Expected input type "string""#);
    }

    #[test]
    fn the_methods_of_a_path_are_found_whatever_its_parameters_are_called() {
        let spec = json!({ "paths": { "/orders/{order_no}": { "get": {} }, "/campus/items": { "post": {} } } });
        let of = |pattern: &str| {
            let mut response = Response::default();
            allow(&mut response, &spec, Some(&PathPattern(pattern.into())));
            response.header("allow").map(str::to_owned)
        };
        assert_eq!(of("/api/orders/:param0").as_deref(), Some("GET, HEAD"));
        assert_eq!(of("/api/campus/items").as_deref(), Some("POST"));
    }
}
