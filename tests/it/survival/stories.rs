//! One story for each form, and one that says that none is left out.
use crate::survival::proofs::prove;
use crate::survival::stage::Row;
use crate::survival::{around, entry, paying};
use crate::world::map::{Route, routes};

macro_rules! survive {
    ($($room:ident::$form:ident),+ $(,)?) => {
        fn all() -> Vec<Row> {
            vec![$($room::$form()),+]
        }
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $form() {
            prove($room::$form()).await;
        })+
    };
}

survive![
    entry::signing_in,
    entry::signing_in_by_document,
    entry::signing_out,
    entry::signing_out_everywhere,
    entry::the_switch_of_language,
    entry::a_forgotten_password,
    entry::a_forgotten_password_by_question,
    entry::a_new_password_by_code,
    entry::a_new_password_by_link,
    entry::signing_up,
    entry::signing_up_by_code,
    entry::signing_up_with_details,
    entry::a_mailbox_is_proven,
    entry::the_activation_mail_again,
    entry::own_details,
    entry::a_bank_card,
    entry::another_password,
    entry::the_first_password_of_ones_own,
    entry::the_first_step_to_a_question,
    entry::the_second_step_to_a_question,
    entry::a_wechat_is_bound,
    entry::a_wechat_is_unbound,
    entry::one_of_several_identities,
    entry::a_member_registers,
    entry::a_member_is_activated,
    entry::a_study_is_bound,
    entry::a_study_is_chosen,
    entry::a_study_is_unbound,
    entry::one_of_several_numbers,
    paying::the_choice_of_fees,
    paying::the_choice_of_a_batch,
    paying::the_choice_before_it_is_confirmed,
    paying::what_is_confirmed,
    paying::another_amount,
    paying::the_phone_before_paying,
    paying::the_phones_code_before_paying,
    paying::the_tap_on_pay,
    paying::an_order_is_cancelled,
    paying::the_result_is_asked_for,
    paying::a_link_for_others_to_pay,
    paying::a_link_for_an_order,
    paying::a_link_is_taken_back,
    paying::somebody_gives,
    paying::number_and_name_at_a_poster,
    paying::what_is_chosen_at_a_poster,
    paying::the_tap_on_pay_by_a_code,
    paying::the_result_is_asked_for_by_a_code,
    paying::the_e_receipts_message_again,
    paying::a_room_is_topped_up,
    around::an_enrolment,
    around::an_enrolment_is_changed,
    around::an_enrolment_is_cancelled,
];

#[test]
fn no_form_is_left_out() {
    // the doors of machines have keys and signatures of their own
    let doors = ["/notify", "/wechat/message", "/cas/callback", "/api"];
    let machines = |pattern: &str| doors.iter().any(|door| pattern.starts_with(door));
    let rows: Vec<&str> = all().iter().map(|row| row.route).collect();
    // a bank sends the browser back by a form of its own
    let ours = |route: &Route| route.method == "POST" && !machines(&route.pattern) && !route.only_sends_on();
    let forms = routes().into_iter().filter(ours);
    let missing: Vec<String> = forms.map(|route| route.pattern).filter(|form| !rows.contains(&form.as_str())).collect();
    assert!(missing.is_empty(), "say in `survival` how these are filled in: {missing:#?}");
    let known = routes();
    let gone: Vec<&&str> = rows.iter().filter(|row| !known.iter().any(|route| route.pattern == **row)).collect();
    assert!(gone.is_empty(), "{gone:?}");
}
