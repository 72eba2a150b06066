//! 学费缴费: what is owed, by billing period, and the choice of what to pay now.
use askama::Template;

use super::filter::Owing;
use super::links;
use super::refusals;
use crate::domain::amount::may_change;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::{Charge, Totals};
use crate::domain::fee::{Collection, FeeKind, Fund, Unpayable};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order_no::OrderNo;
use crate::domain::refusal::Refusal;
use crate::web::html::{Frame, filters};
use crate::web::words::fill;

/// POSTs to [`links::CHECKOUT`]: `csrf`, `checkout_id`, `fee` (a charge's id, once per selected row) and for every row
/// that can be selected `amt{charge id}` = the amount chosen for it as yuan text (`1500.00`), selected or not.
#[derive(Template, Debug)]
#[template(path = "page/tuition.html")]
pub struct Tuition {
    /// With a person
    pub frame: Frame,
    /// Minted for this drawing of the page
    pub checkout_id: String,
    /// Newest first; periods without rows left out. No periods at all: everything is paid.
    pub periods: Vec<Period>,
    /// Over all rows shown
    pub totals: Totals,
    /// The periods and the items there are
    pub periods_to_choose: Vec<Choice>,
    pub items_to_choose: Vec<Choice>,
    /// There are rows whose window is over
    pub has_expired: bool,
    /// There are charges nothing is owed for any more
    pub has_settled: bool,
    /// 其他缴费: what is owed of them; they have a page of their own
    pub other: Fen,
    /// Signed in by e-mail: of the study that was chosen
    pub is_study: bool,
    /// Why the last checkout was refused
    pub problem: Option<Refusal>,
    pub filter: Owing,
}

/// What a filter offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    pub code: String,
    pub name: Bilingual,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Period {
    pub name: Bilingual,
    pub rows: Vec<FeeRow>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeeRow {
    pub charge: Charge,
    pub fund: Fund,
    pub payee: Bilingual,
    pub state: RowState,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowState {
    /// Can be paid now; `amount` is what would be paid (all that is owed unless the payer changed it).
    Payable { selected: bool, amount: Fen },
    /// 停止, or outside its window
    Closed(Unpayable),
    /// 支付中: in an order that waits for payment
    InOrder { order_no: OrderNo, expires_at: Moment },
    /// 已缴清
    Settled,
}

impl Tuition {
    fn rows(&self) -> impl Iterator<Item = &FeeRow> {
        self.periods.iter().flat_map(|period| &period.rows)
    }

    fn selected(&self) -> impl Iterator<Item = &FeeRow> {
        self.rows().filter(|row| row.is_selected())
    }

    fn can_pay(&self) -> bool {
        self.rows().any(FeeRow::is_payable)
    }

    fn sum(&self) -> Fen {
        self.selected().map(FeeRow::amount).sum()
    }

    fn count_text(&self) -> String {
        match self.selected().count() {
            0 => String::new(),
            n => self.frame.with("tuition.items", "n", n),
        }
    }

    /// Said before paying when one selection becomes several orders.
    fn parts_text(&self) -> String {
        let mut payees: Vec<&str> = self.selected().map(|row| row.charge.item.payee_code.as_str()).collect();
        payees.sort_unstable();
        payees.dedup();
        if payees.len() > 1 { self.frame.with("tuition.parts", "n", payees.len()) } else { String::new() }
    }

    /// 共有3条缴费项目, 共需交费9,350.00元, 已缴费0.06元, 欠费9,349.94元
    fn totals_text(&self) -> String {
        let Totals { count, due, paid, arrears } = &self.totals;
        fill(self.frame.lang, "tuition.totals", &[("n", count), ("due", due), ("paid", paid), ("arrears", arrears)])
    }

    /// Who receives what: each kind of money with its payees, once.
    fn payees_text(&self) -> String {
        let mut said: Vec<String> = Vec::new();
        for row in self.rows() {
            let text = self.frame.with2(
                "tuition.payee_of",
                &("fund", self.frame.w(row.fund_word())),
                &("payee", self.frame.name(&row.payee)),
            );
            if !said.contains(&text) {
                said.push(text);
            }
        }
        said.join(self.frame.w("base.semicolon"))
    }

    fn problem_text(&self, why: &Refusal) -> String {
        refusals::refusal(&self.frame, why)
    }

    fn problem_link(&self) -> Option<String> {
        match &self.problem {
            Some(Refusal::InAnotherOrder { order_no }) => Some(links::Door::Own(order_no.clone()).cashier()),
            _ => None,
        }
    }

    fn is_filtered(&self) -> bool {
        !self.filter.fields().is_empty()
    }

    fn is_chosen(&self, code: &str) -> bool {
        self.filter.period.as_deref() == Some(code)
    }

    fn is_chosen_item(&self, code: &str) -> bool {
        self.filter.item.as_deref() == Some(code)
    }

    fn has_more_filters(&self) -> bool {
        self.items_to_choose.len() > 1 || self.has_expired || self.has_settled
    }

    /// What of them is in force, for the closed form.
    fn more_filters_text(&self) -> String {
        let item = self.items_to_choose.iter().find(|one| self.is_chosen_item(&one.code));
        let mut said = vec![item.map_or(self.frame.w("tuition.all_items"), |one| self.frame.name(&one.name))];
        said.extend(self.filter.expired.then(|| self.frame.w("tuition.show_expired")));
        said.extend(self.filter.settled.then(|| self.frame.w("tuition.show_settled")));
        said.join(" · ")
    }

    fn period_link(&self, period: Option<&str>) -> String {
        Owing { period: period.map(str::to_owned), ..self.filter.clone() }.address()
    }

    fn expired_link(&self) -> String {
        Owing { expired: true, ..Owing::default() }.address()
    }

    fn settled_link(&self) -> String {
        Owing { settled: true, ..Owing::default() }.address()
    }

    /// 改, without a script: to the amount's own page, which brings the other changes back.
    fn change_link(&self, row: &FeeRow) -> String {
        self.filter.change(row.charge.id)
    }
}

impl FeeRow {
    pub(super) fn arrears(&self) -> Fen {
        self.charge.balance.arrears()
    }

    /// What would be paid for this row if selected.
    pub(super) fn amount(&self) -> Fen {
        match self.state {
            RowState::Payable { amount, .. } => amount,
            _ => self.arrears(),
        }
    }

    /// 支付状态
    pub(super) fn pay_word(&self) -> &'static str {
        match self.state {
            RowState::Settled => "tuition.done",
            RowState::InOrder { .. } => "tuition.paying",
            _ => "tuition.undone",
        }
    }

    pub(super) fn is_payable(&self) -> bool {
        matches!(self.state, RowState::Payable { .. })
    }

    pub(super) fn is_selected(&self) -> bool {
        matches!(self.state, RowState::Payable { selected: true, .. })
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_payable() && self.amount() != self.arrears()
    }

    /// What stands under the name: the rest after a change, the end of the time, or why it cannot be paid.
    pub(super) fn note(&self, frame: &Frame) -> String {
        let (arrears, amount) = (self.arrears(), self.amount());
        match self.is_changed() {
            true => frame.with2("tuition.rest", &("max", arrears), &("rest", arrears - amount)),
            false => self.plain_note(frame),
        }
    }

    /// The same for the unchanged amount.
    pub(super) fn plain_note(&self, frame: &Frame) -> String {
        let balance = &self.charge.balance;
        match &self.state {
            RowState::Closed(why) => refusals::unpayable(frame, why),
            RowState::InOrder { expires_at, .. } => frame.with("tuition.in_order", "left", frame.left(expires_at)),
            RowState::Settled => {
                let due = balance.assessed - balance.waived;
                frame.with2("tuition.settled", &("due", due), &("paid", balance.kept()))
            }
            RowState::Payable { .. } => {
                let due = self.charge.due_day.and_then(|day| frame.ymd(day));
                let closes = self.charge.item.window.closes_at.filter(|_| self.charge.item.kind != FeeKind::Tuition);
                match (due, closes) {
                    (Some(day), _) => frame.with("tuition.due_by", "day", day),
                    (None, Some(at)) => frame.with("tuition.closes", "day", frame.last_day(&at)),
                    (None, None) if balance.kept().is_positive() => {
                        let due = balance.assessed - balance.waived;
                        frame.with2("tuition.part_paid", &("due", due), &("paid", balance.kept()))
                    }
                    (None, None) => frame.w("tuition.open_end").to_owned(),
                }
            }
        }
    }

    pub(super) fn fund_word(&self) -> &'static str {
        match self.fund {
            Fund::Fiscal => "fund.fiscal",
            Fund::Agency => "fund.agency",
        }
    }

    pub(super) fn kind_word(&self) -> &'static str {
        match self.charge.item.kind {
            FeeKind::Tuition => "kind.tuition",
            FeeKind::Other => "kind.other",
            FeeKind::Living => "kind.living",
            FeeKind::Enrolment => "kind.enrolment",
        }
    }

    pub(super) fn collection_word(&self) -> &'static str {
        match self.charge.item.collection {
            Collection::Collecting => "collection.collecting",
            Collection::Suspended => "collection.suspended",
        }
    }

    pub(super) fn opens(&self) -> String {
        self.charge.item.window.opens_at.map_or_else(|| "--".to_owned(), Moment::beijing_text)
    }

    pub(super) fn closes(&self) -> String {
        self.charge.item.window.closes_at.map_or_else(|| "--".to_owned(), Moment::beijing_text)
    }

    /// 最小拆分金额, when the amount may be changed at all.
    pub(super) fn min(&self) -> Option<Fen> {
        let payable = matches!(self.state, RowState::Payable { .. });
        self.charge.item.min_split.filter(|min| payable && may_change(self.arrears(), Some(*min)))
    }
}

impl Period {
    fn can_pay(&self) -> bool {
        self.rows.iter().any(FeeRow::is_payable)
    }

    fn arrears(&self) -> Fen {
        self.rows.iter().map(FeeRow::arrears).sum()
    }
}
