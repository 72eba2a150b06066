//! What `serve` refuses to start with. Each complaint names the key to set.
use std::collections::BTreeSet;

use secrecy::ExposeSecret;

use crate::config::{Config, Living, MessageServer, OneOrMore, Payee, Pem, Secrets, Webhook, WebhookSecret};
use crate::domain::consent::PhoneCheck;
use crate::domain::money::Fen;
use crate::domain::trade::Channel;
use crate::sandbox::fiscal::voice;
use crate::sandbox::keys;
use crate::web::code::Mark;

/// The secrets of `jiaofei demo`: known to everybody who has the source.
pub const DEMO_SESSION_KEY: [u8; 32] = *b"demo session key, known to all!!";
pub const DEMO_FIELD_KEY: [u8; 32] = *b"demo field key, known to all!!!!";
pub const DEMO_INDEX_KEY: [u8; 32] = *b"demo index key, known to all!!!!";
pub const DEMO_JOURNAL_KEY: [u8; 32] = *b"demo journal key, known to all!!";

/// Everything that is unfit for real money; empty when all is well.
pub fn unfit_to_serve(config: &Config) -> Vec<String> {
    let mut complaints = Vec::new();
    if !config.server.public_url.starts_with("https://") {
        complaints.push("server.public_url: must begin with https://; students pay over it".to_owned());
    }
    if cfg!(feature = "storm") {
        complaints.push("built with the feature storm, which lets processes die: build without it".to_owned());
    }
    secrets(&config.secrets, &mut complaints);
    if config.school.mark.as_ref().is_some_and(|mark| Mark::read(mark.bytes()).is_err()) {
        complaints.push("school.mark: not a PNG".to_owned());
    }
    if config.payee.is_empty() {
        complaints.push("payee: nobody can receive money; add at least one [[payee]]".to_owned());
    }
    portal(config, &mut complaints);
    webhooks(&config.webhook, &mut complaints);
    providers(&config.living, &mut complaints);
    texts(config, &mut complaints);
    let server = config.official_account.as_ref().and_then(|account| account.message.as_ref());
    if server.is_some_and(is_sandbox_server) {
        complaints.push("official_account.message: this is the sandbox's, known to everybody".to_owned());
    }
    if let Some(fiscal) = &config.fiscal {
        if !fiscal.is_encrypted() {
            complaints.push("fiscal.api_base: must begin with https://; payers' names go over it".to_owned());
        }
        if fiscal.app_key.expose_secret() == voice::APP_KEY {
            complaints.push("fiscal.app_key: this is the sandbox's, known to everybody".to_owned());
        }
    }
    for payee in &config.payee {
        accounts(payee, &mut complaints);
    }
    complaints
}

fn portal(config: &Config, complaints: &mut Vec<String>) {
    if config.sign_in.cas.as_ref().is_some_and(|cas| !cas.is_encrypted()) {
        complaints.push("sign_in.cas.base_url: must begin with https://; who answers there signs people in".to_owned());
    }
}

/// Where a payee is paid.
fn accounts(payee: &Payee, complaints: &mut Vec<String>) {
    let mut complain = |key: &str| {
        complaints.push(format!("payee {}: {key}: this is the sandbox's, known to everybody", payee.code));
    };
    if let Some(wechat) = &payee.wechat {
        if is_sandbox(&wechat.private_key) {
            complain("wechat.private_key");
        }
        if wechat.api_v3_key.all().iter().any(|key| key.expose_secret() == keys::WECHAT_API_V3_KEY) {
            complain("wechat.api_v3_key");
        }
        let voices = wechat.public_key.iter().chain(&wechat.platform_certificates);
        if voices.into_iter().any(is_sandbox) {
            complain("wechat.public_key, wechat.platform_certificates");
        }
    }
    if let Some(alipay) = &payee.alipay {
        if is_sandbox(&alipay.private_key) {
            complain("alipay.private_key");
        }
        let named = alipay.alipay_public_key.iter().flat_map(OneOrMore::all);
        let certified = [&alipay.alipay_cert, &alipay.alipay_root_cert].into_iter().flatten();
        if named.chain(certified).any(is_sandbox) {
            complain("alipay.alipay_public_key, alipay.alipay_cert");
        }
    }
    if let Some(unionpay) = &payee.unionpay {
        if [&unionpay.sign_key, &unionpay.sign_cert].into_iter().any(is_sandbox) {
            complain("unionpay.sign_key, unionpay.sign_cert");
        }
        if [&unionpay.root_cert, &unionpay.middle_cert].into_iter().any(is_sandbox) {
            complain("unionpay.root_cert, unionpay.middle_cert");
        }
    }
    if payee.accounts().is_empty() {
        complaints.push(format!(
            "payee {}: no way to be paid; add [payee.wechat], [payee.alipay] or [payee.unionpay]",
            payee.code
        ));
    } else if !has_a_way(payee) {
        complaints.push(format!(
            "payee {}: method: leaves no way to be paid; name a channel it has an account at",
            payee.code
        ));
    }
}

/// What goes by text message.
fn texts(config: &Config, complaints: &mut Vec<String>) {
    if config.sms.as_ref().is_some_and(|sms| !sms.is_encrypted()) {
        complaints.push("sms.url: must begin with https://; codes go over it".to_owned());
    }
    if config.checkout.phone_check != PhoneCheck::Off && config.sms.is_none() {
        complaints.push("checkout.phone_check: codes go by text message; add [sms] or set it to off".to_owned());
    }
}

/// Whether the rules leave a channel that takes some amount, maintenance aside.
fn has_a_way(payee: &Payee) -> bool {
    let takes_some = |channel: &Channel| {
        let limits = payee.method.limits.iter().filter(|limit| limit.channel == *channel);
        let least = limits.clone().filter_map(|limit| limit.min).max().unwrap_or(Fen::new(1));
        limits.filter_map(|limit| limit.max).all(|max| max >= least)
    };
    payee.method.shown(&payee.accounts()).iter().any(takes_some)
}

fn secrets(secrets: &Secrets, complaints: &mut Vec<String>) {
    let demo = [&DEMO_SESSION_KEY, &DEMO_FIELD_KEY, &DEMO_INDEX_KEY, &DEMO_JOURNAL_KEY];
    let listed = [
        ("session_key", secrets.session_key.all()),
        ("field_key", secrets.field_key.all()),
        ("index_key", secrets.index_key.all()),
        ("journal_key", std::slice::from_ref(&secrets.journal_key)),
    ];
    let all: Vec<_> = listed.iter().flat_map(|(name, keys)| keys.iter().map(move |key| (name, key.bytes()))).collect();
    for (at, (name, key)) in all.iter().enumerate() {
        let same_throughout = key.iter().all(|byte| byte == &key[0]);
        if same_throughout || demo.contains(key) {
            complaints.push(format!("secrets.{name}: a default; make one with `openssl rand -hex 32`"));
        }
        if all[..at].iter().any(|(_, other)| other == key) {
            complaints.push(format!("secrets.{name}: the same as another secret; each has its own"));
        }
    }
}

fn webhooks(webhooks: &[Webhook], complaints: &mut Vec<String>) {
    for (at, webhook) in webhooks.iter().enumerate() {
        let mut complain = |why: &str| complaints.push(format!("webhook {}: {why}", webhook.name));
        if !webhook.url.is_encrypted() {
            complain("url: must begin with https://");
        }
        for secret in &webhook.secrets {
            if is_weak(secret) {
                complain(WEAK);
            }
            if webhooks[..at].iter().any(|other| other.secrets.contains(secret)) {
                complain("secrets: the same as another endpoint's; each has its own");
            }
        }
    }
}

const WEAK: &str = "secrets: a default or a weak one; make one with `echo whsec_$(openssl rand -base64 32)`";

fn is_weak(secret: &WebhookSecret) -> bool {
    // as few different bytes as a word typed again and again has
    let different = secret.bytes().iter().collect::<BTreeSet<_>>().len();
    different < 12 || [keys::CAMPUS_SECRET, keys::UTILITY_SECRET].contains(&secret.bytes())
}

/// Services of one provider may share their secret.
fn providers(services: &[Living], complaints: &mut Vec<String>) {
    for service in services {
        let mut complain = |why: &str| complaints.push(format!("living {}: {why}", service.id));
        if !service.url.is_encrypted() {
            complain("url: must begin with https://");
        }
        if service.secrets.iter().any(is_weak) {
            complain(WEAK);
        }
    }
}

/// Whether the message server's token or key is the sandbox's.
fn is_sandbox_server(server: &MessageServer) -> bool {
    let mut keys = server.encoding_aes_key.iter().flat_map(OneOrMore::all);
    server.token.expose_secret() == keys::WECHAT_MESSAGE_TOKEN
        || keys.any(|key| key.expose_secret() == keys::WECHAT_MESSAGE_KEY)
}

/// Compares without white space, so a re-wrapped file is still known.
pub(super) fn is_sandbox(pem: &Pem) -> bool {
    let squeeze = |text: &str| text.split_whitespace().filter(|line| !line.starts_with("-----")).collect::<String>();
    let known = [
        keys::WECHAT_MERCHANT_KEY,
        keys::WECHAT_PUBLIC_KEY,
        keys::WECHAT_PLATFORM_A_CERT,
        keys::WECHAT_PLATFORM_B_CERT,
        keys::ALIPAY_APP_KEY,
        keys::ALIPAY_PUBLIC,
        keys::ALIPAY_CERT,
        keys::ALIPAY_ROOT_CERT,
        keys::UNIONPAY_ROOT_CERT,
        keys::UNIONPAY_MIDDLE_CERT,
        keys::UNIONPAY_CERT,
        keys::UNIONPAY_MERCHANT_KEY,
        keys::UNIONPAY_MERCHANT_CERT,
    ];
    let given = squeeze(pem.text());
    known.iter().any(|text| squeeze(text) == given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::{demo_config, demo_webhook};
    use crate::domain::method::{Limit, MethodRules};

    #[test]
    fn the_demos_own_configuration_is_refused_key_by_key() {
        let config = demo_config("http://127.0.0.1:8080", "http://127.0.0.1:8081", "sqlite::memory:");
        let complaints = unfit_to_serve(&config).join("\n");
        for key in [
            "server.public_url",
            "secrets.session_key",
            "secrets.field_key",
            "secrets.index_key",
            "secrets.journal_key",
            "payee fiscal: wechat.private_key",
            "official_account.message",
            "sign_in.cas.base_url",
            "living electricity: url",
            "living card: secrets",
            "payee fiscal: wechat.api_v3_key",
            "payee fiscal: wechat.public_key",
            "payee agency: alipay.private_key",
            "payee agency: alipay.alipay_public_key",
            "payee fiscal: unionpay.sign_key",
            "payee agency: unionpay.root_cert",
        ] {
            assert!(complaints.contains(key), "{key} is not in:\n{complaints}");
        }
    }

    #[test]
    fn a_payee_whose_rules_leave_no_way_to_be_paid_is_refused() {
        let with = |method: MethodRules, others: bool| {
            let mut config = demo_config("http://127.0.0.1:8080", "http://127.0.0.1:8081", "sqlite::memory:");
            config.payee[1].method = method;
            if !others {
                (config.payee[1].alipay, config.payee[1].unionpay) = (None, None);
            }
            unfit_to_serve(&config).iter().any(|line| line.starts_with("payee agency: method: leaves no way"))
        };
        let only = |channels: &[Channel]| MethodRules { methods: Some(channels.to_vec()), ..MethodRules::default() };
        let limit = |channel, min, max| Limit { channel, min: Some(Fen::new(min)), max: Some(Fen::new(max)) };
        let never = vec![limit(Channel::Wechat, 1, 100), limit(Channel::Wechat, 200, 300)];
        assert!(!with(MethodRules::default(), true) && !with(only(&[Channel::Alipay]), true));
        assert!(with(only(&[]), true), "none named");
        assert!(with(only(&[Channel::Alipay]), false), "no account at the one that is named");
        assert!(with(MethodRules { limits: never, ..MethodRules::default() }, false), "no amount fits");
    }

    #[test]
    fn a_program_built_for_storms_is_refused() {
        let config = demo_config("http://127.0.0.1:8080", "http://127.0.0.1:8081", "sqlite::memory:");
        let complained = unfit_to_serve(&config).iter().any(|line| line.contains("feature storm"));
        assert_eq!(complained, cfg!(feature = "storm"));
    }

    #[test]
    fn the_examples_own_secrets_are_refused() {
        let text = include_str!("../../config.example.toml");
        let config = Config::parse(&without_files(text), std::iter::empty()).unwrap();
        let complaints = unfit_to_serve(&config);
        assert_eq!(complaints.iter().filter(|line| line.contains("a default")).count(), 4, "{complaints:?}");
    }

    #[test]
    fn an_endpoint_without_encryption_or_with_a_weak_known_or_shared_secret_is_refused() {
        let text = include_str!("../../config.example.toml");
        let (most, webhook) = text.split_once("# [[webhook]]").unwrap();
        let webhook =
            webhook.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
        let mut config = Config::parse(&format!("{}\n[[webhook]]{webhook}", without_files(most)), std::iter::empty());
        let config = config.as_mut().unwrap();
        let complaints = |config: &Config| -> Vec<String> {
            let all = unfit_to_serve(config).into_iter();
            all.filter_map(|line| line.strip_prefix("webhook ").map(|line| line[..line.len().min(30)].to_owned()))
                .collect()
        };
        assert_eq!(complaints(config), ["campus-card: secrets: a defaul"]);
        config.webhook[0].secrets = vec![strong()];
        assert!(complaints(config).is_empty());
        config.webhook.push(Webhook { name: "dormitory".to_owned(), ..config.webhook[0].clone() });
        assert_eq!(complaints(config), ["dormitory: secrets: the same a"]);
        config.webhook[1] = demo_webhook("http://127.0.0.1:8081");
        assert_eq!(complaints(config), ["campus: url: must begin with h", "campus: secrets: a default or "]);
    }

    fn strong() -> crate::config::WebhookSecret {
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned().try_into().unwrap()
    }

    /// The example names key files that only a real school has.
    fn without_files(text: &str) -> String {
        let is_file = |line: &&str| {
            ["private_key", "public_key =", "alipay_public_key", "platform_certificates"]
                .iter()
                .any(|key| line.trim_start().starts_with(key))
        };
        let pem = |line: &str| match line.trim_start().starts_with("platform") {
            true => String::new(),
            false => format!("{} = \"-----BEGIN X-----\"", line.split('=').next().unwrap_or("").trim()),
        };
        let lines = text.lines().map(|line| if is_file(&line) { pem(line) } else { line.to_owned() });
        lines.collect::<Vec<_>>().join("\n")
    }
}
