//! The very bytes of a notice that was booked come again: they are known, for as long as they would be believed.
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiaofei::app::App;
use jiaofei::domain::trade::{Channel, Product};
use jiaofei::flow::settle::{self, RawNotice};
use jiaofei::sandbox::outbox::{Courier, NoticeJob, Outgoing};
use poem::http::{HeaderMap, HeaderName, HeaderValue};

use crate::world::app::TestApp;

/// Keeps what the channel sends, and delivers nothing.
#[derive(Default)]
struct Keeper(Mutex<Vec<Outgoing>>);

#[async_trait]
impl Courier for Keeper {
    async fn carry(&self, _job: &NoticeJob, notice: Outgoing) -> Option<(u16, String)> {
        self.0.lock().unwrap().push(notice);
        None
    }
}

fn raw(sent: &Outgoing, app: &App) -> RawNotice {
    let mut headers = HeaderMap::new();
    for (name, value) in &sent.headers {
        headers.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    RawNotice { headers, body: sent.body.clone(), received_at: app.clock.now() }
}

async fn hear(app: &App, raw: RawNotice) -> u16 {
    settle::hear(app, Channel::Wechat, "fiscal", &raw).await.unwrap().status
}

#[tokio::test]
async fn the_bytes_of_a_booked_notice_are_known_again_and_nothing_else_is() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition]).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    let keeper = Arc::new(Keeper::default());
    world.sandbox.set_courier(keeper.clone());
    world.sandbox.deliver_due().await;
    let sent = keeper.0.lock().unwrap().remove(0);
    let app = &world.app;
    assert_eq!(hear(app, raw(&sent, app)).await, 200);
    assert!(world.is_paid(&order).await);
    assert_eq!(hear(app, raw(&sent, app)).await, 200);

    let longer = Outgoing { body: [sent.body.as_slice(), b" "].concat(), ..sent.clone() };
    assert_eq!(hear(app, raw(&longer, app)).await, 401, "another byte is looked at in full");
    let mut renamed = raw(&sent, app);
    renamed.headers.insert("wechatpay-nonce", HeaderValue::from_static("another"));
    assert_eq!(hear(app, renamed).await, 401, "and so is another header");
    let elsewhere = settle::hear(app, Channel::Wechat, "agency", &raw(&sent, app)).await.unwrap();
    assert_ne!(elsewhere.status, 200, "at another payee's door it is another notice");

    world.clock.advance(Duration::from_secs(299));
    assert_eq!(hear(app, raw(&sent, app)).await, 200);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(hear(app, raw(&sent, app)).await, 401, "too old to be believed, known or not");
    assert_eq!(world.count("SELECT COUNT(*) FROM receipt").await, 1);
}
