//! Nobody comes in whom the portal has not just named to this very browser; whoever is refused loses nothing.
use std::time::Duration;

use jiaofei::domain::payer::PayerKind;
use jiaofei::sandbox::cas::book::Trouble;

use super::steps::{SSO, come_in, parameter, sessions, shows_a_ticket, state, ticket, world};
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::Device;
use crate::world::school::{self, id_number};

const OVER: &str = "没有登录成功";

#[track_caller]
fn is_told(page: &Page, status: u16, words: &str) {
    assert!(page.status == status && page.has(words), "{}: {} {}", page.path, page.status, page.text());
    assert!(page.path.starts_with("/h5/sso/trouble?why="), "{}", page.path);
    assert!(!shows_a_ticket(page) && !page.path.contains("state="), "{}", page.path);
}

#[tokio::test]
async fn a_ticket_and_a_state_count_once_and_only_together() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let spent = ticket(&world, &phone, SSO, &student.number).await;
    assert_eq!(phone.open(&spent).await.path, "/h5");
    let other = world.phone(Device::Mobile);
    is_told(&phone.open(&spent).await, 410, OVER);
    // the same ticket under a state of this browser
    let forged = spent.replace(&parameter(&spent, "state"), &state(&other).await);
    is_told(&other.open(&forged).await, 410, OVER);
    // a fresh ticket of somebody else's errand
    let fresh = ticket(&world, &phone, SSO, &student.number).await;
    let forged = fresh.replace(&parameter(&fresh, "state"), &state(&other).await);
    is_told(&other.open(&forged).await, 410, OVER);
    assert_eq!(sessions(&world).await, 1);
}

#[tokio::test]
async fn an_answer_another_browser_was_given_signs_nobody_in() {
    let (world, student) = world().await;
    let attacker = world.school.student(&world.app, 2, "王宇").await;
    let link = ticket(&world, &world.phone(Device::Desktop), SSO, &attacker.number).await;
    let victim = world.phone(Device::Mobile);
    victim.sign_in(&student).await;
    is_told(&victim.open(&link).await, 410, OVER);
    assert!(victim.get("/h5/me").await.has("林知夏"), "who was signed in still is");
    assert_eq!(world.sandbox.cas().asked, 0, "the portal was not even asked");
}

#[tokio::test]
async fn without_a_state_or_without_a_ticket_it_is_begun_again() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    for path in ["", "?ticket=ST-1", "?state=abc&ticket=ST-1", &format!("?state={}&ticket=ST-1", "a".repeat(32))] {
        is_told(&phone.open(&format!("/cas/callback{path}")).await, 410, OVER);
    }
    let back = ticket(&world, &phone, "/h5/sso?next=/h5/orders", &student.number).await;
    let without = back.split("&ticket").next().unwrap();
    let page = phone.open(without).await;
    is_told(&page, 410, OVER);
    assert!(page.links().contains(&"/h5/sso?next=%2Fh5%2Forders".to_owned()), "{:?}", page.links());
    assert_eq!((sessions(&world).await, world.sandbox.cas().asked), (0, 0));
}

#[tokio::test]
async fn an_errand_lasts_ten_minutes() {
    // Redis has a clock of its own
    let world = TestApp::start_with(|config| config.redis = None).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Mobile);
    world.sandbox.cas().life = Duration::from_secs(3600);
    let late = ticket(&world, &phone, SSO, &student.number).await;
    world.clock.advance(Duration::from_secs(601));
    is_told(&phone.open(&late).await, 410, OVER);
    assert_eq!((sessions(&world).await, world.sandbox.cas().asked), (0, 0));
}

#[tokio::test]
async fn a_ticket_that_waited_too_long_is_refused_by_the_portal() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let late = ticket(&world, &phone, SSO, &student.number).await;
    world.clock.advance(Duration::from_secs(11));
    is_told(&phone.open(&late).await, 410, OVER);
    assert_eq!(come_in(&world, &phone, SSO, &student.number).await.path, "/h5", "and again it is well");
}

#[tokio::test]
async fn whom_the_school_has_not_named_is_told_what_to_do() {
    let world = TestApp::start().await;
    school::payer(&world.app, PayerKind::Outsider, "W000001", "周以宁", &id_number("99000020080521031")).await;
    for number in ["20990101", "W000001", "<b>1</b>", "1' OR '1'='1", "&amp;"] {
        let page = come_in(&world, &world.phone(Device::Mobile), SSO, number).await;
        is_told(&page, 403, "缴费平台里没有您的学号或工号");
        assert!(page.links().iter().any(|link| link.starts_with("/h5/login?mode=id")), "{:?}", page.links());
        assert!(page.has("换一个门户账号") && page.links().iter().any(|link| link.contains("/cas/logout?service=")));
    }
    assert_eq!(sessions(&world).await, 0);
}

#[tokio::test]
async fn a_portal_that_is_away_keeps_nobody_from_signing_in_with_a_password() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let troubles =
        [Trouble::Down, Trouble::Hang, Trouble::Say("yes\n20190118".to_owned()), Trouble::Say(String::new())];
    for trouble in troubles {
        world.sandbox.cas().trouble = Some(trouble);
        let page = come_in(&world, &phone, "/h5/sso?next=/h5/orders", &student.number).await;
        is_told(&page, 503, "学校门户暂时没有回应");
        for way in ["/h5/login?mode=user&back=%2Fh5%2Forders", "/h5/sso?next=%2Fh5%2Forders"] {
            assert!(page.links().contains(&way.to_owned()), "{:?}", page.links());
        }
    }
    assert_eq!(sessions(&world).await, 0);
    world.sandbox.cas().trouble = None;
    let page = come_in(&world, &phone, "/h5/sso?next=%2Fh5%2Forders", &student.number).await;
    assert_eq!(page.path, "/h5/orders", "the page that was wanted is not forgotten");
}

#[tokio::test]
async fn an_answer_that_is_forged_twofold_or_not_the_protocols_names_nobody() {
    let (world, student) = world().await;
    let number = &student.number;
    let answer = |space: &str, inside: &str| {
        format!(
            "<cas:serviceResponse xmlns:cas=\"{space}\"><cas:authenticationSuccess>{inside}\
             </cas:authenticationSuccess></cas:serviceResponse>"
        )
    };
    let (own, user) = ("http://www.yale.edu/tp/cas", format!("<cas:user>{number}</cas:user>"));
    let whole = answer(own, &user);
    let forged = [
        answer("http://evil.example/cas", &user),
        answer(own, &format!("<cas:user>99</cas:user>{user}")),
        answer(own, &format!("<cas:user>{}<!-- -->{}</cas:user>", &number[..8], &number[8..])),
        answer(own, &format!("<user>{number}</user>")),
        answer(own, &format!("<cas:attributes>{user}</cas:attributes>")),
        answer(own, "<cas:user>&n;</cas:user>"),
        format!("<!DOCTYPE a [<!ENTITY n \"{number}\">]>{}", answer(own, "<cas:user>&n;</cas:user>")),
        format!("<!DOCTYPE a [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;\">]><a>&b;</a>", "x".repeat(1000)),
        format!("<!DOCTYPE a SYSTEM \"file:///etc/passwd\">{whole}"),
        format!("{whole}{whole}"),
        format!("<a>{whole}</a>"),
        whole.replace("authenticationSuccess", "authenticationFailure"),
        format!("{whole}{}", " ".repeat(70_000)),
        whole[..whole.len() - 5].to_owned(),
    ];
    for forged in forged {
        world.sandbox.cas().trouble = Some(Trouble::Say(forged.clone()));
        let page = come_in(&world, &world.phone(Device::Mobile), SSO, number).await;
        assert_eq!(page.status, 503, "{}", &forged[..forged.len().min(200)]);
    }
    assert_eq!(sessions(&world).await, 0);
    world.sandbox.cas().trouble = Some(Trouble::Say(whole));
    assert_eq!(come_in(&world, &world.phone(Device::Mobile), SSO, number).await.path, "/h5", "the whole one does");
}

#[tokio::test]
async fn tickets_are_guessed_no_longer_than_passwords_and_from_the_same_count() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    for at in 0..60 {
        let state = state(&phone).await;
        assert_eq!(phone.open(&format!("/cas/callback?state={state}&ticket=ST-{at}")).await.status, 410);
    }
    let page = phone.get(SSO).await;
    let wait: u64 = page.header("retry-after").parse().unwrap();
    assert!(page.status == 429 && (590..=600).contains(&wait), "{} {wait}: {}", page.status, page.text());
    let form = phone.get("/h5/login").await.form("/h5/login");
    let password = form.set("username", &student.number).set("password", student.password());
    assert_eq!(phone.submit(&password).await.status, 429, "passwords are not looked at either");
}
