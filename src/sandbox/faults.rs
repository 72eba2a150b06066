//! What the sandbox can be told to do wrong, and for how often. Each fault imitates something the real channels do, or
//! that a network or a forger does to them. Without a fault set the sandbox keeps every rule of its protocol.
use crate::domain::trade::Channel;

/// Declares the faults with their words (for JSON and the phone page) and their explanation.
macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal),+ $(,)?) => {
        /// One thing that can go wrong. `amount` is [`Setting::amount`].
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Fault { $($(#[doc = $doc])+ $variant),+ }

        impl Fault {
            pub const ALL: &[Fault] = &[$(Fault::$variant),+];

            /// The word in JSON.
            pub const fn code(self) -> &'static str {
                match self { $(Fault::$variant => $code),+ }
            }

            /// What it does, in a sentence.
            pub const fn explain(self) -> &'static str {
                match self { $(Fault::$variant => concat!($($doc),+).trim_ascii()),+ }
            }

            pub fn parse(code: &str) -> Option<Fault> {
                match code { $($code => Some(Fault::$variant),)+ _ => None }
            }
        }
    };
}

faults! {
    /// The notice is never sent, nor any repeat of it.
    LoseNotice = "lose_notice",
    /// The notice is first sent `amount` seconds later (60).
    DelayNotice = "delay_notice",
    /// `amount` further copies (2) of the notice are sent at the same moment, each with its own signature.
    DuplicateNotice = "duplicate_notice",
    /// The notice waits until a later one has been sent, or a minute.
    ReorderNotice = "reorder_notice",
    /// One byte of the notice's body is changed after signing.
    CorruptNotice = "corrupt_notice",
    /// The notice's signature is well-formed and made with somebody else's key.
    ForgeNotice = "forge_notice",
    /// The notice bears WeChat's signature probe (`WECHATPAY/SIGNTEST/…`), or UnionPay's name on an impostor's
    /// certificate, and comes again rightly signed.
    ProbeNotice = "probe_notice",
    /// The notice's timestamp is `amount` seconds old (600), rightly signed.
    StaleNotice = "stale_notice",
    /// Notices and query answers state a total that is `amount` fen higher (1).
    WrongAmount = "wrong_amount",
    /// Notices and query answers name another appid.
    ForeignApp = "foreign_app",
    /// Notices and query answers name another merchant (mchid, seller_id).
    ForeignMerchant = "foreign_merchant",
    /// Notices and query answers are in another currency.
    ForeignCurrency = "foreign_currency",
    /// The answer bears WeChat's signature probe, or UnionPay's name on an impostor's certificate; the call had its
    /// effect.
    ProbeAnswer = "probe_answer",
    /// The call has its effect, then the connection is closed without an answer.
    LoseAnswer = "lose_answer",
    /// The answer is right and bears no signature.
    UnsignedAnswer = "unsigned_answer",
    /// The answer is right and signed with somebody else's key.
    ForgedAnswer = "forged_answer",
    /// 400 with an HTML page instead of an answer; the call had no effect.
    Answer400 = "answer_400",
    /// 404 with an HTML page instead of an answer; the call had no effect.
    Answer404 = "answer_404",
    /// 429 with an HTML page instead of an answer; the call had no effect.
    Answer429 = "answer_429",
    /// 500 with an HTML page instead of an answer; the call had no effect.
    Answer500 = "answer_500",
    /// 502 with an HTML page instead of an answer; the call had its effect.
    Answer502 = "answer_502",
    /// The connection breaks in the middle of the answer's body; the call had its effect.
    TruncateAnswer = "truncate_answer",
    /// The call has no effect and is never answered.
    Hang = "hang",
    /// The call has its effect and is never answered.
    HangAfterEffect = "hang_after_effect",
    /// Every call is refused at the door with 503 and an empty body.
    Down = "down",
    /// Refunds are refused: the merchant's account lacks the money.
    RefundNotEnough = "refund_not_enough",
    /// Refunds end as abnormal: the payer's account cannot take the money.
    RefundAbnormal = "refund_abnormal",
    /// Refunds end as closed: the money stays with the merchant.
    RefundClosed = "refund_closed",
    /// Refunds are under way for `amount` seconds (60) before they end.
    RefundProcessing = "refund_processing",
    /// The payer's money is taken although the order is closed or expired.
    TakeLatePayment = "take_late_payment",
    /// The payer's bank takes `amount` fen less (1) than was ordered.
    TakeWrongAmount = "take_wrong_amount",
    /// An order number asked with other parameters is refused by 400 INVALID_REQUEST instead of 403 OUT_TRADE_NO_USED.
    RepeatAs400 = "repeat_as_400",
    /// Closing a number that was never ordered is answered with success and burns the number.
    CloseBurnsNumber = "close_burns_number",
    /// An order sent to UnionPay again, the same in everything and unpaid, is refused as a repetition (12).
    RepeatRefused = "repeat_refused",
    /// UnionPay's query says of a payment that nothing is certain yet, with `amount` as origRespCode (5).
    QueryPending = "query_pending",
    /// UnionPay calls a payment a success with a defect (A6).
    PaidWithDefect = "paid_with_defect",
    /// WeChat's sign-in answers with the virtual account of a snapshot page.
    SnapshotUser = "snapshot_user",
}

impl Fault {
    /// What [`Setting::amount`] is when it is not given.
    const fn usual_amount(self) -> u64 {
        match self {
            Fault::DelayNotice | Fault::RefundProcessing => 60,
            Fault::DuplicateNotice => 2,
            Fault::StaleNotice => 600,
            Fault::QueryPending => 5,
            _ => 1,
        }
    }
}

/// What a caller of a gateway wants. A fault can be limited to one of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Order,
    Query,
    Close,
    Refund,
    RefundQuery,
    Certificates,
    /// OAuth and tokens
    Account,
    /// Sending a payment notice
    PaymentNotice,
    /// Sending a refund notice
    RefundNotice,
    /// The payer pays
    Pay,
}

/// A fault with its limits. `Setting::always(Fault::LoseNotice).at(Channel::Wechat)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    pub fault: Fault,
    /// None: at every channel
    pub channel: Option<Channel>,
    /// None: whatever is called
    pub call: Option<Call>,
    /// How many more calls it spoils. None: until cleared
    pub times: Option<u32>,
    /// Seconds, copies or fen; see the fault
    pub amount: Option<u64>,
}

impl Setting {
    /// Until cleared.
    pub const fn always(fault: Fault) -> Self {
        Self { fault, channel: None, call: None, times: None, amount: None }
    }

    /// The next call only.
    pub const fn once(fault: Fault) -> Self {
        Self::always(fault).times(1)
    }

    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    pub const fn at(mut self, channel: Channel) -> Self {
        self.channel = Some(channel);
        self
    }

    pub const fn during(mut self, call: Call) -> Self {
        self.call = Some(call);
        self
    }

    pub const fn amount(mut self, amount: u64) -> Self {
        self.amount = Some(amount);
        self
    }
}

/// The faults now in force.
#[derive(Default)]
pub struct Faults(Vec<Setting>);

impl Faults {
    pub fn set(&mut self, setting: Setting) {
        self.0.push(setting);
    }

    /// Everything works again.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// This fault is over, at every channel.
    pub fn lift(&mut self, fault: Fault) {
        self.0.retain(|setting| setting.fault != fault);
    }

    pub fn list(&self) -> &[Setting] {
        &self.0
    }

    /// Whether this call is to be spoiled so; uses up one time. Gives the setting's amount.
    pub fn strikes(&mut self, fault: Fault, channel: Channel, call: Call) -> Option<u64> {
        let fits = |setting: &Setting| {
            setting.fault == fault
                && setting.channel.is_none_or(|c| c == channel)
                && setting.call.is_none_or(|c| c == call)
        };
        let at = self.0.iter().position(fits)?;
        let setting = &mut self.0[at];
        let amount = setting.amount.unwrap_or(fault.usual_amount());
        match setting.times {
            None => {}
            Some(left) if left > 1 => setting.times = Some(left - 1),
            Some(_) => {
                self.0.remove(at);
            }
        }
        Some(amount)
    }
}

/// What a notice or a query answer states wrongly. All false and zero: the truth.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Lies {
    /// Fen added to the total
    pub more_fen: i64,
    pub app: bool,
    pub merchant: bool,
    pub currency: bool,
}

/// How an answer or a notice is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signing {
    Right,
    Missing,
    /// Well-formed, with somebody else's key
    Forged,
    /// `WECHATPAY/SIGNTEST/…`; Alipay has none and signs wrongly instead, UnionPay with an impostor's certificate
    Probe,
}

impl Faults {
    /// The lies to tell in this call.
    pub fn lies(&mut self, channel: Channel, call: Call) -> Lies {
        let more = self.strikes(Fault::WrongAmount, channel, call).unwrap_or(0);
        Lies {
            more_fen: i64::try_from(more).unwrap_or(i64::MAX),
            app: self.strikes(Fault::ForeignApp, channel, call).is_some(),
            merchant: self.strikes(Fault::ForeignMerchant, channel, call).is_some(),
            currency: self.strikes(Fault::ForeignCurrency, channel, call).is_some(),
        }
    }

    pub fn signing_of_answer(&mut self, channel: Channel, call: Call) -> Signing {
        match () {
            () if self.strikes(Fault::UnsignedAnswer, channel, call).is_some() => Signing::Missing,
            () if self.strikes(Fault::ForgedAnswer, channel, call).is_some() => Signing::Forged,
            () if self.strikes(Fault::ProbeAnswer, channel, call).is_some() => Signing::Probe,
            () => Signing::Right,
        }
    }

    pub fn signing_of_notice(&mut self, channel: Channel, call: Call) -> Signing {
        match () {
            () if self.strikes(Fault::ForgeNotice, channel, call).is_some() => Signing::Forged,
            () if self.strikes(Fault::ProbeNotice, channel, call).is_some() => Signing::Probe,
            () => Signing::Right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_only_its_channel_and_call_and_only_so_often() {
        let mut faults = Faults::default();
        faults.set(Setting::always(Fault::LoseAnswer).at(Channel::Wechat).during(Call::Order).times(2).amount(9));
        assert_eq!(faults.strikes(Fault::LoseAnswer, Channel::Alipay, Call::Order), None);
        assert_eq!(faults.strikes(Fault::LoseAnswer, Channel::Wechat, Call::Query), None);
        assert_eq!(faults.strikes(Fault::Hang, Channel::Wechat, Call::Order), None);
        assert_eq!(faults.strikes(Fault::LoseAnswer, Channel::Wechat, Call::Order), Some(9));
        assert_eq!(faults.strikes(Fault::LoseAnswer, Channel::Wechat, Call::Order), Some(9));
        assert_eq!(faults.strikes(Fault::LoseAnswer, Channel::Wechat, Call::Order), None);
    }

    #[test]
    fn a_fault_without_limit_lasts_until_it_is_lifted() {
        let mut faults = Faults::default();
        faults.set(Setting::always(Fault::DelayNotice));
        for _ in 0..3 {
            assert_eq!(faults.strikes(Fault::DelayNotice, Channel::Alipay, Call::PaymentNotice), Some(60));
        }
        faults.lift(Fault::DelayNotice);
        assert_eq!(faults.strikes(Fault::DelayNotice, Channel::Alipay, Call::PaymentNotice), None);
    }

    #[test]
    fn every_fault_has_a_word_and_an_explanation() {
        for fault in Fault::ALL {
            assert_eq!(Fault::parse(fault.code()), Some(*fault));
            assert!(fault.explain().ends_with('.'), "{}", fault.code());
        }
        assert_eq!(Fault::parse("nothing"), None);
    }
}
