//! UnionPay's back notices (ACP 5.1.0): forms, sent up to five times, of what succeeded.
//!
//! A notice is believed when UnionPay signed it with a certificate that leads up to the root, and only then looked at.
//! Amounts and numbers are handed up as they are; whether they fit an order is not known here.
use super::fields::Fields;
use super::gateway::Gateway;
use super::{query, times};
use crate::channel::contract::{About, Ack, Notice, NoticeRefusal, RawNotice, Reception};
use crate::domain::moment::Moment;
use crate::domain::trade::{Heard, RefundHeard};

/// 200 ends the repetitions, whatever the body.
pub fn acknowledge(reception: Reception) -> Ack {
    let (status, body) = match reception {
        Reception::Done => (200, "ok"),
        Reception::Refused => (400, "fail"),
        Reception::Later => (500, "fail"),
    };
    Ack { status, content_type: "text/plain", body }
}

/// # Errors
/// Why it was not believed, or the field it lacks.
pub fn verify(gateway: &Gateway, raw: &RawNotice) -> Result<Notice, NoticeRefusal> {
    let told = Fields::of_form(&raw.body).ok_or(NoticeRefusal::Malformed("no form in UTF-8"))?;
    gateway.believe(&told)?;
    read(gateway, &told, raw.received_at)
}

/// What a notice says whose signature has been found to fit.
///
/// # Errors
/// As [`verify`].
pub fn read(gateway: &Gateway, told: &Fields, received_at: Moment) -> Result<Notice, NoticeRefusal> {
    let needed = |name: &'static str| told.get(name).ok_or(NoticeRefusal::Missing(name));
    let opened_at = times::parse(needed("txnTime")?).unwrap_or(received_at);
    needed("merId")?;
    let succeeded = matches!(needed("respCode")?, "00" | "A6");
    let about = match needed("txnType")? {
        "01" => {
            let heard = match succeeded {
                true => {
                    query::paid(gateway, told, opened_at).map_err(|_| NoticeRefusal::Malformed("queryId or txnAmt"))?
                }
                // nothing of the sort is sent; whoever sends it says that one try failed
                false => Heard::Unpaid,
            };
            About::Payment { attempt_no: needed("orderId")?.to_owned(), heard }
        }
        "04" => {
            if query::foreign(gateway, told).is_some() {
                return Err(NoticeRefusal::Malformed("another merchant's refund"));
            }
            let channel_refund_no = needed("queryId")?.to_owned();
            let heard = match succeeded {
                true => RefundHeard::Done {
                    channel_refund_no,
                    amount: query::amount(told).ok_or(NoticeRefusal::Malformed("txnAmt"))?,
                    at: query::settled_at(told, opened_at),
                },
                false => RefundHeard::Processing { channel_refund_no },
            };
            About::Refund { refund_no: needed("orderId")?.to_owned(), heard }
        }
        // 消费撤销 and others are not ours to make
        _ => About::Nothing,
    };
    Ok(Notice { id: told.get("queryId").unwrap_or_default().to_owned(), about, believed_until: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::unionpay::testing::{self, ATTEMPT, QUERY_ID, REFUND, Told, form, signed, signed_by, told};
    use crate::domain::money::Fen;
    use crate::domain::trade::TradeNo;
    use crate::sandbox::keys;
    use proptest::prelude::*;

    /// A true notice of a payment, with `changes` put over it; an empty value takes the field away.
    fn fields(changes: &[(&str, &str)]) -> Told {
        let mut all = told(&[
            ("accNo", "6216***********0018"),
            ("accessType", "0"),
            ("bizType", "000201"),
            ("currencyCode", "156"),
            ("merId", testing::MER_ID),
            ("orderId", ATTEMPT),
            ("queryId", QUERY_ID),
            ("respCode", "00"),
            ("respMsg", "成功[0000000]"),
            ("settleAmt", "909900"),
            ("settleDate", "0901"),
            ("traceNo", "123456"),
            ("traceTime", "0901102440"),
            ("txnAmt", "909995"),
            ("txnSubType", "01"),
            ("txnTime", "20260901102436"),
            ("txnType", "01"),
        ]);
        all.extend(told(changes));
        all.retain(|_, value| !value.is_empty());
        all
    }

    fn heard(body: Vec<u8>) -> Result<Notice, NoticeRefusal> {
        let raw = RawNotice { headers: reqwest::header::HeaderMap::new(), body, received_at: testing::now() };
        verify(&testing::unreachable_gateway(), &raw)
    }

    fn about(changes: &[(&str, &str)]) -> Result<About, NoticeRefusal> {
        heard(form(&signed(fields(changes)))).map(|notice| notice.about)
    }

    fn payment(heard: Heard) -> Result<About, NoticeRefusal> {
        Ok(About::Payment { attempt_no: ATTEMPT.to_owned(), heard })
    }

    fn paid(paid_at: &str) -> Heard {
        let paid_at = Moment::parse_beijing(paid_at).unwrap();
        Heard::Paid { trade_no: TradeNo(QUERY_ID.to_owned()), amount: Fen::new(909_995), paid_at }
    }

    #[test]
    fn a_payment_is_heard_with_its_number_amount_and_time() {
        let notice = heard(form(&signed(fields(&[])))).unwrap();
        assert_eq!(notice.id, QUERY_ID);
        assert_eq!(Ok(notice.about), payment(paid("2026-09-01 10:24:40")));
        assert_eq!(about(&[("respCode", "A6")]), payment(paid("2026-09-01 10:24:40")), "a success with a defect");
        assert_eq!(about(&[("traceTime", "")]), payment(paid("2026-09-01 10:24:36")));
        let eve = [("txnTime", "20261231235950"), ("traceTime", "0101000010")];
        assert_eq!(about(&eve), payment(paid("2027-01-01 00:00:10")));
        assert_eq!(about(&[("reqReserved", "a+b=c&d%20")]), payment(paid("2026-09-01 10:24:40")));
    }

    #[test]
    fn a_refund_is_heard_by_its_own_number_and_never_as_a_payment() {
        let refund = [("txnType", "04"), ("txnSubType", "00"), ("orderId", REFUND), ("txnAmt", "10000")];
        let at = Moment::parse_beijing("2026-09-01 10:24:40").unwrap();
        let done = RefundHeard::Done { channel_refund_no: QUERY_ID.to_owned(), amount: Fen::new(10_000), at };
        assert_eq!(about(&refund), Ok(About::Refund { refund_no: REFUND.to_owned(), heard: done }));
        let failed: Vec<_> = refund.into_iter().chain([("respCode", "36")]).collect();
        let unsure = RefundHeard::Processing { channel_refund_no: QUERY_ID.to_owned() };
        assert_eq!(about(&failed), Ok(About::Refund { refund_no: REFUND.to_owned(), heard: unsure }));
        let foreign: Vec<_> = refund.into_iter().chain([("merId", "898620100000110")]).collect();
        assert_eq!(about(&foreign), Err(NoticeRefusal::Malformed("another merchant's refund")));
    }

    #[test]
    fn another_merchant_or_currency_is_foreign_and_another_kind_nothing() {
        for (field, got) in [("merId", "898620100000110"), ("currencyCode", "840")] {
            assert_eq!(about(&[(field, got)]), payment(Heard::Foreign { field, got: got.to_owned() }));
        }
        assert_eq!(about(&[("respCode", "01")]), payment(Heard::Unpaid));
        assert_eq!(about(&[("txnType", "31")]), Ok(About::Nothing));
    }

    #[test]
    fn what_unionpay_did_not_sign_is_refused() {
        let good = signed(fields(&[]));
        for (name, value) in [("txnAmt", "1"), ("orderId", "XF260901QMU000002T01"), ("queryId", "1")] {
            let mut forged = good.clone();
            forged.insert(name.to_owned(), value.to_owned());
            assert_eq!(heard(form(&forged)), Err(NoticeRefusal::BadSignature), "{name}");
        }
        let impostor = signed_by(fields(&[]), keys::UNIONPAY_IMPOSTOR_KEY, keys::UNIONPAY_IMPOSTOR_CERT);
        assert_eq!(heard(form(&impostor)), Err(NoticeRefusal::UnknownKey));
        let twice = [form(&good), b"&txnAmt=1".to_vec()].concat();
        assert!(matches!(heard(twice), Err(NoticeRefusal::Malformed(_))));
        for garbage in [&b""[..], b"{}", b"&&&=;%", b"\xff\xfe", b"respCode=00&orderId=1"] {
            assert!(heard(garbage.to_vec()).is_err());
        }
        assert!(heard(vec![b'a'; 10 << 20]).is_err());
    }

    #[test]
    fn a_signed_notice_without_the_fields_a_payment_needs_is_refused() {
        for name in ["merId", "orderId", "txnTime", "txnType", "respCode"] {
            assert_eq!(about(&[(name, "")]), Err(NoticeRefusal::Missing(name)));
        }
        for (name, value) in [("queryId", ""), ("txnAmt", ""), ("txnAmt", "1.00"), ("txnAmt", "-1")] {
            assert!(about(&[(name, value)]).is_err(), "{name} {value}");
        }
    }

    #[test]
    fn any_200_ends_the_repetitions_so_only_done_is_one() {
        let status = |reception| acknowledge(reception).status;
        assert_eq!(acknowledge(Reception::Done), Ack { status: 200, content_type: "text/plain", body: "ok" });
        assert_eq!((status(Reception::Refused), status(Reception::Later)), (400, 500));
    }

    proptest! {
        #[test]
        fn no_bytes_make_verification_panic_or_believe(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(heard(bytes).is_err());
        }
    }
}
