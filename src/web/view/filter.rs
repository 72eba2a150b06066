//! What a list was asked to show, as its address says it: shareable, kept while pages are turned, and read without
//! a script.
use chrono::{Datelike, NaiveDate};

use super::links;
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;

/// What of the arrears is shown, and the amounts changed so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Owing {
    /// A billing period's code; none shows all
    pub period: Option<String>,
    /// A fee item's code; none shows all
    pub item: Option<String>,
    /// 其他缴费: the chosen batches by their keys; with any the page of other fees is meant
    pub batches: Vec<String>,
    /// 显示过期项目: what cannot be paid any more because its time is over
    pub expired: bool,
    /// 显示已缴清项目: what nothing is owed for any more
    pub settled: bool,
    /// Changes made so far without a script (`amt{charge}` = yuan text)
    pub amounts: Vec<(ChargeId, Fen)>,
}

impl Owing {
    pub fn of_period(code: &str) -> Owing {
        Owing { period: Some(code.to_owned()), expired: true, ..Owing::default() }
    }

    /// From a query or a form; what is no amount is left out.
    pub fn read(pairs: &[(String, String)]) -> Owing {
        let mut filter = Owing::default();
        for (name, value) in pairs {
            match name.as_str() {
                "period" => filter.period = Some(value.clone()).filter(|code| !code.is_empty()),
                "item" => filter.item = Some(value.clone()).filter(|code| !code.is_empty()),
                "batch" if !value.is_empty() => filter.batches.push(value.clone()),
                "expired" => filter.expired = value == "1",
                "settled" => filter.settled = value == "1",
                _ => {
                    let charge = name.strip_prefix("amt").and_then(|id| id.parse().ok());
                    filter.amounts.extend(charge.zip(Fen::typed(value)));
                }
            }
        }
        filter
    }

    /// The filters without the amounts, for hidden fields.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        let flag = |on: bool| if on { "1" } else { "" };
        let fields = [
            ("period", self.period.as_deref().unwrap_or_default()),
            ("item", self.item.as_deref().unwrap_or_default()),
            ("expired", flag(self.expired)),
            ("settled", flag(self.settled)),
        ];
        let batches = self.batches.iter().map(|key| ("batch", key.as_str()));
        fields.into_iter().filter(|(_, value)| !value.is_empty()).chain(batches).collect()
    }

    /// The changed amounts, for hidden fields.
    pub fn amount_fields(&self) -> Vec<(String, String)> {
        self.amounts.iter().map(|(charge, amount)| (format!("amt{charge}"), amount.yuan())).collect()
    }

    /// The page of arrears, or of other fees, with all of this.
    pub fn address(&self) -> String {
        self.with(if self.batches.is_empty() { links::TUITION } else { links::OTHER })
    }

    /// The page that changes one amount and comes back to all of this.
    pub fn change(&self, charge: ChargeId) -> String {
        self.with(&links::amount(charge))
    }

    fn with(&self, path: &str) -> String {
        let amounts = self.amount_fields();
        let mut query = self.fields();
        query.extend(amounts.iter().map(|(name, yuan)| (name.as_str(), yuan.as_str())));
        links::with_query(path, &query)
    }
}

/// Which orders a list shows, by state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Which {
    #[default]
    All,
    /// 待支付
    Pending,
    /// 成功
    Paid,
    /// 失败: closed without payment
    Failed,
}

impl Which {
    pub const ALL: [Which; 4] = [Which::All, Which::Pending, Which::Paid, Which::Failed];

    pub const fn code(self) -> &'static str {
        match self {
            Which::All => "all",
            Which::Pending => "pending",
            Which::Paid => "paid",
            Which::Failed => "failed",
        }
    }

    pub fn parse(code: &str) -> Option<Which> {
        Self::ALL.into_iter().find(|which| which.code() == code)
    }
}

/// Which days a list shows (Beijing days, both included).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Span {
    /// 今日
    Today,
    /// 本月
    Month,
    #[default]
    All,
    /// 选日期. A day not given yet is open on its side.
    Days { from: Option<NaiveDate>, to: Option<NaiveDate> },
}

impl Span {
    /// One of each kind, days open on both sides.
    pub const KINDS: [Span; 4] = [Span::Today, Span::Month, Span::All, Span::Days { from: None, to: None }];

    pub const fn code(self) -> &'static str {
        match self {
            Span::Today => "today",
            Span::Month => "month",
            Span::All => "all",
            Span::Days { .. } => "days",
        }
    }

    /// `when` = `today`, `month`, `all` or `days`; `from` and `to` = `2026-09-01` (unreadable days count as not given).
    pub fn parse(when: &str, from: &str, to: &str) -> Option<Span> {
        match when {
            "today" => Some(Span::Today),
            "month" => Some(Span::Month),
            "all" => Some(Span::All),
            "days" => Some(Span::Days { from: Span::day(from), to: Span::day(to) }),
            _ => None,
        }
    }

    /// The value of a date field.
    pub fn from_text(self) -> String {
        match self {
            Span::Days { from: Some(day), .. } => day.to_string(),
            _ => String::new(),
        }
    }

    pub fn to_text(self) -> String {
        match self {
            Span::Days { to: Some(day), .. } => day.to_string(),
            _ => String::new(),
        }
    }

    /// 今日, 本月, 全部, 选日期
    pub fn word(self) -> &'static str {
        match self {
            Span::Today => "list.today",
            Span::Month => "list.month",
            Span::All => "list.all",
            Span::Days { .. } => "list.days",
        }
    }

    /// The first day is after the last one: nothing can be found.
    pub fn is_backwards(self) -> bool {
        matches!(self, Span::Days { from: Some(from), to: Some(to) } if from > to)
    }

    /// A day this calendar has: four digits of a year.
    fn day(text: &str) -> Option<NaiveDate> {
        text.parse().ok().filter(|day: &NaiveDate| (1970..=9999).contains(&day.year()))
    }
}

/// What a list of payments made shows, by fee kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PaidKind {
    #[default]
    All,
    /// 学费
    Tuition,
    /// 其他收费
    Other,
}

impl PaidKind {
    pub const ALL: [PaidKind; 3] = [PaidKind::All, PaidKind::Tuition, PaidKind::Other];

    pub const fn code(self) -> &'static str {
        match self {
            PaidKind::All => "all",
            PaidKind::Tuition => "tuition",
            PaidKind::Other => "other",
        }
    }

    pub fn parse(code: &str) -> Option<PaidKind> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Which attempts to pay a list shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Dealt {
    #[default]
    All,
    /// 支付状态 是
    Paid,
    /// 支付状态 否
    Unpaid,
}

impl Dealt {
    pub const ALL: [Dealt; 3] = [Dealt::All, Dealt::Paid, Dealt::Unpaid];

    pub const fn code(self) -> &'static str {
        match self {
            Dealt::All => "all",
            Dealt::Paid => "paid",
            Dealt::Unpaid => "unpaid",
        }
    }

    pub fn parse(code: &str) -> Option<Dealt> {
        Self::ALL.into_iter().find(|dealt| dealt.code() == code)
    }
}

/// What a list that is read page by page was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// The list's own address
    pub path: &'static str,
    /// Which rows, by a code of the list's own; `all` for all
    pub show: &'static str,
    pub span: Span,
    /// A number that was looked for, as it was typed; empty for none
    pub number: String,
}

impl Listing {
    /// Everything there is.
    pub fn whole(path: &'static str) -> Listing {
        Listing { path, show: "all", span: Span::All, number: String::new() }
    }

    /// `page` counts from 1.
    pub fn address(&self, page: u32) -> String {
        let number = if page > 1 { page.to_string() } else { String::new() };
        let fields = self.fields();
        let mut query: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.push(("page", &number));
        links::with_query(self.path, &query)
    }

    /// The same with other rows, from the first page.
    pub fn showing(&self, show: &'static str) -> String {
        Listing { show, ..self.clone() }.address(1)
    }

    pub fn within(&self, span: Span) -> String {
        Listing { span, ..self.clone() }.address(1)
    }

    /// The payments of one year.
    pub fn of_year(&self, year: &str) -> String {
        let day = |month, day| NaiveDate::from_ymd_opt(year.parse().ok()?, month, day);
        self.within(Span::Days { from: day(1, 1), to: day(12, 31) })
    }

    /// All but the page, for hidden fields.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let unless_all = |code: &str| if code == "all" { String::new() } else { code.to_owned() };
        let fields = [
            ("show", unless_all(self.show)),
            ("when", unless_all(self.span.code())),
            ("from", self.span.from_text()),
            ("to", self.span.to_text()),
            ("no", self.number.clone()),
        ];
        fields.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// [`Listing::fields`] without some, which a form asks for itself.
    pub fn fields_but(&self, own: &[&str]) -> Vec<(&'static str, String)> {
        self.fields().into_iter().filter(|(name, _)| !own.contains(name)).collect()
    }

    pub fn is_narrowed(&self) -> bool {
        !self.fields().is_empty()
    }

    /// The day filters: word, address, whether it is the present one.
    pub fn spans(&self) -> [(&'static str, String, bool); 4] {
        Span::KINDS.map(|span| (span.word(), self.within(span), span.code() == self.span.code()))
    }
}

/// A page of a list, and how many rows the whole list has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pages {
    /// From 1
    pub page: u32,
    pub total: u64,
}

impl Pages {
    /// Rows on a page
    pub const SIZE: u64 = 20;

    pub fn last(self) -> u32 {
        Pages::last_of(self.total)
    }

    /// The last page of so many rows; an empty list has one page.
    pub fn last_of(total: u64) -> u32 {
        u32::try_from(total.div_ceil(Pages::SIZE)).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_shown_and_is_read_back() {
        let filter = Owing {
            period: Some("2024".into()),
            item: Some("11".into()),
            batches: Vec::new(),
            expired: true,
            settled: true,
            amounts: vec![(ChargeId(4), Fen::new(150_000))],
        };
        let address = filter.address();
        assert_eq!(address, "/h5/tuition?period=2024&item=11&expired=1&settled=1&amt4=1500.00");
        let query = form_urlencoded::parse(address.split_once('?').unwrap().1.as_bytes()).into_owned();
        assert_eq!(Owing::read(&query.collect::<Vec<_>>()), filter);
        let changes = Owing { amounts: filter.amounts, ..Owing::default() };
        assert_eq!(changes.change(ChargeId(1)), "/h5/tuition/1/amount?amt4=1500.00");
        assert_eq!(Owing::default().address(), links::TUITION);
        let batch = Owing { batches: vec!["other:2025".into()], ..Owing::default() };
        assert_eq!(batch.address(), "/h5/other?batch=other%3A2025");
        assert_eq!(Owing::of_period("2024").address(), "/h5/tuition?period=2024&expired=1");
    }

    #[test]
    fn a_query_holds_only_what_was_chosen() {
        let orders = Listing::whole(links::ORDERS);
        assert_eq!(orders.address(1), "/h5/orders");
        let span = Span::parse("days", "2026-09-01", "").unwrap();
        let paid = Listing { show: Which::Paid.code(), span, number: "XF 1".into(), ..orders };
        assert_eq!(paid.address(2), "/h5/orders?show=paid&when=days&from=2026-09-01&no=XF+1&page=2");
        assert_eq!(paid.showing("all"), "/h5/orders?when=days&from=2026-09-01&no=XF+1");
        assert_eq!(Listing::whole(links::PAID).of_year("2026"), "/h5/paid?when=days&from=2026-01-01&to=2026-12-31");
        assert_eq!(paid.fields_but(&["no", "from", "to"]), [("show", "paid".to_owned()), ("when", "days".to_owned())]);
    }

    #[test]
    fn what_an_address_says_is_read_back() {
        assert!(Which::ALL.into_iter().all(|which| Which::parse(which.code()) == Some(which)));
        assert!(PaidKind::ALL.into_iter().all(|kind| PaidKind::parse(kind.code()) == Some(kind)));
        assert!(Dealt::ALL.into_iter().all(|dealt| Dealt::parse(dealt.code()) == Some(dealt)));
        assert!(Span::KINDS.into_iter().all(|span| Span::parse(span.code(), "", "") == Some(span)));
        assert_eq!(Span::parse("days", "2026-13-01", "-9999-01-01"), Some(Span::KINDS[3]));
        assert!(Span::parse("days", "2026-09-02", "2026-09-01").unwrap().is_backwards());
        assert!(!Span::parse("days", "2026-09-01", "2026-09-01").unwrap().is_backwards());
    }

    #[test]
    fn twenty_rows_are_a_page() {
        let last = [0, 1, 20, 21, 45].map(Pages::last_of);
        assert_eq!(last, [1, 1, 1, 2, 3]);
    }
}
