//! The spec: what poem-openapi reads off the handlers, completed with what holds for every call of a kind: who may
//! make it, which problems it can end with, and the headers it needs.
use poem_openapi::Tags;
use serde_json::{Map, Value, json};

use super::problem::MEDIA;
use super::text::Form;

/// The chapters of the spec.
#[derive(Tags)]
pub enum Tag {
    /// For the payer's own program: the session cookie of the H5, reading only 缴费人
    Payer,
    /// For campus systems with a key (`Authorization: Bearer jfk_…`) 校内业务系统
    Campus,
}

/// Names of the two ways to be known.
const SESSION: &str = "session";
const KEY: &str = "key";

/// Completes the spec; `secure` says whether the site is served over https, where the cookie has another name.
pub fn complete(spec: &str, secure: bool) -> Value {
    let mut spec: Value = serde_json::from_str(spec).unwrap_or_default();
    let empty = Map::new();
    let paths: Vec<String> = spec["paths"].as_object().unwrap_or(&empty).keys().cloned().collect();
    for path in paths {
        let Some(operations) = spec["paths"][&path].as_object_mut() else { continue };
        for (method, operation) in operations {
            complete_operation(&path, method, operation);
        }
    }
    if let Some(schemas) = spec["components"]["schemas"].as_object_mut() {
        for (name, schema) in schemas.iter_mut() {
            complete_schema(name, schema);
        }
        schemas.insert("Problem".to_owned(), problem_schema());
    }
    let cookie = if secure { "__Host-jf_s" } else { "jf_s" };
    spec["components"]["securitySchemes"] = json!({
        SESSION: { "type": "apiKey", "in": "cookie", "name": cookie,
            "description": "The cookie of somebody who signed in at /h5/login 登录会话" },
        KEY: { "type": "http", "scheme": "bearer", "bearerFormat": "jfk_…",
            "description": "A key made with `jiaofei key new` 接口密钥" },
    });
    spec
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    let by_key = path.starts_with("/campus/");
    operation["security"] = json!([{ if by_key { KEY } else { SESSION }: [] }]);
    let mut problems = vec![(500, "internal"), (503, "unavailable")];
    match by_key {
        false => problems.extend([(400, "unreadable"), (401, "signed-out")]),
        true => problems.extend([(401, "key-unknown"), (403, "scope-missing"), (429, "too-many-calls")]),
    }
    match (by_key, method) {
        (true, "post") => {
            problems.extend([(400, "unreadable, idempotency-key-missing"), (409, "still-running, conflict")]);
            problems.extend([
                (413, "too-large"),
                (415, "not-json"),
                (422, "rows-refused, poster-refused, idempotency-key-reused"),
            ]);
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            let header = idempotency_key();
            match parameters {
                Some(parameters) => parameters.push(header),
                None => operation["parameters"] = json!([header]),
            }
        }
        (true, _) => problems.push((400, "unreadable")),
        (false, _) => {}
    }
    if path.contains('{') {
        problems.push((404, "not-found"));
    }
    for (status, codes) in problems {
        let mut response = json!({
            "description": format!("A problem: {codes}"),
            "content": { MEDIA: { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
        if matches!(status, 409 | 429 | 503) {
            response["headers"] = json!({ "Retry-After": {
                "required": true, "schema": { "type": "string", "pattern": "^[0-9]+$" },
                "description": "Seconds after which to call again",
            } });
        }
        operation["responses"][status.to_string()] = response;
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        match parameter["name"].as_str() {
            Some("from" | "to") => parameter["schema"]["format"] = json!("date"),
            Some("changed_since") => parameter["schema"]["format"] = json!("date-time"),
            _ => {}
        }
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": true,
        "description": "New for each new call; the same key and body give the same answer for at least 24 hours 幂等键",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
    })
}

/// Texts that are times say so; what is sent has the named fields and no other.
fn complete_schema(name: &str, schema: &mut Value) {
    if name.ends_with("Row") || name.ends_with("Batch") {
        schema["additionalProperties"] = json!(false);
    }
    let is_sent = name.ends_with("Row");
    for (name, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if property["type"] == "string" && name.ends_with("_at") {
            property["format"] = json!("date-time");
        }
        if property["type"] == "string" && matches!(name.as_str(), "due_day" | "due" | "opens" | "closes" | "paid_day")
        {
            property["format"] = json!("date");
        }
        if let Some(form) = form_of(name).filter(|_| is_sent) {
            property["pattern"] = json!(form.pattern());
        }
    }
}

/// What a text of a row looks like: the library checks validators of ours, and does not tell them.
fn form_of(property: &str) -> Option<Form> {
    Some(match property {
        "number" => Form::Number,
        "name" | "period" | "batch" | "title" => Form::Name,
        "college" | "class" | "name_en" | "slip_no" | "clerk" | "about" | "title_en" => Form::Plain,
        "code" | "payee" | "item" => Form::Code,
        "fiscal_code" => Form::Digits,
        "id_number" => Form::Document,
        "phone" => Form::Phone,
        _ => return None,
    })
}

fn problem_schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "description": "Why a call did not succeed (RFC 9457) 错误说明",
        "required": ["type", "code", "status", "title", "title_zh", "detail", "detail_zh", "request_id"],
        "properties": {
            "type": text("urn:jiaofei:problem:CODE; never changes its meaning"),
            "code": text("The last part of the type"),
            "status": { "type": "integer", "format": "int32" },
            "title": text("In English"),
            "title_zh": text("In Chinese"),
            "detail": text("In English"),
            "detail_zh": text("In Chinese"),
            "request_id": text("Finds the call in the log"),
            "rows": {
                "type": "array",
                "description": "The bad rows of a batch, a thousand at most",
                "items": {
                    "type": "object",
                    "required": ["row", "field", "column", "code", "detail", "detail_zh"],
                    "properties": {
                        "row": { "type": "integer", "format": "int64", "description": "From 1" },
                        "field": text("As this spec calls it"),
                        "column": text("As the office's files call it"),
                        "code": text("Why, for programs; never changes its meaning"),
                        "detail": text("In English"),
                        "detail_zh": text("In Chinese"),
                    },
                },
            },
        },
    })
}
