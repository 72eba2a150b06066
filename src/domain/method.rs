//! 支付方式: which channels a payee is paid through, in which order, for which amounts, and when not. Pure.
use super::bilingual::Bilingual;
use super::moment::Moment;
use super::money::Fen;
use super::trade::Channel;

/// The rules of one payee. Without any, every channel it has an account at takes every amount at any time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MethodRules {
    /// The channels that may be used, in the order they are shown; none: all, in the platform's order
    pub methods: Option<Vec<Channel>>,
    pub limits: Vec<Limit>,
    pub pauses: Vec<Maintenance>,
}

/// Amounts a channel takes, both ends among them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limit {
    pub channel: Channel,
    pub min: Option<Fen>,
    pub max: Option<Fen>,
}

/// 维护: a channel is not used from `from` until before `until`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Maintenance {
    pub channel: Channel,
    pub from: Moment,
    pub until: Moment,
    /// May be empty
    pub reason: Bilingual,
}

/// Why a channel takes no payment now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Barred {
    /// The payee is not paid this way.
    NotForPayee,
    Below {
        min: Fen,
    },
    Above {
        max: Fen,
    },
    Paused {
        until: Moment,
        reason: Bilingual,
    },
}

impl MethodRules {
    /// Of the channels with an account those that are shown, in the payee's order.
    pub fn shown(&self, with_account: &[Channel]) -> Vec<Channel> {
        match &self.methods {
            None => with_account.to_vec(),
            Some(methods) => methods.iter().copied().filter(|channel| with_account.contains(channel)).collect(),
        }
    }

    /// Whether a channel takes this amount now. What lasts is told before what passes.
    pub fn check(&self, channel: Channel, amount: Fen, now: Moment) -> Result<(), Barred> {
        if self.methods.as_ref().is_some_and(|methods| !methods.contains(&channel)) {
            return Err(Barred::NotForPayee);
        }
        for limit in self.limits.iter().filter(|limit| limit.channel == channel) {
            if let Some(min) = limit.min.filter(|min| amount < *min) {
                return Err(Barred::Below { min });
            }
            if let Some(max) = limit.max.filter(|max| amount > *max) {
                return Err(Barred::Above { max });
            }
        }
        let pause = self.pauses.iter().find(|pause| pause.channel == channel && pause.from <= now && now < pause.until);
        pause.map_or(Ok(()), |pause| Err(Barred::Paused { until: pause.until, reason: pause.reason.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Channel::{Alipay, Wechat};

    fn rules() -> MethodRules {
        MethodRules {
            methods: Some(vec![Alipay, Wechat]),
            limits: vec![Limit { channel: Wechat, min: Some(Fen::new(100)), max: Some(Fen::new(5_000_000)) }],
            pauses: vec![Maintenance {
                channel: Alipay,
                from: Moment::from_unix(1_000),
                until: Moment::from_unix(2_000),
                reason: Bilingual::new("银行结算", "Bank settlement"),
            }],
        }
    }

    #[test]
    fn every_rule_has_its_own_answer() {
        let (below, above) = (Barred::Below { min: Fen::new(100) }, Barred::Above { max: Fen::new(5_000_000) });
        let paused = Barred::Paused {
            until: Moment::from_unix(2_000),
            reason: Bilingual::new("银行结算", "Bank settlement"),
        };
        for (channel, fen, at, answer) in [
            (Wechat, 100, 1_500, Ok(())),
            (Wechat, 99, 1_500, Err(below)),
            (Wechat, 5_000_000, 1_500, Ok(())),
            (Wechat, 5_000_001, 1_500, Err(above)),
            (Alipay, 1, 999, Ok(())),
            (Alipay, 1, 1_000, Err(paused.clone())),
            (Alipay, 9_999_999_999, 1_999, Err(paused)),
            (Alipay, 9_999_999_999, 2_000, Ok(())),
        ] {
            assert_eq!(rules().check(channel, Fen::new(fen), Moment::from_unix(at)), answer, "{channel:?} {fen} {at}");
        }
        let only = MethodRules { methods: Some(vec![Alipay]), ..rules() };
        assert_eq!(only.check(Wechat, Fen::new(1), Moment::from_unix(0)), Err(Barred::NotForPayee));
        assert_eq!(MethodRules::default().check(Wechat, Fen::MAX, Moment::from_unix(1_500)), Ok(()));
    }

    #[test]
    fn the_payees_own_order_counts_and_names_no_channel_it_has_no_account_at() {
        assert_eq!(rules().shown(&[Wechat, Alipay]), [Alipay, Wechat]);
        assert_eq!(rules().shown(&[Wechat]), [Wechat]);
        assert_eq!(MethodRules::default().shown(&[Wechat, Alipay]), [Wechat, Alipay]);
        assert_eq!(MethodRules { methods: Some(Vec::new()), ..rules() }.shown(&[Wechat, Alipay]), []);
    }
}
