//! What `serve --rehearsal` refuses: everything that could be real. It is `check` turned round.
//!
//! A rehearsal runs the very program that takes real money, with the sandbox for an outside world, so that it can be
//! killed, cut off and watched. It must not be able to touch a real payer, channel or database: every key must be one
//! that everybody knows, every address must be this machine's own, and the database must be named for it.
use std::net::SocketAddr;

use secrecy::ExposeSecret;

use super::check::{DEMO_FIELD_KEY, DEMO_INDEX_KEY, DEMO_JOURNAL_KEY, DEMO_SESSION_KEY, is_sandbox};
use crate::config::{AlipayAccount, Config, OneOrMore, Secrets, UnionPayAccount, WechatAccount};
use crate::sandbox::keys;

/// What the database's and Redis's owner has written into their addresses on purpose.
const NAMED: &str = "rehearsal";

/// Everything that may be real; empty when all is play.
pub fn unfit_to_rehearse(config: &Config) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut local = |key: &str, address: &str| {
        if !is_loopback(address) {
            complaints.push(format!("{key}: a rehearsal stays on http://127.0.0.1:…"));
        }
    };
    local("server.listen", &config.server.listen);
    local("server.public_url", &config.server.public_url);
    if let Some(account) = &config.official_account {
        local("official_account.api_base", &account.api_base);
        local("official_account.authorize_base", &account.authorize_base);
    }
    for payee in &config.payee {
        if let Some(wechat) = &payee.wechat {
            local(&format!("payee {}: wechat.api_base", payee.code), &wechat.api_base);
        }
        if let Some(alipay) = &payee.alipay {
            local(&format!("payee {}: alipay.gateway", payee.code), &alipay.gateway);
            local(&format!("payee {}: alipay.authorize_base", payee.code), &alipay.authorize_base);
        }
        if let Some(unionpay) = &payee.unionpay {
            local(&format!("payee {}: unionpay.gateway", payee.code), &unionpay.gateway);
            local(&format!("payee {}: unionpay.cashier", payee.code), &unionpay.cashier);
        }
    }
    for webhook in &config.webhook {
        local(&format!("webhook {}: url", webhook.name), webhook.url.as_str());
    }
    if let Some(mail) = &config.mail {
        // a host has no port here, and which one does not matter
        local("mail.host", &format!("{}:25", mail.host));
    }
    if let Some(fiscal) = &config.fiscal {
        local("fiscal.api_base", &fiscal.api_base);
    }
    if let Some(sms) = &config.sms {
        local("sms.url", &sms.url);
    }
    if !config.database.url.contains(NAMED) {
        complaints.push(format!("database.url: a rehearsal's database has {NAMED:?} in its name"));
    }
    if !knows_demo(&config.secrets) {
        complaints.push("secrets: a rehearsal takes the demo's, so that no real field can be read".to_owned());
    }
    for payee in &config.payee {
        let wechat = payee.wechat.as_ref().is_none_or(is_play_wechat);
        let alipay = payee.alipay.as_ref().is_none_or(is_play_alipay);
        let unionpay = payee.unionpay.as_ref().is_none_or(is_play_unionpay);
        if !wechat || !alipay || !unionpay {
            complaints.push(format!("payee {}: a rehearsal takes the sandbox's keys only", payee.code));
        }
    }
    complaints
}

fn knows_demo(secrets: &Secrets) -> bool {
    let pairs = [
        (secrets.session_key.all(), &DEMO_SESSION_KEY),
        (secrets.field_key.all(), &DEMO_FIELD_KEY),
        (secrets.index_key.all(), &DEMO_INDEX_KEY),
        (std::slice::from_ref(&secrets.journal_key), &DEMO_JOURNAL_KEY),
    ];
    pairs.iter().all(|(keys, known)| keys.iter().all(|key| key.bytes() == *known))
}

fn is_play_wechat(account: &WechatAccount) -> bool {
    let mut voices = account.public_key.iter().chain(&account.platform_certificates);
    is_sandbox(&account.private_key)
        && account.api_v3_key.all().iter().all(|key| key.expose_secret() == keys::WECHAT_API_V3_KEY)
        && voices.all(is_sandbox)
}

fn is_play_alipay(account: &AlipayAccount) -> bool {
    let named = account.alipay_public_key.iter().flat_map(OneOrMore::all);
    let certified = [&account.alipay_cert, &account.alipay_root_cert].into_iter().flatten();
    is_sandbox(&account.private_key) && named.chain(certified).all(is_sandbox)
}

fn is_play_unionpay(account: &UnionPayAccount) -> bool {
    [&account.sign_key, &account.sign_cert, &account.root_cert, &account.middle_cert].into_iter().all(is_sandbox)
}

/// `127.0.0.1:8080` or `http://127.0.0.1:8080/…`; a name, even `localhost`, may lead anywhere.
fn is_loopback(address: &str) -> bool {
    let host = address.strip_prefix("http://").unwrap_or(address).split('/').next().unwrap_or_default();
    host.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::cli::check::unfit_to_serve;
    use crate::cli::demo::{demo_config, demo_fiscal, demo_messages, demo_webhook};
    use crate::config::{Key32, Mail};

    fn play() -> Config {
        let mut config =
            demo_config("http://127.0.0.1:8080", "http://127.0.0.1:8081", "postgres://127.0.0.1/rehearsal");
        config.webhook.push(demo_webhook("http://127.0.0.1:8081"));
        let (mail, sms) = demo_messages("http://127.0.0.1:8081", 2525);
        (config.mail, config.sms) = (Some(mail), Some(sms));
        config
    }

    #[test]
    fn what_a_rehearsal_takes_is_refused_by_serve_and_the_other_way_round() {
        assert_eq!(unfit_to_rehearse(&play()), Vec::<String>::new());
        assert!(!unfit_to_serve(&play()).is_empty());
    }

    #[test]
    fn one_real_address_or_key_is_enough_to_refuse() {
        let refuses = |change: &dyn Fn(&mut Config), key: &str| {
            let mut config = play();
            change(&mut config);
            let complaints = unfit_to_rehearse(&config).join("\n");
            assert!(complaints.contains(key), "{key} is not in: {complaints}");
        };
        let wechat = |config: &mut Config| config.payee[0].wechat.take().unwrap();
        refuses(&|c| c.server.listen = "0.0.0.0:8080".to_owned(), "server.listen");
        refuses(&|c| c.server.public_url = "https://pay.example.edu.cn".to_owned(), "server.public_url");
        refuses(&|c| c.server.public_url = "http://127.0.0.1.example.cn".to_owned(), "server.public_url");
        let campus = || demo_webhook("https://card.example.edu.cn");
        refuses(&|c| c.webhook.push(campus()), "webhook campus: url");
        let messages = || demo_messages("https://sms.example.cn", 25);
        refuses(&|c| c.mail = Some(Mail { host: "mail.example.cn".to_owned(), ..messages().0 }), "mail.host");
        refuses(&|c| c.sms = Some(messages().1), "sms.url");
        refuses(&|c| c.fiscal = Some(demo_fiscal("https://bill.example.gov.cn")), "fiscal.api_base");
        refuses(&|c| c.database.url = "postgres://127.0.0.1/jiaofei".to_owned(), "database.url");
        refuses(&|c| c.secrets.field_key = Key32::new([9; 32]).into(), "secrets");
        refuses(
            &|c| c.secrets.field_key = (c.secrets.field_key.first().clone(), Key32::new([9; 32])).into(),
            "secrets",
        );
        refuses(
            &|c| {
                let account = wechat(c);
                c.payee[0].wechat =
                    Some(WechatAccount { api_base: "https://api.mch.weixin.qq.com".to_owned(), ..account });
            },
            "payee fiscal: wechat.api_base",
        );
        refuses(
            &|c| {
                let account = wechat(c);
                c.payee[0].wechat =
                    Some(WechatAccount { api_v3_key: SecretString::from("x".repeat(32)).into(), ..account });
            },
            "payee fiscal: a rehearsal takes the sandbox's keys only",
        );
        refuses(
            &|c| {
                let account = c.payee[1].alipay.take().unwrap();
                c.payee[1].alipay = Some(AlipayAccount { private_key: "a school's own".into(), ..account });
            },
            "payee agency: a rehearsal",
        );
    }
}
