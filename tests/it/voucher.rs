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
    world_of(TestApp::start().await).await
}

async fn world_of(world: TestApp) -> (TestApp, Student, Order, Phone) {
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
        assert!(page.has("编号与验证码不符") && !page.has("9,100.00") && !page.has("林"), "{}", page.text());
    }
    assert_eq!(no_such_code.text(), no_such_receipt.text());
    for (no, code, words) in [
        ("", code.as_str(), "请填写编号"),
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
    assert!(english.has("Number and code do not match"), "{}", english.text());
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
    // Redis has a clock of its own, which no story moves
    let (world, _, _, phone) = world_of(TestApp::start_with(|config| config.redis = None).await).await;
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
    assert!(check(&stranger, "000001", &code).await.has("编号与验证码不符"));
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
    assert!(check(&world.phone(Device::Mobile), "000001", &code).await.has("编号与验证码不符"));
}

/// The streams of a PDF, unpacked where they are packed.
fn streams(pdf: &[u8]) -> Vec<Vec<u8>> {
    let find = |from: usize, what: &[u8]| pdf[from..].windows(what.len()).position(|part| part == what);
    let (mut at, mut found) = (0, Vec::new());
    while let Some(begin) = find(at, b"stream") {
        let begin = at + begin + b"stream".len();
        let begin = begin + pdf[begin..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let end = begin + find(begin, b"endstream").expect("a stream ends");
        let mut text = Vec::new();
        let mut unpacked = flate2::read::ZlibDecoder::new(&pdf[begin..end]);
        let is_packed = std::io::Read::read_to_end(&mut unpacked, &mut text).is_ok();
        found.push(if is_packed { text } else { pdf[begin..end].to_vec() });
        at = end + b"endstream".len();
    }
    found
}

/// What can be copied out of a PDF: its glyphs, through the table that says which letter each is.
fn text_of(pdf: &[u8]) -> String {
    let streams: Vec<String> =
        streams(pdf).into_iter().map(|stream| String::from_utf8_lossy(&stream).into_owned()).collect();
    let hex = |text: &str| u16::from_str_radix(text, 16).ok();
    let mut letters = std::collections::HashMap::new();
    for line in streams.iter().filter(|stream| stream.contains("beginbfchar")).flat_map(|map| map.lines()) {
        let pair =
            line.strip_prefix('<').and_then(|line| line.strip_suffix('>')).and_then(|line| line.split_once("> <"));
        if let Some((glyph, letter)) = pair {
            let units: Vec<u16> = (0..letter.len() / 4).filter_map(|at| hex(&letter[4 * at..4 * at + 4])).collect();
            letters.insert(hex(glyph).unwrap(), String::from_utf16(&units).unwrap());
        }
    }
    let content = streams.iter().filter(|stream| stream.contains(" Tf"));
    let shown = content.flat_map(|stream| stream.lines()).filter_map(|line| line.strip_suffix(" Tj"));
    let glyphs = shown.flat_map(|shown| {
        let bytes = bytes_of(shown);
        bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect::<Vec<_>>()
    });
    glyphs.filter_map(|glyph| letters.get(&glyph)).map(String::as_str).collect()
}

/// The bytes of a string of a PDF: `<0041>` or `(\\000A)` (ISO 32000-1, 7.3.4).
fn bytes_of(shown: &str) -> Vec<u8> {
    if let Some(digits) = shown.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        return (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect();
    }
    let inside = shown.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or_default().as_bytes();
    let (mut at, mut bytes) = (0, Vec::new());
    while at < inside.len() {
        let octal = inside.get(at + 1..at + 4).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let (byte, taken) = match (inside[at], octal, inside.get(at + 1)) {
            (b'\\', Some(d), _) => ((d[0] - b'0') * 64 + (d[1] - b'0') * 8 + (d[2] - b'0'), 4),
            (b'\\', None, Some(b'n')) => (b'\n', 2),
            (b'\\', None, Some(b'r')) => (b'\r', 2),
            (b'\\', None, Some(b't')) => (b'\t', 2),
            (b'\\', None, Some(b'b')) => (8, 2),
            (b'\\', None, Some(b'f')) => (12, 2),
            (b'\\', None, Some(plain)) => (*plain, 2),
            (plain, _, _) => (plain, 1),
        };
        bytes.push(byte);
        at += taken;
    }
    bytes
}

#[tokio::test]
async fn the_voucher_is_a_picture_to_long_press_and_its_code_leads_to_the_check() {
    let (world, _, _, phone) = world().await;
    let slip = phone.get(SLIP).await;
    let source = format!("{SLIP}/voucher.png");
    assert!(slip.links().contains(&source), "{:?}", slip.links());
    let picture = phone.get(&source).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    assert_eq!(picture.header("cache-control"), "no-store");
    let size = image::load_from_memory(&picture.bytes).unwrap();
    assert_eq!((size.width(), size.height()), (1050, 1488));
    assert!(picture.bytes.len() < 300_000, "{} bytes", picture.bytes.len());
    if let Some(folder) = std::env::var_os("JIAOFEI_TEST_ARTEFACTS") {
        std::fs::write(std::path::Path::new(&folder).join("voucher.png"), &picture.bytes).unwrap();
    }
    let address = scanned(&picture.bytes);
    assert_eq!(address, small_code(&slip));
    let page = world.phone(Device::Mobile).get(&path_of(&world, &address)).await;
    assert!(page.has("凭证属实"), "{}", page.text());
}

#[tokio::test]
async fn the_voucher_is_a_document_of_a5_whose_text_can_be_read() {
    let (_world, _, order, phone) = world().await;
    let code = code_on(&phone.get(SLIP).await);
    let document = phone.get(&format!("{SLIP}/voucher.pdf")).await;
    assert_eq!((document.status, document.header("content-type")), (200, "application/pdf"));
    assert_eq!(document.header("content-disposition"), "inline; filename=\"voucher-000001.pdf\"");
    if let Some(folder) = std::env::var_os("JIAOFEI_TEST_ARTEFACTS") {
        std::fs::write(std::path::Path::new(&folder).join("voucher.pdf"), &document.bytes).unwrap();
    }
    let raw = String::from_utf8_lossy(&document.bytes);
    assert!(raw.starts_with("%PDF-1.") && raw.contains("/MediaBox [0 0 420 595]"), "{}", &raw[..200]);
    assert!(document.bytes.len() < 200_000, "{} bytes", document.bytes.len());
    let text = text_of(&document.bytes);
    let words = [
        "林知夏",
        "000001",
        "人民币玖仟壹佰元整",
        "Nine Thousand One Hundred Yuan Only",
        "9,100.00",
        "启明大学",
        "学费",
        "住宿费",
        &code,
        order.order_no.as_str(),
    ];
    for words in words {
        assert!(text.contains(words), "{words} is not in: {text}");
    }
}

#[tokio::test]
async fn a_voucher_with_many_lines_and_long_or_rare_names_grows_and_still_is_read() {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "买买提·艾力江·阿卜杜热合曼<𠮷>&").await;
    let mut charges = vec![student.tuition];
    for at in 0..30 {
        let item = crate::world::school::item(
            &format!("5{at}"),
            ("一项名字特别长特别长特别长特别长的收费", "An item with a very long name"),
            "fiscal",
            None,
        );
        let item = jiaofei::store::fees::upsert_item(world.app.db.write(), &item, world.clock.now()).await.unwrap();
        charges.push(crate::world::school::charge(&world.app, student.id, item, world.school.period, 101).await);
    }
    let order = world.open_one(student.id, &charges).await;
    world.pay(&order, Product::WechatNative, "13800000001").await;
    world.sandbox.deliver_due().await;
    let phone = world.phone(Device::Mobile);
    phone.sign_in(&student).await;
    let picture = phone.get(&format!("{SLIP}/voucher.png")).await;
    assert_eq!(picture.status, 200, "{}", String::from_utf8_lossy(&picture.bytes));
    assert!(image::load_from_memory(&picture.bytes).unwrap().height() > 2_500);
    assert!(scanned(&picture.bytes).contains("/verify?no=000001&code="));
    if let Some(folder) = std::env::var_os("JIAOFEI_TEST_ARTEFACTS") {
        std::fs::write(std::path::Path::new(&folder).join("voucher-long.png"), &picture.bytes).unwrap();
    }
}

#[tokio::test]
async fn papers_are_drawn_one_at_a_time_and_everybody_gets_one() {
    let (_world, _, _, phone) = world().await;
    let asked = (0..6).map(|_| {
        let phone = phone.clone();
        tokio::spawn(async move { phone.get(&format!("{SLIP}/voucher.pdf")).await.status })
    });
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), 200);
    }
}
