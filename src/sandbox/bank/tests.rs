//! The bank's rules, without any channel.
use super::*;
use crate::domain::trade::Product;
use crate::sandbox::merchants::{WECHAT_APP_ID, WECHAT_MCH_FISCAL, openid, school_merchants};

const NOON: Moment = Moment::from_unix(1_788_235_200);
const DAY: Duration = Duration::from_secs(86_400);

fn bank() -> Bank {
    Bank::new(school_merchants(), Chance::seeded(1))
}

fn ask(no: &str) -> TradeAsk {
    TradeAsk {
        key: TradeKey::new(Channel::Wechat, WECHAT_MCH_FISCAL, no),
        app_id: WECHAT_APP_ID.to_owned(),
        product: Product::WechatNative,
        total: Fen::new(800_000),
        description: "学费".to_owned(),
        attach: None,
        digest: "same".to_owned(),
        buyer: None,
        notify_url: None,
        return_url: None,
        quit_url: None,
        body: None,
        gbk: false,
        txn_time: None,
        expires_at: NOON + Duration::from_secs(3600),
        closes_at: NOON + 7 * DAY,
        known: true,
    }
}

fn refund_ask(no: &str, fen: i64) -> RefundAsk {
    RefundAsk {
        refund_no: no.to_owned(),
        amount: Fen::new(fen),
        total: Some(Fen::new(800_000)),
        reason: None,
        notify_url: None,
        txn_time: None,
    }
}

fn send_back<'a>(bank: &'a mut Bank, key: &TradeKey, no: &str, fen: i64) -> Result<&'a Refund, RefundRefusal> {
    bank.refund(key, refund_ask(no, fen), RefundEnd::Success, Duration::ZERO, NOON)
}

#[test]
fn the_same_order_again_is_the_same_trade_and_another_is_refused() {
    let mut bank = bank();
    let first = bank.order(ask("A00001"), NOON).unwrap().trade_no.clone();
    assert_eq!(bank.order(ask("A00001"), NOON).unwrap().trade_no, first);
    let other = TradeAsk { digest: "other".to_owned(), ..ask("A00001") };
    assert_eq!(bank.order(other, NOON), Err(OrderRefusal::Differs));
    assert_eq!(first.len(), 28);
}

#[test]
fn a_paid_order_cannot_be_ordered_paid_or_closed_again() {
    let mut bank = bank();
    let key = ask("A00001").key;
    bank.order(ask("A00001"), NOON).unwrap();
    assert_eq!(bank.pay(&key, "lin", NOON).unwrap().amount, Fen::new(800_000));
    assert_eq!(bank.order(ask("A00001"), NOON), Err(OrderRefusal::Paid));
    assert_eq!(bank.pay(&key, "lin", NOON), Err(PayRefusal::AlreadyPaid));
    assert_eq!(bank.close(&key, NOON).unwrap_err(), CloseRefusal::Paid);
    assert_eq!(bank.received(WECHAT_MCH_FISCAL), Fen::new(800_000));
    assert_eq!(bank.paid_count(WECHAT_MCH_FISCAL), 1);
}

#[test]
fn only_the_first_payer_who_opened_an_order_can_pay_it() {
    let mut bank = bank();
    let key = ask("A00001").key;
    bank.order(ask("A00001"), NOON).unwrap();
    bank.open(&key, "lin", NOON).unwrap();
    assert_eq!(bank.pay(&key, "wang", NOON), Err(PayRefusal::OtherPayer));
    assert!(bank.pay(&key, "lin", NOON).is_ok());
}

#[test]
fn an_order_that_names_its_buyer_takes_money_from_nobody_else() {
    let mut bank = bank();
    let named = TradeAsk { buyer: Some(openid(WECHAT_APP_ID, "lin")), ..ask("A00001") };
    bank.order(named, NOON).unwrap();
    assert_eq!(bank.pay(&ask("A00001").key, "wang", NOON), Err(PayRefusal::WrongBuyer));
    assert!(bank.pay(&ask("A00001").key, "lin", NOON).is_ok());
}

#[test]
fn an_expired_order_is_not_closed_until_the_channel_closes_it() {
    let mut bank = bank();
    let key = ask("A00001").key;
    bank.order(ask("A00001"), NOON).unwrap();
    let late = NOON + Duration::from_secs(3600);
    assert_eq!(bank.pay(&key, "lin", late), Err(PayRefusal::Expired));
    assert_eq!(bank.order(ask("A00001"), late), Err(OrderRefusal::Expired));
    assert_eq!(bank.trade(&key).unwrap().state, TradeState::NotPay);
    assert_eq!(bank.tick(NOON + 7 * DAY), [Event::TradeClosed { key: key.clone() }]);
    assert_eq!(bank.pay(&key, "lin", NOON + 8 * DAY), Err(PayRefusal::Closed));
    assert!(bank.pay_against_the_rules(&key, "lin", NOON + 8 * DAY).is_ok());
}

#[test]
fn parts_of_a_refund_sum_up_to_the_payment_and_never_beyond() {
    let mut bank = bank();
    let key = ask("A00001").key;
    bank.order(ask("A00001"), NOON).unwrap();
    assert_eq!(send_back(&mut bank, &key, "R1", 1).unwrap_err(), RefundRefusal::NotPaid);
    bank.pay(&key, "lin", NOON).unwrap();
    send_back(&mut bank, &key, "R1", 300_000).unwrap();
    send_back(&mut bank, &key, "R1", 300_000).unwrap();
    assert_eq!(send_back(&mut bank, &key, "R1", 300_001).unwrap_err(), RefundRefusal::AmountDiffers);
    assert_eq!(send_back(&mut bank, &key, "R2", 500_001).unwrap_err(), RefundRefusal::OverRest);
    send_back(&mut bank, &key, "R2", 500_000).unwrap();
    assert_eq!(send_back(&mut bank, &key, "R3", 1).unwrap_err(), RefundRefusal::OverRest);
    assert_eq!(bank.sent_back(WECHAT_MCH_FISCAL), Fen::new(800_000));
    assert_eq!(bank.received(WECHAT_MCH_FISCAL), Fen::new(800_000));
}

#[test]
fn a_refund_number_belongs_to_one_trade() {
    let mut bank = bank();
    for no in ["A00001", "A00002"] {
        bank.order(ask(no), NOON).unwrap();
        bank.pay(&ask(no).key, "lin", NOON).unwrap();
    }
    send_back(&mut bank, &ask("A00001").key, "R1", 1).unwrap();
    assert_eq!(send_back(&mut bank, &ask("A00002").key, "R1", 1).unwrap_err(), RefundRefusal::OtherTrade);
}

#[test]
fn a_refund_under_way_holds_its_part_and_ends_when_its_time_has_come() {
    let mut bank = bank();
    let key = ask("A00001").key;
    bank.order(ask("A00001"), NOON).unwrap();
    bank.pay(&key, "lin", NOON).unwrap();
    let minute = Duration::from_secs(60);
    bank.refund(&key, refund_ask("R1", 800_000), RefundEnd::Closed, minute, NOON).unwrap();
    assert_eq!(send_back(&mut bank, &key, "R2", 1).unwrap_err(), RefundRefusal::OverRest);
    assert_eq!(bank.tick(NOON + minute), [Event::RefundEnded { key: key.clone(), refund_no: "R1".to_owned() }]);
    assert_eq!(bank.sent_back(WECHAT_MCH_FISCAL), Fen::ZERO);
    assert!(send_back(&mut bank, &key, "R2", 800_000).is_ok());
}

#[test]
fn fifty_refunds_and_a_year_are_the_limit() {
    let mut bank = bank();
    let key = ask("A00001").key;
    bank.order(ask("A00001"), NOON).unwrap();
    bank.pay(&key, "lin", NOON).unwrap();
    let late = bank.refund(&key, refund_ask("R0", 1), RefundEnd::Success, Duration::ZERO, NOON + 366 * DAY);
    assert_eq!(late.unwrap_err(), RefundRefusal::TooLate);
    for part in 0..MAX_REFUNDS {
        send_back(&mut bank, &key, &format!("R{part}"), 1).unwrap();
    }
    assert_eq!(send_back(&mut bank, &key, "R50", 1).unwrap_err(), RefundRefusal::TooMany);
}
