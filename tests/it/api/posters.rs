//! Posters by the API: made once, listed with what came of them, printed, ended.
use jiaofei::domain::api_key::ApiScope;
use serde_json::json;

use super::desk::{Desk, fresh};
use super::payer::{is_problem, json};

const POSTERS: &str = "/api/campus/posters";

#[tokio::test]
async fn a_poster_is_made_once_under_a_key_listed_printed_and_ended() {
    let desk = Desk::open().await;
    let new = json!({ "kind": "item", "about": "11", "title": "学费缴费", "title_en": "Tuition",
        "expires_at": "2099-12-31T23:59:59+08:00" });
    let key = fresh();
    let made = desk.caller.post_under(&key, POSTERS, &new).await;
    assert_eq!(made.status, 200, "{}", made.body());
    let poster = json(&made);
    assert_eq!((poster["poster_no"].as_str(), poster["state"].as_str()), (Some("HB000001"), Some("active")));
    assert!(poster["address"].as_str().unwrap().starts_with(&format!("{}/q/", desk.world.url)));
    assert_eq!(poster["check_code"].as_str().unwrap().len(), 14);
    assert_eq!(desk.caller.post_under(&key, POSTERS, &new).await.bytes, made.bytes, "again: the same answer");
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM poster").await, 1);
    let listed = json(&desk.caller.get(POSTERS).await);
    assert_eq!(listed["posters"].as_array().unwrap().len(), 1);
    assert_eq!(listed["posters"][0]["paid"], json!({ "fen": 0, "yuan": "0.00" }));
    let one = format!("{POSTERS}/HB000001");
    for (ending, kind, begins) in [
        ("png", "image/png", &b"\x89PNG"[..]),
        ("pdf", "application/pdf", b"%PDF-1."),
        ("svg", "image/svg+xml", b"<svg "),
    ] {
        let page = desk.caller.get(&format!("{one}/poster.{ending}?size=a5")).await;
        assert_eq!((page.status, page.header("content-type")), (200, kind), "{}", page.body());
        assert!(page.bytes.starts_with(begins));
    }
    let ended = desk.caller.post(&format!("{one}/revoke"), &json!({})).await;
    assert_eq!(json(&ended)["state"], "revoked", "{}", ended.body());
    let again = json(&desk.caller.post(&format!("{one}/revoke"), &json!({})).await);
    assert_eq!(again["revoked_at"], json(&ended)["revoked_at"], "ended once");
    for path in [format!("{POSTERS}/HB000009"), format!("{POSTERS}/x"), format!("{POSTERS}/HB000009/poster.pdf")] {
        is_problem(&desk.caller.get(&path).await, 404, "not-found");
    }
}

#[tokio::test]
async fn what_cannot_be_a_poster_is_refused_and_says_what_to_look_at() {
    let desk = Desk::open().await;
    for (new, place) in [
        (json!({ "kind": "item", "about": "99", "title": "学费" }), "item"),
        (json!({ "kind": "platform", "about": "11", "title": "平台" }), "about"),
        (json!({ "kind": "department", "about": "后勤处", "title": "住宿" }), "department"),
        (
            json!({ "kind": "item", "about": "11", "title": "学费", "expires_at": "2001-01-01T00:00:00+08:00" }),
            "expires_at",
        ),
    ] {
        let said = is_problem(&desk.caller.post(POSTERS, &new).await, 422, "poster-refused");
        assert!(said["detail"].as_str().unwrap().starts_with(place), "{said}");
    }
    for new in [json!({ "kind": "item" }), json!({ "kind": "x", "title": "y" }), json!({ "title": "", "kind": "item" })]
    {
        is_problem(&desk.caller.post(POSTERS, &new).await, 400, "unreadable");
    }
    let reader = desk.caller("海报屏", &[ApiScope::PostersRead]).await;
    let new = json!({ "kind": "platform", "title": "平台" });
    is_problem(&reader.post(POSTERS, &new).await, 403, "scope-missing");
    assert_eq!(reader.get(POSTERS).await.status, 200);
    let writer = desk.caller("海报机", &[ApiScope::PostersWrite]).await;
    assert_eq!(writer.post(POSTERS, &new).await.status, 200);
    is_problem(&writer.get(POSTERS).await, 403, "scope-missing");
}
