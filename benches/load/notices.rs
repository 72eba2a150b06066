//! Notices as WeChat Pay signs and seals them (WeChat Pay v3, payment notice), with this run's own keys.
use std::path::Path;

use anyhow::Context;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiaofei::clock::Clock;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use super::school;

/// WeChat Pay's voice in this run: its private key and the APIv3 key.
pub struct Voice {
    pair: RsaKeyPair,
    seal: LessSafeKey,
}

impl Voice {
    pub fn read(folder: &Path) -> anyhow::Result<Voice> {
        let pem = std::fs::read(folder.join("wechat.pem"))?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).ok().context("wechat.pem is no PKCS#8 key")?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok().context("wechat.pem is no RSA key")?;
        let seal = UnboundKey::new(&AES_256_GCM, school::API_V3_KEY.as_bytes()).ok().context("32 letters")?;
        Ok(Voice { pair, seal: LessSafeKey::new(seal) })
    }

    /// The whole request that tells an order is paid, ready for the wire. It is believed for five minutes.
    pub fn request(&self, order: usize) -> anyhow::Result<Vec<u8>> {
        let now = Clock::system().now();
        let total = 2 * school::CHARGE_FEN;
        let plain = json!({
            "appid": school::APP_ID, "mchid": school::MCH_ID, "out_trade_no": school::attempt_no(order),
            "promotion_detail": [], "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
            "transaction_id": school::trade_no(order), "trade_type": "JSAPI", "bank_type": "OTHERS",
            "success_time": now.rfc3339(), "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            "amount": {"total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY"},
        });
        let nonce = format!("{order:012}");
        let mut sealed = plain.to_string().into_bytes();
        let once = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok().context("12 letters")?;
        let sealing = self.seal.seal_in_place_append_tag(once, Aad::from(b"transaction"), &mut sealed);
        sealing.ok().context("not sealed")?;
        let body = json!({
            "id": format!("EV-{order:020}"), "create_time": now.rfc3339(), "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS", "summary": "支付成功",
            "resource": {
                "original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "associated_data": "transaction",
                "ciphertext": STANDARD.encode(sealed), "nonce": nonce,
            },
        })
        .to_string();
        let timestamp = now.unix();
        let message = format!("{timestamp}\n{nonce}\n{body}\n");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signing = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature);
        signing.ok().context("not signed")?;
        let request = format!(
            "POST /notify/wechat/fiscal HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Wechatpay-Timestamp: {timestamp}\r\nWechatpay-Nonce: {nonce}\r\nWechatpay-Signature: {}\r\n\
             Wechatpay-Serial: {}\r\nWechatpay-Signature-Type: WECHATPAY2-SHA256-RSA2048\r\n\
             Content-Length: {}\r\n\r\n{body}",
            STANDARD.encode(signature),
            school::PUBLIC_KEY_ID,
            body.len(),
        );
        Ok(request.into_bytes())
    }

    /// The requests for a row of orders.
    pub fn requests(&self, orders: std::ops::Range<usize>) -> anyhow::Result<Vec<Vec<u8>>> {
        let middle = orders.start + orders.len() / 2;
        std::thread::scope(|scope| {
            let half = scope.spawn(|| (orders.start..middle).map(|order| self.request(order)).collect());
            let other: anyhow::Result<Vec<Vec<u8>>> = (middle..orders.end).map(|order| self.request(order)).collect();
            let half: anyhow::Result<Vec<Vec<u8>>> = half.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a panic")));
            let mut all = half?;
            all.append(&mut other?);
            Ok(all)
        })
    }
}
