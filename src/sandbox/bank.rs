//! The outside world's books: merchants, trades, payments, refunds. The truth our own books are compared with in tests.
//!
//! Knows the rules the channels share; what only one of them says stands in `wechat/`, `alipay/` and `unionpay/`.
//! Never speaks HTTP, never sends a notice: callers do, from what these methods return.
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::clock::Chance;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::Channel;

use super::merchants::{Merchant, is_wallet, wallet};
use super::trade::{
    CloseRefusal, Code, Event, OrderRefusal, PaidReceipt, PayRefusal, Refund, RefundAsk, RefundEnd, RefundRefusal,
    RefundState, Trade, TradeAsk, TradeKey, TradeState,
};

/// WeChat Pay v3, refunds: at most 50 parts of one payment.
pub const MAX_REFUNDS: usize = 50;
/// WeChat Pay v3, refunds: at most 365 days after the payment.
pub const REFUND_DAYS: u64 = 365;

pub struct Bank {
    merchants: Vec<Merchant>,
    trades: HashMap<TradeKey, Trade>,
    /// In the order they were ordered
    row: Vec<TradeKey>,
    by_trade_no: HashMap<String, TradeKey>,
    /// (whose numbers, refund number): unique per merchant, at Alipay per trade
    by_refund_no: HashMap<(String, String), TradeKey>,
    /// When something of a trade happens by itself
    wakes: BTreeSet<(Moment, TradeKey)>,
    codes: HashMap<String, Code>,
    chance: Chance,
}

impl Bank {
    pub fn new(merchants: Vec<Merchant>, chance: Chance) -> Self {
        Self {
            merchants,
            trades: HashMap::new(),
            row: Vec::new(),
            by_trade_no: HashMap::new(),
            by_refund_no: HashMap::new(),
            wakes: BTreeSet::new(),
            codes: HashMap::new(),
            chance,
        }
    }

    pub fn merchants(&self) -> &[Merchant] {
        &self.merchants
    }

    /// By mchid (WeChat), app_id (Alipay) or merId (UnionPay).
    pub fn merchant(&self, channel: Channel, id: &str) -> Option<&Merchant> {
        self.merchants.iter().find(|m| m.channel == channel && m.id == id)
    }

    /// All trades, in the order they were ordered.
    pub fn trades(&self) -> impl Iterator<Item = &Trade> {
        self.row.iter().filter_map(|key| self.trades.get(key))
    }

    pub fn trade(&self, key: &TradeKey) -> Option<&Trade> {
        self.trades.get(key)
    }

    /// By the channel's own number.
    pub fn trade_by_no(&self, trade_no: &str) -> Option<&Trade> {
        self.trades.get(self.by_trade_no.get(trade_no)?)
    }

    /// By the merchant's number alone, the newest first: what a test or a person at the phone page knows.
    pub fn find(&self, channel: Channel, out_trade_no: &str) -> Option<&Trade> {
        let key = self.row.iter().rev().find(|key| key.channel == channel && key.out_trade_no == out_trade_no)?;
        self.trades.get(key)
    }

    /// A refund by its number, within one merchant of WeChat or UnionPay.
    pub fn refund_by_no(&self, merchant: &str, refund_no: &str) -> Option<(&Trade, &Refund)> {
        self.refund_within(merchant.to_owned(), refund_no)
    }

    fn refund_within(&self, scope: String, refund_no: &str) -> Option<(&Trade, &Refund)> {
        let trade = self.trades.get(self.by_refund_no.get(&(scope, refund_no.to_owned()))?)?;
        Some((trade, trade.refund(refund_no)?))
    }

    /// Takes an order, or the same order again (equal digest): then nothing changes.
    pub fn order(&mut self, ask: TradeAsk, now: Moment) -> Result<&Trade, OrderRefusal> {
        if let Some(trade) = self.trades.get(&ask.key) {
            match trade.state {
                TradeState::Paid { .. } => return Err(OrderRefusal::Paid),
                TradeState::Closed { .. } => return Err(OrderRefusal::Closed),
                TradeState::NotPay if trade.ask.digest != ask.digest => return Err(OrderRefusal::Differs),
                TradeState::NotPay if now >= trade.ask.expires_at => return Err(OrderRefusal::Expired),
                TradeState::NotPay => return Ok(&self.trades[&ask.key]),
            }
        }
        let key = ask.key.clone();
        let trade_no = self.new_trade_no(key.channel, now);
        self.row.push(key.clone());
        self.wakes.insert((ask.closes_at, key.clone()));
        self.by_trade_no.insert(trade_no.clone(), key.clone());
        let known = ask.known;
        let fresh = Trade {
            ask,
            trade_no,
            ordered_at: now,
            opened_by: None,
            known,
            tried: false,
            state: TradeState::NotPay,
            refunds: vec![],
        };
        Ok(self.trades.entry(key).or_insert(fresh))
    }

    /// Makes a text (prepay_id, code_url, trade_no, QR text) lead to a trade until `valid_until`.
    pub fn add_code(&mut self, text: &str, key: &TradeKey, valid_until: Moment) {
        self.codes.insert(text.to_owned(), Code { text: text.to_owned(), key: key.clone(), valid_until });
    }

    /// A trade's older codes become void (WeChat Pay v3, Native: a new order call makes the old code_url void).
    pub fn void_codes(&mut self, key: &TradeKey) {
        self.codes.retain(|_, code| code.key != *key);
    }

    pub fn code(&self, text: &str) -> Option<&Code> {
        self.codes.get(text)
    }

    /// The codes of one trade, for the phone page to pick from.
    pub fn codes_of(&self, key: &TradeKey) -> Vec<&Code> {
        self.codes.values().filter(|code| code.key == *key).collect()
    }

    /// The payer opens the cashier: nothing is paid, but from now on nobody else can, and queries see the trade.
    pub fn open(&mut self, key: &TradeKey, phone: &str, now: Moment) -> Result<&Trade, PayRefusal> {
        let trade = self.trades.get_mut(key).ok_or(PayRefusal::Unknown)?;
        match trade.state {
            TradeState::Paid { .. } => return Err(PayRefusal::AlreadyPaid),
            TradeState::Closed { .. } => return Err(PayRefusal::Closed),
            TradeState::NotPay if now >= trade.ask.expires_at => return Err(PayRefusal::Expired),
            TradeState::NotPay => {}
        }
        if trade.ask.buyer.as_ref().is_some_and(|buyer| !is_wallet(key.channel, &trade.ask.app_id, phone, buyer)) {
            return Err(PayRefusal::WrongBuyer);
        }
        if trade.opened_by.as_ref().is_some_and(|first| first != phone) {
            return Err(PayRefusal::OtherPayer);
        }
        trade.opened_by = Some(phone.to_owned());
        trade.known = true;
        Ok(trade)
    }

    /// A try to pay has failed; the trade stays payable.
    pub fn note_failed_try(&mut self, key: &TradeKey) {
        if let Some(trade) = self.trades.get_mut(key) {
            trade.tried = true;
        }
    }

    /// The payer pays. Books the money and nothing else: the caller queues the notice.
    pub fn pay(&mut self, key: &TradeKey, phone: &str, now: Moment) -> Result<PaidReceipt, PayRefusal> {
        self.open(key, phone, now)?;
        self.book(key, phone, now)
    }

    /// A channel that breaks its word: books a payment although the trade is closed or past its deadline.
    pub fn pay_against_the_rules(
        &mut self,
        key: &TradeKey,
        phone: &str,
        now: Moment,
    ) -> Result<PaidReceipt, PayRefusal> {
        if self.trade(key).is_some_and(Trade::is_paid) {
            return Err(PayRefusal::AlreadyPaid);
        }
        self.book(key, phone, now)
    }

    fn book(&mut self, key: &TradeKey, phone: &str, now: Moment) -> Result<PaidReceipt, PayRefusal> {
        let merchant_name = self.merchant(key.channel, &key.merchant).map(|m| m.name.clone()).unwrap_or_default();
        let trade = self.trades.get_mut(key).ok_or(PayRefusal::Unknown)?;
        let wallet = wallet(key.channel, &trade.ask.app_id, phone);
        trade.known = true;
        trade.state = TradeState::Paid { at: now, phone: phone.to_owned(), wallet: wallet.clone() };
        Ok(PaidReceipt {
            out_trade_no: key.out_trade_no.clone(),
            trade_no: trade.trade_no.clone(),
            amount: trade.ask.total,
            description: trade.ask.description.clone(),
            merchant_name,
            wallet,
            paid_at: now,
            return_url: trade.ask.return_url.clone(),
        })
    }

    /// A channel that breaks its word: what it took for a trade is less than was ordered.
    pub fn took_less(&mut self, key: &TradeKey, less: Fen) {
        if let Some(trade) = self.trades.get_mut(key) {
            trade.ask.total = trade.ask.total - less;
        }
    }

    /// Makes a trade unpayable. Again on a closed trade is fine.
    pub fn close(&mut self, key: &TradeKey, now: Moment) -> Result<&Trade, CloseRefusal> {
        let trade = self.trades.get_mut(key).ok_or(CloseRefusal::Unknown)?;
        match trade.state {
            TradeState::Paid { .. } => return Err(CloseRefusal::Paid),
            TradeState::NotPay => trade.state = TradeState::Closed { at: now },
            TradeState::Closed { .. } => {}
        }
        Ok(trade)
    }

    /// A number nobody ordered becomes a closed trade (field report: closing before ordering burns the number).
    pub fn burn(&mut self, key: TradeKey, now: Moment) {
        let ask = TradeAsk {
            app_id: String::new(),
            product: crate::domain::trade::Product::WechatNative,
            total: Fen::ZERO,
            description: String::new(),
            attach: None,
            digest: String::new(),
            buyer: None,
            notify_url: None,
            return_url: None,
            quit_url: None,
            body: None,
            gbk: false,
            txn_time: None,
            expires_at: now,
            closes_at: now,
            known: true,
            key: key.clone(),
        };
        let burnt = self.order(ask, now).is_ok() && self.close(&key, now).is_ok();
        debug_assert!(burnt, "callers burn only numbers that were never ordered");
    }

    /// Sends money back, or tells the same refund again (equal number and amount). Ends as `end`: at once, or `after` a
    /// while in which it is processing.
    pub fn refund(
        &mut self,
        key: &TradeKey,
        ask: RefundAsk,
        end: RefundEnd,
        after: Duration,
        now: Moment,
    ) -> Result<&Refund, RefundRefusal> {
        if let Some((trade, refund)) = self.refund_within(refund_scope(key), &ask.refund_no) {
            let told_otherwise = refund.amount != ask.amount || ask.total.is_some_and(|total| total != trade.ask.total);
            match () {
                () if trade.key() != key => return Err(RefundRefusal::OtherTrade),
                () if told_otherwise => return Err(RefundRefusal::AmountDiffers),
                () => {}
            }
        } else {
            self.may_refund(key, &ask, now)?;
            let refund_id = match key.channel {
                Channel::UnionPay => self.query_id(now),
                _ => format!("5030{}{}", now.format("%Y%m%d"), digits(&self.chance, 17)),
            };
            let state = match after {
                Duration::ZERO => RefundState::ended(end, now),
                after => RefundState::Processing { until: now + after, end },
            };
            if let RefundState::Processing { until, .. } = state {
                self.wakes.insert((until, key.clone()));
            }
            self.by_refund_no.insert((refund_scope(key), ask.refund_no.clone()), key.clone());
            let RefundAsk { refund_no, amount, reason, notify_url, txn_time, .. } = ask.clone();
            let refund = Refund { refund_no, refund_id, amount, reason, notify_url, txn_time, created_at: now, state };
            self.trades.get_mut(key).ok_or(RefundRefusal::Unknown)?.refunds.push(refund);
        }
        self.trade(key).and_then(|trade| trade.refund(&ask.refund_no)).ok_or(RefundRefusal::Unknown)
    }

    fn may_refund(&self, key: &TradeKey, ask: &RefundAsk, now: Moment) -> Result<(), RefundRefusal> {
        let trade = self.trade(key).ok_or(RefundRefusal::Unknown)?;
        let TradeState::Paid { at, .. } = trade.state else { return Err(RefundRefusal::NotPaid) };
        if ask.total.is_some_and(|total| total != trade.ask.total) {
            return Err(RefundRefusal::TotalDiffers);
        }
        if trade.refunds.len() >= MAX_REFUNDS {
            return Err(RefundRefusal::TooMany);
        }
        if now.since(at) > Duration::from_secs(REFUND_DAYS * 86_400) {
            return Err(RefundRefusal::TooLate);
        }
        if !ask.amount.is_positive() || ask.amount > trade.ask.total - trade.committed() {
            return Err(RefundRefusal::OverRest);
        }
        Ok(())
    }

    /// Lets time pass: refunds under way end, unpaid trades are closed by the channel. Call it before reading.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let mut events = Vec::new();
        while self.wakes.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, key)) = self.wakes.pop_first() else { break };
            let Some(trade) = self.trades.get_mut(&key) else { continue };
            if trade.state == TradeState::NotPay && now >= trade.ask.closes_at {
                trade.state = TradeState::Closed { at: trade.ask.closes_at };
                events.push(Event::TradeClosed { key: key.clone() });
            }
            for refund in &mut trade.refunds {
                if let RefundState::Processing { until, end } = refund.state
                    && now >= until
                {
                    refund.state = RefundState::ended(end, until);
                    events.push(Event::RefundEnded { key: key.clone(), refund_no: refund.refund_no.clone() });
                }
            }
        }
        events
    }

    /// All that a merchant (mchid, app_id or merId) has been paid, refunds not taken off.
    pub fn received(&self, merchant: &str) -> Fen {
        self.of(merchant).filter(|trade| trade.is_paid()).map(|trade| trade.ask.total).sum()
    }

    /// All that a merchant has sent back and that has arrived.
    pub fn sent_back(&self, merchant: &str) -> Fen {
        self.of(merchant).map(Trade::sent_back).sum()
    }

    /// How many trades of a merchant are paid.
    pub fn paid_count(&self, merchant: &str) -> usize {
        self.of(merchant).filter(|trade| trade.is_paid()).count()
    }

    /// Every code handed out, for the ledger.
    pub fn codes(&self) -> impl Iterator<Item = &Code> {
        self.codes.values()
    }

    /// Takes over the trades and codes of an earlier life. Call it on an empty bank.
    pub fn restore(&mut self, trades: Vec<Trade>, codes: Vec<Code>) {
        for trade in trades {
            let key = trade.key().clone();
            self.row.push(key.clone());
            self.by_trade_no.insert(trade.trade_no.clone(), key.clone());
            self.wakes.insert((trade.ask.closes_at, key.clone()));
            for refund in &trade.refunds {
                self.by_refund_no.insert((refund_scope(&key), refund.refund_no.clone()), key.clone());
                if let RefundState::Processing { until, .. } = refund.state {
                    self.wakes.insert((until, key.clone()));
                }
            }
            self.trades.insert(key, trade);
        }
        self.codes.extend(codes.into_iter().map(|code| (code.text.clone(), code)));
    }

    fn of<'a>(&'a self, merchant: &'a str) -> impl Iterator<Item = &'a Trade> {
        self.trades().filter(move |trade| trade.key().merchant == merchant)
    }

    /// `queryId`, 21 digits: UnionPay's number of a payment or a refund.
    fn query_id(&self, now: Moment) -> String {
        format!("{}{}", now.format("%Y%m%d%H%M%S"), digits(&self.chance, 7))
    }

    fn new_trade_no(&self, channel: Channel, now: Moment) -> String {
        loop {
            let day = now.format("%Y%m%d");
            let no = match channel {
                Channel::Wechat => format!("4200{}{day}{}", digits(&self.chance, 6), digits(&self.chance, 10)),
                Channel::Alipay => format!("{day}22001{}", digits(&self.chance, 15)),
                Channel::UnionPay => self.query_id(now),
            };
            if !self.by_trade_no.contains_key(&no) {
                return no;
            }
        }
    }
}

/// Within what a refund number is unique.
fn refund_scope(key: &TradeKey) -> String {
    match key.channel {
        Channel::Wechat | Channel::UnionPay => key.merchant.clone(),
        Channel::Alipay => format!("{}/{}", key.merchant, key.out_trade_no),
    }
}

/// `len` random digits, at most 18.
pub(super) fn digits(chance: &Chance, len: usize) -> String {
    format!("{:0len$}", chance.below(10u64.pow(u32::try_from(len).unwrap_or(18).min(18))))
}

#[cfg(test)]
mod tests;
