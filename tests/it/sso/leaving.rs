//! Out of here and out of the portal.
use super::steps::{SSO, come_in, parameter, ticket, world};
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};

fn request(ticket: &str) -> String {
    format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"LR-1\" Version=\"2.0\" \
         IssueInstant=\"2026-09-01T10:00:00+08:00\"><saml:NameID \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">@NOT_USED@</saml:NameID>\
         <samlp:SessionIndex>{ticket}</samlp:SessionIndex></samlp:LogoutRequest>"
    )
}

/// As the portal's server says it.
async fn say(world: &TestApp, request: &str) -> Page {
    world.phone(Device::Desktop).post("/cas/callback?state=any", &[("logoutRequest", request)]).await
}

async fn leave(phone: &Phone) -> Page {
    phone.submit(&phone.get("/h5").await.form("/h5/logout")).await
}

#[tokio::test]
async fn signing_out_here_shows_the_way_out_of_the_portal_to_whom_it_let_in() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    come_in(&world, &phone, SSO, &student.number).await;
    let page = leave(&phone).await;
    assert!(page.has("已退出登录") && page.has("同时退出学校门户"), "{}", page.text());
    let out = page.links().into_iter().find(|link| link.contains("/cas/logout?service=")).unwrap();
    assert_eq!(phone.get("/h5").await.status, 303);
    assert!(ticket(&world, &phone, SSO, "").await.contains("ticket=ST-"), "the portal still knows the person");
    let left = phone.get(&out).await;
    assert_eq!(left.location(), format!("{}/h5/login", world.url));
    assert_eq!(phone.get(phone.get(SSO).await.location()).await.status, 200, "and now it asks");

    phone.sign_in(&student).await;
    let page = leave(&phone).await;
    assert!(page.has("已退出登录") && !page.has("门户"), "{}", page.text());
}

#[tokio::test]
async fn leaving_the_portal_ends_what_its_ticket_has_opened_and_nothing_else() {
    let (world, student) = world().await;
    let other = world.school.student(&world.app, 2, "王宇").await;
    let [phone, own, theirs] = [Device::Mobile, Device::Wechat, Device::Desktop].map(|device| world.phone(device));
    come_in(&world, &phone, SSO, &student.number).await;
    own.sign_in(&student).await;
    come_in(&world, &theirs, SSO, &other.number).await;
    phone.get(&format!("{}/cas/logout", world.sandbox_url)).await;
    assert_eq!(phone.get("/h5").await.status, 303);
    assert_eq!(own.get("/h5").await.status, 200, "a session the password opened goes on");
    assert_eq!(theirs.get("/h5").await.status, 200);
    let again = come_in(&world, &phone, SSO, &student.number).await;
    assert_eq!(again.path, "/h5");
}

#[tokio::test]
async fn the_portals_word_reaches_the_sessions_of_every_process() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let back = ticket(&world, &phone, SSO, &student.number).await;
    phone.open(&back).await;
    let other = world.serve(&world.another_process().await).await;
    let told = world.phone(Device::Desktop);
    let said = request(&parameter(&back, "ticket"));
    let answer = told.post(&format!("{other}/cas/callback"), &[("logoutRequest", &said)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(phone.get("/h5").await.status, 303);
}

#[tokio::test]
async fn a_forged_word_ends_nothing_that_it_does_not_name_exactly() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let back = ticket(&world, &phone, SSO, &student.number).await;
    phone.open(&back).await;
    let ticket = parameter(&back, "ticket");
    for other in ["ST-1", "", "%", &ticket[..ticket.len() - 1], &ticket.to_lowercase(), &format!("{ticket}x")] {
        assert_eq!(say(&world, &request(other)).await.status, 200, "{other}");
    }
    let whole = request(&ticket);
    let index = format!("<samlp:SessionIndex>{ticket}</samlp:SessionIndex>");
    for forged in [
        "x".to_owned(),
        whole.replace("SAML:2.0:protocol", "SAML:1.0:protocol"),
        whole.replace(&index, &index.repeat(2)),
        format!("<!DOCTYPE a [<!ENTITY t \"{ticket}\">]>{}", request("&t;")),
        format!("{whole}{whole}"),
    ] {
        assert_eq!(say(&world, &forged).await.status, 400, "{forged}");
    }
    let by_get = world.phone(Device::Desktop);
    by_get.get(&format!("/cas/callback?logoutRequest={ticket}")).await;
    assert_eq!(by_get.post_raw("/cas/callback", "text/xml", whole.clone()).await.status, 400, "not as a form");
    let huge = format!("logoutRequest={}", "x".repeat(70_000));
    let huge = by_get.post_raw("/cas/callback", "application/x-www-form-urlencoded", huge).await;
    assert_eq!(huge.status, 413);
    assert_eq!(phone.get("/h5").await.status, 200, "still signed in");
    assert_eq!(say(&world, &whole).await.status, 200);
    assert_eq!(phone.get("/h5").await.status, 303, "whoever knows the ticket may");
    assert_eq!(say(&world, &whole).await.status, 200, "said twice it is as well");
}
