//! The gateway as a merchant meets it, over a real port.
mod access;
mod bridge;
mod cashier;
mod faults;
mod notices;
mod orders;
mod refunds;

use super::*;

#[test]
fn paths_are_understood_and_strangers_are_not() {
    assert_eq!(Wish::of("/v3/pay/transactions/out-trade-no/A%7CB"), Some(Wish::QueryByNo("A|B".to_owned())));
    assert_eq!(Wish::of("/v3/pay/transactions/h5"), Some(Wish::Order(Product::WechatH5)));
    assert_eq!(Wish::of("/v3/pay/transactions/app"), None);
    assert_eq!(Wish::of("/v3/certificates/"), None);
    assert_eq!(decoded("a+b%2B"), "a+b+");
}
