//! 个人信息 and 银行卡: changed by their payer, and by nobody who only holds the phone for a moment.
use std::time::Duration;

use jiaofei::store::payers::{self, NewPayer};
use jiaofei::store::profiles;

use crate::messages::sending;
use crate::world::app::TestApp;
use crate::world::page::{Form, Page};
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const PROFILE: &str = "/h5/me/profile";
const CARD: &str = "/h5/me/card";
const NUMBER: &str = "6222021200000000013";

async fn start() -> (TestApp, Student, Phone) {
    let world = TestApp::start().await;
    world.with_a_student().await
}

async fn form(phone: &Phone, path: &str) -> Form {
    phone.get(path).await.form(path)
}

async fn card(phone: &Phone, number: &str, bank: &str, holder: &str, password: &str) -> Page {
    let form = form(phone, CARD).await.set("number", number).set("bank", bank).set("holder", holder);
    phone.submit(&form.set("password", password).without("remove")).await
}

#[tokio::test]
async fn what_is_saved_untouched_stays_as_it_is_and_is_shown_masked() {
    let (world, student, phone) = start().await;
    let before =
        payers::find(world.app.db.read(), student.id).await.unwrap().unwrap().phone(&world.app.sealer).unwrap();
    let form = form(&phone, PROFILE).await;
    assert!(form.field("phone").unwrap().contains("****"));
    let saved = phone.submit(&form.set("postcode", "７３００５０").set("street", "兰州市  七里河区")).await;
    assert_eq!(saved.location(), "/h5/me?done=profile", "an address needs no password");
    let after = payers::find(world.app.db.read(), student.id).await.unwrap().unwrap().phone(&world.app.sealer).unwrap();
    assert_eq!(after.as_ref().map(|phone| phone.reveal()), before.as_ref().map(|phone| phone.reveal()));
    let kept = profiles::find(world.app.db.read(), &world.app.sealer, student.id).await.unwrap();
    assert_eq!((kept.address.postcode.as_str(), kept.address.street.as_str()), ("730050", "兰州市 七里河区"));
    let again = phone.get(PROFILE).await;
    assert!(again.body().contains("730050") && again.body().contains("兰州市 七里河区"));
    assert_eq!(world.count("SELECT COUNT(*) FROM profile WHERE address_sealed LIKE '%730050%'").await, 0, "sealed");
}

#[tokio::test]
async fn a_new_mailbox_counts_when_its_link_is_opened_and_the_old_one_is_told() {
    let world = sending(|_| {}).await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    let change = async |email: &str| {
        let form = form(&phone, PROFILE).await.set("email", email).set("password", student.password());
        phone.submit(&form).await.location().to_owned()
    };
    let letters = |to: &str| world.sandbox.postbox().of(to);
    let link =
        |to: &str| letters(to).pop().unwrap().text.lines().find(|line| line.starts_with("http")).unwrap().to_owned();
    let open = async |link: String| {
        let path = link.trim_start_matches(&world.url).to_owned();
        let page = phone.get(&path).await;
        phone.submit(&page.form("/h5/mail")).await
    };
    assert_eq!(change("old@mail.example").await, "/h5/me?done=mail");
    assert_eq!(form(&phone, PROFILE).await.field("email"), Some(""), "not before the link is opened");
    world.pass(Duration::from_secs(5)).await;
    open(link("old@mail.example")).await;
    assert_eq!(form(&phone, PROFILE).await.field("email"), Some("o***d@mail.example"));

    change("new@mail.example").await;
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(form(&phone, PROFILE).await.field("email"), Some("o***d@mail.example"));
    assert_eq!(letters("old@mail.example").len(), 1, "nothing has changed yet");
    open(link("new@mail.example")).await;
    assert_eq!(form(&phone, PROFILE).await.field("email"), Some("n***w@mail.example"));
    world.pass(Duration::from_secs(5)).await;
    let told = letters("old@mail.example").pop().unwrap();
    assert!(told.subject.contains("邮箱已更换") && !told.text.contains("new@"), "{}", told.text);
    // taken away: at once, and told
    change("").await;
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(form(&phone, PROFILE).await.field("email"), Some(""));
    assert!(letters("new@mail.example").pop().unwrap().subject.contains("邮箱已更换"));
}

#[tokio::test]
async fn where_messages_go_is_changed_only_with_the_password() {
    let (world, student, phone) = start().await;
    let typed = form(&phone, PROFILE).await.set("phone", "139 0000 0001").set("email", "lin@Example.EDU");
    let refused = phone.submit(&typed).await;
    assert!(refused.status == 422 && refused.has("请填登录密码"), "{}", refused.text());
    assert!(refused.body().contains("139 0000 0001"), "what was typed stays");
    let refused = phone.submit(&typed.clone().set("password", "not-it")).await;
    assert!(refused.status == 422 && refused.has("密码有误"), "{}", refused.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM profile").await, 0);

    let saved = phone.submit(&typed.set("password", student.password())).await;
    assert_eq!(saved.location(), "/h5/me?done=profile", "{}", saved.text());
    assert!(phone.open("/h5/me?done=profile").await.has("139****0001"));
    assert_eq!(form(&phone, PROFILE).await.field("email"), Some("l***n@example.edu"));

    let emptied = form(&phone, PROFILE).await.set("email", "").set("password", student.password());
    assert_eq!(phone.submit(&emptied).await.status, 303);
    assert_eq!(form(&phone, PROFILE).await.field("email"), Some(""));
}

#[tokio::test]
async fn an_import_does_not_undo_the_phone_a_payer_has_given() {
    let (world, student, phone) = start().await;
    let typed = form(&phone, PROFILE).await.set("phone", "+44 20 7946 0000").set("password", student.password());
    assert_eq!(phone.submit(&typed).await.status, 303);
    let account = payers::find(world.app.db.read(), student.id).await.unwrap().unwrap();
    let again = NewPayer {
        kind: account.payer.kind,
        number: account.payer.number.clone(),
        name: account.payer.name.clone(),
        name_en: String::new(),
        college: "新学院".into(),
        class_name: String::new(),
        id_number: None,
        phone: jiaofei::domain::payer::Phone::parse("13900000009"),
    };
    let tx = world.app.db.begin().await.unwrap();
    payers::upsert(&tx, &world.app.sealer, &again, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let account = payers::find(world.app.db.read(), student.id).await.unwrap().unwrap();
    assert_eq!(account.payer.college, "新学院");
    assert_eq!(account.phone(&world.app.sealer).unwrap().unwrap().reveal(), "+442079460000");
}

#[tokio::test]
async fn each_field_says_what_is_wrong_with_it_and_nothing_is_saved() {
    let (world, student, phone) = start().await;
    for (field, typed, why) in [
        ("phone", "", "手机号为 11 位数字"),
        ("phone", "10086", "手机号为 11 位数字"),
        ("phone", "+0123456789", "手机号为 11 位数字"),
        ("email", "lin@localhost", "邮箱格式有误"),
        ("email", "a@b.cn\r\nBcc: x@y.cn", "邮箱格式有误"),
        ("postcode", "7300", "邮编为 6 位数字"),
        ("street", &"长".repeat(121), "地址最多 120 个字"),
    ] {
        let typed = form(&phone, PROFILE).await.set("password", student.password()).set(field, typed);
        let page = phone.submit(&typed).await;
        assert!(page.status == 422 && page.has(why), "{field}: {}", page.text());
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM profile").await, 0);
}

#[tokio::test]
async fn a_card_is_kept_sealed_shown_masked_and_taken_away_again() {
    let (world, student, phone) = start().await;
    for (number, bank, holder, why) in [
        ("6222021200000000014", "中国工商银行", "林知夏", "卡号有误"),
        (NUMBER, "", "林知夏", "请填开户银行"),
        (NUMBER, "中国工商银行", "林", "请填持卡人姓名"),
    ] {
        let page = card(&phone, number, bank, holder, student.password()).await;
        assert!(page.status == 422 && page.has(why) && !page.body().contains(number), "{}", page.text());
    }
    assert!(card(&phone, NUMBER, "中国工商银行", "林知夏", "").await.has("请填登录密码"));
    let saved = card(&phone, "6222 0212 0000 0000 013", "中国工商银行", "林知夏", student.password()).await;
    assert_eq!(saved.location(), "/h5/me?done=card", "{}", saved.text());
    let page = phone.get(CARD).await;
    assert!(page.has("6222 **** **** 0013") && !page.body().contains(NUMBER), "{}", page.text());
    assert_eq!(world.count("SELECT COUNT(*) FROM profile WHERE card_sealed LIKE '%6222%'").await, 0);

    let remove = form(&phone, CARD).await.set("remove", "1");
    assert_eq!(phone.submit(&remove.clone().set("password", "not-it")).await.status, 422);
    let removed = phone.submit(&remove.set("password", student.password())).await;
    assert_eq!(removed.location(), "/h5/me?done=card-removed");
    assert!(!phone.get(CARD).await.has("6222"));
}

#[tokio::test]
async fn who_signed_in_with_an_id_number_sees_nothing_personal() {
    let (world, student, _) = start().await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in_by_id(&student).await;
    for path in [PROFILE, CARD] {
        assert_eq!(phone.get(path).await.location(), "/h5/me", "{path}");
    }
}
