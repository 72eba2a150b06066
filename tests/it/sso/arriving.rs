//! Whom the portal knows comes in as with a password.
use jiaofei::config::{CasProtocol, FirstSignIn};
use jiaofei::domain::payer::PayerKind;
use jiaofei::sandbox::cas::book::{Person, Trouble};

use super::steps::{SSO, come_in, parameter, sessions, shows_a_ticket, ticket, ticket_as, world};
use crate::binding::bind_here;
use crate::logs::listen;
use crate::world::app::TestApp;
use crate::world::phone::Device;
use crate::world::school::{self, id_number};

#[tokio::test]
async fn the_button_leads_by_the_portal_to_the_session_a_password_gives_and_no_address_keeps_the_ticket() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let login = phone.get("/h5/login").await;
    assert!(login.has("统一身份认证登录") && login.links().contains(&SSO.to_owned()), "{}", login.text());
    let back = ticket(&world, &phone, SSO, &student.number).await;
    assert!(back.contains("&ticket=ST-"), "{back}");
    let home = phone.open(&back).await;
    assert_eq!((home.status, home.path.as_str()), (200, "/h5"));
    assert!(home.has("林知夏") && !shows_a_ticket(&home));
    assert_eq!(phone.get("/h5/me/profile").await.status, 200, "with full rights");
    assert_eq!(world.count("SELECT COUNT(*) FROM session WHERE rights = 'full'").await, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM known_device").await, 1, "the browser is known from now on");
    assert_eq!(world.count("SELECT COUNT(*) FROM session WHERE ticket_hash LIKE '%ST-%'").await, 0);
}

#[tokio::test]
async fn the_page_that_was_wanted_is_gone_on_to_and_no_page_of_others() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let login = phone.open("/h5/orders").await;
    let button = login.links().into_iter().find(|link| link.starts_with(SSO)).unwrap();
    assert_eq!(button, "/h5/sso?next=%2Fh5%2Forders");
    assert_eq!(come_in(&world, &phone, &button, &student.number).await.path, "/h5/orders");
    for elsewhere in ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2Fh5%2Fsso", "%2Fh5%2Flogin"] {
        let from = format!("{SSO}?next={elsewhere}");
        assert_eq!(come_in(&world, &phone, &from, &student.number).await.path, "/h5", "{elsewhere}");
    }
}

#[tokio::test]
async fn a_ticket_the_portal_gives_unasked_counts_for_nothing_but_the_way_goes_on() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let address = format!("{}{SSO}?ticket=ST-of-somebody", world.url);
    assert_eq!(come_in(&world, &phone, &address, &student.number).await.path, "/h5");
    assert_eq!(world.sandbox.cas().asked, 1, "nobody was asked about that one");
}

#[tokio::test]
async fn another_person_at_the_same_browser_gets_a_session_of_their_own() {
    let (world, lin) = world().await;
    let wang = world.school.student(&world.app, 2, "王宇").await;
    let phone = world.phone(Device::Desktop);
    let first = phone.get(&ticket(&world, &phone, SSO, &lin.number).await).await;
    let cookie = first.set_cookies()[0].split(';').next().unwrap().to_owned();
    let second = ticket_as(&world, &phone, "/h5/sso?next=/h5/me", &wang.number).await;
    let page = phone.open(&second).await;
    assert!(page.has("王宇") && !page.has("林知夏"), "{}", page.text());
    let before = world.phone(Device::Desktop).with_header("cookie", &cookie);
    assert_eq!(before.get("/h5").await.status, 303, "the session before has ended");
    assert_eq!(sessions(&world).await, 2);
}

#[tokio::test]
async fn who_is_signed_in_here_is_still_sent_to_the_portal() {
    let (world, lin) = world().await;
    let wang = world.school.student(&world.app, 2, "王宇").await;
    let phone = world.phone(Device::Desktop);
    phone.sign_in(&lin).await;
    let page = come_in(&world, &phone, "/h5/sso?next=/h5/me", &wang.number).await;
    assert!(page.has("王宇"), "whoever presses is who the portal says: {}", page.text());
}

#[tokio::test]
async fn a_number_is_known_in_any_case_and_with_blanks_around_it_only() {
    let world = TestApp::start().await;
    school::payer(&world.app, PayerKind::Staff, "T20110063", "陈立群", &id_number("99000019791102001")).await;
    for (number, fits) in [("T20110063", true), (" t20110063\n", true), ("T2011 0063", false), ("Ｔ20110063", false)] {
        let phone = world.phone(Device::Mobile);
        let page = come_in(&world, &phone, SSO, number).await;
        assert_eq!(page.status, if fits { 200 } else { 403 }, "{number:?}: {}", page.text());
    }
}

#[tokio::test]
async fn the_number_may_stand_in_an_attribute_and_an_older_server_is_asked_at_its_own_address() {
    for protocol in [CasProtocol::Two, CasProtocol::Three] {
        let world = TestApp::start_with(|config| {
            let cas = config.sign_in.cas.as_mut().unwrap();
            (cas.protocol, cas.number_attribute) = (protocol, "cn".to_owned());
        })
        .await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        world.sandbox.cas().people = vec![Person { number: "lzx".to_owned(), name: student.number.clone() }];
        let phone = world.phone(Device::Mobile);
        assert!(come_in(&world, &phone, SSO, "lzx").await.has("林知夏"));
        let nobody = come_in(&world, &world.phone(Device::Mobile), SSO, "wangyu").await;
        assert_eq!(nobody.status, 403, "an empty attribute is nobody's");
    }
}

#[tokio::test]
async fn where_everybody_chooses_a_password_first_the_portals_people_need_none() {
    let world = TestApp::start_with(|config| {
        config.school.first_sign_in = FirstSignIn::SetUp;
        config.sign_in.cas.as_mut().unwrap().password_url = "https://my.qiming.example/password".to_owned();
    })
    .await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    let me = come_in(&world, &phone, "/h5/sso?next=/h5/me", &student.number).await;
    assert!(me.path == "/h5/me" && !me.has("初始密码"), "{}", me.text());
    bind_here(&phone, "lin").await;
    let page = phone.get("/h5/me/password").await;
    assert!(page.has("不需要本平台的密码") && page.has("去门户修改密码"), "{}", page.text());
    assert!(page.links().contains(&"https://my.qiming.example/password".to_owned()));

    // bound as the portal's person, this WeChat needs no password either
    let later = world.phone(Device::Wechat);
    let asked = later.get("/h5/wechat/enter?to=/h5/me").await;
    let authorise = asked.location().split('#').next().unwrap().to_owned();
    let answer = later.get(&format!("{authorise}&phone=lin")).await;
    assert_eq!(later.open(answer.location()).await.path, "/h5/me");

    // with the initial password the gate stands where it stood
    let other = world.phone(Device::Mobile);
    let form = other.get("/h5/login").await.form("/h5/login");
    other.submit(&form.set("username", &student.number).set("password", student.password())).await;
    assert_eq!(other.open("/h5/me").await.path, "/h5/me/password");
}

#[tokio::test]
async fn who_came_by_the_portal_may_choose_a_password_and_stays_the_portals_person() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let page = come_in(&world, &phone, "/h5/sso?next=/h5/me/password", &student.number).await;
    let form = page.form("/h5/me/password");
    let filled = form.set("new", "Kaleidos7!").set("again", "Kaleidos7!");
    let done = phone.submit(&filled.set("question", "birth_town").set("answer", "兰州城关")).await;
    assert_eq!(done.location(), "/h5/me?done=password", "{}", done.text());
    let again = phone.get("/h5/me/password").await;
    assert!(again.has("原始密码") && again.has("不需要本平台的密码"), "{}", again.text());
    phone.get(&format!("{}/cas/logout", world.sandbox_url)).await;
    assert_eq!(phone.get("/h5").await.status, 303, "and is signed out with the portal");
}

#[tokio::test]
async fn guesses_at_the_password_do_not_close_the_portals_way_which_does_not_wipe_them_out() {
    let (world, student) = world().await;
    let with_password = async |password: &str| {
        let phone = world.phone(Device::Desktop);
        let form = phone.get("/h5/login").await.form("/h5/login");
        phone.submit(&form.set("username", &student.number).set("password", password)).await
    };
    for _ in 0..3 {
        assert_eq!(with_password("wrong").await.status, 422);
    }
    assert!(come_in(&world, &world.phone(Device::Mobile), SSO, &student.number).await.has("林知夏"));
    let asked = with_password(student.password()).await;
    assert!(asked.status == 422 && asked.has("验证码"), "{}", asked.text());
}

#[tokio::test]
async fn in_english_everything_is_said_in_english() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile).with_header("accept-language", "en");
    assert!(phone.get("/h5/login").await.has("Campus sign-in"));
    world.sandbox.cas().trouble = Some(Trouble::Down);
    let page = come_in(&world, &phone, SSO, &student.number).await;
    assert!(page.has("The university's portal does not answer") && page.has("Use a password"), "{}", page.text());
    world.sandbox.cas().trouble = None;
    let page = come_in(&world, &phone, SSO, &student.number).await;
    assert!(page.path == "/h5" && page.has("You owe"), "{}", page.text());
}

#[tokio::test]
async fn a_school_without_a_portal_shows_no_button_and_has_no_such_pages() {
    let world = TestApp::start_with(|config| config.sign_in.cas = None).await;
    let phone = world.phone(Device::Mobile);
    assert!(!phone.get("/h5/login").await.links().iter().any(|link| link.starts_with(SSO)));
    for path in [SSO, "/h5/sso/trouble", "/cas/callback?state=a&ticket=ST-1"] {
        assert_eq!(phone.get(path).await.status, 404, "{path}");
    }
    assert_eq!(phone.post("/cas/callback", &[("logoutRequest", "<a/>")]).await.status, 404);
}

#[tokio::test]
async fn no_line_names_the_ticket_the_state_or_the_number() {
    let (lines, _guard) = listen();
    let (world, student) = world().await;
    let phone = world.phone(Device::Mobile);
    let back = ticket(&world, &phone, "/h5/sso?next=/h5/me", &student.number).await;
    phone.open(&back).await;
    phone.open(&back).await;
    come_in(&world, &world.phone(Device::Mobile), SSO, "S3cretNumber").await;
    phone.get(&format!("{}/cas/logout", world.sandbox_url)).await;
    let text = lines.text();
    assert!(
        text.contains("\"route\":\"/cas/callback\"") && text.contains("the portal has signed somebody out"),
        "{text}"
    );
    let (state, ticket) = (parameter(&back, "state"), parameter(&back, "ticket"));
    for secret in [&state, &ticket, &student.number, "S3cretNumber", &student.name] {
        assert!(!text.contains(secret), "{}", text.lines().find(|line| line.contains(secret)).unwrap());
    }
}
