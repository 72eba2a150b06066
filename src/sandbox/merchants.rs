//! Who the outside world knows: the two sandbox merchants at each channel, and the wallets of its payers.
//!
//! Wallet ids are computed, not stored: the same phone has the same openid, user id and card after every restart.
use rsa::sha2::{Digest, Sha256};

use crate::domain::trade::Channel;

/// The service account both WeChat merchants are bound to.
pub const WECHAT_APP_ID: &str = "wx5a0d80c5e1f2b3a4";
/// Its AppSecret, 32 characters.
pub const WECHAT_APP_SECRET: &str = "5a4db0c0ffee00015a4db0c0ffee0002";
/// 商户号 of the fiscal payee.
pub const WECHAT_MCH_FISCAL: &str = "1900000109";
/// 商户号 of the agency payee.
pub const WECHAT_MCH_AGENCY: &str = "1900000110";
pub const ALIPAY_APP_FISCAL: &str = "2021000000000109";
pub const ALIPAY_APP_AGENCY: &str = "2021000000000110";
pub const ALIPAY_SELLER_FISCAL: &str = "2088000000000109";
pub const ALIPAY_SELLER_AGENCY: &str = "2088000000000110";
/// 商户号 of the fiscal payee at UnionPay, 15 digits.
pub const UNIONPAY_MER_FISCAL: &str = "898620100000109";
/// 商户号 of the agency payee at UnionPay.
pub const UNIONPAY_MER_AGENCY: &str = "898620100000110";

/// A merchant as one channel knows it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Merchant {
    #[serde(serialize_with = "channel_code")]
    pub channel: Channel,
    /// What keys its trades: WeChat's mchid, Alipay's app_id, UnionPay's merId. Never the same at two channels.
    pub id: String,
    /// WeChat: the service account's appid. Elsewhere the id again.
    pub app_id: String,
    /// Who receives the money: Alipay's seller_id (2088…), elsewhere the id again.
    pub seller_id: String,
    /// What the payer reads on the phone.
    pub name: String,
}

fn channel_code<S: serde::Serializer>(channel: &Channel, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(channel.code())
}

/// Two at each channel, all of a fictional school.
pub fn school_merchants() -> Vec<Merchant> {
    let merchant = |channel, id: &str, app_id: &str, seller_id: &str, name: &str| Merchant {
        channel,
        id: id.to_owned(),
        app_id: app_id.to_owned(),
        seller_id: seller_id.to_owned(),
        name: name.to_owned(),
    };
    vec![
        merchant(Channel::Wechat, WECHAT_MCH_FISCAL, WECHAT_APP_ID, WECHAT_MCH_FISCAL, "启明大学"),
        merchant(Channel::Wechat, WECHAT_MCH_AGENCY, WECHAT_APP_ID, WECHAT_MCH_AGENCY, "启明大学（代收）"),
        merchant(Channel::Alipay, ALIPAY_APP_FISCAL, ALIPAY_APP_FISCAL, ALIPAY_SELLER_FISCAL, "启明大学"),
        merchant(Channel::Alipay, ALIPAY_APP_AGENCY, ALIPAY_APP_AGENCY, ALIPAY_SELLER_AGENCY, "启明大学（代收）"),
        merchant(Channel::UnionPay, UNIONPAY_MER_FISCAL, UNIONPAY_MER_FISCAL, UNIONPAY_MER_FISCAL, "启明大学"),
        merchant(Channel::UnionPay, UNIONPAY_MER_AGENCY, UNIONPAY_MER_AGENCY, UNIONPAY_MER_AGENCY, "启明大学（代收）"),
    ]
}

/// The openid of a phone under one WeChat appid: 28 characters, `o` first. The first nine tell the appid.
pub fn openid(app_id: &str, phone: &str) -> String {
    format!("o{}{}", letters(&["appid", app_id], 8), letters(&["openid", app_id, phone], 19))
}

/// Whether an openid can belong to an appid ("appid与openid不匹配" otherwise).
pub fn openid_fits(app_id: &str, openid: &str) -> bool {
    openid.len() == 28 && openid.strip_prefix('o').is_some_and(|rest| rest.starts_with(&letters(&["appid", app_id], 8)))
}

/// The 16-digit Alipay user id of a phone: `2088` and 12 digits.
pub fn alipay_user(phone: &str) -> String {
    let digest = digest(&["alipay", phone]);
    let digits: String = digest.iter().take(12).map(|byte| char::from(b'0' + byte % 10)).collect();
    format!("2088{digits}")
}

/// The card of a phone, 19 digits: `62`, as every UnionPay card, and 17 more.
pub fn unionpay_card(phone: &str) -> String {
    let digest = digest(&["unionpay", phone]);
    let digits: String = digest.iter().take(17).map(|byte| char::from(b'0' + byte % 10)).collect();
    format!("62{digits}")
}

/// A phone's wallet at a channel: the openid under `app_id`, the Alipay user id, or the card.
pub fn wallet(channel: Channel, app_id: &str, phone: &str) -> String {
    match channel {
        Channel::Wechat => openid(app_id, phone),
        Channel::Alipay => alipay_user(phone),
        Channel::UnionPay => unionpay_card(phone),
    }
}

/// The `open_id` by which one Alipay application knows a user (applications created since 2023).
pub fn alipay_open_id(app_id: &str, user_id: &str) -> String {
    format!("074{}", letters(&["open_id", app_id, user_id], 32))
}

/// Whether an id of a payer (openid, user id, open_id) is this phone's.
pub fn is_wallet(channel: Channel, app_id: &str, phone: &str, id: &str) -> bool {
    let own = wallet(channel, app_id, phone);
    id == own || (channel == Channel::Alipay && id == alipay_open_id(app_id, &own))
}

fn letters(parts: &[&str], len: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    digest(parts).iter().take(len).map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect()
}

fn digest(parts: &[&str]) -> [u8; 32] {
    Sha256::digest(parts.join("\n")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_has_one_openid_per_appid_and_one_alipay_user_id() {
        let here = openid(WECHAT_APP_ID, "lin");
        assert_eq!(here, openid(WECHAT_APP_ID, "lin"));
        assert_eq!(here.len(), 28);
        assert_ne!(here, openid(WECHAT_APP_ID, "wang"));
        assert!(openid_fits(WECHAT_APP_ID, &here));
        assert!(!openid_fits(WECHAT_APP_ID, &openid("wx0000000000000000", "lin")));
        assert!(alipay_user("lin").starts_with("2088"));
        assert_eq!(alipay_user("lin").len(), 16);
        assert_ne!(alipay_user("lin"), alipay_user("wang"));
        let open_id = alipay_open_id(ALIPAY_APP_FISCAL, &alipay_user("lin"));
        let is_lins = |app_id| is_wallet(Channel::Alipay, app_id, "lin", &open_id);
        assert!(is_lins(ALIPAY_APP_FISCAL) && !is_lins(ALIPAY_APP_AGENCY));
    }
}
