//! The sandbox's key material: fixed, public, worth nothing. `serve` knows these files and refuses them.
//!
//! The private halves of the merchant (`wechat_merchant`, `alipay_app`, `unionpay_merchant`) belong in the
//! application's configuration; the others are the sandbox's own voice.

/// apiclient_key.pem of every sandbox merchant
pub const WECHAT_MERCHANT_KEY: &str = include_str!("keys/wechat_merchant.key.pem");
pub const WECHAT_MERCHANT_PUBLIC: &str = include_str!("keys/wechat_merchant.pub.pem");
pub const WECHAT_MERCHANT_SERIAL: &str = "4A7C1B9E2D3F50617283940A1B2C3D4E5F607182";
/// 32 characters
pub const WECHAT_API_V3_KEY: &str = "SandboxApiV3Key0123456789abcdefg";

pub const WECHAT_PLATFORM_A_KEY: &str = include_str!("keys/wechat_platform_a.key.pem");
pub const WECHAT_PLATFORM_A_CERT: &str = include_str!("keys/wechat_platform_a.cert.pem");
pub const WECHAT_PLATFORM_A_SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
/// The certificate that follows A in a rotation
pub const WECHAT_PLATFORM_B_KEY: &str = include_str!("keys/wechat_platform_b.key.pem");
pub const WECHAT_PLATFORM_B_CERT: &str = include_str!("keys/wechat_platform_b.cert.pem");
pub const WECHAT_PLATFORM_B_SERIAL: &str = "6E1F2A3B4C5D60718293A4B5C6D7E8F901122334";

pub const WECHAT_PUBLIC_KEY_PRIVATE_HALF: &str = include_str!("keys/wechat_public.key.pem");
pub const WECHAT_PUBLIC_KEY: &str = include_str!("keys/wechat_public.pub.pem");
pub const WECHAT_PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026090100000000000000";

pub const ALIPAY_APP_KEY: &str = include_str!("keys/alipay_app.key.pem");
pub const ALIPAY_APP_PUBLIC: &str = include_str!("keys/alipay_app.pub.pem");
pub const ALIPAY_APP_CERT: &str = include_str!("keys/alipay_app.cert.pem");
pub const ALIPAY_KEY: &str = include_str!("keys/alipay.key.pem");
pub const ALIPAY_PUBLIC: &str = include_str!("keys/alipay.pub.pem");
pub const ALIPAY_CERT: &str = include_str!("keys/alipay.cert.pem");
pub const ALIPAY_ROOT_CERT: &str = include_str!("keys/alipay_root.cert.pem");

/// The certification authority of UnionPay and its merchants: root and middle
pub const UNIONPAY_ROOT_CERT: &str = include_str!("keys/unionpay_root.cert.pem");
pub const UNIONPAY_MIDDLE_CERT: &str = include_str!("keys/unionpay_middle.cert.pem");
/// What UnionPay signs with, and the certificate it sends along: CN `UP@N91@中国银联股份有限公司@00000001`, good from
/// 2025 to 2044
pub const UNIONPAY_KEY: &str = include_str!("keys/unionpay.key.pem");
pub const UNIONPAY_CERT: &str = include_str!("keys/unionpay.cert.pem");
/// Somebody who calls himself UnionPay: same name, same issuer's name, same number, from an authority of his own
pub const UNIONPAY_IMPOSTOR_KEY: &str = include_str!("keys/unionpay_impostor.key.pem");
pub const UNIONPAY_IMPOSTOR_CERT: &str = include_str!("keys/unionpay_impostor.cert.pem");
/// 商户私钥证书 of every sandbox merchant
pub const UNIONPAY_MERCHANT_KEY: &str = include_str!("keys/unionpay_merchant.key.pem");
pub const UNIONPAY_MERCHANT_CERT: &str = include_str!("keys/unionpay_merchant.cert.pem");
/// Its serial number as UnionPay writes it, in decimal (`certId`)
pub const UNIONPAY_MERCHANT_CERT_ID: &str = "69259509841";

/// 令牌 and 消息加解密密钥 of the official account's message server
pub const WECHAT_MESSAGE_TOKEN: &str = "SandboxToken2026";
pub const WECHAT_MESSAGE_KEY: &str = "SandboxMessageKey0123456789abcdefghijklmnoR";

/// What the campus system's events are signed with; `whsec_` and this in base64
pub const CAMPUS_SECRET: &[u8] = b"demo campus secret, known to all";
/// What calls to the utility and its answers are signed with; `whsec_` and this in base64
pub const UTILITY_SECRET: &[u8] = b"demo utility secret, known to all";
