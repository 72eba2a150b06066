//! The sandbox itself: the bank, the faults, the outbox, a clock and chance, shared by every gateway and page.
//!
//! Lock order: bank, then faults, then outbox. No lock is held across an await.
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use crate::clock::{Chance, Clock};
use crate::domain::moment::Moment;
use crate::domain::trade::{Channel, Product};

use super::account::state::Account;
use super::bank::Bank;
use super::campus::inbox::{Inbox, Mishap};
use super::cas::book::Book;
use super::codes::AuthCodes;
use super::faults::{Call, Fault, Faults, Setting};
use super::fiscal::ledger::Ledger as Fiscal;
use super::merchants::{Merchant, WECHAT_APP_SECRET, school_merchants};
use super::outbox::{Courier, Delivery, NoticeAbout, NoticeJob, Outbox};
use super::postbox::shelf::Shelf;
use super::trade::{Event, RefundState, Trade};
use super::utility::meters::{Meters, Trouble};

/// Whom the sandbox plays for.
#[derive(Clone, Debug)]
pub struct Options {
    pub merchants: Vec<Merchant>,
    /// AppSecret of the service account
    pub app_secret: String,
    /// The H5 payment domain set on WeChat's platform: the Referer of whoever opens the H5 cashier must be of it.
    /// None: any Referer will do, but there must be one.
    pub h5_domain: Option<String>,
    /// The page-authorisation domain of the service account; none: any.
    pub oauth_domain: Option<String>,
    /// How long a receiver has to acknowledge a notice, real time (WeChat Pay v3, payment notice: 5 s).
    pub ack_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            merchants: school_merchants(),
            app_secret: WECHAT_APP_SECRET.to_owned(),
            h5_domain: None,
            oauth_domain: None,
            ack_within: Duration::from_secs(5),
        }
    }
}

/// Whose key WeChat's notices are signed with (a merchant that changes from certificates to the public key sees both).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKey {
    #[default]
    PublicKey,
    /// The platform certificate in use
    CertA,
    /// Its successor
    CertB,
    /// Any of the three, by chance
    Mixed,
}

/// Settings of the merchant's account that are no faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Switches {
    pub notice_key: NoticeKey,
    /// A merchant that never had platform certificates: `/v3/certificates` answers 404.
    pub public_key_only: bool,
    /// The successor certificate is listed too.
    pub rotation: bool,
    /// Alipay names payers by `open_id`, as it does to applications created since 2023.
    pub alipay_open_id: bool,
    /// Alipay's notices are in GBK whatever the order's charset.
    pub alipay_gbk: bool,
}

pub struct Sandbox {
    pub options: Options,
    pub clock: Clock,
    pub chance: Chance,
    /// Sends the notices
    pub(super) http: reqwest::Client,
    bank: Mutex<Bank>,
    faults: Mutex<Faults>,
    outbox: Mutex<Outbox>,
    codes: Mutex<AuthCodes>,
    account: Mutex<Account>,
    campus: Mutex<Inbox>,
    cas: Mutex<Book>,
    utility: Mutex<Meters>,
    postbox: Mutex<Shelf>,
    fiscal: Mutex<Fiscal>,
    switches: Mutex<Switches>,
    wall: Mutex<Vec<Hanging>>,
    public_url: OnceLock<String>,
    app_url: OnceLock<String>,
    courier: OnceLock<Arc<dyn Courier>>,
}

/// A poster on the wall.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hanging {
    pub title: String,
    pub png: Vec<u8>,
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Sandbox {
    pub fn new(options: Options, clock: Clock, chance: Chance) -> Arc<Sandbox> {
        let http = reqwest::Client::builder()
            .timeout(options.ack_within)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client without certificates of its own can always be built");
        let bank = Bank::new(options.merchants.clone(), chance.clone());
        Arc::new(Sandbox {
            options,
            clock,
            chance,
            http,
            bank: Mutex::new(bank),
            faults: Mutex::default(),
            outbox: Mutex::default(),
            codes: Mutex::default(),
            account: Mutex::default(),
            campus: Mutex::default(),
            cas: Mutex::default(),
            utility: Mutex::default(),
            postbox: Mutex::default(),
            fiscal: Mutex::default(),
            switches: Mutex::default(),
            wall: Mutex::default(),
            public_url: OnceLock::new(),
            app_url: OnceLock::new(),
            courier: OnceLock::new(),
        })
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The books as of now: whatever time has brought about (refunds that ended, trades closed) is in them, and its
    /// notices are queued.
    pub fn bank(&self) -> MutexGuard<'_, Bank> {
        let mut bank = hold(&self.bank);
        for event in bank.tick(self.now()) {
            let (key, about) = match event {
                Event::RefundEnded { key, refund_no } => (key, NoticeAbout::Refund { refund_no }),
                Event::TradeClosed { key } => (key, NoticeAbout::Closed),
            };
            if let Some(trade) = bank.trade(&key) {
                self.queue_notice(trade, about);
            }
        }
        bank
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        hold(&self.faults)
    }

    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        hold(&self.outbox)
    }

    pub(super) fn codes(&self) -> MutexGuard<'_, AuthCodes> {
        hold(&self.codes)
    }

    /// What the platform keeps of the official account.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        hold(&self.account)
    }

    /// The fiscal authority's bills.
    pub fn fiscal(&self) -> MutexGuard<'_, Fiscal> {
        hold(&self.fiscal)
    }

    /// The campus system that is told of payments.
    pub fn campus(&self) -> MutexGuard<'_, Inbox> {
        hold(&self.campus)
    }

    /// The university's portal.
    pub fn cas(&self) -> MutexGuard<'_, Book> {
        hold(&self.cas)
    }

    /// What came to phones and mailboxes.
    pub fn postbox(&self) -> MutexGuard<'_, Shelf> {
        hold(&self.postbox)
    }

    /// The provider of electricity and the campus card.
    pub fn utility(&self) -> MutexGuard<'_, Meters> {
        hold(&self.utility)
    }

    /// The provider fails so many times (none: until told otherwise), or not at all.
    pub fn set_utility_trouble(&self, trouble: Option<Trouble>, times: Option<u32>) {
        self.utility().trouble = trouble.map(|trouble| (trouble, times));
    }

    /// The campus system fails so many times (none: until told otherwise), or not at all.
    pub fn set_campus_mishap(&self, mishap: Option<Mishap>, times: Option<u32>) {
        self.campus().mishap = mishap.map(|mishap| (mishap, times));
    }

    pub fn switches(&self) -> Switches {
        *hold(&self.switches)
    }

    pub fn set_switches(&self, switches: Switches) {
        *hold(&self.switches) = switches;
    }

    /// Something goes wrong from now on.
    pub fn set_fault(&self, setting: Setting) {
        self.faults().set(setting);
    }

    /// Nothing goes wrong any more, at the campus system and the postbox neither.
    pub fn clear_faults(&self) {
        self.faults().clear();
        self.set_campus_mishap(None, None);
        self.postbox().mend();
    }

    pub(super) fn strikes(&self, fault: Fault, channel: Channel, call: Call) -> Option<u64> {
        self.faults().strikes(fault, channel, call)
    }

    /// Every try to deliver a notice so far, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.outbox().journal().to_vec()
    }

    /// How many notices have neither been received nor given up.
    pub fn notices_waiting(&self) -> usize {
        self.outbox().waiting().len()
    }

    /// Where browsers reach the sandbox, without a trailing slash. Set once, before serving.
    pub fn set_public_url(&self, url: &str) {
        let _ = self.public_url.set(url.trim_end_matches('/').to_owned());
    }

    /// The address to put into pages and codes: the one set, else the one the caller used.
    pub fn public_url(&self, host: Option<&str>) -> String {
        let used = || format!("http://{}", host.unwrap_or("127.0.0.1"));
        self.public_url.get().cloned().unwrap_or_else(used)
    }

    /// Where the app under demonstration is, without a trailing slash: what phones show. Set once, before serving.
    pub fn set_app_url(&self, url: &str) {
        let _ = self.app_url.set(url.trim_end_matches('/').to_owned());
    }

    pub fn app_url(&self) -> Option<&str> {
        self.app_url.get().map(String::as_str)
    }

    /// Hangs a poster on the wall, for phones to scan.
    pub fn hang(&self, poster: Hanging) {
        hold(&self.wall).push(poster);
    }

    pub fn wall(&self) -> MutexGuard<'_, Vec<Hanging>> {
        hold(&self.wall)
    }

    /// From now on notices go by this courier, not over the network. Set once.
    pub fn set_courier(&self, courier: Arc<dyn Courier>) {
        let _ = self.courier.set(courier);
    }

    pub(super) fn courier(&self) -> Option<&Arc<dyn Courier>> {
        self.courier.get()
    }

    /// Puts a notice about a trade into the outbox, first due now (or when the faults say). No address: no notice.
    pub(super) fn queue_notice(&self, trade: &Trade, about: NoticeAbout) {
        let Some(url) = notice_address(trade, &about) else { return };
        let channel = trade.key().channel;
        let call = match about {
            NoticeAbout::Refund { .. } => Call::RefundNotice,
            NoticeAbout::Paid | NoticeAbout::Closed => Call::PaymentNotice,
        };
        if self.strikes(Fault::LoseNotice, channel, call).is_some() {
            return;
        }
        let delay = self.strikes(Fault::DelayNotice, channel, call).unwrap_or(0);
        let held = self.strikes(Fault::ReorderNotice, channel, call).is_some();
        let now = self.now();
        self.outbox().push(NoticeJob {
            id: self.notice_id(now),
            key: trade.key().clone(),
            about,
            url,
            queued_at: now,
            due_at: now + Duration::from_secs(delay),
            tries: 0,
            held,
        });
    }

    fn notice_id(&self, now: Moment) -> String {
        format!("EV-{}{}", now.format("%Y%m%d%H%M%S"), super::bank::digits(&self.chance, 12))
    }
}

/// Where a notice goes; None where the channel sends none. WeChat tells a refund only to the address given with it and
/// never tells that an order was closed. Alipay tells everything to the order's own address, but a failed refund never,
/// and an order closed unpaid only where it was made by a phone's browser (`alipay.trade.wap.pay`).
fn notice_address(trade: &Trade, about: &NoticeAbout) -> Option<String> {
    let orders = || trade.ask.notify_url.clone();
    match (trade.key().channel, about) {
        (_, NoticeAbout::Paid) => orders(),
        (Channel::Wechat | Channel::UnionPay, NoticeAbout::Closed) => None,
        (Channel::Wechat, NoticeAbout::Refund { refund_no }) => trade.refund(refund_no)?.notify_url.clone(),
        // only what succeeded is told, to the address given with the refund
        (Channel::UnionPay, NoticeAbout::Refund { refund_no }) => {
            let refund = trade.refund(refund_no)?;
            refund.notify_url.clone().filter(|_| matches!(refund.state, RefundState::Success { .. }))
        }
        (Channel::Alipay, NoticeAbout::Closed) => orders().filter(|_| trade.ask.product == Product::AlipayWap),
        (Channel::Alipay, NoticeAbout::Refund { refund_no }) => {
            let arrived = matches!(trade.refund(refund_no)?.state, RefundState::Success { .. });
            orders().filter(|_| arrived)
        }
    }
}
