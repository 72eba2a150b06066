//! What is proven of each row.
use crate::survival::stage::{Place, Row, Session, Shown, Stage, Who, grown};
use crate::world::page::{Form, Page};

type Effect = Vec<(String, i64)>;

/// All of it, one after the other, each on a stage of its own.
pub async fn prove(row: Row) {
    let once = once_and_back(&row).await;
    twice(&row, &once).await;
    stale(&row, &once).await;
    ended(&row).await;
    other_device(&row, &once).await;
}

async fn stand(row: &Row) -> (Stage, Place) {
    let stage = Stage::new(row).await;
    let place = (row.set)(&stage).await;
    (stage, place)
}

/// Sent once; then the result is opened again, and the page the form stood on.
async fn once_and_back(row: &Row) -> Effect {
    let (stage, place) = stand(row).await;
    let form = place.filled(&stage.phone).await;
    let before = stage.state().await;
    let done = stage.phone.submit(&form).await;
    is_answered(row, "sent once", &done);
    assert!(done.status < 400, "{}: sent once: {} {}", row.route, done.status, done.text());
    let result = stage.phone.settle(done).await;
    let after = stage.state().await;
    for path in [&result.path, &place.page, &result.path] {
        let again = stage.phone.get(path).await;
        // the answer of a POST has an address that cannot be opened; its page can
        let is_act = *path == place.action && *path != place.page;
        assert!(
            again.status < 400 || (is_act && again.status == 405),
            "{}: back to {path}: {}",
            row.route,
            again.text()
        );
        let seen = stage.phone.settle(again).await;
        assert!(seen.status < 500, "{}: back to {path}: {}", row.route, seen.text());
    }
    assert_eq!(grown(&after, &stage.state().await), [], "{}: back and refresh do nothing", row.route);
    grown(&before, &after)
}

/// Twice at once, and once more.
async fn twice(row: &Row, once: &Effect) {
    let (stage, place) = stand(row).await;
    let form = place.filled(&stage.phone).await;
    let before = stage.state().await;
    let (one, two) = tokio::join!(stage.phone.submit(&form), stage.phone.submit(&form));
    let three = stage.phone.submit(&form).await;
    for (what, page) in [("first tap", &one), ("second tap", &two)] {
        is_answered(row, what, page);
    }
    if row.session == Session::Stays || three.status != 419 {
        is_answered(row, "once more", &three);
    }
    same_effect(row, "a double tap", once, &grown(&before, &stage.state().await));
}

/// The page is another sign-in's, or none's any more: nothing happens, and the page that says so leads back to it.
async fn stale(row: &Row, once: &Effect) {
    let (stage, place) = stand(row).await;
    let mut form = place.filled(&stage.phone).await;
    match row.who {
        Who::Nobody => form = form.set("csrf", &"A".repeat(86)),
        Who::Payer | Who::Member => sign_in_anew(&stage).await,
    }
    let before = stage.state().await;
    let answer = stage.phone.submit(&form).await;
    assert!(answer.status == 419 && answer.has("页面已过期"), "{}: {} {}", row.route, answer.status, answer.text());
    assert_eq!(grown(&before, &stage.state().await), [], "{}: a stale page does nothing", row.route);
    let retry = answer.link("重试");
    let page = stage.phone.open(&retry).await;
    if !is_back(row, &place, &page, "a stale page") {
        return;
    }
    let before = stage.state().await;
    let done = stage.phone.submit(&finish(&place, &page)).await;
    is_answered(row, "after a stale page", &done);
    assert!(done.status < 400, "{}: after a stale page: {} {}", row.route, done.status, done.text());
    same_effect(row, "after a stale page", once, &grown(&before, &stage.state().await));
}

/// In another tab of the same browser.
async fn sign_in_anew(stage: &Stage) {
    let mut out = stage.phone.open("/h5/help").await.form("/h5/settings");
    out.action = "/h5/logout".to_owned();
    assert_eq!(stage.phone.submit(&out).await.status, 200);
    let login = stage.phone.open("/h5/login").await;
    stage.enter_at(&stage.phone, &login).await;
}

/// The session has ended: after the sign-in the payer is at the page that was wanted, with what was typed.
async fn ended(row: &Row) {
    if row.who == Who::Nobody {
        return;
    }
    let (stage, place) = stand(row).await;
    let form = place.filled(&stage.phone).await;
    stage.end_sessions().await;
    let before = stage.state().await;
    let answer = stage.phone.submit(&form).await;
    if let Some(why) = row.free {
        return is_answered(row, why, &answer);
    }
    assert!(answer.location().starts_with("/h5/login?"), "{}: {}", row.route, answer.location());
    let changed = grown(&before, &stage.state().await);
    assert_eq!(changed, [], "{}: an ended session does nothing", row.route);
    let login = stage.phone.settle(answer).await;
    assert!(login.has("登录已过期"), "{}: {}", row.route, login.text());
    let page = stage.enter_at(&stage.phone, &login).await;
    if is_back(row, &place, &page, "an ended session") {
        let done = stage.phone.submit(&finish(&place, &page)).await;
        is_answered(row, "after an ended session", &done);
        assert!(done.status < 400, "{}: after the sign-in: {} {}", row.route, done.status, done.text());
    }
}

/// Both devices show the form; the second one is sent when the first is done.
async fn other_device(row: &Row, once: &Effect) {
    if row.alone.is_some() {
        return;
    }
    let (stage, place) = stand(row).await;
    let second = stage.another().await;
    let (one, two) = (place.filled(&stage.phone).await, place.filled(&second).await);
    let before = stage.state().await;
    stage.phone.submit(&one).await;
    let late = second.submit(&two).await;
    is_answered(row, "another device", &late);
    same_effect(row, "another device", once, &grown(&before, &stage.state().await));
    let seen = second.settle(late).await;
    assert!(seen.status < 500 && !seen.text().is_empty(), "{}: {}", row.route, seen.text());
}

/// In words of a page, or by a step further.
#[track_caller]
fn is_answered(row: &Row, what: &str, page: &Page) {
    let said = page.status < 500 && page.status != 419 && page.status != 405;
    assert!(said, "{}: {what}: {} {}", row.route, page.status, page.text());
    assert!((300..400).contains(&page.status) || page.body().contains("<h1"), "{}: {what}: {}", row.route, page.body());
}

#[track_caller]
fn same_effect(row: &Row, what: &str, once: &Effect, now: &Effect) {
    let steady = |effect: &Effect| -> Effect {
        let grows = |table: &str| row.grows.iter().any(|(name, _)| table.split(' ').next() == Some(*name));
        effect.iter().filter(|(table, _)| !grows(table)).cloned().collect()
    };
    assert_eq!(steady(now), steady(once), "{}: {what} has the effect of one sending", row.route);
}

/// The page holds the form with what was typed, but for the secrets. False: it leads elsewhere, and the row says where.
#[track_caller]
fn is_back(row: &Row, place: &Place, page: &Page, after: &str) -> bool {
    if let Some((action, why)) = row.elsewhere {
        match action {
            "" => assert_eq!(page.status, 303, "{}: {after}: {why}: {}", row.route, page.text()),
            action => drop(page.form(action)),
        }
        return false;
    }
    assert_eq!(page.status, 200, "{}: {after}: {}", row.route, page.text());
    let form = page.form(&place.action);
    for typed in &place.typed {
        let same_name = form.fields.iter().filter(|(name, _)| *name == typed.name).map(|(_, value)| value.clone());
        let shown: Vec<String> = same_name.chain(page.selected(&typed.name)).collect();
        match typed.shown {
            Shown::Again => assert_eq!(shown, [typed.value.as_str()], "{}: {after}: {}", row.route, typed.name),
            Shown::Never => assert!(!shown.contains(&typed.value), "{}: {after}: {} is shown", row.route, typed.name),
            Shown::Pressed => {}
        }
    }
    true
}

/// What came back as it is, and the secrets once more.
fn finish(place: &Place, page: &Page) -> Form {
    place.fill(page.form(&place.action))
}
