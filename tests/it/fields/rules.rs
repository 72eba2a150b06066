//! The table.
use jiaofei::domain::bilingual::Lang;
use jiaofei::domain::consent::ReceiptPhone;

use crate::fields::beside::{Rules, UNTICKED, is_beside, prove, speak};
use crate::survival::stage::{Place, Row, Stage, Who};
use crate::survival::{around, entry, paying};

macro_rules! told {
    ($($story:ident: $of:expr, $rules:expr;)+) => {
        pub fn all() -> Vec<Rules> {
            vec![$(Rules { of: $of, rules: &$rules }),+]
        }
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            prove(Rules { of: $of, rules: &$rules }).await;
        })+
    };
}

const AMOUNTS: [(&str, &str, &str); 5] = [
    ("amount", "", "amount.bad"),
    ("amount", "6,0.001", "amount.bad"),
    ("amount", "8000.01", "amount.above"),
    ("amount", "499.99", "amount.below"),
    ("amount", "7600", "amount.remainder"),
];

told! {
    an_amount_of_a_charge: paying::another_amount, AMOUNTS;
    what_somebody_gives: paying::somebody_gives, [
        ("amount", "", "amount.bad"),
        ("amount", "abc", "amount.bad"),
        ("amount", "8000.01", "amount.above"),
        ("amount", "499.99", "amount.below"),
        ("amount", "7600", "amount.remainder"),
        ("giver", "1", "give.giver_wrong"),
    ];
    what_is_paid_at_a_poster: paying::what_is_chosen_at_a_poster, [
        ("amt*", "abc", "amount.bad"),
        ("amt*", "", "amount.bad"),
        ("amt*", "8000.01", "amount.above"),
        ("amt*", "499.99", "amount.below"),
        ("amt*", "7600", "amount.remainder"),
    ];
    what_is_agreed_to: paying::what_is_confirmed, [("agree", UNTICKED, "confirm.unticked")];
    where_the_receipt_goes: a_receipt_without_a_phone, [
        ("phone", "12", "profile.phone_wrong"),
        ("phone", "", "profile.phone_wrong"),
        ("password", "", "profile.password_empty"),
        ("password", "no", "profile.password_wrong"),
    ];
    the_phone_before_paying: paying::the_phone_before_paying, [("phone", "12", "profile.phone_wrong")];
    the_code_before_paying: paying::the_phones_code_before_paying, [
        ("code", "", "account.empty"),
        ("code", "x", "reset.wrong_code"),
    ];
    a_room_that_is_topped_up: paying::a_room_is_topped_up, [
        ("account", "?", "living.bad_account"),
        ("account", "9-999", "living.no_such"),
        ("amount", "abc", "amount.bad"),
        ("amount", "1", "living.below"),
        ("amount", "501", "living.above"),
        ("amount", "50.50", "living.off_step"),
    ];
    number_and_name_at_a_poster: paying::number_and_name_at_a_poster, [
        ("number", "", "poster.empty"),
        ("name", "周以宁", "poster.wrong_pair"),
    ];
    a_sign_in: entry::signing_in, [("password", "", "login.empty"), ("password", "no", "login.wrong_user")];
    a_sign_in_by_document: entry::signing_in_by_document, [("name", "周以宁", "login.wrong_id")];
    another_password: entry::another_password, [
        ("old", "", "account.empty"),
        ("old", "no", "password.wrong_old"),
        ("new", "", "password.short"),
        ("again", "Kaleidos8!", "password.differ"),
        ("new", "Ab1!", "password.short"),
    ];
    the_first_step_to_a_question: entry::the_first_step_to_a_question, [
        ("password", "", "account.empty"),
        ("password", "no", "password.wrong_old"),
    ];
    a_forgotten_password: entry::a_forgotten_password, [("username", "", "account.empty")];
    a_question: entry::the_second_step_to_a_question, [
        ("question", "", "question.choose"),
        ("answer", "x", "question.short"),
    ];
    a_password_by_the_question: entry::a_forgotten_password_by_question, [("answer", "西游记", "question.wrong")];
    a_password_by_code: entry::a_new_password_by_code, [
        ("code", "", "account.empty"),
        ("code", "x", "reset.wrong_code"),
        ("new", "", "password.short"),
    ];
    a_password_by_link: entry::a_new_password_by_link, [
        ("new", "Ab1!", "password.short"),
        ("again", "Kaleidos8!", "password.differ"),
    ];
    a_phone_that_signs_up: entry::signing_up, [("phone", "12", "profile.phone_wrong")];
    a_code_that_signs_up: entry::signing_up_by_code, [
        ("code", "", "account.empty"),
        ("code", "x", "reset.wrong_code"),
    ];
    details_of_who_signs_up: entry::signing_up_with_details, [
        ("name", "9", "sign_up.name_wrong"),
        ("document", "", "enrol.wrong_choice"),
        ("number", "", "sign_up.number_empty"),
        ("number", "E", "sign_up.number_shape"),
        ("number", "11010519491231002X", "sign_up.number_other"),
        ("gender", "", "enrol.wrong_choice"),
        ("email", "he@", "profile.email_wrong"),
        ("new", "", "password.short"),
        ("again", "Kaleidos8!", "password.differ"),
        ("question", "", "question.choose"),
        ("answer", "x", "question.short"),
    ];
    the_number_of_a_resident: a_resident_signs_up, [
        ("number", "110105194912310021", "sign_up.number_check"),
        ("number", "110105194913310022", "sign_up.number_birth"),
    ];
    rules_of_a_new_password: every_rule_of_a_password, [
        ("new", "Ab1!", "password.short"),
        ("new", LONG, "password.long"),
        ("new", "123456789!", "password.no_letter"),
        ("new", "Kaleidos!", "password.no_digit"),
        ("new", "Kaleidos7", "password.no_symbol"),
        ("new", "P@ssw0rd1!", "password.common"),
        ("new", "x-201901180001-Y!", "password.personal"),
    ];
    a_password_that_was_used: the_password_of_today, [("new", "Kaleidos7!", "password.reused")];
    a_member: entry::a_member_registers, [("email", "jiwoo@", "profile.email_wrong")];
    a_members_account: entry::a_member_is_activated, [
        ("name", "9", "sign_up.name_wrong"),
        ("new", "Ab1!", "password.short"),
        ("again", "Kaleidos8!", "password.differ"),
    ];
    a_study: entry::a_study_is_bound, [
        ("number", "", "studies.number_wrong"),
        ("birth", "12 March", "studies.birth_wrong"),
        ("nationality", "", "studies.nationality_wrong"),
    ];
    a_study_of_another_account: entry::a_study_that_another_has, [("passport", "M1", "studies.passport_wrong")];
    own_details: entry::own_details, [
        ("phone", "12", "profile.phone_wrong"),
        ("email", "zhixia@", "profile.email_wrong"),
        ("postcode", "73005", "profile.postcode_wrong"),
        ("street", TOO_LONG, "profile.street_wrong"),
        ("password", "", "profile.password_empty"),
        ("password", "no", "profile.password_wrong"),
    ];
    a_bank_card: entry::a_bank_card, [
        ("number", "6222021200000000014", "card.number_wrong"),
        ("bank", "", "card.bank_wrong"),
        ("holder", "", "card.holder_wrong"),
        ("password", "", "profile.password_empty"),
        ("password", "no", "profile.password_wrong"),
    ];
    an_enrolment: around::an_enrolment, [
        ("phone", "12", "enrol.wrong_phone"),
        ("a0", "", "enrol.wrong_choice"),
        ("a1", TOO_LONG, "enrol.wrong_text"),
    ];
    an_enrolment_that_is_changed: around::an_enrolment_is_changed, [
        ("phone", "12", "enrol.wrong_phone"),
        ("a0", "", "enrol.wrong_choice"),
        ("a1", TOO_LONG, "enrol.wrong_text"),
    ];
}

/// 201 letters
const TOO_LONG: &str = "好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好\
    好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好\
    好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好\
    好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好好";
/// 65 letters
const LONG: &str = "Kaleidos7!Kaleidos7!Kaleidos7!Kaleidos7!Kaleidos7!Kaleidos7!Kalei";

fn a_receipt_without_a_phone() -> Row {
    let row = Row::new("/h5/checkout", Who::Payer, |stage| {
        Box::pin(async {
            stage.run("UPDATE payer SET phone_sealed = NULL").await;
            let page = format!("/h5/confirm?checkout_id=0123456789abcdefghijkl&fee={}", stage.student.tuition);
            let place = Place::new(page, "/h5/checkout").typing("phone", "13900001111");
            place.secretly("password", stage.student.password())
        })
    });
    let config = |config: &mut jiaofei::config::Config| {
        config.checkout.confirm = true;
        config.checkout.receipt_phone = ReceiptPhone::Required;
    };
    Row { config, ..row }
}

fn a_resident_signs_up() -> Row {
    let row = entry::signing_up_with_details();
    let set: for<'a> fn(&'a Stage) -> futures_util::future::BoxFuture<'a, Place> = |stage| {
        Box::pin(async {
            let mut place = (entry::signing_up_with_details().set)(stage).await;
            for typed in place.typed.iter_mut().filter(|typed| typed.name == "document") {
                typed.value = "resident_id".to_owned();
            }
            place
        })
    };
    Row { set, ..row }
}

fn every_rule_of_a_password() -> Row {
    entry::another_password()
}

/// The one chosen before this one is chosen again.
fn the_password_of_today() -> Row {
    let row = entry::another_password();
    let set: for<'a> fn(&'a Stage) -> futures_util::future::BoxFuture<'a, Place> = |stage| {
        Box::pin(async {
            let place = (entry::another_password().set)(stage).await;
            let done = stage.phone.submit(&place.filled(&stage.phone).await).await;
            assert_eq!(done.status, 303, "{}", done.text());
            let good = crate::survival::stage::GOOD;
            Place::own("/h5/me/password").secretly("old", good).secretly("new", good).secretly("again", good)
        })
    };
    Row { set, ..row }
}

/// Three wrong tries, and then a question nobody has answered.
async fn asks_a_question(row: Row, (field, wrong): (&str, &str)) {
    let stage = Stage::new(&row).await;
    let place = (row.set)(&stage).await;
    for _ in 0..3 {
        let form = place.filled(&stage.phone).await.without(field).set(field, wrong);
        stage.phone.submit(&form).await;
    }
    for lang in [Lang::Zh, Lang::En] {
        speak(&stage, lang).await;
        let form = place.filled(&stage.phone).await.without(field).set(field, wrong).without("captcha");
        let page = stage.phone.submit(&form.set("captcha", "x")).await;
        is_beside(&page, (&place.action, "captcha"), ("login.wrong_captcha", lang), row.route);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_check_that_is_not_answered_is_told_beside_it_at_the_sign_in() {
    asks_a_question(entry::signing_in(), ("password", "no")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_check_that_is_not_answered_is_told_beside_it_on_other_pages() {
    asks_a_question(entry::another_password(), ("old", "no")).await;
    asks_a_question(paying::number_and_name_at_a_poster(), ("name", "周以宁")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn number_and_code_of_what_is_verified() {
    let stage = Stage::new(&entry::a_forgotten_password()).await;
    for (no, code, field, key) in [
        ("", "ABCDEFGH2345", "no", "verify.no_empty"),
        ("0000000001", "", "code", "verify.code_empty"),
        ("0000000001", "x", "code", "verify.code_unread"),
    ] {
        for (lang, tag) in [(Lang::Zh, "zh"), (Lang::En, "en")] {
            let page = stage.phone.get(&format!("/verify?no={no}&code={code}&lang={tag}")).await;
            is_beside(&page, ("/verify", field), (key, lang), "/verify");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_in_the_wrong_order() {
    let stage = Stage::new(&entry::own_details()).await;
    for (path, lang, tag) in
        [("/h5/orders", Lang::Zh, "zh"), ("/h5/dealings", Lang::En, "en"), ("/h5/paid", Lang::En, "en")]
    {
        let page = stage.phone.get(&format!("{path}?when=days&from=2026-09-02&to=2026-09-01&lang={tag}")).await;
        for field in ["from", "to"] {
            is_beside(&page, (path, field), ("list.backwards", lang), path);
        }
    }
}
