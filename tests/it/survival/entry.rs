//! Coming in: sign-in, accounts, forgotten passwords; and what changes them.
use jiaofei::config::FirstSignIn;
use jiaofei::domain::payer::PayerKind;
use jiaofei::domain::profile::Email;
use jiaofei::flow::post;
use jiaofei::store::profiles::{self, Profile};

use crate::binding::{bind_here, tap};
use crate::international::{PARK, bring, mail, payer};
use crate::sign_up::code;
use crate::survival::stage::{EMAIL, GOOD, Place, Row, Session, Stage, Who};
use crate::world::phone::{Device, Phone};
use crate::world::school::{self, PHONE, id_number};

const FREE: Option<&str> = Some("needs nobody to be signed in");
const MOBILE: &str = "13900001111";
const MAILBOX: &str = "zhixia@mail.example";
const BROWSERS_OWN: Option<&str> = Some("the step belongs to the browser that began it");

pub fn signing_in() -> Row {
    let row = Row::new("/h5/login", Who::Nobody, |stage| {
        Box::pin(async {
            let place = Place::new("/h5/login?back=%2Fh5%2Ftuition", "/h5/login");
            // some type the number of a document here
            place.secretly("username", &stage.student.number).secretly("password", stage.student.password())
        })
    });
    let grows = &[("session", "each sign-in is one"), ("message", "and is told"), ("known_device", "by its device")];
    Row { session: Session::Changes, grows, ..row }
}

pub fn signing_in_by_document() -> Row {
    let row = Row::new("/h5/login", Who::Nobody, |stage| {
        Box::pin(async {
            let place = Place::new("/h5/login?mode=id&back=%2Fh5%2Ftuition", "/h5/login");
            place.secretly("id_number", stage.student.id_number.reveal()).typing("name", &stage.student.name)
        })
    });
    let grows = &[("session", "each sign-in is one"), ("message", "and is told"), ("known_device", "by its device")];
    Row { session: Session::Changes, grows, ..row }
}

pub fn signing_out() -> Row {
    let row = Row::new("/h5/logout", Who::Payer, |_| Box::pin(async { Place::new("/h5", "/h5/logout") }));
    Row {
        session: Session::Changes,
        free: Some("says goodbye to whoever was signed in"),
        grows: &[("session", "each device ends its own")],
        ..row
    }
}

pub fn signing_out_everywhere() -> Row {
    let row = Row::new("/h5/logout-everywhere", Who::Payer, |_| {
        Box::pin(async { Place::new("/h5", "/h5/logout-everywhere") })
    });
    Row { session: Session::Changes, ..row }
}

pub fn the_switch_of_language() -> Row {
    let row = Row::new("/h5/settings", Who::Payer, |_| Box::pin(async { Place::new("/h5/help", "/h5/settings") }));
    Row { free: FREE, ..row }
}

/// The student can be reached by mail and by phone.
async fn reachable(stage: &Stage) {
    let (tx, now) = (stage.world.app.db.begin().await.unwrap(), stage.world.clock.now());
    let profile = Profile { email: Email::parse(MAILBOX), ..Profile::default() };
    profiles::save(&tx, &stage.world.app.sealer, stage.student.id, &profile, now).await.unwrap();
    let phone = jiaofei::domain::payer::Phone::parse(PHONE).unwrap();
    profiles::set_phone(&tx, &stage.world.app.sealer, stage.student.id, &phone, now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn send_messages(stage: &Stage) {
    while post::run_once(&stage.world.app).await.unwrap() > 0 {}
}

/// The address in the last mail.
async fn last_link(stage: &Stage, to: &str) -> String {
    send_messages(stage).await;
    let mail = stage.world.sandbox.postbox().of(to).pop().unwrap();
    let link = mail.text.lines().find(|line| line.starts_with("http")).unwrap();
    link.strip_prefix(&stage.world.url).unwrap().to_owned()
}

pub fn a_forgotten_password() -> Row {
    Row::new("/h5/forgot", Who::Nobody, |stage| {
        Box::pin(async {
            reachable(stage).await;
            Place::own("/h5/forgot").secretly("username", &stage.student.number).pressing("way", "mail")
        })
    })
}

async fn set_question(stage: &Stage) {
    stage.phone.sign_in(&stage.student).await;
    let first = stage.phone.get("/h5/me/question").await.form("/h5/me/question");
    let second = stage.phone.submit(&first.set("password", stage.student.password())).await;
    let form = second.form("/h5/me/question").set("question", "favourite_book").set("answer", "红楼梦");
    assert_eq!(stage.phone.submit(&form).await.status, 303);
    let out = stage.phone.get("/h5").await.form("/h5/logout");
    stage.phone.submit(&out).await;
}

pub fn a_forgotten_password_by_question() -> Row {
    let row = Row::new("/h5/forgot", Who::Nobody, |stage| {
        Box::pin(async {
            set_question(stage).await;
            let start = stage.phone.get("/h5/forgot").await.form("/h5/forgot");
            let asked = stage.phone.submit(&start.set("username", &stage.student.number)).await.form("/h5/forgot");
            let place = Place::own("/h5/forgot").drawn(asked).secretly("answer", "红楼梦");
            place.secretly("new", GOOD).secretly("again", GOOD)
        })
    });
    Row { alone: BROWSERS_OWN, elsewhere: Some(("/h5/forgot", "no address draws the second step")), ..row }
}

pub fn a_new_password_by_code() -> Row {
    let row = Row::new("/h5/forgot/code", Who::Nobody, |stage| {
        Box::pin(async {
            reachable(stage).await;
            let start = stage.phone.get("/h5/forgot").await.form("/h5/forgot").set("way", "sms");
            let asked = stage.phone.submit(&start.set("username", &stage.student.number)).await;
            let form = asked.form("/h5/forgot/code");
            let place = Place::new("/h5/forgot", "/h5/forgot/code").drawn(form);
            place.secretly("code", code(&stage.world, PHONE).await).secretly("new", GOOD).secretly("again", GOOD)
        })
    });
    Row { alone: BROWSERS_OWN, elsewhere: Some(("/h5/forgot", "no address draws the second step")), ..row }
}

pub fn a_new_password_by_link() -> Row {
    Row::new("/h5/forgot/link", Who::Nobody, |stage| {
        Box::pin(async {
            reachable(stage).await;
            let start = stage.phone.get("/h5/forgot").await.form("/h5/forgot").set("way", "mail");
            stage.phone.submit(&start.set("username", &stage.student.number)).await;
            Place::own(last_link(stage, MAILBOX).await).secretly("new", GOOD).secretly("again", GOOD)
        })
    })
}

pub fn signing_up() -> Row {
    Row::new("/h5/sign-up", Who::Nobody, |_| {
        Box::pin(async { Place::own("/h5/sign-up?back=%2Fh5%2Fenrol").typing("phone", MOBILE) })
    })
}

async fn ask_for_code(stage: &Stage) -> String {
    let form = stage.phone.get("/h5/sign-up?back=%2Fh5%2Fenrol").await.form("/h5/sign-up");
    stage.phone.submit(&form.set("phone", MOBILE)).await.location().to_owned()
}

pub fn signing_up_by_code() -> Row {
    let row = Row::new("/h5/sign-up/code", Who::Nobody, |stage| {
        Box::pin(async {
            let page = ask_for_code(stage).await;
            Place::own(page).secretly("code", code(&stage.world, MOBILE).await)
        })
    });
    Row { alone: BROWSERS_OWN, ..row }
}

pub fn signing_up_with_details() -> Row {
    let row = Row::new("/h5/sign-up/details", Who::Nobody, |stage| {
        Box::pin(async {
            let page = stage.phone.get(&ask_for_code(stage).await).await;
            let form = page.form("/h5/sign-up/code").set("code", &code(&stage.world, MOBILE).await);
            let place = Place::own(stage.phone.submit(&form).await.location());
            let place = place.typing("name", "何知远").typing("document", "passport").secretly("number", "E12345678");
            let place = place.typing("gender", "female").typing("email", "he@mail.example");
            let place = place.secretly("new", GOOD).secretly("again", GOOD);
            place.typing("question", "first_concert").secretly("answer", "兰州 2019")
        })
    });
    Row { alone: BROWSERS_OWN, session: Session::Changes, grows: &[("session", "each tap signs in")], ..row }
}

pub fn a_mailbox_is_proven() -> Row {
    Row::new("/h5/mail", Who::Nobody, |stage| {
        Box::pin(async {
            stage.phone.sign_in(&stage.student).await;
            change_mailbox(stage).await;
            let out = stage.phone.get("/h5").await.form("/h5/logout");
            stage.phone.submit(&out).await;
            Place::own(last_link(stage, MAILBOX).await)
        })
    })
}

async fn change_mailbox(stage: &Stage) {
    let form = stage.phone.get("/h5/me/profile").await.form("/h5/me/profile").set("email", MAILBOX);
    let done = stage.phone.submit(&form.set("password", stage.student.password())).await;
    assert_eq!(done.location(), "/h5/me?done=mail", "{}", done.text());
}

pub fn the_activation_mail_again() -> Row {
    Row::new("/h5/me/mail", Who::Payer, |stage| {
        Box::pin(async {
            change_mailbox(stage).await;
            Place::new("/h5/me", "/h5/me/mail")
        })
    })
}

pub fn own_details() -> Row {
    Row::new("/h5/me/profile", Who::Payer, |stage| {
        Box::pin(async {
            let place = Place::own("/h5/me/profile?back=%2Fh5%2Forders").typing("phone", MOBILE);
            let place = place.typing("email", MAILBOX).typing("postcode", "730050").typing("street", "兰州市七里河区");
            place.secretly("password", stage.student.password())
        })
    })
}

pub fn a_bank_card() -> Row {
    Row::new("/h5/me/card", Who::Payer, |stage| {
        Box::pin(async {
            let place = Place::own("/h5/me/card").secretly("number", "6222021200000000013");
            let place = place.typing("bank", "兰州银行").typing("holder", "林母");
            place.secretly("password", stage.student.password())
        })
    })
}

pub fn another_password() -> Row {
    let row = Row::new("/h5/me/password", Who::Payer, |stage| {
        Box::pin(async {
            let place = Place::own("/h5/me/password").secretly("old", stage.student.password());
            place.secretly("new", GOOD).secretly("again", GOOD)
        })
    });
    comes_in_anew(row)
}

pub fn the_first_password_of_ones_own() -> Row {
    let row = Row::new("/h5/me/password", Who::Payer, |_| {
        Box::pin(async {
            let place = Place::own("/h5/me/password").secretly("new", GOOD).secretly("again", GOOD);
            place.typing("question", "first_concert").secretly("answer", "兰州 2019")
        })
    });
    Row { config: |config| config.school.first_sign_in = FirstSignIn::SetUp, ..comes_in_anew(row) }
}

fn comes_in_anew(row: Row) -> Row {
    let grows = &[("session", "each tap comes in anew")];
    Row { session: Session::Changes, grows, alone: Some("every other device is signed out by it"), ..row }
}

pub fn the_first_step_to_a_question() -> Row {
    Row::new("/h5/me/question", Who::Payer, |stage| {
        Box::pin(async { Place::own("/h5/me/question").secretly("password", stage.student.password()) })
    })
}

pub fn the_second_step_to_a_question() -> Row {
    let row = Row::new("/h5/me/question", Who::Payer, |stage| {
        Box::pin(async {
            let first = stage.phone.get("/h5/me/question").await.form("/h5/me/question");
            let second = stage.phone.submit(&first.set("password", stage.student.password())).await;
            let place = Place::own("/h5/me/question").drawn(second.form("/h5/me/question"));
            place.typing("question", "dream_job").secretly("answer", "宇航员")
        })
    });
    let elsewhere = Some(("/h5/me/question", "the password is asked for again"));
    Row { alone: BROWSERS_OWN, elsewhere, ..row }
}

const WECHAT: &str = "/h5/me/wechat";
const OTHER_WECHAT: Option<&str> = Some("another phone holds another WeChat");

pub fn a_wechat_is_bound() -> Row {
    let row = Row::new(WECHAT, Who::Payer, |stage| {
        Box::pin(async {
            tap(&stage.phone, WECHAT, "lin").await;
            Place::own(WECHAT)
        })
    });
    Row { device: Device::Wechat, alone: OTHER_WECHAT, ..row }
}

pub fn a_wechat_is_unbound() -> Row {
    let row = Row::new("/h5/me/wechat/unbind", Who::Payer, |stage| {
        Box::pin(async {
            bind_here(&stage.phone, "lin").await;
            Place::new(WECHAT, "/h5/me/wechat/unbind")
        })
    });
    Row { device: Device::Wechat, alone: OTHER_WECHAT, ..row }
}

pub fn one_of_several_identities() -> Row {
    let row = Row::new("/h5/wechat/enter", Who::Nobody, |stage| {
        Box::pin(async {
            let brother = stage.world.school.student(&stage.world.app, 2, "林一鸣").await;
            for student in [&stage.student, &brother] {
                let phone: Phone = stage.world.phone(Device::Wechat);
                phone.sign_in(student).await;
                bind_here(&phone, "lin").await;
            }
            let asked = tap(&stage.phone, "/h5/wechat/enter?to=/h5/tuition", "lin").await;
            Place::new(asked.path.clone(), "/h5/wechat/enter").drawn(asked.form("/h5/wechat/enter"))
        })
    });
    let grows = &[("session", "each tap signs in")];
    Row {
        device: Device::Wechat,
        session: Session::Changes,
        grows,
        alone: OTHER_WECHAT,
        elsewhere: Some(("", "WeChat is asked once more who comes")),
        ..row
    }
}

pub fn a_member_registers() -> Row {
    Row::new("/h5/international", Who::Nobody, |_| {
        Box::pin(async { Place::own("/h5/international").typing("email", EMAIL) })
    })
}

async fn register(stage: &Stage) -> String {
    register_as(stage, EMAIL).await
}

async fn register_as(stage: &Stage, email: &str) -> String {
    let form = stage.phone.get("/h5/international").await.form("/h5/international");
    stage.phone.submit(&form.set("email", email)).await;
    let (_, link) = mail(&stage.world, email).await;
    link.strip_prefix(&stage.world.url).unwrap().to_owned()
}

pub fn a_member_is_activated() -> Row {
    let row = Row::new("/h5/international/activate", Who::Nobody, |stage| {
        Box::pin(async {
            let place = Place::own(register(stage).await).typing("name", "PARK JIWOO");
            place.secretly("new", GOOD).secretly("again", GOOD)
        })
    });
    Row { session: Session::Changes, grows: &[("session", "each tap signs in")], ..row }
}

/// A member is signed in, and a study can be bound.
async fn member(stage: &Stage) {
    bring(&stage.world, PARK, (1, 0, 0)).await;
    let park = payer(&stage.world, "202301180418").await;
    school::charge(&stage.world.app, park, stage.world.school.tuition, stage.world.school.period, 800_000).await;
    let form = stage.phone.get(&register(stage).await).await.form("/h5/international/activate");
    let done = stage.phone.submit(&form.set("name", "PARK JIWOO").set("new", GOOD).set("again", GOOD)).await;
    assert_eq!(done.location(), "/h5/studies");
}

fn study() -> Place {
    let place = Place::own("/h5/studies").secretly("number", "20221000075").secretly("birth", "2001-03-12");
    place.typing("nationality", "KOR")
}

pub fn a_study_is_bound() -> Row {
    Row::new("/h5/studies", Who::Member, |stage| {
        Box::pin(async {
            member(stage).await;
            study()
        })
    })
}

async fn bound(stage: &Stage) {
    member(stage).await;
    let form = study().filled(&stage.phone).await;
    assert_eq!(stage.phone.submit(&form).await.location(), "/h5/tuition");
}

pub fn a_study_is_chosen() -> Row {
    Row::new("/h5/studies/choose", Who::Member, |stage| {
        Box::pin(async {
            bound(stage).await;
            Place::new("/h5/studies", "/h5/studies/choose")
        })
    })
}

pub fn a_study_is_unbound() -> Row {
    Row::new("/h5/studies/unbind", Who::Member, |stage| {
        Box::pin(async {
            bound(stage).await;
            Place::new("/h5/studies", "/h5/studies/unbind")
        })
    })
}

/// Several numbers under one document and name.
pub fn one_of_several_numbers() -> Row {
    let row = Row::new("/h5/login", Who::Nobody, |stage| {
        Box::pin(async {
            let id = id_number("99000020000101001");
            for number in ["2019001", "2023001"] {
                school::payer(&stage.world.app, PayerKind::Student, number, "何知远", &id).await;
            }
            let form = stage.phone.get("/h5/login?mode=id").await.form("/h5/login");
            let asked = stage.phone.submit(&form.set("id_number", id.reveal()).set("name", "何知远")).await;
            Place::new("/h5/login?mode=id", "/h5/login").drawn(asked.form("/h5/login"))
        })
    });
    Row {
        session: Session::Changes,
        grows: &[("session", "each tap signs in")],
        alone: BROWSERS_OWN,
        elsewhere: Some(("/h5/login", "no address draws the choice")),
        ..row
    }
}

/// Bound by another account, so the passport is asked for.
pub fn a_study_that_another_has() -> Row {
    let row = a_study_is_bound();
    Row {
        set: |stage| {
            Box::pin(async {
                bound(stage).await;
                let other = "an@mail.example";
                let form = stage.phone.get("/h5/studies").await.form("/h5/logout");
                stage.phone.submit(&form).await;
                let link = register_as(stage, other).await;
                let form = stage.phone.get(&link).await.form("/h5/international/activate");
                let form = form.set("name", "NGUYEN VAN AN").set("new", GOOD).set("again", GOOD);
                assert_eq!(stage.phone.submit(&form).await.location(), "/h5/studies");
                let asked = stage.phone.submit(&study().filled(&stage.phone).await).await;
                assert!(asked.has("护照号"), "{}", asked.text());
                let place = study().drawn(asked.form("/h5/studies"));
                place.secretly("passport", "M12345678")
            })
        },
        ..row
    }
}
