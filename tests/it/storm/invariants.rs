//! What must hold: some of it at every moment, the rest after quiet. The bank's books are the truth.
use std::collections::{BTreeMap, BTreeSet};

use jiaofei::domain::ids::OrderId;
use jiaofei::domain::trade::Channel;
use jiaofei::flow::{audit, chain};
use jiaofei::sandbox::outbox::{Delivery, NoticeAbout};
use jiaofei::sandbox::trade::{RefundState, Trade, TradeState};
use sea_orm::{ConnectionTrait, QueryResult, Statement};

use super::stage::Stage;

pub async fn rows(stage: &Stage, sql: &str) -> Vec<QueryResult> {
    let app = stage.app(0);
    let statement = Statement::from_string(app.db.read().get_database_backend(), sql);
    app.db.read().query_all_raw(statement).await.unwrap()
}

pub fn text(row: &QueryResult, at: usize) -> String {
    row.try_get_by_index::<Option<String>>(at).unwrap().unwrap_or_default()
}

pub fn number(row: &QueryResult, at: usize) -> i64 {
    row.try_get_by_index(at).unwrap()
}

/// Every order there is, first one first.
pub async fn orders(stage: &Stage) -> Vec<OrderId> {
    let rows = rows(stage, "SELECT id FROM payment_order ORDER BY id").await;
    rows.iter().map(|row| OrderId(number(row, 0))).collect()
}

/// `XF…000001T02` is a try of `XF…000001`.
fn order_of(attempt_no: &str) -> &str {
    attempt_no.rsplit_once('T').unwrap().0
}

/// The bank never takes money twice for one order, except against its own word. Alipay's unseen attempts are the known
/// exception: they come to life when the payer arrives, however late, so only WeChat is held to this.
pub fn paid_once(stage: &Stage, attempt_no: &str, late: bool) {
    let order = order_of(attempt_no);
    if late {
        stage.note_broken_word(order);
    }
    let bank = stage.sandbox.bank();
    let paid: Vec<&Trade> =
        bank.trades().filter(|trade| trade.is_paid() && order_of(&trade.key().out_trade_no) == order).collect();
    let honest = paid.iter().all(|trade| trade.key().channel == Channel::Wechat) && !stage.word_is_broken(order);
    if paid.len() > 1 && honest {
        stage.history.break_off(format!("{order} is paid {} times, and WeChat kept its word", paid.len()));
    }
}

/// The payments of an order that the bank has; none if it took one against its own word.
pub fn payments(stage: &Stage, order: &str) -> Vec<String> {
    let bank = stage.sandbox.bank();
    let of_order = |trade: &&Trade| trade.is_paid() && order_of(&trade.key().out_trade_no) == order;
    let honest = !stage.word_is_broken(order);
    bank.trades().filter(of_order).filter(|_| honest).map(|trade| trade.trade_no.clone()).collect()
}

/// A page that says "certainly not paid" says it of an order whose payments, if the bank had any `before` the page was
/// asked for, are in our books (as surplus, which the page tells).
pub async fn certainly_unpaid(stage: &Stage, order: &str, before: Vec<String>) {
    for trade_no in before {
        let known = format!("SELECT COUNT(*) FROM trade WHERE trade_no = '{trade_no}'");
        if number(&rows(stage, &known).await[0], 0) == 0 {
            stage.history.break_off(format!("{order} is paid, and the page says it certainly is not"));
        }
    }
}

/// A payment whose notice was acknowledged is in our books.
pub async fn acknowledged_is_booked(stage: &Stage, delivery: &Delivery) {
    if delivery.about != NoticeAbout::Paid {
        return;
    }
    let no = &delivery.out_trade_no;
    let sql = format!("SELECT COUNT(*) FROM trade t JOIN attempt a ON a.id = t.attempt_id WHERE a.attempt_no = '{no}'");
    if number(&rows(stage, &sql).await[0], 0) == 0 {
        stage.history.break_off(format!("the payment of {no} is acknowledged and not booked"));
    }
}

/// What holds at every moment.
pub async fn at_every_moment(stage: &Stage) {
    let twice = "SELECT l.charge_id FROM order_line l JOIN payment_order o ON o.id = l.order_id \
        WHERE o.state = 'pending' GROUP BY l.charge_id HAVING COUNT(*) > 1";
    for row in rows(stage, twice).await {
        stage.history.break_off(format!("charge {} waits in two orders", number(&row, 0)));
    }
    let unwatched = "SELECT attempt_no FROM attempt WHERE state = 'closed' AND next_inquiry_at IS NULL";
    let now = stage.clock.now();
    for row in rows(stage, unwatched).await {
        let no = text(&row, 0);
        let bank = stage.sandbox.bank();
        let payable = |trade: &&Trade| trade.state == TradeState::NotPay && now < trade.ask.expires_at;
        let open = Channel::ALL.iter().filter_map(|channel| bank.find(*channel, &no)).any(|trade| payable(&trade));
        if open {
            stage.history.break_off(format!("{no} is closed here, payable at its channel, and nobody looks at it"));
        }
    }
}

/// Refunds that a person must mend: the channel has given them up, the office has been told, and they are asked about
/// for ever.
async fn at_the_office(stage: &Stage) -> BTreeSet<String> {
    let told = "SELECT refund_no FROM refund WHERE refund_no IN (SELECT subject FROM office_item)";
    let told: Vec<String> = rows(stage, told).await.iter().map(|row| text(row, 0)).collect();
    let bank = stage.sandbox.bank();
    let given_up = |no: &String| {
        let mut refunds = bank.trades().flat_map(|trade| &trade.refunds);
        refunds.any(|one| {
            one.refund_no == *no && matches!(one.state, RefundState::Closed { .. } | RefundState::Abnormal { .. })
        })
    };
    told.into_iter().filter(given_up).collect()
}

/// Nothing is left to do: no notice, no inquiry, no event, no message, no refund except what a person must mend.
pub async fn at_rest(stage: &Stage) -> bool {
    let due = "SELECT 1 FROM attempt WHERE next_inquiry_at IS NOT NULL UNION ALL \
        SELECT 1 FROM event_delivery WHERE next_try_at IS NOT NULL UNION ALL \
        SELECT 1 FROM message WHERE next_try_at IS NOT NULL LIMIT 1";
    if stage.sandbox.notices_waiting() > 0 || !rows(stage, due).await.is_empty() {
        return false;
    }
    let refunds = rows(stage, "SELECT refund_no FROM refund WHERE next_try_at IS NOT NULL").await;
    let office = at_the_office(stage).await;
    refunds.iter().all(|row| office.contains(&text(row, 0)))
}

/// What holds after quiet.
pub async fn after_quiet(stage: &Stage) {
    let mut finds = Finds(stage, Vec::new());
    finds.pending_only_under_review().await;
    finds.audit_is_clean().await;
    finds.chain_is_whole().await;
    finds.overpaid().await;
    finds.trade_by_trade().await;
    finds.events_tell_what_happened().await;
    finds.events_are_heard().await;
    finds.messages_have_arrived().await;
    for find in finds.1 {
        stage.history.break_off(find);
    }
}

/// What does not hold after quiet.
pub struct Finds<'a>(pub &'a Stage, pub Vec<String>);

impl Finds<'_> {
    async fn pending_only_under_review(&mut self) {
        let pending = "SELECT order_no FROM payment_order o WHERE state = 'pending' AND NOT EXISTS \
            (SELECT 1 FROM trade t WHERE t.order_id = o.id AND t.outcome = 'mismatch' AND NOT EXISTS \
            (SELECT 1 FROM refund r WHERE r.trade_no = t.trade_no AND r.state <> 'closed'))";
        for row in rows(self.0, pending).await {
            self.1.push(format!("{} is still pending", text(&row, 0)));
        }
    }

    async fn audit_is_clean(&mut self) {
        // money the channel gave back to the merchant instead of the payer waits for the office
        let closed = "SELECT trade_no FROM refund WHERE state = 'closed' AND cause = 'surplus'";
        let at_the_office: Vec<String> = rows(self.0, closed).await.iter().map(|row| text(row, 0)).collect();
        for finding in audit::run(&self.0.app(0)).await.unwrap() {
            let known = |subject: &str| at_the_office.iter().any(|trade_no| subject.contains(trade_no.as_str()));
            for difference in finding.differences.iter().filter(|difference| !known(&difference.subject)) {
                self.1.push(format!("audit: {}: {difference:?}", finding.must_hold));
            }
        }
    }

    async fn chain_is_whole(&mut self) {
        let chain = chain::follow(&self.0.app(0)).await.unwrap();
        if !chain.is_clean() {
            self.1.push(format!("the journal's chain is broken: {:?} {:?}", chain.torn, chain.missing));
        }
    }

    async fn overpaid(&mut self) {
        let overpaid = "SELECT id FROM charge WHERE assessed_fen - waived_fen - paid_fen + refunded_fen < 0";
        for row in rows(self.0, overpaid).await {
            self.1.push(format!("charge {} is overpaid", number(&row, 0)));
        }
    }

    /// Every payment at the bank is settled, on its way back, or at the office; every refund there is ours, in the
    /// same state; and what the bank keeps of settled payments is what the charges say, to the fen.
    async fn trade_by_trade(&mut self) {
        let sql = "SELECT trade_no, outcome, amount_fen FROM trade";
        let mut booked: BTreeMap<String, (String, i64)> = BTreeMap::new();
        for row in rows(self.0, sql).await {
            booked.insert(text(&row, 0), (text(&row, 1), number(&row, 2)));
        }
        let sql = "SELECT refund_no, state, amount_fen FROM refund";
        let mut ours: BTreeMap<String, (String, i64)> = BTreeMap::new();
        for row in rows(self.0, sql).await {
            ours.insert(text(&row, 0), (text(&row, 1), number(&row, 2)));
        }
        let sql = "SELECT CAST(COALESCE(SUM(paid_fen - refunded_fen), 0) AS BIGINT) FROM charge";
        let kept_by_books = number(&rows(self.0, sql).await[0], 0);
        let office = at_the_office(self.0).await;
        let bank = self.0.sandbox.bank();
        let mut kept_by_bank = 0;
        let mut told = BTreeSet::new();
        for trade in bank.trades().filter(|trade| trade.is_paid()) {
            told.insert(trade.trade_no.clone());
            let (total, back) = (trade.ask.total.get(), trade.sent_back().get());
            let no = format!("{} of {}", trade.trade_no, trade.key().out_trade_no);
            match booked.get(&trade.trade_no) {
                None => self.1.push(format!("the bank took {no}, and our books do not know it")),
                Some((outcome, amount)) if outcome == "settled" => {
                    kept_by_bank += total - back;
                    if *amount != total {
                        self.1.push(format!("{no} is {total} fen at the bank and settled as {amount}"));
                    }
                }
                Some((outcome, _)) if outcome == "surplus" => {
                    let stuck = trade.refunds.iter().any(|one| !matches!(one.state, RefundState::Success { .. }));
                    if back != total && !stuck {
                        self.1.push(format!("{no} is surplus of {total} fen, of which {back} went back"));
                    }
                }
                Some(_) => {}
            }
            for refund in &trade.refunds {
                let state = match refund.state {
                    RefundState::Processing { .. } => "processing",
                    RefundState::Success { .. } => "done",
                    RefundState::Closed { .. } => "closed",
                    RefundState::Abnormal { .. } => "abnormal",
                };
                let theirs = (state.to_owned(), refund.amount.get());
                // Alipay has no word for a refund that failed: it says nothing, and we go on asking
                let no_word = trade.key().channel == Channel::Alipay && office.contains(&refund.refund_no);
                let here = ours.remove(&refund.refund_no);
                if here.as_ref() != Some(&theirs) && !no_word {
                    self.1.push(format!("refund {} is {theirs:?} at the bank and {here:?} here", refund.refund_no));
                }
            }
        }
        drop(bank);
        for no in booked.keys().filter(|no| !told.contains(*no)) {
            self.1.push(format!("our books have a payment {no} that the bank does not know"));
        }
        for (no, (state, _)) in &ours {
            self.1.push(format!("refund {no} is {state} here and unknown at the bank"));
        }
        if kept_by_bank != kept_by_books {
            self.1
                .push(format!("the bank keeps {kept_by_bank} fen of what is settled, our charges say {kept_by_books}"));
        }
    }
}
