//! 电子缴费凭证: what stands on it, and how anybody who holds it learns whether it is genuine.
use std::time::Duration;

use jiaofei::config::Key32;
use jiaofei::domain::money::Fen;
use jiaofei::domain::order::Order;
use jiaofei::domain::trade::Product;
use jiaofei::flow::refund;

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

const SLIP: &str = "/h5/paid/000001";

/// Somebody who has paid 学费 and 住宿费, and is signed in.
async fn world() -> (TestApp, Student, Order, Phone) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    let order = world.open_one(student.id, &[student.tuition, student.dormitory]).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    let phone = world.phone(Device::Wechat);
    phone.sign_in(&student).await;
    (world, student, order, phone)
}

/// The code as it stands on a slip.
fn code_on(slip: &Page) -> String {
    let text = slip.text();
    let after = text.split("验证码 ").nth(1).unwrap_or_else(|| panic!("no code: {text}"));
    after.split_whitespace().next().unwrap().to_owned()
}

async fn check(phone: &Phone, no: &str, code: &str) -> Page {
    let form = phone.get("/verify").await.form("/verify").set("no", no).set("code", code);
    phone.submit(&form).await
}

/// What the first QR code of a picture says.
pub fn scanned(png: &[u8]) -> String {
    let picture = image::load_from_memory(png).unwrap().into_luma8();
    let picture = match picture.width() < 200 {
        true => {
            let (width, height) = (picture.width() * 4, picture.height() * 4);
            image::imageops::resize(&picture, width, height, image::imageops::FilterType::Nearest)
        }
        false => picture,
    };
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let grids = prepared.detect_grids();
    grids.first().expect("there is a code").decode().unwrap().1
}

fn small_code(slip: &Page) -> String {
    use base64::Engine;
    let source = slip.links().into_iter().find(|link| link.starts_with("data:image/png;base64,")).unwrap();
    let png = base64::engine::general_purpose::STANDARD.decode(source.split_once(',').unwrap().1).unwrap();
    scanned(&png)
}

/// The path and query of an address of the app.
fn path_of(world: &TestApp, address: &str) -> String {
    let root = &world.app.config.server.public_url;
    address.strip_prefix(root.as_str()).unwrap_or_else(|| panic!("{address} is not at {root}")).to_owned()
}

#[tokio::test]
async fn right_after_paying_the_slip_has_all_a_voucher_needs_and_a_stranger_can_check_it_by_scanning() {
    let (world, student, order, phone) = world().await;
    let slip = phone.get(SLIP).await;
    let trade_no = world.count("SELECT COUNT(*) FROM trade").await;
    assert_eq!(trade_no, 1);
    for words in
        ["9,100.00", "人民币玖仟壹佰元整", "林知夏", "启明大学财务处", "微信支付", order.order_no.as_str(), "交易单号"]
    {
        assert!(slip.has(words), "{words} is not in: {}", slip.text());
    }
    let stranger = world.phone(Device::Desktop);
    let page = stranger.get(&path_of(&world, &small_code(&slip))).await;
    assert_eq!(page.status, 200);
    for words in [
        "凭证属实",
        "没有退费",
        "000001",
        "林*夏",
        "9,100.00",
        "人民币玖仟壹佰元整",
        "启明大学财务处",
        "学费",
        "住宿费",
    ] {
        assert!(page.has(words), "{words} is not in: {}", page.text());
    }
    let account = jiaofei::store::payers::find(world.app.db.read(), student.id).await.unwrap().unwrap();
    let hidden =
        ["林知夏", &account.payer.number, order.order_no.as_str(), student.id_number.reveal(), &account.payer.college];
    for private in hidden {
        assert!(!page.body().contains(private), "{private} is shown to a stranger");
    }
    assert!(page.body().contains("noindex") && page.header("cache-control") == "no-store");
}

#[tokio::test]
async fn number_and_code_may_be_typed_as_people_type_and_what_is_wrong_is_false_without_saying_what() {
    let (world, _, _, phone) = world().await;
    let code = code_on(&phone.get(SLIP).await);
    let stranger = world.phone(Device::Mobile);
    for (no, typed) in
        [("000001", code.clone()), (" ０００００１ ", code.to_lowercase()), ("000001", code.replace('-', " "))]
    {
        let page = check(&stranger, no, &typed).await;
        assert!(page.status == 200 && page.has("凭证属实"), "{no} {typed}: {}", page.text());
    }
    let other = code.replace(code.chars().next().unwrap(), if code.starts_with('7') { "8" } else { "7" });
    let no_such_code = check(&stranger, "000001", &other).await;
    let no_such_receipt = check(&stranger, "000099", &code).await;
    for page in [&no_such_code, &no_such_receipt] {
        assert_eq!(page.status, 422);
        assert!(page.has("没有这张凭证") && !page.has("9,100.00") && !page.has("林"), "{}", page.text());
    }
    assert_eq!(no_such_code.text(), no_such_receipt.text());
    for (no, code, words) in [
        ("", code.as_str(), "请填写收费单号"),
        ("000001", "", "请填写验证码"),
        ("000001", "7KQ2", "验证码是 12 位字母和数字"),
        ("000001", "\"><script>", "验证码是 12 位字母和数字"),
    ] {
        let page = check(&stranger, no, code).await;
        assert!(page.status == 422 && page.has(words), "{words}: {}", page.text());
        assert_eq!(page.form("/verify").field("no"), Some(no), "what was typed is kept");
        assert!(!page.body().contains("<script>\""), "{}", page.body());
    }
    let english = stranger.get("/verify?lang=en&no=000001&code=0000-0000-0000").await;
    assert!(english.has("No such voucher"), "{}", english.text());
}

#[tokio::test]
async fn a_voucher_tells_what_went_back_since_and_ends_when_all_of_it_did() {
    let (world, student, order, phone) = world().await;
    let code = code_on(&phone.get(SLIP).await);
    let stranger = world.phone(Device::Mobile);
    refund::request(&world.app, &order, &[(student.dormitory, Fen::new(10_000))], "退宿").await.unwrap();
    let page = check(&stranger, "000001", &code).await;
    assert!(page.has("凭证属实，有退费") && page.has("退费中 100.00"), "{}", page.text());
    world.pass(Duration::from_secs(600)).await;
    let page = check(&stranger, "000001", &code).await;
    assert!(page.has("100.00") && page.has("实际缴费 9,000.00 元") && !page.has("退费中"), "{}", page.text());
    let rest = [(student.dormitory, Fen::new(100_000)), (student.tuition, Fen::new(800_000))];
    refund::request(&world.app, &order, &rest, "退学").await.unwrap();
    world.pass(Duration::from_secs(600)).await;
    let page = check(&stranger, "000001", &code).await;
    assert!(page.status == 200 && page.has("凭证已作废"), "{}", page.text());
    assert!(phone.get(SLIP).await.has("凭证作废"));
}

#[tokio::test]
async fn codes_of_vouchers_cannot_be_tried_one_after_the_other() {
    let (world, _, _, phone) = world().await;
    let code = code_on(&phone.get(SLIP).await);
    let guesser = world.phone(Device::Mobile);
    for at in 0..30 {
        let page = guesser.get(&format!("/verify?no=000001&code=0000-0000-00{at:02}")).await;
        assert_eq!(page.status, 422, "{at}");
    }
    let page = check(&guesser, "000001", &code).await;
    assert!(page.status == 429 && page.has("核验太频繁"), "even the right one: {}", page.text());
    assert!(!page.has("9,100.00"));
    world.clock.advance(Duration::from_secs(601));
    assert!(check(&guesser, "000001", &code).await.has("凭证属实"));
}

#[tokio::test]
async fn a_corrected_name_makes_no_voucher_false_and_a_changed_key_neither() {
    let (world, student, _, phone) = world().await;
    let code = code_on(&phone.get(SLIP).await);
    let rename = format!("UPDATE payer SET name = '林之夏' WHERE id = {}", student.id);
    sea_orm::ConnectionTrait::execute_unprepared(world.app.db.write(), &rename).await.unwrap();
    let page = check(&world.phone(Device::Mobile), "000001", &code).await;
    assert!(page.has("凭证属实") && page.has("林*夏"), "{}", page.text());

    let mut config = world.app.config.clone();
    let old = std::mem::replace(&mut config.secrets.journal_key, Key32::new([77; 32]));
    config.secrets.old_journal_keys.push(old);
    let changed = world.process_with(config.clone()).await;
    let stranger = Phone::new(&world.serve(&changed).await, Device::Mobile);
    assert!(check(&stranger, "000001", &code).await.has("凭证属实"));
    config.secrets.old_journal_keys.clear();
    let forgotten = world.process_with(config).await;
    let stranger = Phone::new(&world.serve(&forgotten).await, Device::Mobile);
    assert!(check(&stranger, "000001", &code).await.has("没有这张凭证"));
}

#[tokio::test]
async fn an_altered_amount_in_the_books_does_not_pass_for_genuine() {
    let (world, student, order, phone) = world().await;
    let code = code_on(&phone.get(SLIP).await);
    let alter = format!(
        "UPDATE order_line SET amount_fen = amount_fen + 1 WHERE order_id = {} AND charge_id = {}",
        order.id, student.tuition
    );
    sea_orm::ConnectionTrait::execute_unprepared(world.app.db.write(), &alter).await.unwrap();
    assert!(check(&world.phone(Device::Mobile), "000001", &code).await.has("没有这张凭证"));
}
