//! The spec: what poem-openapi reads off the handlers, completed with what holds for every call of a kind: who may
//! make it, which problems it can end with, and the headers it needs.
use poem_openapi::Tags;
use serde_json::{Map, Value, json};

use super::problem::MEDIA;

/// The chapters of the spec.
#[derive(Tags)]
pub enum Tag {
    /// For the payer's own program: the session cookie of the H5, reading only 缴费人
    Payer,
}

/// Names of the two ways to be known.
const SESSION: &str = "session";

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
        for schema in schemas.values_mut() {
            complete_schema(schema);
        }
        schemas.insert("Problem".to_owned(), problem_schema());
    }
    let cookie = if secure { "__Host-jf_s" } else { "jf_s" };
    spec["components"]["securitySchemes"] = json!({
        SESSION: { "type": "apiKey", "in": "cookie", "name": cookie,
            "description": "The cookie of somebody who signed in at /h5/login 登录会话" },
    });
    spec
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    operation["security"] = json!([{ SESSION: [] }]);
    let mut problems: Vec<(u16, &str)> = vec![(400, "unreadable"), (401, "signed-out")];
    if path.contains('{') {
        problems.push((404, "not-found"));
    }
    problems.extend([(500, "internal"), (503, "unavailable")]);
    let _ = method;
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
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        if matches!(parameter["name"].as_str(), Some("from" | "to")) {
            parameter["schema"]["format"] = json!("date");
        }
    }
}

/// Texts that are times say so.
fn complete_schema(schema: &mut Value) {
    for (name, property) in schema["properties"].as_object_mut().into_iter().flatten() {
        if property["type"] == "string" && name.ends_with("_at") {
            property["format"] = json!("date-time");
        }
        if property["type"] == "string" && name == "due_day" {
            property["format"] = json!("date");
        }
    }
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
        },
    })
}
