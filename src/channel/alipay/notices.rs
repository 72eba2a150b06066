//! Alipay's notifications (Alipay, asynchronous notification of trades, signature rule "V1").
//!
//! A notification is believed when it carries Alipay's RSA2 signature over its own bytes, and only then looked at:
//! app and seller first, the state last. Amounts and numbers are handed up as they are; whether they fit an order is
//! not known here.
use std::time::Duration;

use encoding_rs::Encoding;

use super::form::Form;
use super::gateway::Gateway;
use super::keys::Keys;
use super::trades::foreign_seller;
use crate::channel::contract::{About, Ack, Notice, NoticeRefusal, RawNotice, Reception};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::trade::{Heard, RefundHeard, TradeNo};

/// Alipay sends one event again for 24 h 22 min; what is older was not sent by it.
const OLDEST: Duration = Duration::from_secs(25 * 3600);

/// The seven letters that end the repetitions, or a word that does not.
pub fn acknowledge(reception: Reception) -> Ack {
    let body = match reception {
        Reception::Done => "success",
        Reception::Refused | Reception::Later => "fail",
    };
    Ack { status: 200, content_type: "text/plain", body }
}

pub fn verify(gateway: &Gateway, raw: &RawNotice) -> Result<Notice, NoticeRefusal> {
    let form = Form::parse(&raw.body)?;
    authenticate(&form, &gateway.keys)?;
    read(form, gateway, raw.received_at)
}

/// What a form says whose signature has been found to fit.
pub fn read(form: Form, gateway: &Gateway, received_at: Moment) -> Result<Notice, NoticeRefusal> {
    let told = Told { charset: form.charset()?, form, received_at };
    told.check_age()?;
    let id = told.text("notify_id")?.unwrap_or_default();
    let about = match told.text("notify_type")?.as_deref() {
        Some("trade_status_sync") => told.about(gateway)?,
        _ => About::Nothing,
    };
    let believed_until = told.time("notify_time")?.map(|sent| sent + OLDEST);
    Ok(Notice { id, about, believed_until })
}

/// V1: everything but `sign` and `sign_type`, sorted and joined. Whether empty values and the certificate's number
/// are part of the text is said differently by different SDKs of Alipay; a field that was left out here is not read
/// later either (empty ones count as absent, the number is only compared).
fn authenticate(form: &Form, keys: &Keys) -> Result<(), NoticeRefusal> {
    let field = |name: &'static str| form.bytes(name).filter(|value| !value.is_empty());
    let sign_type = field("sign_type").ok_or(NoticeRefusal::Missing("sign_type"))?;
    if sign_type != b"RSA2" {
        return Err(NoticeRefusal::Malformed("sign_type is not RSA2"));
    }
    let sign = field("sign").ok_or(NoticeRefusal::Missing("sign"))?;
    // base64 has no blanks: one is a plus that was not escaped
    let sign = std::str::from_utf8(sign).map_err(|_| NoticeRefusal::BadSignature)?.replace(' ', "+");
    if let (Some(number), Some(known)) = (field("alipay_cert_sn"), keys.numbers())
        && number != known.alipay.as_bytes()
    {
        return Err(NoticeRefusal::UnknownKey);
    }
    let all = |name: &[u8], _: &[u8]| name != b"sign" && name != b"sign_type";
    let filled = |name: &[u8], value: &[u8]| all(name, value) && !value.is_empty();
    let uncertified = |name: &[u8], value: &[u8]| filled(name, value) && name != b"alipay_cert_sn";
    let mut texts = vec![form.joined(all), form.joined(filled), form.joined(uncertified)];
    texts.dedup();
    let fits = texts.iter().any(|text| keys.verifies(text, &sign));
    fits.then_some(()).ok_or(NoticeRefusal::BadSignature)
}

/// A notification whose signature fits.
struct Told {
    form: Form,
    charset: &'static Encoding,
    received_at: Moment,
}

impl Told {
    fn text(&self, name: &'static str) -> Result<Option<String>, NoticeRefusal> {
        self.form.text(self.charset, name)
    }

    fn needed(&self, name: &'static str) -> Result<String, NoticeRefusal> {
        self.text(name)?.ok_or(NoticeRefusal::Missing(name))
    }

    /// A time; absent stays absent, nonsense is refused.
    fn time(&self, name: &'static str) -> Result<Option<Moment>, NoticeRefusal> {
        let parse = |text: String| Moment::parse_beijing(&text).ok_or(NoticeRefusal::Malformed(name));
        self.text(name)?.map(parse).transpose()
    }

    fn amount(&self, name: &'static str) -> Result<Option<Fen>, NoticeRefusal> {
        let parse = |text: String| Fen::from_yuan(&text).ok_or(NoticeRefusal::Malformed(name));
        self.text(name)?.map(parse).transpose()
    }

    fn check_age(&self) -> Result<(), NoticeRefusal> {
        match self.time("notify_time")? {
            Some(sent) if self.received_at.since(sent) > OLDEST => Err(NoticeRefusal::Stale),
            _ => Ok(()),
        }
    }

    fn about(&self, gateway: &Gateway) -> Result<About, NoticeRefusal> {
        let attempt_no = self.needed("out_trade_no")?;
        let app_id = self.needed("app_id")?;
        if app_id != gateway.app_id {
            return Ok(About::Payment { attempt_no, heard: Heard::Foreign { field: "app_id", got: app_id } });
        }
        if let Some(got) = foreign_seller(self.text("seller_id")?, &gateway.seller_id) {
            return Ok(About::Payment { attempt_no, heard: Heard::Foreign { field: "seller_id", got } });
        }
        let refunded = self.amount("refund_fee")?.is_some_and(Fen::is_positive);
        if refunded || self.text("gmt_refund")?.is_some() {
            return self.refund();
        }
        let heard = match self.needed("trade_status")?.as_str() {
            "WAIT_BUYER_PAY" => Heard::Unpaid,
            "TRADE_SUCCESS" | "TRADE_FINISHED" => self.paid()?,
            // closed with a payment time: paid, and refunded in full since
            "TRADE_CLOSED" if self.text("gmt_payment")?.is_some() => self.paid()?,
            "TRADE_CLOSED" => Heard::Closed,
            _ => return Ok(About::Nothing),
        };
        Ok(About::Payment { attempt_no, heard })
    }

    fn paid(&self) -> Result<Heard, NoticeRefusal> {
        Ok(Heard::Paid {
            trade_no: TradeNo(self.needed("trade_no")?),
            amount: self.amount("total_amount")?.ok_or(NoticeRefusal::Missing("total_amount"))?,
            paid_at: self.time("gmt_payment")?.or(self.time("notify_time")?).unwrap_or(self.received_at),
        })
    }

    /// A refund, by the number it was asked with. `refund_fee` is the sum of all refunds of the trade, so without a
    /// `refund_amount` this says only that something is under way, and the refund is asked for. A refund without a
    /// number was not made here.
    fn refund(&self) -> Result<About, NoticeRefusal> {
        let number = self.text("out_request_no")?.or(self.text("out_biz_no")?);
        let Some(refund_no) = number else { return Ok(About::Nothing) };
        let channel_refund_no = refund_no.clone();
        let unsure = self.text("refund_status")?.is_some_and(|status| status != "REFUND_SUCCESS");
        let heard = match self.amount("refund_amount")?.filter(|_| !unsure) {
            Some(amount) => {
                let at = self.time("gmt_refund")?.or(self.time("notify_time")?).unwrap_or(self.received_at);
                RefundHeard::Done { channel_refund_no, amount, at }
            }
            None => RefundHeard::Processing { channel_refund_no },
        };
        Ok(About::Refund { refund_no, heard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::alipay::testing::{self, ATTEMPT, REFUND, TRADE};
    use encoding_rs::{GBK, UTF_8};
    use proptest::prelude::*;

    type Fields = Vec<(&'static str, String)>;

    /// A true notification of a payment, with `changes` put over it; an empty value takes the field away.
    fn fields(changes: &[(&'static str, &str)]) -> Fields {
        let mut all: Fields = [
            ("notify_time", "2026-09-01 10:24:36"),
            ("notify_type", "trade_status_sync"),
            ("notify_id", "2026090100222102436001400000000001"),
            ("app_id", testing::APP_ID),
            ("charset", "utf-8"),
            ("version", "1.0"),
            ("sign_type", "RSA2"),
            ("trade_no", TRADE),
            ("out_trade_no", ATTEMPT),
            ("seller_id", testing::SELLER_ID),
            ("trade_status", "TRADE_SUCCESS"),
            ("total_amount", "9099.95"),
            ("subject", "学费&住宿费=1+1 100% <b>\"}𠮷;"),
            ("gmt_payment", "2026-09-01 10:24:30"),
            ("fund_bill_list", r#"[{"amount":"9099.95","fundChannel":"ALIPAYACCOUNT"}]"#),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec();
        for (name, value) in changes {
            all.retain(|(key, _)| key != name);
            all.push((name, (*value).to_owned()));
        }
        all.retain(|(_, value)| !value.is_empty());
        all
    }

    /// What Alipay signs of these fields, in its own charset.
    fn source(fields: &Fields, charset: &'static Encoding) -> Vec<u8> {
        let mut sorted: Vec<_> = fields.iter().filter(|(name, _)| *name != "sign_type").collect();
        sorted.sort();
        let pairs: Vec<Vec<u8>> =
            sorted.iter().map(|(name, value)| [name.as_bytes(), b"=", &charset.encode(value).0[..]].concat()).collect();
        pairs.join(&b'&')
    }

    fn encode(fields: &Fields, charset: &'static Encoding, sign: &str) -> Vec<u8> {
        let escape = |bytes: &[u8]| form_urlencoded::byte_serialize(bytes).collect::<String>();
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escape(&charset.encode(value).0)));
        let pairs: Vec<String> = pairs.chain([format!("sign={}", escape(sign.as_bytes()))]).collect();
        pairs.join("&").into_bytes()
    }

    fn signed(fields: &Fields, charset: &'static Encoding) -> Vec<u8> {
        encode(fields, charset, &testing::sign(&source(fields, charset)))
    }

    fn heard(body: Vec<u8>) -> Result<Notice, NoticeRefusal> {
        let raw = RawNotice { headers: reqwest::header::HeaderMap::new(), body, received_at: testing::now() };
        verify(&testing::unreachable_gateway(), &raw)
    }

    fn about(changes: &[(&'static str, &str)]) -> About {
        heard(signed(&fields(changes), UTF_8)).unwrap().about
    }

    fn payment(heard: Heard) -> About {
        About::Payment { attempt_no: ATTEMPT.to_owned(), heard }
    }

    fn paid() -> About {
        let paid_at = Moment::parse_beijing("2026-09-01 10:24:30").unwrap();
        payment(Heard::Paid { trade_no: TradeNo(TRADE.to_owned()), amount: Fen::new(909_995), paid_at })
    }

    #[test]
    fn a_payment_is_heard_with_its_number_amount_and_time() {
        let notice = heard(signed(&fields(&[]), UTF_8)).unwrap();
        assert_eq!(notice.id, "2026090100222102436001400000000001");
        assert_eq!(notice.about, paid());
        assert_eq!(about(&[("trade_status", "TRADE_FINISHED")]), paid());
    }

    #[test]
    fn the_text_that_is_verified_is_the_sdks_own() {
        let all = fields(&[("subject", "学费 1+1 100%")]);
        let body = signed(&all, UTF_8);
        let (text, sign, sign_type) = alipay_sdk_rust::util::get_async_callback_msg_source(&body).unwrap();
        let ours = Form::parse(&body).unwrap().joined(|name, _| name != b"sign" && name != b"sign_type");
        assert_eq!(text.as_bytes(), ours);
        assert_eq!((sign, sign_type.as_str()), (testing::sign(&ours), "RSA2"));
    }

    #[test]
    fn gbk_is_verified_in_its_own_bytes() {
        for label in ["GBK", "gbk", "gb2312"] {
            let all = fields(&[("charset", label), ("subject", "学费：龍玥"), ("buyer_logon_id", "张*@x.cn")]);
            assert_eq!(heard(signed(&all, GBK)).unwrap().about, paid());
        }
        let all = fields(&[("charset", "GBK"), ("subject", "学费")]);
        let reencoded = encode(&all, UTF_8, &testing::sign(&source(&all, GBK)));
        assert_eq!(heard(reencoded), Err(NoticeRefusal::BadSignature));
    }

    #[test]
    fn a_plus_a_semicolon_and_a_percent_arrive_as_they_were_signed() {
        for subject in ["1+1", "a;b;c", "100%25", "a b", "x&sign=y", "=}\"<𠮷"] {
            let all = fields(&[("subject", subject)]);
            let body = signed(&all, UTF_8);
            assert_eq!(heard(body.clone()).unwrap().about, paid());
            // a sender that leaves `;` raw says the same
            let raw = String::from_utf8(body).unwrap().replace("%3B", ";");
            assert_eq!(heard(raw.into_bytes()).unwrap().about, paid());
        }
        let body = String::from_utf8(signed(&fields(&[("subject", "1+1")]), UTF_8)).unwrap();
        assert!(body.contains("subject=1%2B1"));
        assert_eq!(heard(body.replace("1%2B1", "1+1").into_bytes()), Err(NoticeRefusal::BadSignature));
    }

    #[test]
    fn a_signature_whose_pluses_were_not_escaped_is_still_that_signature() {
        let body = String::from_utf8(signed(&fields(&[]), UTF_8)).unwrap();
        let (rest, sign) = body.rsplit_once("&sign=").unwrap();
        assert!(heard(format!("{rest}&sign={}", sign.replace("%2B", "+")).into_bytes()).is_ok());
    }

    #[test]
    fn empty_values_and_the_certificates_number_may_be_signed_or_not() {
        let bare = fields(&[]);
        let mut with = fields(&[]);
        with.push(("body", String::new()));
        assert!(heard(signed(&with, UTF_8)).is_ok());
        assert!(heard(encode(&with, UTF_8, &testing::sign(&source(&bare, UTF_8)))).is_ok());
        with.push(("alipay_cert_sn", "85a2d881cd8e3fe5fc7dec445483b4c6".to_owned()));
        assert!(heard(signed(&with, UTF_8)).is_ok());
        assert!(heard(encode(&with, UTF_8, &testing::sign(&source(&bare, UTF_8)))).is_ok());
    }

    #[test]
    fn what_alipay_did_not_sign_is_refused() {
        let all = fields(&[]);
        let good = testing::sign(&source(&all, UTF_8));
        let forged = fields(&[("total_amount", "0.01")]);
        assert_eq!(heard(encode(&forged, UTF_8, &good)), Err(NoticeRefusal::BadSignature));
        let mut added = fields(&[]);
        added.push(("out_biz_no", "1".to_owned()));
        assert_eq!(heard(encode(&added, UTF_8, &good)), Err(NoticeRefusal::BadSignature));
        assert_eq!(heard(encode(&all, UTF_8, "")), Err(NoticeRefusal::Missing("sign")));
        assert_eq!(heard(encode(&all, UTF_8, "\u{7b7e}")), Err(NoticeRefusal::BadSignature));
        let untyped = fields(&[("sign_type", "")]);
        assert_eq!(heard(signed(&untyped, UTF_8)), Err(NoticeRefusal::Missing("sign_type")));
        for other in ["RSA", "SM2", "rsa2", "none"] {
            let refusal = heard(signed(&fields(&[("sign_type", other)]), UTF_8));
            assert_eq!(refusal, Err(NoticeRefusal::Malformed("sign_type is not RSA2")), "{other}");
        }
        let twice = [signed(&all, UTF_8), b"&total_amount=0.01".to_vec()].concat();
        assert_eq!(heard(twice), Err(NoticeRefusal::Malformed("a field stands twice")));
        for garbage in [&b""[..], b"<xml><return_code>SUCCESS</return_code></xml>", b"{}", b"&&&=;%", b"\xff\xfe"] {
            assert!(heard(garbage.to_vec()).is_err());
        }
        assert!(heard(vec![b'a'; 10 << 20]).is_err());
    }

    #[test]
    fn a_notice_signed_with_another_certificate_is_not_tried() {
        let account = testing::certified_account();
        let http = crate::outbound::HttpClient::new().unwrap();
        let gateway = Gateway::new(&account, crate::clock::Clock::manual(testing::now()), http).unwrap();
        let hear = |number: &str| {
            let body = signed(&fields(&[("alipay_cert_sn", number)]), UTF_8);
            let raw = RawNotice { headers: reqwest::header::HeaderMap::new(), body, received_at: testing::now() };
            verify(&gateway, &raw).map(|notice| notice.about)
        };
        assert_eq!(hear(&gateway.keys.numbers().unwrap().alipay), Ok(paid()));
        assert_eq!(hear("0"), Err(NoticeRefusal::UnknownKey));
    }

    #[test]
    fn another_app_or_seller_is_foreign_and_books_nothing() {
        let foreign = |field, got: &str| payment(Heard::Foreign { field, got: got.to_owned() });
        assert_eq!(about(&[("app_id", "2021000000000002")]), foreign("app_id", "2021000000000002"));
        assert_eq!(about(&[("seller_id", "2088000000000002")]), foreign("seller_id", "2088000000000002"));
        assert_eq!(about(&[("seller_id", "")]), paid());
    }

    #[test]
    fn each_trade_status_is_heard_as_what_it_means() {
        let unpaid = [("trade_status", "WAIT_BUYER_PAY"), ("gmt_payment", "")];
        assert_eq!(about(&unpaid), payment(Heard::Unpaid));
        let closed = [("trade_status", "TRADE_CLOSED"), ("gmt_payment", "")];
        assert_eq!(about(&closed), payment(Heard::Closed));
        // closed after a payment: refunded in full, still the story of a payment
        assert_eq!(about(&[("trade_status", "TRADE_CLOSED")]), paid());
        assert_eq!(about(&[("refund_fee", "0.00")]), paid());
        assert_eq!(about(&[("trade_status", "TRADE_PENDING")]), About::Nothing);
        assert_eq!(about(&[("notify_type", "batch_refund_notify")]), About::Nothing);
    }

    #[test]
    fn a_refund_is_heard_by_its_own_number_and_never_as_a_payment() {
        let refund = |heard| About::Refund { refund_no: REFUND.to_owned(), heard };
        let (gmt, fee) = (("gmt_refund", "2026-09-02 09:00:00.123"), ("refund_fee", "300.00"));
        let at = Moment::parse_beijing("2026-09-02 09:00:00.123").unwrap();
        let done = RefundHeard::Done { channel_refund_no: REFUND.to_owned(), amount: Fen::new(10_000), at };
        let modern = [gmt, fee, ("out_request_no", REFUND), ("refund_amount", "100.00")];
        assert_eq!(about(&modern), refund(done.clone()));
        let full = [gmt, fee, ("out_biz_no", REFUND), ("refund_amount", "100.00"), ("trade_status", "TRADE_CLOSED")];
        assert_eq!(about(&full), refund(done));
        // the sum of all refunds says nothing sure about this one
        let processing = RefundHeard::Processing { channel_refund_no: REFUND.to_owned() };
        assert_eq!(about(&[gmt, fee, ("out_biz_no", REFUND)]), refund(processing.clone()));
        let failed = [fee, ("out_biz_no", REFUND), ("refund_amount", "100.00"), ("refund_status", "REFUND_FAIL")];
        assert_eq!(about(&failed), refund(processing));
        // made in Alipay's own console
        assert_eq!(about(&[gmt, fee]), About::Nothing);
    }

    #[test]
    fn a_notice_older_than_25_hours_is_stale_and_a_late_repetition_is_not() {
        let sent = |at: &str| heard(signed(&fields(&[("notify_time", at)]), UTF_8)).map(|notice| notice.about);
        assert_eq!(sent("2026-08-31 10:02:00"), Ok(paid()));
        assert_eq!(sent("2026-08-31 09:24:35"), Err(NoticeRefusal::Stale));
        assert_eq!(sent("2026-09-01 10:30:00"), Ok(paid()));
        assert_eq!(sent("yesterday"), Err(NoticeRefusal::Malformed("notify_time")));
    }

    #[test]
    fn a_signed_notice_without_the_fields_a_payment_needs_is_refused() {
        for name in ["trade_no", "out_trade_no", "total_amount", "trade_status", "app_id"] {
            assert_eq!(heard(signed(&fields(&[(name, "")]), UTF_8)), Err(NoticeRefusal::Missing(name)));
        }
        for amount in ["-1", "1e3", "1.234", "9,099.95", "１"] {
            let refusal = heard(signed(&fields(&[("total_amount", amount)]), UTF_8));
            assert_eq!(refusal, Err(NoticeRefusal::Malformed("total_amount")), "{amount}");
        }
        let Ok(About::Payment { heard: Heard::Paid { paid_at, .. }, .. }) =
            heard(signed(&fields(&[("gmt_payment", "")]), UTF_8)).map(|notice| notice.about)
        else {
            panic!("a payment")
        };
        assert_eq!(paid_at, testing::now());
    }

    #[test]
    fn the_answer_is_seven_letters_or_a_word_that_asks_again() {
        let ack = |body| Ack { status: 200, content_type: "text/plain", body };
        assert_eq!(acknowledge(Reception::Done), ack("success"));
        assert_eq!(acknowledge(Reception::Refused), ack("fail"));
        assert_eq!(acknowledge(Reception::Later), ack("fail"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_verification_panic_or_believe(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(heard(bytes).is_err());
        }
    }
}
