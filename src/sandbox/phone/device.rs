//! The apps a phone has, and how each introduces itself.
use crate::domain::trade::Channel;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Device {
    Wechat,
    Alipay,
    /// 云闪付
    UnionPay,
    /// A browser on the phone
    Browser,
    /// Not a phone: a browser on a computer, to show codes
    Desktop,
}

impl Device {
    pub const ALL: [Device; 5] = [Device::Wechat, Device::Alipay, Device::UnionPay, Device::Browser, Device::Desktop];

    /// The word in addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Device::Wechat => "wechat",
            Device::Alipay => "alipay",
            Device::UnionPay => "unionpay",
            Device::Browser => "browser",
            Device::Desktop => "desktop",
        }
    }

    pub fn parse(code: &str) -> Option<Device> {
        Self::ALL.into_iter().find(|device| device.code() == code)
    }

    /// Whose codes it can pay.
    pub const fn channel(self) -> Option<Channel> {
        match self {
            Device::Wechat => Some(Channel::Wechat),
            Device::Alipay => Some(Channel::Alipay),
            Device::UnionPay => Some(Channel::UnionPay),
            Device::Browser | Device::Desktop => None,
        }
    }

    pub const fn user_agent(self) -> &'static str {
        match self {
            Device::Wechat => {
                "Mozilla/5.0 (Linux; Android 14; PJD110 Build/UKQ1.230924.001; wv) AppleWebKit/537.36 (KHTML, like \
                 Gecko) Version/4.0 Chrome/126.0.6478.188 Mobile Safari/537.36 XWEB/1260093 MMWEBSDK/20240501 \
                 MMWEBID/1 MicroMessenger/8.0.50.2701(0x28003253) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN \
                 ABI/arm64"
            }
            Device::Alipay => {
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Mobile/21F90 Ariver/1.1.0 AliApp(AP/10.6.30.6000) Nebula WK RVKType(0) AlipayDefined(nt:WIFI) \
                 AlipayClient/10.6.30.6000 Language/zh-Hans"
            }
            Device::UnionPay => {
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Mobile/15E148/sa-sdk-ios (com.unionpay.chsp) (cordova 4.5.4) (updebug 0) (UnionPay/1.0 CloudPay) \
                 (clientVersion 312) (language zh_CN)"
            }
            Device::Browser => {
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/17.5 Mobile/15E148 Safari/604.1"
            }
            Device::Desktop => {
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 \
                 Safari/537.36"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_app_bears_its_own_marker_and_no_others() {
        let marked =
            [(Device::Wechat, "MicroMessenger/"), (Device::Alipay, "AlipayClient/"), (Device::UnionPay, "UnionPay/")];
        for (device, marker) in marked {
            for other in Device::ALL {
                assert_eq!(other.user_agent().contains(marker), other == device, "{other:?} {marker}");
            }
        }
        assert_eq!(Device::parse("wechat"), Some(Device::Wechat));
        assert_eq!(Device::parse("fax"), None);
    }
}
