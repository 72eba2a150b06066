//! What happens when an app scans or opens a text, and what text a picture of a code holds.
use image::{ImageFormat, ImageReader, Limits};
use poem::http::{StatusCode, header};
use poem::{IntoResponse, Response};
use std::io::Cursor;

use crate::domain::trade::Channel;
use crate::sandbox::html::notice;

use super::address::{Host, Link, Map};

/// The longest side of a picture that is looked at, pixels.
const LONGEST_SIDE: u32 = 4096;

/// Where a text leads.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Lead {
    /// To a relayed page
    Page(String),
    /// To the payment of a code
    Pay,
    /// Nowhere, and why
    Nowhere(&'static str),
}

/// `/as/{app}/{phone}[?scan=TEXT]`: goes on to what the text means; without one, to the app's entrance.
pub fn arrive(map: &Map, query: Option<&str>) -> Response {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let text = pairs.into_iter().find(|(name, _)| name == "scan").map(|(_, value)| value.trim().to_owned());
    let lead = text.as_deref().map_or_else(|| page("/", map), |text| lead(text, map));
    let to = match lead {
        Lead::Page(path) => path,
        Lead::Pay => {
            let code: String = form_urlencoded::byte_serialize(text.unwrap_or_default().as_bytes()).collect();
            format!("{}/~pay?code={code}", map.tab.prefix())
        }
        Lead::Nowhere(why) => return notice(why),
    };
    StatusCode::SEE_OTHER.with_header(header::LOCATION, to).into_response()
}

fn page(link: &str, map: &Map) -> Lead {
    match map.inward(Host::App, link) {
        Link::Relayed(path) => Lead::Page(path),
        Link::Relative | Link::Foreign => Lead::Nowhere("这部手机只到缴费平台和沙箱自己的页面"),
    }
}

fn lead(text: &str, map: &Map) -> Lead {
    let owner = match () {
        () if text.starts_with("weixin://") => Some(Channel::Wechat),
        () if text.starts_with("https://qr.alipay.com/") => Some(Channel::Alipay),
        () if text.starts_with("https://qr.95516.com/") => Some(Channel::UnionPay),
        () => None,
    };
    match (owner, map.tab.device.channel()) {
        (None, _) => page(text, map),
        (owner, channel) if owner == channel => Lead::Pay,
        (Some(Channel::Wechat), _) => Lead::Nowhere("这是微信的付款码，请用微信扫一扫"),
        (Some(Channel::UnionPay), _) => Lead::Nowhere("这是银联的付款码，请用云闪付扫一扫"),
        (Some(Channel::Alipay), _) => Lead::Nowhere("这是支付宝的付款码，请用支付宝扫一扫"),
    }
}

/// The first code in a PNG picture. None: no picture, too large, or no code in it. Takes a while; not for an async
/// thread.
pub fn read_picture(png: &[u8]) -> Option<String> {
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    reader.limits(limits);
    let picture = reader.decode().ok()?.to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    prepared.detect_grids().iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::phone::address::Tab;
    use crate::sandbox::phone::device::Device;

    fn map(device: Device) -> Map {
        let tab = Tab { device, phone: "p1".to_owned() };
        Map { tab, app: Some("http://app".to_owned()), gates: vec!["http://gate".to_owned()] }
    }

    #[test]
    fn links_are_opened_and_codes_are_paid_by_their_own_app() {
        let page = |path: &str| Lead::Page(path.to_owned());
        let wechat = map(Device::Wechat);
        assert_eq!(lead("http://app/q/abc?x", &wechat), page("/as/wechat/p1/q/abc?x"));
        assert_eq!(lead("/h5/orders", &wechat), page("/as/wechat/p1/h5/orders"));
        assert_eq!(lead("http://gate/gateway.do?a", &wechat), page("/as/wechat/p1/~/gateway.do?a"));
        assert_eq!(lead("weixin://wxpay/bizpayurl?pr=1", &wechat), Lead::Pay);
        assert_eq!(lead("https://qr.alipay.com/bax1", &map(Device::Alipay)), Lead::Pay);
    }

    #[test]
    fn a_code_of_another_app_and_an_address_elsewhere_lead_nowhere() {
        for (text, device) in [
            ("weixin://wxpay/bizpayurl?pr=1", Device::Alipay),
            ("weixin://wxpay/bizpayurl?pr=1", Device::Browser),
            ("https://qr.alipay.com/bax1", Device::Wechat),
            ("https://evil.example/", Device::Wechat),
            ("//evil.example/", Device::Browser),
            ("", Device::Wechat),
        ] {
            assert!(matches!(lead(text, &map(device)), Lead::Nowhere(_)), "{text}");
        }
    }

    #[test]
    fn the_code_in_a_picture_is_read_and_no_picture_is_no_code() {
        let code = qrcode::QrCode::new("http://127.0.0.1:8080/q/abc").unwrap();
        let picture = code.render::<image::Luma<u8>>().min_dimensions(200, 200).build();
        let mut png = Vec::new();
        picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).unwrap();
        assert_eq!(read_picture(&png).as_deref(), Some("http://127.0.0.1:8080/q/abc"));
        assert_eq!(read_picture(b"no picture"), None);
        let mut blank = Vec::new();
        image::GrayImage::new(50, 50).write_to(&mut Cursor::new(&mut blank), ImageFormat::Png).unwrap();
        assert_eq!(read_picture(&blank), None);
    }
}
