//! Where browser stories play: the app and the outside, a chromedriver, a clock that runs by itself, and the payer's
//! side of WeChat and Alipay.
use std::sync::Arc;
use std::time::Duration;

use jiaofei::domain::trade::Channel;
use jiaofei::sandbox::wechat::bridge::{BridgeCall, check};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::driver::Driver;
use super::window::Window;
use crate::world::app::TestApp;
use crate::world::phone::Device;

/// Time and notices move on in steps of this.
const STEP: Duration = Duration::from_millis(100);

pub struct Stage {
    // windows may not outlive it, and it not the world
    pub driver: Driver,
    pub world: TestApp,
    time: JoinHandle<()>,
}

/// What a payer does when the app asks for the money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payer {
    Pays,
    Cancels,
}

/// `None`, and a word to whoever reads the run, where no browser is wanted.
pub async fn set() -> Option<Stage> {
    set_with(TestApp::start).await
}

/// As [`set`], in a world of one's own.
pub async fn set_with(world: impl AsyncFnOnce() -> TestApp) -> Option<Stage> {
    if std::env::var("JIAOFEI_TEST_BROWSER").is_ok_and(|wanted| wanted == "1") {
        return Some(Stage::set(world().await));
    }
    eprintln!("no browser: JIAOFEI_TEST_BROWSER=1 runs this story");
    None
}

impl Stage {
    fn set(world: TestApp) -> Stage {
        let (sandbox, clock) = (Arc::clone(&world.sandbox), world.clock.clone());
        let time = tokio::spawn(async move {
            loop {
                tokio::time::sleep(STEP).await;
                clock.advance(STEP);
                sandbox.deliver_due().await;
            }
        });
        Stage { driver: Driver::start(), world, time }
    }

    pub async fn open(&self, device: Device) -> Window {
        Window::open(&self.driver, device).await
    }

    /// Somebody's WeChat: signed in there as this phone, with the bridge WeChat brings into every page.
    pub async fn wechat(&self, phone: &str) -> Window {
        let window = self.open(Device::Wechat).await;
        window.set_cookie(&self.world.sandbox_url, "phone", phone).await;
        window.before_each_page(WECHAT_BRIDGE).await;
        window
    }

    /// Waits until the page asks WeChat for the money, lets WeChat check the call, and answers as the payer does.
    pub async fn in_wechat(&self, window: &Window, phone: &str, payer: Payer) {
        let asked = window.wait_for("return window.asked && window.asked.length ? window.asked.pop() : null").await;
        assert_eq!(asked["name"], "getBrandWCPayRequest");
        let call: BridgeCall = serde_json::from_value(asked["parameters"].clone()).unwrap();
        let prepay_id = check(&self.world.sandbox, &call).unwrap();
        let word = match payer {
            Payer::Pays => {
                self.world.sandbox.pay(Channel::Wechat, &prepay_id, phone).unwrap();
                "ok"
            }
            Payer::Cancels => {
                self.world.sandbox.cancel(Channel::Wechat, &prepay_id, phone).unwrap();
                "cancel"
            }
        };
        answer(window, &json!({ "err_msg": format!("get_brand_wcpay_request:{word}") })).await;
    }

    /// Somebody's Alipay, with its bridge.
    pub async fn alipay(&self, phone: &str) -> Window {
        let window = self.open(Device::Alipay).await;
        window.set_cookie(&self.world.sandbox_url, "phone", phone).await;
        window.before_each_page(ALIPAY_BRIDGE).await;
        window
    }

    /// Waits until the page asks Alipay for the money, and answers as the payer does.
    pub async fn in_alipay(&self, window: &Window, phone: &str, payer: Payer) {
        let asked = window.wait_for("return window.asked && window.asked.length ? window.asked.pop() : null").await;
        assert_eq!(asked["name"], "tradePay");
        let trade_no = asked["parameters"]["tradeNO"].as_str().unwrap();
        let code = match payer {
            Payer::Pays => {
                self.world.sandbox.pay(Channel::Alipay, trade_no, phone).unwrap();
                "9000"
            }
            Payer::Cancels => {
                self.world.sandbox.cancel(Channel::Alipay, trade_no, phone).unwrap();
                "6001"
            }
        };
        answer(window, &json!({ "resultCode": code })).await;
    }
}

/// The script has returned before the page goes on to the next.
async fn answer(window: &Window, word: &Value) {
    window.script(&format!("const done = window.done; setTimeout(() => done({word}), 0)")).await;
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.time.abort();
    }
}

/// WeChat brings its bridge some time after the page; the payer's answer comes from outside.
pub const WECHAT_BRIDGE: &str = "
if (window.top === window) {
  window.asked = [];
  setTimeout(() => {
    window.WeixinJSBridge = {
      invoke(name, parameters, done) { window.done = done; window.asked.push({ name, parameters }); },
      call() {}, on() {},
    };
    document.dispatchEvent(new Event('WeixinJSBridgeReady'));
  }, 50);
}";

/// Alipay's bridge may come later than the page as well.
const ALIPAY_BRIDGE: &str = "
if (window.top === window) {
  window.asked = [];
  setTimeout(() => {
    window.AlipayJSBridge = {
      call(name, parameters, done) { window.done = done; window.asked.push({ name, parameters }); },
    };
    document.dispatchEvent(new Event('AlipayJSBridgeReady'));
  }, 50);
}";
