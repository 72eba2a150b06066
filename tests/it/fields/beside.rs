//! How one rule is proven: the form is sent with one field that breaks it.
use jiaofei::domain::bilingual::Lang;
use jiaofei::web::words::word;

use crate::survival::stage::{Place, Row, Shown, Stage, grown};
use crate::world::page::{Form, Page};

/// A field, what is typed into it, and the key of the words that tell what is wrong.
pub type Rule = (&'static str, &'static str, &'static str);

/// The forms of one row, and the rules of their fields.
pub struct Rules {
    pub of: fn() -> Row,
    pub rules: &'static [Rule],
}

pub async fn prove(table: Rules) {
    let row = (table.of)();
    let stage = Stage::new(&row).await;
    let place = (row.set)(&stage).await;
    let before = stage.state().await;
    for rule in table.rules {
        let filled = place.filled(&stage.phone).await;
        for lang in [Lang::Zh, Lang::En] {
            speak(&stage, lang).await;
            break_it(&stage, (&row, &place), &filled, (rule, lang)).await;
        }
    }
    assert_eq!(grown(&before, &stage.state().await), [], "{}: nothing is stored", row.route);
}

/// The browser keeps the language of the last page that named one.
pub async fn speak(stage: &Stage, lang: Lang) {
    let lang = if lang == Lang::En { "en" } else { "zh" };
    assert_eq!(stage.phone.get(&format!("/h5/help?lang={lang}")).await.status, 200);
}

async fn break_it(stage: &Stage, (row, place): (&Row, &Place), filled: &Form, (rule, lang): (&Rule, Lang)) {
    let (field, bad, key) = *rule;
    let field = name(filled, field);
    let sent = filled.clone().without(&field);
    let sent = if bad == UNTICKED { sent } else { sent.set(&field, bad) };
    let page = stage.phone.submit(&sent).await;
    let what = format!("{}: {field} = {bad:?} in {lang:?}", row.route);
    assert_eq!(page.status, 422, "{what}: {}", page.text());
    is_beside(&page, (&place.action, &field), (key, lang), &what);
    let form = page.form(&place.action);
    for typed in place.typed.iter().filter(|typed| typed.shown == Shown::Again && typed.name != field) {
        let mut same = form.fields.iter().filter(|(name, _)| *name == typed.name).map(|(_, value)| value.as_str());
        let kept = same.any(|value| value == typed.value) || page.selected(&typed.name).as_ref() == Some(&typed.value);
        assert!(kept, "{what}: {} is lost: {}", typed.name, page.text());
    }
}

/// Nothing is sent of the field.
pub const UNTICKED: &str = "\0";

/// `amt*` stands for the amount of whatever charge the form is about.
fn name(form: &Form, field: &str) -> String {
    let Some(head) = field.strip_suffix('*') else { return field.to_owned() };
    let found = form.fields.iter().map(|(name, _)| name).find(|name| name.starts_with(head));
    found.unwrap_or_else(|| panic!("no {field} in {form:?}")).clone()
}

/// The field is marked, and what describes it says so in these words.
#[track_caller]
pub fn is_beside(page: &Page, (action, field): (&str, &str), (key, lang): (&'static str, Lang), what: &str) {
    let marked = page.attribute_of(action, field, "aria-invalid");
    assert_eq!(marked.as_deref(), Some("true"), "{what} is not marked: {}", page.text());
    let described = page.attribute_of(action, field, "aria-describedby").unwrap_or_default();
    let said: Vec<String> = described.split(' ').filter_map(|id| page.text_of(id)).collect();
    assert!(said.iter().any(|text| says(text, word(lang, key))), "{what}: {key} is not beside it: {said:?}");
}

/// A text is these words, whatever stands for their parameters; what is left of tries may follow.
pub fn says(text: &str, words: &str) -> bool {
    let mut rest = text;
    let mut first = true;
    for piece in words.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, after)| after)) {
        match rest.find(piece) {
            Some(at) if !first || at == 0 => rest = &rest[at + piece.len()..],
            _ => return false,
        }
        first = false;
    }
    true
}
