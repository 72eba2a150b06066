//! The gateway's strictness about JSON: unknown fields, nulls, types, lengths in bytes, 4-byte characters, in its own
//! words (WeChat Pay v3, general rules and validation messages). Knows no particular form: `forms.rs` has them.
use serde_json::{Map, Value, json};

use super::answer::Refusal;

/// One field of a form.
pub struct Field {
    pub name: &'static str,
    /// What the messages call it
    pub label: &'static str,
    pub required: bool,
    pub kind: Kind,
}

pub enum Kind {
    /// Least and most bytes
    Text(usize, usize),
    /// Bytes as above; letters, digits and these marks
    Number(usize, usize, &'static str),
    /// At least
    Integer(i64),
    Boolean,
    Object(&'static [Field]),
    /// Of objects
    List(&'static [Field]),
    Texts,
}

pub const fn field(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, required: false, kind }
}

pub const fn need(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, required: true, kind }
}

/// A body that keeps to its form.
pub fn read(body: &[u8], form: &'static [Field]) -> Result<Value, Refusal> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| Refusal::new(400, "PARAM_ERROR", "请求体不是合法的JSON").numbered(268_435_461))?;
    let Value::Object(map) = &value else {
        return Err(Refusal::new(400, "PARAM_ERROR", "参数错误").numbered(268_435_461));
    };
    let mut strangers = Vec::new();
    find_strangers("/body", map, form, &mut strangers);
    if !strangers.is_empty() {
        let detail = json!({ "location": null, "value": strangers });
        let refusal = Refusal::new(400, "PARAM_ERROR", "请求中含有未在API文档中定义的参数").numbered(270_924_358);
        return Err(Refusal { detail: Some(detail), ..refusal });
    }
    check_object("/body", map, form)?;
    Ok(value)
}

fn find_strangers(path: &str, map: &Map<String, Value>, form: &[Field], found: &mut Vec<String>) {
    for (name, value) in map {
        let here = format!("{path}/{name}");
        match (form.iter().find(|field| field.name == name).map(|field| &field.kind), value) {
            (None, _) => found.push(here),
            (Some(Kind::Object(inner)), Value::Object(map)) => find_strangers(&here, map, inner, found),
            (Some(Kind::List(inner)), Value::Array(items)) => {
                let objects = items.iter().enumerate().filter_map(|(at, item)| Some((at, item.as_object()?)));
                objects.for_each(|(at, map)| find_strangers(&format!("{here}/{at}"), map, inner, found));
            }
            _ => {}
        }
    }
}

fn check_object(path: &str, map: &Map<String, Value>, form: &[Field]) -> Result<(), Refusal> {
    for field in form {
        let here = format!("{path}/{}", field.name);
        match map.get(field.name) {
            None if field.required => return Err(missing(&here, field.label)),
            None => {}
            Some(value) => check(&here, field, value)?,
        }
    }
    Ok(())
}

/// "… 必填性规则校验失败"
pub fn missing(path: &str, label: &str) -> Refusal {
    let message = format!("输入源“{path}”映射到字段“{label}”必填性规则校验失败，此字段为必填项");
    Refusal::of_field(path, message)
}

fn check(path: &str, field: &Field, value: &Value) -> Result<(), Refusal> {
    match (&field.kind, value) {
        (Kind::Text(least, most), Value::String(text)) => check_text(path, field.label, text, *least, *most),
        (Kind::Number(least, most, marks), Value::String(text)) => {
            check_text(path, field.label, text, *least, *most)?;
            check_characters(path, field.label, text, marks)
        }
        (Kind::Integer(least), Value::Number(number)) => match number.as_i64() {
            Some(number) if number >= *least => Ok(()),
            Some(_) => {
                let rule = format!("规则校验失败，值低于最小值 {least}");
                Err(Refusal::of_field(path, format!("输入源“{path}”映射到数值字段“{}”{rule}", field.label)))
            }
            None => Err(wrong_type(path, field.label, "64 位有符号整数")),
        },
        (Kind::Boolean, Value::Bool(_)) => Ok(()),
        (Kind::Object(inner), Value::Object(map)) => check_object(path, map, inner),
        (Kind::List(inner), Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                let map = item.as_object().ok_or_else(|| wrong_type(path, field.label, "对象"))?;
                check_object(&format!("{path}/{at}"), map, inner)?;
            }
            Ok(())
        }
        (Kind::Texts, Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
        (Kind::Text(..) | Kind::Number(..), _) => Err(wrong_type(path, field.label, "字符串")),
        (Kind::Integer(_), _) => Err(wrong_type(path, field.label, "64 位有符号整数")),
        (Kind::Boolean, _) => Err(wrong_type(path, field.label, "布尔值")),
        (Kind::Object(_), _) => Err(wrong_type(path, field.label, "对象")),
        (Kind::List(_) | Kind::Texts, _) => Err(wrong_type(path, field.label, "数组")),
    }
}

fn check_text(path: &str, label: &str, text: &str, least: usize, most: usize) -> Result<(), Refusal> {
    let bytes = text.len();
    match () {
        () if bytes < least => Err(unfit(path, label, &format!("字节数 {bytes}，小于最小值 {least}"))),
        () if bytes > most => Err(unfit(path, label, &format!("字节数 {bytes}，大于最大值 {most}"))),
        () if text.chars().any(|c| c.len_utf8() > 3) => {
            Err(unfit(path, label, "字符串中含有不支持的字符，仅支持 1-3 字节的 UTF-8 字符"))
        }
        () => Ok(()),
    }
}

fn check_characters(path: &str, label: &str, text: &str, marks: &str) -> Result<(), Refusal> {
    if text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c)) {
        return Ok(());
    }
    let marks: String = marks.chars().map(|mark| format!("{}{mark}", if mark == '_' { "" } else { "\\" })).collect();
    Err(unfit(path, label, &format!("字符串必须匹配正则表达式“^[0-9a-zA-Z{marks}]+$”")))
}

/// "… 字符串规则校验失败，…"
pub fn unfit(path: &str, label: &str, why: &str) -> Refusal {
    Refusal::of_field(path, format!("输入源“{path}”映射到值字段“{label}”字符串规则校验失败，{why}"))
}

fn wrong_type(path: &str, label: &str, wanted: &str) -> Refusal {
    let message = format!("无法将 JSON 输入源“{path}”映射到目标字段“{label}”中，此字段需要一个合法的{wanted}");
    Refusal::of_field(path, message)
}

/// The same JSON value in one spelling: keys sorted, no blanks. Equal parameters give equal text.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(name, _)| name.as_str());
            let inner: Vec<_> =
                pairs.into_iter().map(|(name, value)| format!("{name:?}:{}", canonical(value))).collect();
            format!("{{{}}}", inner.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
