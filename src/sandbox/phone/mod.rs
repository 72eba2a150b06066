//! The phone: a page in a desktop's browser that shows the app's pages as WeChat, Alipay, 云闪付 or a browser on a phone
//! would.
//!
//! Addresses, all on the sandbox's own port; `{app}` is `wechat`, `alipay`, `unionpay`, `browser` or `desktop`,
//! `{phone}` is any name of letters, digits, `-` and `_`:
//! - `/`: the phone in its frame, with the panel of books, notices and faults beside it
//! - `/as/{app}/{phone}/h5/…`: the app's page `/h5/…` as that app on that phone sees it, with or without the frame
//! - `/as/{app}/{phone}/~/…`: the same for the sandbox's own pages (cashiers, sign-in)
//! - `/as/{app}/{phone}?scan=TEXT`: what happens when the app scans or opens a text: a link of the app or of the
//!   sandbox is opened, a payment code leads to `/as/{app}/{phone}/~pay?code=TEXT`
//! - `/as/{app}/{phone}/~closed`: the app has been closed
//! - `/phone/…`: files and data of the page itself
//!
//! A phone's name is its wallet: the same name is the same openid, Alipay user and card. For demonstrations and tests
//! on one machine only: the relay goes to the app's own address and nowhere else.
pub mod address;
pub mod device;
pub mod jar;
pub mod page;
pub mod pay;
pub mod relay;
pub mod rewrite;
pub mod routes;
pub mod scan;
pub mod wall;
