//! A student with a phone: signs in, ticks what is owed, pays or changes his mind, waits for the result, and tries
//! again when something breaks, as people do. Never for ever.
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiaofei::clock::Chance;
use serde_json::{Value, json};

use super::town::{Debtor, Town, client};
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};

/// What a page says when no money was taken.
const NOTHING_TAKEN: &str = "没有从您的账户扣款";
const SUCCESS: &str = "缴费成功";
/// How long a person looks at a page that does not come
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a visit ended early; the person tries again.
#[derive(Debug)]
pub struct Stumble;

type Step<T> = Result<T, Stumble>;

pub struct Person {
    pub town: Arc<Town>,
    pub chance: Chance,
    /// Telephone number, which the wallets belong to
    pub wallet: String,
    /// Where from, as the proxy in front would tell
    pub address: String,
}

/// A browser of this person.
pub struct Browser {
    phone: Phone,
    device: Device,
}

/// A payment that only needs the password.
pub struct Ready {
    channel: &'static str,
    code: String,
}

impl Person {
    pub fn new(town: &Arc<Town>, seed: u64, at: u64) -> Person {
        let chance = Chance::seeded(seed.wrapping_mul(1_000_003).wrapping_add(at));
        let (wallet, address) = (format!("138{at:08}"), format!("10.{}.{}.7", at / 250, at % 250));
        Person { town: Arc::clone(town), chance, wallet, address }
    }

    pub fn browser(&self, device: Device) -> Browser {
        let phone = Phone::new(&self.town.front.url(), device).with_header("x-forwarded-for", &self.address);
        Browser { phone, device }
    }

    /// One student after the other, until the town closes.
    pub async fn live(self) {
        while let Some(debtor) = self.town.next_debtor().await {
            let device = [Device::Mobile, Device::Mobile, Device::Wechat, Device::Alipay][self.roll(4)];
            let browser = self.browser(device);
            for _ in 0..10 {
                if self.town.is_closing() {
                    return;
                }
                match self.visit(&browser, &debtor).await {
                    Ok(true) => self.pause(100, 600).await,
                    Ok(false) => break,
                    Err(Stumble) => self.pause(300, 1500).await,
                }
            }
        }
    }

    fn roll(&self, below: u64) -> usize {
        usize::try_from(self.chance.below(below)).unwrap()
    }

    async fn pause(&self, from: u64, to: u64) {
        tokio::time::sleep(Duration::from_millis(from + self.chance.below(to - from))).await;
    }

    /// One try to pay something; false when nothing is owed any more.
    async fn visit(&self, browser: &Browser, debtor: &Debtor) -> Step<bool> {
        let tuition = self.signed_in(browser, debtor).await?;
        let form = tuition.forms().into_iter().find(|form| form.action.split('?').next() == Some("/h5/checkout"));
        let Some(form) = form.filter(|form| form.field("fee").is_some()) else { return Ok(false) };
        let fees: Vec<String> =
            form.fields.iter().filter(|(name, _)| name == "fee").map(|(_, value)| value.clone()).collect();
        let mut chosen = form.without("fee");
        for _ in 0..=self.roll(3) {
            let fee = &fees[self.roll(fees.len() as u64)];
            if !chosen.fields.iter().any(|(_, value)| value == fee) {
                chosen.fields.push(("fee".to_owned(), fee.clone()));
            }
        }
        let answer = self.submit(browser, &chosen).await?;
        let cashier = match answer.status {
            303 => self.follow(browser, answer).await?,
            // one of them waits in another order: go there
            _ => {
                let link = answer.links().into_iter().find(|link| link.starts_with("/h5/cashier/")).ok_or(Stumble)?;
                let page = self.get(browser, &link).await?;
                self.follow(browser, page).await?
            }
        };
        let Some(order_no) = cashier.path.strip_prefix("/h5/cashier/").map(str::to_owned) else { return Ok(true) };
        match self.roll(100) {
            0..8 => self.town.notes.count("orders left to run out"),
            8..16 => self.cancel(browser, &cashier).await?,
            16..28 => self.pay_twice(browser, &cashier, &order_no).await?,
            28..36 => self.pay_and_cancel(browser, &cashier, &order_no).await?,
            _ => {
                let ready = self.start(browser, &cashier, self.way(browser)).await?;
                if self.pay(&ready).await {
                    self.wait(browser, &order_no).await?;
                }
            }
        }
        Ok(true)
    }

    /// Pays what is owed in this kind of browser, on a quiet day: it must succeed at once.
    pub async fn pay_something(&self, debtor: &Debtor, device: Device) {
        let browser = self.browser(device);
        let done = async {
            let tuition = self.signed_in(&browser, debtor).await?;
            let form = tuition.form("/h5/checkout");
            let fee = form.field("fee").ok_or(Stumble)?.to_owned();
            let answer = self.submit(&browser, &form.without("fee").set("fee", &fee)).await?;
            let cashier = self.follow(&browser, answer).await?;
            let order_no = cashier.path.strip_prefix("/h5/cashier/").ok_or(Stumble)?.to_owned();
            let ready = self.start(&browser, &cashier, self.way(&browser)).await?;
            if !self.pay(&ready).await {
                return Err(Stumble);
            }
            self.wait(&browser, &order_no).await
        };
        match done.await {
            Ok(()) => self.town.notes.count("payments in peace"),
            Err(Stumble) => self.town.notes.wrong(format!("in peace, {device:?} could not pay")),
        }
    }

    async fn signed_in(&self, browser: &Browser, debtor: &Debtor) -> Step<Page> {
        let page = self.get(browser, "/h5/tuition").await?;
        let page = self.follow(browser, page).await?;
        let login = page.forms().into_iter().find(|form| form.action.split('?').next() == Some("/h5/login"));
        let Some(login) = login else { return Ok(page) };
        let filled = login.set("username", &debtor.number).set("password", &debtor.password);
        let answer = self.submit(browser, &filled).await?;
        if answer.status != 303 {
            self.town.notes.count(format!("sign-ins answered {}", answer.status));
            return Err(Stumble);
        }
        self.town.notes.count("sign-ins");
        self.follow(browser, answer).await?;
        self.get(browser, "/h5/tuition").await
    }

    fn way(&self, browser: &Browser) -> &'static str {
        match browser.device {
            Device::Wechat => "wechat",
            Device::Alipay => "alipay",
            _ => ["wechat", "alipay"][self.roll(2)],
        }
    }

    /// From the cashier to the channel's own window.
    pub async fn start(&self, browser: &Browser, cashier: &Page, channel: &'static str) -> Step<Ready> {
        let form = cashier.forms().into_iter().find(|form| form.action.ends_with("/pay")).ok_or(Stumble)?;
        let answer = self.submit(browser, &form.set("method", channel)).await?;
        let mut page = self.follow(browser, answer).await?;
        let bridge = |page: &Page| {
            let wechat = page.find_attribute("launch", "data-wx").and_then(|text| {
                let call: Value = serde_json::from_str(&text).ok()?;
                Some(call["package"].as_str()?.to_owned())
            });
            wechat.or_else(|| page.find_attribute("launch", "data-ali"))
        };
        if browser.device != Device::Mobile && bridge(&page).is_none() {
            // the channel wants to know who pays
            let away = page.find_attribute("jump", "href").ok_or(Stumble)?;
            let away = away.split('#').next().unwrap_or_default().to_owned();
            let back = self.get(browser, &format!("{away}&phone={}", self.wallet)).await?;
            page = self.follow(browser, back).await?;
        }
        if let Some(code) = bridge(&page) {
            return Ok(Ready { channel, code });
        }
        let address = page.find_attribute("jump", "href").ok_or(Stumble)?;
        match channel {
            "wechat" => Ok(Ready { channel, code: address }),
            // a trade comes to life when its payer arrives
            _ => {
                let arrival = client().get(&address).header("cookie", format!("phone={}", self.wallet));
                arrival.timeout(PATIENCE).send().await.map_err(|_| Stumble)?;
                Ok(Ready { channel, code: number_in(&address).ok_or(Stumble)? })
            }
        }
    }

    /// The password at the channel; true when the channel says that it is paid.
    pub async fn pay(&self, ready: &Ready) -> bool {
        let scan = json!({ "channel": ready.channel, "code": ready.code, "phone": self.wallet });
        let told = self.town.control("pay", Some(scan)).await;
        self.town.notes.count(match &told {
            Some((200, _)) => format!("payments through {}", ready.channel),
            Some((_, why)) => format!("payments the channel refused: {}", why["refusal"].as_str().unwrap_or("?")),
            None => "payments whose payer saw no answer".to_owned(),
        });
        matches!(told, Some((200, _)))
    }

    async fn cancel(&self, browser: &Browser, cashier: &Page) -> Step<()> {
        let form = cashier.forms().into_iter().find(|form| form.action.ends_with("/cancel")).ok_or(Stumble)?;
        let answer = self.submit(browser, &form).await?;
        self.town.notes.count("cancellations");
        self.follow(browser, answer).await.map(drop)
    }

    /// Begins with one channel, goes on with the other, and then pays at both if they let him.
    async fn pay_twice(&self, browser: &Browser, cashier: &Page, order_no: &str) -> Step<()> {
        if browser.device != Device::Mobile {
            let ready = self.start(browser, cashier, self.way(browser)).await?;
            let _ = tokio::join!(self.pay(&ready), self.pay(&ready));
            return self.wait(browser, order_no).await;
        }
        let first = self.start(browser, cashier, "wechat").await?;
        let early = self.roll(2) == 0 && self.pay(&first).await;
        let second = self.start(browser, cashier, "alipay").await;
        let paid = match &second {
            Ok(second) => tokio::join!(self.pay(&first), self.pay(second)),
            Err(_) => (self.pay(&first).await, false),
        };
        match early || paid.0 || paid.1 {
            true => self.wait(browser, order_no).await,
            false => Ok(()),
        }
    }

    async fn pay_and_cancel(&self, browser: &Browser, cashier: &Page, order_no: &str) -> Step<()> {
        let ready = self.start(browser, cashier, self.way(browser)).await?;
        let (paid, cancelled) = tokio::join!(self.pay(&ready), self.cancel(browser, cashier));
        if paid {
            self.wait(browser, order_no).await?;
        }
        cancelled
    }

    /// Looks at the result until it is there. A payer who paid must never read that nothing was taken.
    pub async fn wait(&self, browser: &Browser, order_no: &str) -> Step<()> {
        for _ in 0..12 {
            self.pause(400, 1200).await;
            let Ok(page) = self.get(browser, &format!("/h5/result/{order_no}")).await else { continue };
            if page.has(SUCCESS) {
                self.town.notes.count("payers told of their success");
                self.town.notes.told_paid(order_no);
                return Ok(());
            }
            if page.has(NOTHING_TAKEN) {
                self.town.notes.wrong(format!("{order_no}: a payer who paid is told that nothing was taken"));
            }
        }
        self.town.notes.count("payers who stopped waiting for a result");
        Err(Stumble)
    }

    async fn get(&self, browser: &Browser, path: &str) -> Step<Page> {
        self.judge(path, Instant::now(), tokio::time::timeout(PATIENCE, browser.phone.try_get(path)).await)
    }

    pub async fn submit(&self, browser: &Browser, form: &crate::world::page::Form) -> Step<Page> {
        let begun = Instant::now();
        self.judge(&form.action, begun, tokio::time::timeout(PATIENCE, browser.phone.try_submit(form)).await)
    }

    pub async fn follow(&self, browser: &Browser, mut page: Page) -> Step<Page> {
        for _ in 0..10 {
            if !(300..400).contains(&page.status) {
                return Ok(page);
            }
            let next = page.location().to_owned();
            page = self.get(browser, &next).await?;
        }
        self.town.notes.wrong(format!("{} redirects for ever", page.path));
        Err(Stumble)
    }

    /// What a person makes of an answer: a broken line or a page that asks to try again is tried again. A page that
    /// says "our fault" is never right; one that says "try again" only when something was away.
    fn judge<E>(&self, path: &str, begun: Instant, answer: Result<reqwest::Result<Page>, E>) -> Step<Page> {
        let notes = &self.town.notes;
        let place: String =
            path.split(['?', '#']).next().unwrap_or_default().split('/').take(3).collect::<Vec<_>>().join("/");
        match answer {
            Ok(Ok(page)) if page.status == 503 || page.status == 502 => {
                let calm = if notes.was_disturbed(begun) { "while something was away" } else { "in calm" };
                notes.count(format!("answered {} {calm}: {place}", page.status));
                if page.path.contains("/pay") { Ok(page) } else { Err(Stumble) }
            }
            Ok(Ok(page)) if page.status >= 500 => {
                notes.wrong(format!("{place} answered {}: {}", page.status, page.text()));
                Err(Stumble)
            }
            Ok(Ok(page)) => Ok(page),
            Ok(Err(_)) => {
                notes.count("requests on a line that broke");
                Err(Stumble)
            }
            Err(_) => {
                notes.count("requests without an answer in 20 s");
                if !notes.was_disturbed(begun) {
                    notes.wrong(format!("{place} did not answer within 20 s in calm"));
                }
                Err(Stumble)
            }
        }
    }
}

/// The attempt's number within the link to Alipay's page.
fn number_in(address: &str) -> Option<String> {
    let query = address.split_once('?')?.1;
    let biz = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "biz_content")?.1;
    let biz: Value = serde_json::from_str(&biz).ok()?;
    Some(biz["out_trade_no"].as_str()?.to_owned())
}
