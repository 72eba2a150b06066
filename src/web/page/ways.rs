//! Which channel can be paid through where the payer is, and by which of its products.
use crate::app::App;
use crate::domain::order::Order;
use crate::domain::trade::{Channel, Product};
use crate::flow::checkout;
use crate::web::device::Device;
use crate::web::view::cashier::{Availability, Way};

/// What a channel's way of paying is on a device. `h5`: the merchant has WeChat's H5 product; `known`: WeChat can
/// tell us who pays.
fn way(device: Device, channel: Channel, (h5, known): (bool, bool)) -> (Availability, Option<Product>) {
    use Availability::{Here, NeedsBrowser, NotHere, OpensApp, OpensPage};
    match (channel, device) {
        (Channel::Wechat, Device::Wechat) if known => (Here, Some(Product::WechatJsapi)),
        (Channel::Wechat, Device::Phone | Device::UnionPay) if h5 => (OpensApp, Some(Product::WechatH5)),
        (Channel::Wechat, _) => (NotHere, None),
        (Channel::Alipay, Device::Alipay) => (Here, Some(Product::AlipayJsapi)),
        (Channel::Alipay, Device::Phone | Device::UnionPay) => (OpensApp, Some(Product::AlipayWap)),
        (Channel::Alipay, Device::Desktop) => (OpensPage, Some(Product::AlipayPage)),
        (Channel::Alipay, Device::WechatDesktop) => (NotHere, None),
        (Channel::UnionPay, Device::UnionPay) => (Here, Some(Product::UnionPayWap)),
        (Channel::UnionPay, Device::Phone) => (OpensPage, Some(Product::UnionPayWap)),
        (Channel::UnionPay, Device::Desktop) => (OpensPage, Some(Product::UnionPayPage)),
        (Channel::UnionPay, Device::Alipay | Device::WechatDesktop) => (NotHere, None),
        (Channel::Alipay | Channel::UnionPay, Device::Wechat | Device::Wecom | Device::MiniProgram) => {
            (NeedsBrowser, None)
        }
    }
}

fn of(app: &App, payee_code: &str, device: Device, channel: Channel) -> (Availability, Option<Product>) {
    let wechat = app.config.payee(payee_code).and_then(|payee| payee.wechat.as_ref());
    let h5 = wechat.is_some_and(|account| account.h5);
    way(device, channel, (h5, app.oauth.is_some()))
}

/// The ways of paying an order, in the order the payee's rules name them, and the one to choose first. On a desktop the
/// code stands above them, so what does not work there is left out.
pub fn ways(app: &App, order: &Order, device: Device) -> (Vec<Way>, Option<Channel>) {
    let with_account = app.channels.of_payee(&order.payee_code);
    let rules = app.config.payee(&order.payee_code).map(|payee| &payee.method);
    let shown = rules.map_or(with_account.clone(), |rules| rules.shown(&with_account));
    let mut ways: Vec<(Way, bool)> = shown
        .into_iter()
        .map(|channel| {
            let (availability, product) = of(app, &order.payee_code, device, channel);
            (Way { channel, availability, barred: checkout::barred(app, order, channel) }, product.is_some())
        })
        .collect();
    if device.is_desktop() {
        ways.retain(|(_, works)| *works);
    }
    let mut free = ways.iter().filter(|(way, works)| *works && way.barred.is_none());
    let first = free.clone().find(|(way, _)| way.availability == Availability::Here);
    let chosen = first.or_else(|| free.next()).map(|(way, _)| way.channel);
    (ways.into_iter().map(|(way, _)| way).collect(), chosen)
}

/// The product a channel is paid through here; none where it cannot be.
pub fn product(app: &App, payee_code: &str, device: Device, channel: Channel) -> Option<Product> {
    of(app, payee_code, device, channel).1
}

/// Whether the channel can be reached by opening the page in a browser.
pub fn needs_browser(app: &App, payee_code: &str, device: Device, channel: Channel) -> bool {
    of(app, payee_code, device, channel).0 == Availability::NeedsBrowser
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Device; 8] = [
        Device::Wecom,
        Device::Wechat,
        Device::WechatDesktop,
        Device::MiniProgram,
        Device::Alipay,
        Device::UnionPay,
        Device::Phone,
        Device::Desktop,
    ];

    #[test]
    fn a_way_that_works_has_a_product_and_one_that_does_not_has_none() {
        for device in ALL {
            for channel in Channel::ALL {
                for account in [(true, true), (true, false), (false, true), (false, false)] {
                    let (availability, product) = way(device, *channel, account);
                    let works =
                        matches!(availability, Availability::Here | Availability::OpensApp | Availability::OpensPage);
                    assert_eq!(product.is_some(), works, "{device:?} {channel:?}");
                    assert!(product.is_none_or(|product| product.channel() == *channel));
                }
            }
        }
    }

    #[test]
    fn inside_an_app_its_own_channel_starts_right_there() {
        let all = (true, true);
        assert_eq!(way(Device::Wechat, Channel::Wechat, all).1, Some(Product::WechatJsapi));
        assert_eq!(way(Device::Alipay, Channel::Alipay, all).1, Some(Product::AlipayJsapi));
        assert_eq!(way(Device::Wechat, Channel::Alipay, all).0, Availability::NeedsBrowser);
        assert_eq!(way(Device::Alipay, Channel::Wechat, all).0, Availability::NotHere);
        assert_eq!(way(Device::UnionPay, Channel::UnionPay, all).1, Some(Product::UnionPayWap));
        assert_eq!(way(Device::Wechat, Channel::UnionPay, all).0, Availability::NeedsBrowser);
        assert_eq!(way(Device::Desktop, Channel::UnionPay, all).1, Some(Product::UnionPayPage));
        assert_eq!(way(Device::Wechat, Channel::Wechat, (true, false)).0, Availability::NotHere, "nobody to ask");
        assert_eq!(way(Device::Phone, Channel::Wechat, (false, true)).0, Availability::NotHere, "no H5 product");
    }
}
