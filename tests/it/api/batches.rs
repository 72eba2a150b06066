//! Batches: the rules of the office's spreadsheets, all rows or none, each bad row named.
use jiaofei::flow::audit;
use jiaofei::store::payers;
use serde_json::{Value, json};

use super::desk::{CHARGES, Desk, ITEMS, PAYERS, charge, fresh, payer};
use super::payer::{is_problem, json};
use crate::world::school::id_number;

fn whys(said: &Value) -> Vec<(u64, &str)> {
    let rows = said["rows"].as_array().unwrap();
    rows.iter().map(|row| (row["row"].as_u64().unwrap(), row["field"].as_str().unwrap())).collect()
}

async fn books_agree(desk: &Desk) {
    let findings = audit::run(&desk.world.app).await.unwrap();
    assert!(findings.iter().all(|finding| finding.differences.is_empty()));
}

#[tokio::test]
async fn payers_items_and_charges_come_in_and_come_again_unchanged() {
    let desk = Desk::open().await;
    let id = id_number("99000020060101001");
    let person = json!({ "number": "2026001", "name": "林知夏", "kind": "newcomer", "id_number": id.reveal(),
        "phone": "178 0000 5287", "college": "计算机学院", "class": "软件 2601", "name_en": "Lin Zhixia" });
    assert_eq!(desk.caller.taken(PAYERS, json!([person, payer("2026002", "张三")])).await, (2, 0, 0));
    assert_eq!(desk.caller.taken(PAYERS, json!([person])).await, (0, 0, 1));
    let found = payers::find_by_number(desk.world.app.db.read(), "2026001").await.unwrap().unwrap();
    assert_eq!(found.id_number(&desk.world.app.sealer).unwrap().unwrap().reveal(), id.reveal());
    let item = json!({ "code": "99", "name": "校园卡", "kind": "other", "payee": "agency", "opens": "2026-09-01",
        "closes": "2026-09-30", "min_split_fen": 100, "collection": "collecting", "fiscal_code": "10304275713" });
    assert_eq!(desk.caller.taken(ITEMS, json!([item])).await, (1, 0, 0));
    let mut unsaid = item.clone();
    unsaid.as_object_mut().unwrap().remove("fiscal_code");
    assert_eq!(desk.caller.taken(ITEMS, json!([item])).await, (0, 0, 1));
    assert_eq!(desk.caller.taken(ITEMS, json!([unsaid])).await, (0, 0, 1), "what is left out stays");
    let coded = "SELECT COUNT(*) FROM fee_item WHERE fiscal_code = '10304275713'";
    assert_eq!(desk.world.count(coded).await, 1);
    let rows = json!([charge("2026001", "99", 2_000), charge("2026002", "99", 2_000)]);
    let page = desk.caller.post(CHARGES, &json!({ "rows": rows })).await;
    assert_eq!(json(&page)["assessed"], json!({ "fen": 4_000, "yuan": "40.00" }));
    assert_eq!(desk.caller.taken(CHARGES, rows).await, (0, 0, 2));
    let more = json!([{ "number": "2026001", "period": "2019", "item": "99", "assessed_fen": 3_000, "waived_fen": 500,
        "paid_fen": 1_000, "due": "2026-09-30", "paid_day": "2026-09-02", "slip_no": "000011", "clerk": "李老师" }]);
    assert_eq!(desk.caller.taken(CHARGES, more).await, (0, 1, 0));
    let slips = "SELECT COUNT(*) FROM counter_slip WHERE slip_no = '000011' AND clerk = '李老师'";
    assert_eq!(desk.world.count(slips).await, 1);
    let owed = "SELECT SUM(assessed_fen - waived_fen - paid_fen) FROM charge";
    assert_eq!(desk.world.count(&format!("SELECT CAST(({owed}) AS BIGINT)")).await, 1_500 + 2_000);
    books_agree(&desk).await;
}

#[tokio::test]
async fn one_bad_row_keeps_all_out_and_every_bad_row_is_named() {
    let desk = Desk::open().await;
    let rows = json!([payer("2026001", "林知夏"), payer("2026001", "张三"),
        { "number": "2026003", "name": "李四", "id_number": "110105194912310021" }]);
    let page = desk.caller.post(PAYERS, &json!({ "rows": rows })).await;
    let said = is_problem(&page, 422, "rows-refused");
    assert_eq!(whys(&said), [(2, "number"), (3, "id_number")]);
    let repeated = json!({ "row": 2, "field": "number", "column": "人员编号", "code": "repeated",
        "detail": "repeats row 1", "detail_zh": "与第 1 行重复" });
    assert_eq!(said["rows"][0], repeated);
    assert!(!page.body().contains("11010519491231"), "a refusal repeats no document number");
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM payer").await, 0);
    desk.caller.taken(PAYERS, json!([payer("2026001", "林知夏")])).await;
    let rows = json!([charge("2026001", "11", 800_000), charge("nobody", "11", 1), charge("2026001", "77", 1),
        charge("2026001", "11", 5), { "number": "2026001", "period": "2020", "item": "11", "assessed_fen": 5,
        "waived_fen": 6 }]);
    let said = is_problem(&desk.caller.post(CHARGES, &json!({ "rows": rows })).await, 422, "rows-refused");
    let mut named = whys(&said);
    named.sort_unstable();
    assert_eq!(named, [(2, "number"), (3, "item"), (4, "number"), (5, "assessed_fen")]);
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM charge").await, 0);
    let rows = json!([{ "code": "98", "name": "x", "kind": "other", "payee": "nobody", "opens": "2026-13-01" }]);
    let said = is_problem(&desk.caller.post(ITEMS, &json!({ "rows": rows })).await, 422, "rows-refused");
    assert_eq!(whys(&said), [(1, "payee")]);
    assert_eq!(said["rows"][0]["code"], "unknown-payee");
}

#[tokio::test]
async fn each_reason_has_a_code_for_programs_and_words_in_both_languages() {
    let desk = Desk::open().await;
    desk.caller.taken(PAYERS, json!([payer("2026001", "林知夏")])).await;
    let counter = json!({ "number": "2026001", "period": "2018", "item": "11", "assessed_fen": 9, "paid_fen": 5 });
    desk.caller.taken(CHARGES, json!([counter])).await;
    let with = |row: &Value, field: &str, value: Value| {
        let mut row = row.clone();
        row[field] = value;
        row
    };
    let (person, owed) = (payer("2026002", "张三"), charge("2026001", "11", 5));
    let item = json!({ "code": "98", "name": "x", "kind": "other", "payee": "agency" });
    let early = with(&with(&item, "opens", json!("2026-09-02")), "closes", json!("2026-09-01"));
    for (path, row, code, english) in [
        (PAYERS, with(&person, "phone", json!("12 - 34")), "no-phone", "is no telephone number"),
        (PAYERS, with(&person, "id_number", json!("110105194912310021")), "id-check-digit", "the check digit"),
        (PAYERS, with(&person, "id_number", json!("110105194902310026")), "id-birth-date", "the date of birth"),
        (ITEMS, with(&item, "payee", json!("nobody")), "unknown-payee", "no such payee"),
        (ITEMS, with(&item, "opens", json!("2026-13-01")), "no-day", "is no day"),
        (ITEMS, early, "ends-before-start", "before the first day"),
        (CHARGES, charge("nobody", "11", 5), "unknown-payer", "no such payer"),
        (CHARGES, charge("2026001", "77", 5), "unknown-item", "no such fee item"),
        (CHARGES, with(&owed, "waived_fen", json!(6)), "covered-beyond-assessed", "more than assessed"),
        (CHARGES, with(&counter, "paid_fen", json!(4)), "counter-takes-back", "as a refund"),
        (CHARGES, with(&counter, "assessed_fen", json!(4)), "below-paid", "has been paid"),
    ] {
        let said = is_problem(&desk.caller.post(path, &json!({ "rows": [row] })).await, 422, "rows-refused");
        let told = &said["rows"][0];
        assert_eq!(told["code"], code, "{told}");
        assert!(told["detail"].as_str().unwrap().contains(english), "{told}");
        assert!(!told["detail_zh"].as_str().unwrap().is_ascii(), "{told}");
    }
}

#[tokio::test]
async fn what_the_spec_does_not_allow_is_told_by_place_and_never_by_value() {
    let desk = Desk::open().await;
    let too_many: Vec<Value> = (0..1001).map(|at| payer(&at.to_string(), "x")).collect();
    for body in [
        json!(null),
        json!([]),
        json!({}),
        json!({ "rows": [] }),
        json!({ "rows": too_many }),
        json!({ "rows": {} }),
        json!({ "rows": [payer("1", "x")], "more": 1 }),
        json!({ "rows": [{ "number": "1", "name": "x", "nickname": "y" }] }),
        json!({ "rows": [{ "number": 99000020060101001_i64, "name": "x" }] }),
        json!({ "rows": [{ "number": "1" }] }),
        json!({ "rows": [payer("", "x")] }),
        json!({ "rows": [payer("1", "")] }),
        json!({ "rows": [payer("1", "a\u{0}b")] }),
        json!({ "rows": [payer("1 2", "x")] }),
        json!({ "rows": [payer("1", &"长".repeat(65))] }),
        json!({ "rows": [{ "number": "1", "name": "x", "kind": "king" }] }),
    ] {
        let page = desk.caller.post(PAYERS, &body).await;
        assert_eq!(page.status, 400, "{body:.200}");
        is_problem(&page, 400, "unreadable");
        assert!(!page.body().contains("99000020060101"), "{}", page.body());
    }
    for row in [
        json!({ "number": "1", "period": "2019", "item": "11", "assessed_fen": -1 }),
        json!({ "number": "1", "period": "2019", "item": "11", "assessed_fen": 10_000_000_000_i64 }),
        json!({ "number": "1", "period": "2019", "item": "11", "assessed_fen": 1.5 }),
        json!({ "number": "1", "period": "2019", "item": "11", "assessed_fen": "80.00" }),
        json!({ "number": "1", "period": "2019", "item": "11", "assessed_fen": 1, "due": "30/09/2026" }),
    ] {
        is_problem(&desk.caller.post(CHARGES, &json!({ "rows": [row] })).await, 400, "unreadable");
    }
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM payer").await, 0);
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_large_are_told() {
    let desk = Desk::open().await;
    let send = async |kind: &str, body: Vec<u8>| {
        let key = fresh();
        desk.caller.send("POST", PAYERS, &[("content-type", kind), ("idempotency-key", &key)], body).await
    };
    for broken in [&b"{"[..], b"", b"{\"rows\": [}", b"\xff\xfe", b"nul"] {
        is_problem(&send("application/json", broken.to_vec()).await, 400, "unreadable");
    }
    is_problem(&send("text/csv", b"number,name".to_vec()).await, 415, "not-json");
    is_problem(&send("application/json", vec![b' '; 2 * 1024 * 1024 + 1]).await, 413, "too-large");
    let deep = "[".repeat(100_000);
    is_problem(&send("application/json", deep.into_bytes()).await, 400, "unreadable");
    let key = fresh();
    let headers =
        [("content-type", "application/json"), ("idempotency-key", key.as_str()), ("content-encoding", "gzip")];
    is_problem(&desk.caller.send("POST", PAYERS, &headers, b"{}".to_vec()).await, 415, "not-json");
    let page = desk.caller.get(PAYERS).await;
    is_problem(&page, 405, "method-not-allowed");
    assert_eq!(page.header("allow"), "POST");
}

#[tokio::test]
async fn a_thousand_rows_are_one_batch() {
    let desk = Desk::open().await;
    let people: Vec<Value> = (0..1000).map(|at| payer(&format!("P{at}"), "林知夏")).collect();
    assert_eq!(desk.caller.taken(PAYERS, json!(people)).await, (1000, 0, 0));
    let charges: Vec<Value> = (0..1000).map(|at| charge(&format!("P{at}"), "11", 800_000)).collect();
    assert_eq!(desk.caller.taken(CHARGES, json!(charges)).await, (1000, 0, 0));
    books_agree(&desk).await;
}

#[tokio::test]
async fn batches_that_come_at_once_under_different_keys_book_no_difference_twice() {
    let desk = Desk::open().await;
    desk.caller.taken(PAYERS, json!([payer("2026001", "林知夏")])).await;
    for fen in [800_000, 900_000] {
        let calls = (0..16).map(|_| {
            let caller = desk.caller.clone();
            tokio::spawn(async move { caller.taken(CHARGES, json!([charge("2026001", "11", fen)])).await })
        });
        let mut unchanged = 0;
        for call in calls.collect::<Vec<_>>() {
            unchanged += call.await.unwrap().2;
        }
        assert_eq!(unchanged, 15, "one of sixteen found something to do");
    }
    assert_eq!(desk.world.count("SELECT CAST(SUM(assessed_fen) AS BIGINT) FROM charge").await, 900_000);
    books_agree(&desk).await;
}
