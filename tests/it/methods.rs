//! 支付方式: what the school's rules leave, greyed with its reason where they do not, and refused to forms alike.
use std::time::Duration;

use jiaofei::config::Config;
use jiaofei::domain::bilingual::Bilingual;
use jiaofei::domain::method::{Limit, Maintenance, MethodRules};
use jiaofei::domain::money::Fen;
use jiaofei::domain::order::Order;
use jiaofei::domain::trade::{Channel, Product};

use crate::world::app::{TestApp, start_of_story};
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};

/// An order of 250.00 yuan to `agency`, and its payer's phone.
async fn scene(change: impl FnOnce(&mut MethodRules)) -> (TestApp, Phone, Order) {
    let set = |config: &mut Config| {
        // two channels are enough to tell rules apart
        config.payee.iter_mut().for_each(|payee| payee.unionpay = None);
        change(&mut config.payee.iter_mut().find(|payee| payee.code == "agency").unwrap().method);
    };
    let world = TestApp::start_with(set).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in(&student).await;
    let order = world.open_one(student.id, &[student.insurance]).await;
    (world, phone, order)
}

/// What can be chosen at a cashier, in its order.
fn ways(page: &Page) -> Vec<String> {
    let body = page.body();
    let inputs = body.split("name=\"method\" value=\"").skip(1);
    let free = inputs.filter(|rest| !rest.split('>').next().unwrap().contains(" disabled"));
    free.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

async fn pay(phone: &Phone, door: &str, method: &str) -> Page {
    let page = phone.get(door).await;
    let csrf = page.form("/h5/settings").field("csrf").unwrap().to_owned();
    phone.post(&format!("{door}/pay"), &[("csrf", &csrf), ("method", method)]).await
}

fn doors(order: &Order) -> [String; 2] {
    [format!("/h5/cashier/{}", order.order_no), format!("/q/{}", order.pay_code)]
}

#[tokio::test]
async fn a_payee_is_paid_by_the_channels_it_names_in_its_order_and_a_form_cannot_choose_another() {
    let (_world, phone, order) = scene(|rules| rules.methods = Some(vec![Channel::Alipay, Channel::Wechat])).await;
    assert_eq!(ways(&phone.get(&doors(&order)[0]).await), ["alipay", "wechat"]);

    let (world, phone, order) = scene(|rules| rules.methods = Some(vec![Channel::Alipay])).await;
    for door in doors(&order) {
        assert_eq!(ways(&phone.get(&door).await), ["alipay"]);
        let refused = pay(&phone, &door, "wechat").await;
        assert!(refused.status == 422 && refused.has("不支持这种支付方式"), "{door}: {}", refused.text());
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM attempt").await, 0);
    assert_eq!(pay(&phone, &doors(&order)[0], "alipay").await.status, 303);
    let fiscal = world.school.student(&world.app, 2, "周以宁").await;
    let other = world.open_one(fiscal.id, &[fiscal.tuition]).await;
    assert_eq!(ways(&phone.get(&doors(&other)[1]).await), ["wechat", "alipay"], "another payee has its own rules");
}

#[tokio::test]
async fn an_amount_outside_a_channels_limits_greys_it_with_the_limit() {
    let limit =
        |channel, min: Option<i64>, max: Option<i64>| Limit { channel, min: min.map(Fen::new), max: max.map(Fen::new) };
    let all = vec![limit(Channel::Wechat, None, Some(24_999)), limit(Channel::Alipay, Some(25_000), None)];
    let (_world, phone, order) = scene(|rules| rules.limits = all).await;
    for door in doors(&order) {
        let page = phone.get(&door).await;
        assert!(ways(&page) == ["alipay"] && page.has("单笔最多 249.99 元，可改小金额分次缴"), "{}", page.text());
        assert!(phone.get(&format!("{door}?lang=en")).await.has("At most 249.99 yuan at once"));
        phone.submit(&page.form("/h5/settings").set("lang", "zh-CN")).await;
        let refused = pay(&phone, &door, "wechat").await;
        assert!(refused.status == 422 && refused.has("微信支付"), "{}", refused.text());
    }
    let (_world, phone, order) = scene(|rules| rules.limits = vec![limit(Channel::Alipay, Some(25_001), None)]).await;
    let page = phone.get(&doors(&order)[0]).await;
    assert!(ways(&page) == ["wechat"] && page.has("单笔 250.01 元起"), "{}", page.text());
}

#[tokio::test]
async fn maintenance_greys_a_channel_with_its_reason_until_it_is_over_and_what_has_begun_goes_on() {
    let (from, until) = (start_of_story() + Duration::from_secs(60), start_of_story() + Duration::from_secs(600));
    let reason = Bilingual::new("银行结算", "Bank settlement");
    let both =
        [Channel::Wechat, Channel::Alipay].map(|channel| Maintenance { channel, from, until, reason: reason.clone() });
    let (world, phone, order) = scene(|rules| rules.pauses = both.to_vec()).await;
    let begun = world.begin(&order, Product::WechatNative, "13800000001").await.unwrap();
    let other = world.school.student(&world.app, 2, "周以宁").await;
    let later = world.open_one(other.id, &[other.insurance]).await;
    world.clock.advance(Duration::from_secs(60));
    for door in doors(&order) {
        let page = phone.get(&door).await;
        assert!(ways(&page).is_empty() && page.has("银行结算，今天 10:10 恢复"), "{}", page.text());
        assert!(!page.body().contains("form=\"pf\""), "nothing to choose, so no button");
        for method in ["wechat", "alipay"] {
            let refused = pay(&phone, &door, method).await;
            assert!(refused.status == 422 && refused.has("银行结算"), "{method}: {}", refused.text());
        }
    }
    world.confirm(&begun, "13800000001");
    world.sandbox.deliver_due().await;
    assert!(world.is_paid(&order).await);
    world.clock.advance(Duration::from_secs(540));
    assert_eq!(ways(&phone.get(&doors(&later)[1]).await), ["wechat", "alipay"]);
}
