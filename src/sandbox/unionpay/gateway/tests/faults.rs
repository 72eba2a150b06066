//! What goes wrong on the way, at this gateway alone.
use super::*;
use crate::sandbox::faults::{Call, Fault, Setting};

async fn raw(stage: &Stage, path: &str, message: Message) -> Option<(u16, String)> {
    let request = stage.http.post(format!("{}{path}", stage.base)).form(&signed(message));
    let answer = request.timeout(std::time::Duration::from_millis(500)).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.text().await.ok()?))
}

#[tokio::test]
async fn an_answer_is_unsigned_forged_or_an_impostors_when_told_to() {
    let stage = Stage::start().await;
    for (fault, has_signature) in
        [(Fault::UnsignedAnswer, false), (Fault::ForgedAnswer, true), (Fault::ProbeAnswer, true)]
    {
        stage.world.set_fault(Setting::once(fault).at(Channel::UnionPay));
        let (_, text) = raw(&stage, QUERY, common("00/00", "XF26090101")).await.unwrap();
        assert!(!is_unionpays(&parsed(&text)), "{}", fault.code());
        assert_eq!(parsed(&text).contains_key("signature"), has_signature);
    }
    query(&stage, "XF26090101").await;
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_has_happened_and_one_refused_at_the_door_has_not() {
    let stage = Stage::start().await;
    let query_id = paid(&stage, "XF26090101").await["queryId"].clone();
    for (at, (fault, happened)) in [
        (Fault::Down, false),
        (Fault::Hang, false),
        (Fault::Answer400, false),
        (Fault::Answer500, false),
        (Fault::Answer502, true),
        (Fault::LoseAnswer, true),
        (Fault::TruncateAnswer, true),
        (Fault::HangAfterEffect, true),
    ]
    .into_iter()
    .enumerate()
    {
        let no = format!("TF2609010{at}");
        stage.world.set_fault(Setting::once(fault).during(Call::Refund));
        let answer = raw(&stage, BACK, refund(&stage, &no, &query_id, "1")).await;
        assert!(answer.is_none_or(|(status, _)| status >= 400), "{}", fault.code());
        let code = if happened { "00" } else { "34" };
        assert_eq!(query(&stage, &no).await["respCode"], code, "{}", fault.code());
    }
}

#[tokio::test]
async fn a_query_for_a_refund_is_a_call_of_its_own() {
    let stage = Stage::start().await;
    let query_id = paid(&stage, "XF26090101").await["queryId"].clone();
    said(&stage, BACK, refund(&stage, "TF26090101", &query_id, "1")).await;
    stage.world.set_fault(Setting::always(Fault::Down).during(Call::RefundQuery));
    assert_eq!(raw(&stage, QUERY, common("00/00", "TF26090101")).await.unwrap().0, 503);
    query(&stage, "XF26090101").await;
}

#[tokio::test]
async fn the_payers_browser_meets_a_gateway_that_is_down() {
    let stage = Stage::start().await;
    stage.world.set_fault(Setting::once(Fault::Down).at(Channel::UnionPay));
    assert_eq!(post(&stage, FRONT, &signed(order(&stage, "XF26090101")), "lin").await.status(), 503);
    stage.world.set_fault(Setting::once(Fault::TakeWrongAmount));
    let short = paid(&stage, "XF26090102").await;
    assert_eq!(short["txnAmt"], "799999", "the bank took less than was ordered");
}
