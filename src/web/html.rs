//! What every H5 page has in common: the frame around it, the headers it is sent with, and the filters of its
//! template. Escaping is always on; the only markup made outside the templates is that of [`filters`].
use std::borrow::Borrow;
use std::time::Duration;

use askama::Template;
use askama_web::WebTemplate;
use chrono::NaiveDate;
use poem::http::StatusCode;
use poem::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use poem::{IntoResponse, Response};

use super::assets::{self, content_security_policy};
use super::words;
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::module::{Module, Modules, Opening};
use crate::domain::moment::Moment;
use crate::domain::payer::{Payer, mask_number};

/// What the frame around a page shows. The handler's guards fill it once per request.
#[derive(Clone, Debug)]
pub struct Frame {
    pub lang: Lang,
    /// 关怀模式: larger letters, larger targets, stronger greys
    pub care: bool,
    pub school: Bilingual,
    /// Telephone of the finance office; empty: not shown
    pub phone: String,
    /// Its hours; empty: not shown
    pub hours: Bilingual,
    /// The token every POST form carries
    pub csrf: String,
    /// Path and query of this page, to come back to after a change of language or size
    pub path: String,
    /// Who is signed in
    pub person: Option<Person>,
    pub now: Moment,
    /// What the school offers
    pub modules: Modules,
    /// Whether the browser has had the stylesheets and scripts and keeps them
    pub linked: bool,
}

/// The signed-in payer as pages show one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub name: String,
    /// May be empty
    pub name_en: String,
    /// `2023****0417`
    pub number: String,
    pub college: String,
    pub class_name: String,
}

impl Person {
    pub fn of(payer: &Payer) -> Person {
        Person {
            name: payer.name.clone(),
            name_en: payer.name_en.clone(),
            number: mask_number(&payer.number),
            college: payer.college.clone(),
            class_name: payer.class_name.clone(),
        }
    }

    pub fn name_in(&self, lang: Lang) -> &str {
        match lang {
            Lang::En if !self.name_en.is_empty() => &self.name_en,
            _ => &self.name,
        }
    }

    /// The letter in the round picture.
    pub fn initial(&self, lang: Lang) -> String {
        self.name_in(lang).chars().next().map(String::from).unwrap_or_default()
    }

    /// College and class, whichever are known.
    pub fn unit(&self) -> String {
        [&self.college, &self.class_name].into_iter().filter(|s| !s.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
    }
}

impl Frame {
    /// The language by value. (Templates hand fields on by reference, which is why moments are taken so below.)
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Whether an entry leads there: open, or closed and said to be so.
    pub fn has(&self, module: impl Borrow<Module>) -> bool {
        self.modules.opening(*module.borrow()) != Opening::Hidden
    }

    /// 暂未开放: the entry is there and greyed.
    pub fn is_closed(&self, module: impl Borrow<Module>) -> bool {
        self.modules.opening(*module.borrow()) == Opening::Closed
    }

    /// The element that brings a stylesheet or a script.
    pub fn part(&self, text: &'static str) -> &'static str {
        assets::element(text, self.linked)
    }

    pub fn w(&self, key: &'static str) -> &'static str {
        words::word(self.lang, key)
    }

    pub fn with(&self, key: &'static str, name: &str, value: impl std::fmt::Display) -> String {
        words::fill(self.lang, key, &[(name, &value)])
    }

    pub fn with2(
        &self,
        key: &'static str,
        first: &(&str, impl std::fmt::Display),
        second: &(&str, impl std::fmt::Display),
    ) -> String {
        words::fill(self.lang, key, &[(first.0, &first.1), (second.0, &second.1)])
    }

    /// A name in the payer's language.
    pub fn name<'a>(&self, name: &'a Bilingual) -> &'a str {
        name.in_lang(self.lang)
    }

    /// The Chinese name to stand beside an English one: banks and bills show that. None when it would say the same.
    pub fn official<'a>(&self, name: &'a Bilingual) -> Option<&'a str> {
        (self.lang == Lang::En && !name.en.is_empty() && name.en != name.zh).then_some(name.zh.as_str())
    }

    /// The telephone number as `tel:` takes it.
    pub fn dial(&self) -> String {
        self.phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
    }

    /// The first letter of the school's Chinese name, in the round mark.
    pub fn logo(&self) -> String {
        self.school.zh.chars().next().map(String::from).unwrap_or_default()
    }

    pub fn other_lang(&self) -> Lang {
        match self.lang {
            Lang::Zh => Lang::En,
            Lang::En => Lang::Zh,
        }
    }

    /// `9月1日`, `1 Sep`; with the year when it is not this one.
    pub fn day(&self, at: &Moment) -> String {
        let this_year = at.format("%Y") == self.now.format("%Y");
        at.format(match (self.lang, this_year) {
            (Lang::Zh, true) => "%-m月%-d日",
            (Lang::Zh, false) => "%Y年%-m月%-d日",
            (Lang::En, true) => "%-d %b",
            (Lang::En, false) => "%-d %b %Y",
        })
    }

    /// `今天 10:24`, `9月1日 10:24`.
    pub fn day_time(&self, at: &Moment) -> String {
        let time = at.format("%H:%M");
        if at.day() == self.now.day() {
            return self.with("time.today", "time", time);
        }
        format!("{} {time}", self.day(at))
    }

    /// A day written `yyyymmdd`, as charges keep it.
    pub fn ymd(&self, day: i64) -> Option<String> {
        let date = NaiveDate::parse_from_str(&day.to_string(), "%Y%m%d").ok()?;
        Some(self.day(&Moment::start_of(date)))
    }

    /// The end of a window as people say it: `9月15日` when it closes at the midnight after, else with the time.
    pub fn last_day(&self, closes: &Moment) -> String {
        let before = *closes - Duration::from_millis(1);
        if before.day() == closes.day() { self.day_time(closes) } else { self.day(&before) }
    }

    /// `2026 年 9 月`, `September 2026`.
    pub fn month(&self, at: &Moment) -> String {
        at.format(if self.lang == Lang::Zh { "%Y 年 %-m 月" } else { "%B %Y" })
    }

    /// `14:30` until then, never negative; hours count as minutes.
    pub fn left(&self, until: &Moment) -> String {
        let seconds = until.since(self.now).as_secs();
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    }

    /// Whole minutes until then, at least one.
    pub fn minutes(&self, until: &Moment) -> u64 {
        until.since(self.now).as_secs().div_ceil(60).max(1)
    }
}

/// A page, sent with the headers all pages have.
pub struct Page<T> {
    status: StatusCode,
    view: T,
}

impl<T: Template> Page<T> {
    pub fn new(view: T) -> Self {
        Self { status: StatusCode::OK, view }
    }

    pub fn with_status(status: StatusCode, view: T) -> Self {
        Self { status, view }
    }
}

impl<T: Template + Send> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let mut response = WebTemplate(self.view).into_response();
        if response.status().is_success() {
            response.set_status(self.status);
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(content_security_policy()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        response
    }
}

/// On a page with a form to somebody else: the origins it may be sent to, blanks between.
#[derive(Clone)]
pub struct FormOrigins(pub String);

/// Filters of the templates.
pub mod filters {
    use std::borrow::Borrow;

    use askama::Values;
    use askama::filters::Safe;

    use crate::domain::money::Fen;

    /// `¥9,099.95` with a small sign and small decimals. Safe: between the marks are digits, commas and a point only.
    #[askama::filter_fn]
    pub fn money(amount: impl Borrow<Fen>, _: &dyn Values) -> askama::Result<Safe<String>> {
        let text = amount.borrow().grouped();
        let (whole, part) = text.split_once('.').unwrap_or((&text, "00"));
        let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("−", rest));
        Ok(Safe(format!("<span class=\"n\">{sign}<i>¥</i>{whole}<i>.{part}</i></span>")))
    }

    /// `¥9,099.95` as plain text.
    #[askama::filter_fn]
    pub fn yuan(amount: impl Borrow<Fen>, _: &dyn Values) -> askama::Result<String> {
        Ok(format!("¥{}", amount.borrow()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Fen;
    use crate::web::view::samples::kit::{at, outside};

    #[derive(Template)]
    #[template(source = "<p title=\"{{ name }}\">{{ name }} {{ amount|money }} {{ amount|yuan }}</p>", ext = "html")]
    struct Paragraph {
        name: &'static str,
        amount: Fen,
    }

    #[test]
    fn a_page_is_never_kept_framed_or_sniffed_and_brings_its_policy() {
        let view = Paragraph { name: "林", amount: Fen::new(1) };
        let response = Page::with_status(StatusCode::NOT_FOUND, view).into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(header("content-security-policy"), Some(content_security_policy()));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("referrer-policy"), Some("strict-origin-when-cross-origin"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(header("x-frame-options"), Some("DENY"));
    }

    #[test]
    fn only_the_money_filter_makes_markup() {
        let hostile = Paragraph { name: "\"><script>alert(1)</script>", amount: Fen::new(909_995) };
        assert_eq!(
            hostile.render().unwrap(),
            "<p title=\"&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;\">\
             &#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62; \
             <span class=\"n\"><i>¥</i>9,099<i>.95</i></span> ¥9,099.95</p>"
        );
        let negative = Paragraph { name: "", amount: Fen::new(-5) };
        assert!(negative.render().unwrap().contains("<span class=\"n\">−<i>¥</i>0<i>.05</i></span>"));
    }

    #[test]
    fn days_are_said_as_people_say_them() {
        let (zh, en) = (outside(Lang::Zh), outside(Lang::En));
        let (today, other) = (at("2026-09-01 10:39:06"), at("2025-06-02 21:30:00"));
        assert_eq!((zh.day_time(&today), en.day_time(&today)), ("今天 10:39".into(), "today 10:39".into()));
        assert_eq!((zh.day(&other), en.day(&other)), ("2025年6月2日".into(), "2 Jun 2025".into()));
        assert_eq!(zh.last_day(&at("2026-09-16 00:00:00")), "9月15日", "a window that closes at midnight");
        assert_eq!(zh.last_day(&at("2026-09-16 17:00:00")), "9月16日 17:00");
        assert_eq!(zh.ymd(20_260_930), Some("9月30日".into()));
        assert_eq!(zh.ymd(20_261_399), None);
        assert_eq!((zh.month(&other), en.month(&other)), ("2025 年 6 月".into(), "June 2025".into()));
    }

    #[test]
    fn the_time_left_is_never_negative_and_never_no_minutes() {
        let frame = outside(Lang::Zh);
        assert_eq!(frame.left(&at("2026-09-01 10:39:06")), "14:30");
        assert_eq!(frame.left(&at("2026-09-01 12:24:36")), "120:00");
        assert_eq!(frame.left(&at("2026-09-01 10:00:00")), "00:00");
        assert_eq!((frame.minutes(&at("2026-09-01 10:24:37")), frame.minutes(&frame.now)), (1, 1));
    }

    #[test]
    fn the_official_chinese_name_stands_only_beside_an_english_one() {
        let (zh, en) = (outside(Lang::Zh), outside(Lang::En));
        let both = Bilingual::new("学费", "Tuition");
        assert_eq!((zh.name(&both), zh.official(&both)), ("学费", None));
        assert_eq!((en.name(&both), en.official(&both)), ("Tuition", Some("学费")));
        assert_eq!(en.official(&Bilingual::new("学费", "")), None);
        assert_eq!(en.dial(), "09315550100");
    }
}
