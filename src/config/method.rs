//! 支付方式 of a payee, as the file says them.
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::domain::bilingual::Bilingual;
use crate::domain::method::{Limit, Maintenance, MethodRules};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::Channel;

/// `[payee.method]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MethodText {
    #[serde(default)]
    channels: Option<Vec<ChannelName>>,
    #[serde(default)]
    limit: Vec<LimitText>,
    #[serde(default)]
    maintenance: Vec<MaintenanceText>,
}

/// Amounts in yuan
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitText {
    channel: ChannelName,
    #[serde(default)]
    min: Option<Yuan>,
    #[serde(default)]
    max: Option<Yuan>,
}

/// Times as RFC 3339
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MaintenanceText {
    channel: ChannelName,
    from: When,
    until: When,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    reason_en: String,
}

/// `wechat`, `alipay` or `unionpay`
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct ChannelName(Channel);

impl TryFrom<String> for ChannelName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let names = Channel::ALL.iter().map(|channel| channel.code()).collect::<Vec<_>>().join(", ");
        Channel::parse(&text).map(Self).ok_or(format!("{text:?} is none of {names}"))
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Yuan(Fen);

impl TryFrom<String> for Yuan {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Fen::typed(&text).map(Self).ok_or(format!("{text:?} is no amount in yuan"))
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct When(Moment);

impl TryFrom<String> for When {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Moment::parse_rfc3339(&text).map(Self).ok_or(format!("{text:?} is no time like 2026-09-01T08:00:00+08:00"))
    }
}

/// Reads 支付方式 of a payee; what cannot be meant is refused.
pub fn read<'de, D: Deserializer<'de>>(from: D) -> Result<MethodRules, D::Error> {
    let text = MethodText::deserialize(from)?;
    let unfit = |why: &str| Err(D::Error::custom(format!("method: {why}")));
    let methods: Option<Vec<Channel>> = text.channels.map(|names| names.into_iter().map(|name| name.0).collect());
    if methods.as_ref().is_some_and(|all| all.iter().enumerate().any(|(at, one)| all[..at].contains(one))) {
        return unfit("channels: one stands there twice");
    }
    let yuan = |text: Option<Yuan>| text.map(|Yuan(fen)| fen);
    let limit = |text: LimitText| Limit { channel: text.channel.0, min: yuan(text.min), max: yuan(text.max) };
    let limits: Vec<Limit> = text.limit.into_iter().map(limit).collect();
    if limits.iter().any(|limit| limit.min.zip(limit.max).is_some_and(|(min, max)| min > max)) {
        return unfit("limit: min is above max, so that nothing could be paid");
    }
    let pause = |text: MaintenanceText| Maintenance {
        channel: text.channel.0,
        from: text.from.0,
        until: text.until.0,
        reason: Bilingual::new(text.reason, text.reason_en),
    };
    let pauses: Vec<Maintenance> = text.maintenance.into_iter().map(pause).collect();
    if pauses.iter().any(|pause| pause.from >= pause.until) {
        return unfit("maintenance: ends before it begins");
    }
    Ok(MethodRules { methods, limits, pauses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Payee {
        #[serde(default, deserialize_with = "read")]
        method: MethodRules,
    }

    fn of(text: &str) -> Result<MethodRules, String> {
        toml::from_str::<Payee>(text).map(|payee| payee.method).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn the_files_words_become_rules_and_what_cannot_be_meant_is_named() {
        let rules = of(r#"
            [method]
            channels = ["alipay", "wechat"]
            limit = [{ channel = "wechat", min = "1", max = "50,000.00" }]
            [[method.maintenance]]
            channel = "alipay"
            from = "2026-09-01T22:00:00+08:00"
            until = "2026-09-02T02:00:00+08:00"
            reason = "银行结算"
        "#)
        .unwrap();
        assert_eq!(rules.methods, Some(vec![Channel::Alipay, Channel::Wechat]));
        assert_eq!((rules.limits[0].min, rules.limits[0].max), (Some(Fen::new(100)), Some(Fen::new(5_000_000))));
        assert_eq!(rules.pauses[0].reason.zh, "银行结算");
        assert_eq!(of("").unwrap(), MethodRules::default());
        for (text, named) in [
            ("method.channels = [\"cash\"]", "cash"),
            ("method.channels = [\"alipay\", \"alipay\"]", "twice"),
            ("method.limit = [{ channel = \"alipay\", max = \"much\" }]", "much"),
            ("method.limit = [{ channel = \"alipay\", min = \"2\", max = \"1\" }]", "min is above max"),
            ("method.maintenance = [{ channel = \"alipay\", from = \"tonight\", until = \"x\" }]", "tonight"),
            ("method.credit = false", "credit"),
        ] {
            assert!(of(text).unwrap_err().contains(named), "{text}: {}", of(text).unwrap_err());
        }
    }
}
