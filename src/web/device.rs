//! What kind of app or browser asks, by its User-Agent. A hint that chooses a page, never a proof of anything.

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Device {
    /// 企业微信
    Wecom,
    /// WeChat on a phone
    Wechat,
    /// WeChat on a computer: shows a code rather than paying
    WechatDesktop,
    /// A page inside a WeChat mini-program, where neither JSAPI nor H5 payment works
    MiniProgram,
    Alipay,
    /// 云闪付 and the wallets of banks
    UnionPay,
    /// Any other browser on a phone
    Phone,
    Desktop,
}

impl Device {
    /// Reads the markers, those that contain another one first.
    pub fn of(user_agent: &str) -> Device {
        let agent = user_agent.to_ascii_lowercase();
        let has = |marker: &str| agent.contains(marker);
        if has("wxwork/") {
            return Device::Wecom;
        }
        if has("micromessenger") {
            // MiniProgramEnv is also said by WeChat's own windows on a computer
            let in_program = agent.match_indices("miniprogram").any(|(at, _)| !agent[at + 11..].starts_with("env"));
            return match () {
                () if in_program => Device::MiniProgram,
                () if has("windowswechat") || has("macwechat") || has("pcmacwechat") => Device::WechatDesktop,
                () => Device::Wechat,
            };
        }
        if has("alipayclient/") || has("aliapp(ap/") {
            return Device::Alipay;
        }
        if has("unionpay/") || has("cloudpay") {
            return Device::UnionPay;
        }
        match has("mobile") || has("android") || has("iphone") || has("harmonyos") {
            true => Device::Phone,
            false => Device::Desktop,
        }
    }

    pub const fn is_desktop(self) -> bool {
        matches!(self, Device::Desktop | Device::WechatDesktop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_app_is_known_by_its_own_marker_whatever_else_it_says() {
        for (agent, device) in [
            ("Mozilla/5.0 (iPhone) MicroMessenger/8.0.49 NetType/WIFI Language/zh_CN", Device::Wechat),
            ("Mozilla/5.0 (Linux; Android 14) MQQBrowser/6.2 TBS/046 XWEB/1160 MicroMessenger/8.0.50", Device::Wechat),
            ("Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7.0.20 WindowsWechat(0x63090a13)", Device::WechatDesktop),
            (
                "Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7.0.20 MiniProgramEnv/Windows \
                 UnifiedPCWindowsWechat(0xf2541022) XWEB/16467",
                Device::WechatDesktop,
            ),
            ("Mozilla/5.0 (Macintosh) MicroMessenger/6.8.0 UnifiedPCMacWechat(0xf2640611)", Device::WechatDesktop),
            ("Mozilla/5.0 (iPhone) wxwork/4.1.22 MicroMessenger/7.0.1 Language/zh", Device::Wecom),
            ("Mozilla/5.0 (iPhone) MicroMessenger/8.0.49 miniProgram/wx1234567890abcdef", Device::MiniProgram),
            ("Mozilla/5.0 (iPhone) AliApp(AP/10.6.30) AlipayClient/10.6.30 Language/zh-Hans", Device::Alipay),
            ("Mozilla/5.0 (Linux; Android 12) Nebula UCBrowser/11.5 AliApp(AP/10.2.8)", Device::Alipay),
            ("Mozilla/5.0 (iPhone) AliApp(DingTalk/7.0.50) com.laiwang.DingTalk", Device::Phone),
            ("Mozilla/5.0 (Linux; Android 12) Nebula Mobile", Device::Phone),
            ("Mozilla/5.0 (Linux; Android 14) Mobile UnionPay/1.0 CloudPay", Device::UnionPay),
            ("Mozilla/5.0 (iPhone) Version/17.5 Mobile/15E148 Safari/604.1", Device::Phone),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0 Safari/537.36", Device::Desktop),
            ("", Device::Desktop),
        ] {
            assert_eq!(Device::of(agent), device, "{agent}");
        }
    }
}
