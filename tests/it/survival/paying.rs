//! From the choice of fees to the cashier, by every door.
use jiaofei::domain::consent::{AgreementGate, PhoneCheck};
use jiaofei::domain::order::Order;
use jiaofei::domain::trade::Product;
use jiaofei::flow::ereceipt::desk::AGAIN_AFTER;
use jiaofei::flow::ereceipt::issue;
use jiaofei::flow::post;
use jiaofei::store::journal;

use crate::pay_for_me::link_of;
use crate::posters::{fees_of, of_tuition, say};
use crate::sign_up::code;
use crate::survival::stage::{Place, Row, Stage, Who};

const TUITION: &str = "/h5/tuition";
const CHECKOUT: &str = "/h5/checkout";

async fn waiting(stage: &Stage) -> Order {
    stage.world.open_one(stage.student.id, &[stage.student.insurance]).await
}

pub fn the_choice_of_fees() -> Row {
    Row::new(CHECKOUT, Who::Payer, |stage| {
        Box::pin(async {
            let fee = stage.student.tuition.to_string();
            Place::new(TUITION, CHECKOUT).typing("fee", &fee).typing(format!("amt{fee}"), "600.00")
        })
    })
}

pub fn the_choice_of_a_batch() -> Row {
    Row::new(CHECKOUT, Who::Payer, |stage| {
        Box::pin(async {
            crate::other::two_batches(&stage.world, &stage.student).await;
            Place::new("/h5/other", CHECKOUT).typing("batch", "other:2020")
        })
    })
}

pub fn the_choice_before_it_is_confirmed() -> Row {
    Row { config: |config| config.checkout.confirm = true, ..the_choice_of_fees() }
}

pub fn what_is_confirmed() -> Row {
    let row = Row::new(CHECKOUT, Who::Payer, |stage| {
        Box::pin(async {
            let fee = stage.student.tuition;
            let page = format!("/h5/confirm?checkout_id=0123456789abcdefghijkl&fee={fee}&amt{fee}=600.00");
            let drawn = stage.phone.open(&page).await;
            let version = drawn.attribute("ok", "value");
            // what is agreed to is agreed to by whoever reads it then
            Place::new(page, CHECKOUT).typing("fee", fee.to_string()).secretly("agree", version)
        })
    });
    let config = |config: &mut jiaofei::config::Config| {
        config.checkout.confirm = true;
        config.checkout.agreement = AgreementGate::Checkbox;
    };
    Row { config, ..row }
}

pub fn another_amount() -> Row {
    Row::new("/h5/tuition/:charge_id/amount", Who::Payer, |stage| {
        Box::pin(async { Place::own(format!("/h5/tuition/{}/amount", stage.student.tuition)).typing("amount", "600") })
    })
}

fn phone_checked(config: &mut jiaofei::config::Config) {
    config.checkout.phone_check = PhoneCheck::Always;
}

/// The page that asks for a phone, of a choice of the tuition.
fn phone_page(stage: &Stage) -> String {
    let confirm = format!("/h5/confirm?checkout_id=0123456789abcdefghijkl&fee={}", stage.student.tuition);
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("back", &confirm).finish();
    format!("/h5/phone?{query}")
}

pub fn the_phone_before_paying() -> Row {
    let row = Row::new("/h5/phone", Who::Payer, |stage| {
        Box::pin(async { Place::own(phone_page(stage)).typing("phone", "13900001111") })
    });
    Row { config: phone_checked, ..row }
}

pub fn the_phones_code_before_paying() -> Row {
    let row = Row::new("/h5/phone/code", Who::Payer, |stage| {
        Box::pin(async {
            let asked = stage.phone.open(&phone_page(stage)).await.form("/h5/phone").set("phone", "13900001111");
            let to = stage.phone.submit(&asked).await.location().to_owned();
            Place::own(to).secretly("code", code(&stage.world, "13900001111").await)
        })
    });
    let alone = Some("a code belongs to the browser and the sign-in that asked for it");
    Row { config: phone_checked, alone, elsewhere: Some(("/h5/phone", "the code was another sign-in's")), ..row }
}

pub fn the_tap_on_pay() -> Row {
    Row::new("/h5/cashier/:order_no/pay", Who::Payer, |stage| {
        Box::pin(async {
            let page = format!("/h5/cashier/{}", waiting(stage).await.order_no);
            Place::new(page.clone(), format!("{page}/pay")).typing("method", "alipay")
        })
    })
}

pub fn an_order_is_cancelled() -> Row {
    Row::new("/h5/cashier/:order_no/cancel", Who::Payer, |stage| {
        Box::pin(async {
            let page = format!("/h5/cashier/{}", waiting(stage).await.order_no);
            Place::new(page.clone(), format!("{page}/cancel"))
        })
    })
}

pub fn the_result_is_asked_for() -> Row {
    Row::new("/h5/result/:order_no/ask", Who::Payer, |stage| {
        Box::pin(async {
            let order = waiting(stage).await;
            stage.world.begin(&order, Product::WechatNative, "13800000001").await.unwrap();
            let page = format!("/h5/result/{}", order.order_no);
            Place::new(page.clone(), format!("{page}/ask"))
        })
    })
}

pub fn a_link_for_others_to_pay() -> Row {
    Row::new("/h5/pay-for-me", Who::Payer, |stage| {
        Box::pin(async {
            let fee = stage.student.tuition.to_string();
            Place::own("/h5/pay-for-me").typing("fee", fee).typing("lasting", "7")
        })
    })
}

pub fn a_link_for_an_order() -> Row {
    Row::new("/h5/pay-for-me", Who::Payer, |stage| {
        Box::pin(async {
            let order = waiting(stage).await;
            Place::own(format!("/h5/pay-for-me?order={}", order.order_no)).typing("lasting", "1")
        })
    })
}

pub fn a_link_is_taken_back() -> Row {
    Row::new("/h5/pay-for-me/:pay_link_id/revoke", Who::Payer, |stage| {
        Box::pin(async {
            let link = link_of(&stage.world, &stage.student, stage.student.tuition).await;
            let page = format!("/h5/pay-for-me/{}", link.id);
            Place::new(page.clone(), format!("{page}/revoke"))
        })
    })
}

pub fn somebody_gives() -> Row {
    let row = Row::new("/for/:code", Who::Nobody, |stage| {
        Box::pin(async {
            let link = link_of(&stage.world, &stage.student, stage.student.tuition).await;
            Place::own(format!("/for/{}", link.code)).typing("amount", "600").typing("giver", "林爸爸")
        })
    });
    // the two have each a key of their own, and the second finds that somebody is paying: `pay_for_me` tells of it
    Row { ..row }
}

pub fn number_and_name_at_a_poster() -> Row {
    let row = Row::new("/q/:code/person", Who::Nobody, |stage| {
        Box::pin(async {
            let page = format!("/q/{}", of_tuition(&stage.world).await.code);
            let (number, name) = (stage.student.number.clone(), stage.student.name.clone());
            Place::new(page.clone(), format!("{page}/person")).secretly("number", number).typing("name", name)
        })
    });
    Row { ..row }
}

pub fn what_is_chosen_at_a_poster() -> Row {
    let row = Row::new("/q/:code/fees", Who::Nobody, |stage| {
        Box::pin(async {
            let poster = of_tuition(&stage.world).await;
            say(&stage.phone, &poster, &stage.student.number, &stage.student.name).await;
            let fees = fees_of(&stage.phone, &poster, &stage.student).await;
            let fee = stage.student.tuition.to_string();
            let place = Place::own(fees.path.clone()).typing("fee", &fee).typing(format!("amt{fee}"), "600");
            match fees.find_attribute("ok", "value") {
                Some(version) => place.secretly("agree", version),
                None => place,
            }
        })
    });
    Row { alone: Some("a pass belongs to the browser that said number and name"), ..row }
}

pub fn the_tap_on_pay_by_a_code() -> Row {
    Row::new("/q/:code/pay", Who::Nobody, |stage| {
        Box::pin(async {
            let page = format!("/q/{}", waiting(stage).await.pay_code);
            Place::new(page.clone(), format!("{page}/pay")).typing("method", "alipay")
        })
    })
}

pub fn the_result_is_asked_for_by_a_code() -> Row {
    Row::new("/q/:code/ask", Who::Nobody, |stage| {
        Box::pin(async {
            let order = waiting(stage).await;
            stage.world.begin(&order, Product::WechatNative, "13800000001").await.unwrap();
            let page = format!("/q/{}/result", order.pay_code);
            Place::new(page, format!("/q/{}/ask", order.pay_code))
        })
    })
}

pub fn the_e_receipts_message_again() -> Row {
    let row = Row::new("/h5/paid/:receipt_no/ereceipt/again", Who::Payer, |stage| {
        Box::pin(async {
            let world = &stage.world;
            let order = world.open_one(stage.student.id, &[stage.student.tuition]).await;
            world.pay(&order, Product::WechatNative, "13800000001").await;
            world.sandbox.deliver_due().await;
            while issue::run_once(&world.app).await.unwrap() > 0 {}
            while post::run_once(&world.app).await.unwrap() > 0 {}
            let receipt = journal::find_receipt_of_order(world.app.db.read(), order.id).await.unwrap().unwrap();
            // what was told just now is not told again
            world.clock.advance(AGAIN_AFTER);
            let page = format!("/h5/paid/{}/ereceipt", receipt.receipt_no);
            Place::new(page.clone(), format!("{page}/again"))
        })
    });
    Row { ..row }
}

pub fn a_room_is_topped_up() -> Row {
    Row::new("/h5/living/:service", Who::Payer, |_| {
        Box::pin(async { Place::own("/h5/living/electricity").typing("account", "3-412").typing("amount", "50") })
    })
}
