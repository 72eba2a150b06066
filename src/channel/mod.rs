//! Who moves the money. A channel speaks one company's protocol, verifies every word it hears, and keeps nothing.
pub mod alipay;
pub mod contract;
pub mod counted;
pub mod directory;
pub mod unionpay;
pub mod wechat;
