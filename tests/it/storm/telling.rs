//! What others are told: campus systems of money that moved, payers of the code they asked for. Whatever fails on the
//! way, everything that happened is heard, at least once and always in the same bytes, and nothing else is.
use std::collections::{BTreeMap, BTreeSet};

use jiaofei::domain::event::EventKind;
use jiaofei::flow::events::desk;
use jiaofei::flow::failure::Failure;
use jiaofei::flow::guess::Caller;
use jiaofei::flow::recovery;
use jiaofei::sandbox::trade::RefundState;
use serde_json::Value;

use super::invariants::{Finds, number, rows, text};
use super::perform::told;
use super::stage::Stage;
use crate::world::school;

/// Somebody has forgotten the password and asks for a code.
pub async fn forget(stage: &Stage, process: usize, who: usize) -> String {
    let app = stage.app(process);
    let caller = Caller { address: [203, 0, 113, 7].into(), visitor: "somebody", captcha: None };
    let asked = recovery::send_code(&app, &stage.people[who].number, caller).await;
    told(stage, asked, |asked| asked.map_or("not now", |_| "asked for").to_owned())
}

/// The operator lets an event go out once more.
pub async fn resend(stage: &Stage, process: usize, event: usize) -> String {
    let all = rows(stage, "SELECT event_no FROM event ORDER BY id").await;
    let Some(row) = all.get(event % all.len().max(1)) else { return "no event".to_owned() };
    let resent: Result<_, Failure> = desk::resend(&stage.app(process), &text(row, 0), None).await;
    told(stage, resent, |names| format!("to {}", names.join(", ")))
}

/// What our books say has happened: kind, subject, trade number and amount.
async fn happened(stage: &Stage) -> BTreeMap<(String, String), (String, i64)> {
    let mut all = BTreeMap::new();
    let sql = "SELECT 'order.paid', o.order_no, t.trade_no, t.amount_fen FROM payment_order o \
        JOIN trade t ON t.order_id = o.id AND t.outcome = 'settled' WHERE o.state = 'paid' UNION ALL \
        SELECT 'refund.done', refund_no, trade_no, amount_fen FROM refund WHERE state = 'done' UNION ALL \
        SELECT 'trade.surplus', channel || ':' || trade_no, trade_no, amount_fen FROM trade WHERE outcome = 'surplus'";
    for row in rows(stage, sql).await {
        all.insert((text(&row, 0), text(&row, 1)), (text(&row, 2), number(&row, 3)));
    }
    all
}

/// Payments at the bank, and refunds that came back, by their numbers: to whom events may appeal.
fn at_the_bank(stage: &Stage) -> BTreeMap<String, i64> {
    let bank = stage.sandbox.bank();
    let mut all = BTreeMap::new();
    for trade in bank.trades().filter(|trade| trade.is_paid()) {
        all.insert(trade.trade_no.clone(), trade.ask.total.get());
        let back = trade.refunds.iter().filter(|refund| matches!(refund.state, RefundState::Success { .. }));
        all.extend(back.map(|refund| (refund.refund_no.clone(), refund.amount.get())));
    }
    all
}

impl Finds<'_> {
    /// Each thing that happened is written down once, in words that the bank's books bear out; nothing else is.
    pub async fn events_tell_what_happened(&mut self) {
        let (mut happened, bank) = (happened(self.0).await, at_the_bank(self.0));
        for row in rows(self.0, "SELECT kind, subject, payload FROM event").await {
            let (kind, subject, payload) = (text(&row, 0), text(&row, 1), text(&row, 2));
            let Some((trade_no, amount)) = happened.remove(&(kind.clone(), subject.clone())) else {
                self.1.push(format!("{kind} of {subject} is told and did not happen"));
                continue;
            };
            let said: Value = serde_json::from_str(&payload).unwrap();
            let data = &said["data"];
            let fen = &data[if kind == EventKind::OrderPaid.code() { "total_fen" } else { "amount_fen" }];
            let at_the_bank = bank.get(data["refund_no"].as_str().unwrap_or(&trade_no));
            if data["trade_no"] != trade_no.as_str() || *fen != amount || at_the_bank != Some(&amount) {
                self.1.push(format!("{kind} of {subject} says {payload}, at the bank it is {at_the_bank:?}"));
            }
        }
        for (kind, subject) in happened.into_keys() {
            self.1.push(format!("{kind} of {subject} happened and is not written down"));
        }
    }

    /// The campus system has heard each event under its own id, in the bytes that are kept, and no other; one that was
    /// given up after its tries lies at the office.
    pub async fn events_are_heard(&mut self) {
        let given_up = "SELECT e.event_no FROM event e JOIN event_delivery d ON d.event_id = e.id \
            WHERE d.state = 'failed' AND d.tries >= 10 \
            AND EXISTS (SELECT 1 FROM office_item WHERE kind = 'webhook_failed')";
        let given_up: BTreeSet<String> = rows(self.0, given_up).await.iter().map(|row| text(row, 0)).collect();
        let heard = self.0.sandbox.campus().heard().to_vec();
        let mut by_id: BTreeMap<&str, _> = heard.iter().map(|heard| (heard.id.as_str(), heard)).collect();
        for row in rows(self.0, "SELECT event_no, payload FROM event").await {
            let event_no = text(&row, 0);
            match by_id.remove(event_no.as_str()) {
                Some(heard) if heard.body == text(&row, 1) && heard.differed == 0 => {}
                Some(_) => self.1.push(format!("{event_no} was heard in other words than are kept")),
                None if given_up.contains(&event_no) => {}
                None => self.1.push(format!("{event_no} was never heard")),
            }
        }
        for id in by_id.into_keys() {
            self.1.push(format!("{id} was heard, and no event has this id"));
        }
    }

    /// Every message has come to its end and says nothing any more; what is sent has arrived where it belongs, and
    /// nothing arrived that nobody asked for.
    pub async fn messages_have_arrived(&mut self) {
        let kept = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN state = 'sent' THEN 1 ELSE 0 END), 0), \
            COALESCE(SUM(CASE WHEN state = 'waiting' OR letter_sealed IS NOT NULL THEN 1 ELSE 0 END), 0) FROM message";
        let row = &rows(self.0, kept).await[0];
        let [asked, sent, left] = [0, 1, 2].map(|at| usize::try_from(number(row, at)).unwrap());
        let arrived = self.0.sandbox.postbox().all().to_vec();
        let texts: BTreeSet<&str> = arrived.iter().map(|one| one.text.as_str()).collect();
        if left > 0 {
            self.1.push(format!("{left} messages are not over"));
        }
        if arrived.len() < sent || texts.len() > asked {
            let (came, texts) = (arrived.len(), texts.len());
            self.1.push(format!("{asked} messages were asked for, {sent} sent, {came} came, with {texts} texts"));
        }
        if arrived.iter().any(|one| one.to != school::PHONE) {
            self.1.push("a message came to somebody else".to_owned());
        }
    }
}
