//! The school the figures are measured on: payers with four charges each, orders of two charges, sessions.
use std::fmt::Write as _;
use std::path::Path;

use jiaofei::clock::Clock;

pub const APP_ID: &str = "wx00000000000bench";
pub const MCH_ID: &str = "1900000001";
pub const API_V3_KEY: &str = "ApiV3KeyOfTheBenches0123456789ab";
pub const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000000012026090100000000000000";
/// What every charge amounts to, in fen
pub const CHARGE_FEN: i64 = 123_456;
/// Ids of orders and attempts begin here, so that a number in a logged statement says what it is
const ORDERS: usize = 10_000_000;
const ATTEMPTS: usize = 20_000_000;

pub fn attempt_no(order: usize) -> String {
    format!("{}T01", order_no(order))
}

pub fn trade_no(order: usize) -> String {
    format!("42000002632026{order:014}")
}

pub fn order_no(order: usize) -> String {
    format!("XF260901QMU{order:07}")
}

/// How many of each there are in a school of so many charges.
#[derive(Clone, Copy)]
pub struct Size {
    pub charges: usize,
}

impl Size {
    pub fn payers(self) -> usize {
        self.charges / 4
    }

    /// Orders with a live attempt, ready to be told as paid: two of each of the first four fifths of the payers.
    pub fn orders(self) -> usize {
        2 * (self.payers() * 8 / 10)
    }

    /// Payers who look at their arrears: those after, but for the last twentieth; at most 2,000, spread evenly.
    pub fn lookers(self) -> Vec<usize> {
        let (from, until) = (self.payers() * 8 / 10 + 1, self.payers() * 95 / 100);
        let step = ((until - from) / 2_000).max(1);
        (from..until).step_by(step).take(2_000).collect()
    }

    /// Payers with one order they have not begun to pay: the last twentieth, at most 500.
    pub fn waiting(self) -> std::ops::Range<usize> {
        let from = self.payers() * 95 / 100 + 1;
        from..(from + 500).min(self.payers())
    }
}

pub fn token(payer: usize) -> String {
    format!("{payer:043}")
}

/// A page's request as the browser of a signed-in payer sends it.
pub fn page(path: &str, payer: usize, agent: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: pay.example.edu.cn\r\nAccept-Encoding: gzip, deflate, br\r\n\
         User-Agent: {agent}\r\nAccept-Language: zh-CN,zh;q=0.9\r\nCookie: __Host-jf_v={:022}; __Host-jf_s={}\r\n\r\n",
        7,
        token(payer)
    )
    .into_bytes()
}

pub const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 \
    Chrome/126.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.50(0x28003236) NetType/WIFI Language/zh_CN";

/// The rows of the import file: four charges a payer, a payer's rows together.
pub fn charges_csv(size: Size) -> String {
    let mut text = String::with_capacity(size.charges * 48);
    text.push_str("人员编号,收费期间,项目编码,应收金额,截止日期\n");
    for payer in 1..=size.payers() {
        for (period, item) in [("2026", "11"), ("2026", "12"), ("2025", "11"), ("2025", "12")] {
            // writing to a String cannot fail
            let _ = writeln!(text, "S{payer:07},{period},{item},1234.56,2026-12-31");
        }
    }
    text
}

/// Payers, items and periods, before the charges come.
pub fn people_sql(size: Size) -> String {
    let now = Clock::system().now().millis();
    format!(
        "INSERT INTO payer (kind, number, number_key, name, name_key, name_en, college, class_name, epoch, created_at, \
         updated_at) SELECT 'student', n, n, '学生' || i, '学生' || i, '', '计算机学院', '软件工程 2301 班', 0, {now}, {now} \
         FROM (SELECT i, 'S' || lpad(i::text, 7, '0') AS n FROM generate_series(1, {}) i) p ORDER BY i;\n\
         INSERT INTO fee_item (code, name, name_en, kind, payee_code, collection, min_split_fen, updated_at) VALUES \
         ('11', '学费', 'Tuition', 'tuition', 'fiscal', 'collecting', 10000, {now}), \
         ('12', '住宿费', 'Accommodation', 'tuition', 'fiscal', 'collecting', NULL, {now});\n\
         INSERT INTO billing_period (code, name, name_en) VALUES ('2026', '2026年度', '2026'), \
         ('2025', '2025年度', '2025');\nANALYZE payer;",
        size.payers()
    )
}

/// Orders, attempts and sessions, after the charges have come.
pub fn acts_sql(size: Size) -> String {
    let now = Clock::system().now().millis();
    let tomorrow = now + 86_400_000;
    let (orders, waiting) = (size.orders(), size.waiting());
    let order = |ids: &str, state: &str| {
        format!(
            "INSERT INTO payment_order (id, order_no, checkout_id, part, payer_id, payee_code, subject, total_fen, \
             pay_code, state, attempts, created_at, expires_at) SELECT {ORDERS} + i, \
             'XF260901QMU' || lpad(i::text, 7, '0'), 'bench' || i, 1, {ids}, 'fiscal', '学费 等 2 项', {}, \
             'benchcode' || lpad(i::text, 20, '0'), 'pending', {state}, {now}, {tomorrow} FROM generate_series",
            2 * CHARGE_FEN
        )
    };
    let mut sql = format!("{}(1, {orders}) i;\n", order("(i + 1) / 2", "1"));
    let first = orders + 1;
    let last = orders + waiting.len();
    let _ = writeln!(sql, "{}({first}, {last}) i;", order(&format!("i - {orders} - 1 + {}", waiting.start), "0"));
    let _ = writeln!(
        sql,
        "INSERT INTO order_line (order_id, charge_id, amount_fen, refunded_fen) \
         SELECT o.id, c.id, {CHARGE_FEN}, 0 FROM payment_order o \
         JOIN LATERAL (SELECT id, row_number() OVER (ORDER BY id) AS n FROM charge WHERE payer_id = o.payer_id) c \
         ON (o.id - {ORDERS} > {orders} AND c.n <= 2) \
         OR (o.id - {ORDERS} <= {orders} AND (c.n - 1) / 2 = (o.id - {ORDERS} + 1) % 2);"
    );
    let _ = writeln!(
        sql,
        "INSERT INTO attempt (id, attempt_no, order_id, channel, product, payee_code, amount_fen, state, payer_ip, \
         return_url, created_at, expires_at, inquiries) \
         SELECT {ATTEMPTS} + i, 'XF260901QMU' || lpad(i::text, 7, '0') || 'T01', {ORDERS} + i, 'wechat', \
         'wechat_jsapi', 'fiscal', {}, 'live', '203.0.113.7', 'https://pay.example.edu.cn/', {now}, {tomorrow}, 0 \
         FROM generate_series(1, {orders}) i;",
        2 * CHARGE_FEN
    );
    let people: Vec<String> = size.lookers().into_iter().chain(waiting).map(|payer| format!("({payer})")).collect();
    let _ = writeln!(
        sql,
        "INSERT INTO session (token_hash, payer_id, rights, epoch, created_at, seen_at) SELECT \
         encode(sha256(lpad(i::text, 43, '0')::bytea), 'hex'), i, 'full', 0, {now}, {now} FROM (VALUES {}) p (i);",
        people.join(", ")
    );
    sql + "VACUUM ANALYZE;"
}

/// What stands for this order in a statement of pgbench; `:n` is the order's place.
pub fn stand_in(order: usize, charges: &[String], value: &str) -> Option<String> {
    let padded = "lpad((:n)::text, 7, '0')";
    let known = [
        ((ORDERS + order).to_string(), format!("({ORDERS} + :n)")),
        ((ATTEMPTS + order).to_string(), format!("({ATTEMPTS} + :n)")),
        (order_no(order), format!("('XF260901QMU' || {padded})")),
        (attempt_no(order), format!("('XF260901QMU' || {padded} || 'T01')")),
        (trade_no(order), "('42000002632026' || lpad((:n)::text, 14, '0'))".to_owned()),
        (format!("EV-{order:020}"), "('EV-' || lpad((:n)::text, 20, '0'))".to_owned()),
        (order.div_ceil(2).to_string(), "((:n + 1) / 2)".to_owned()),
    ];
    if let Some((_, text)) = known.into_iter().find(|(known, _)| known == value) {
        return Some(text);
    }
    let place = charges.iter().position(|charge| charge == value)?;
    // a payer's charges stand together, two of them in each order
    Some(format!("(2 * :n - {})", 1 - place))
}

/// The configuration of every server of a run; addresses come by environment.
pub fn config(folder: &Path) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    let (merchant, wechat, alipay) = (file("merchant.pem"), file("wechat.pub"), file("alipay.pub"));
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
public_url = "https://pay.example.edu.cn"
[database]
url = "set by environment"
max_connections = 12
[redis]
url = "set by environment"
[school]
name = "启明大学"
name_en = "Qiming University"
order_prefix = "XF"
code = "QMU"
initial_password = "id_last6"
phone = "0931-555 0100"
office_hours = "工作日 8:30–17:30"
office_hours_en = "Mon–Fri 8:30–17:30"
[secrets]
session_key = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
field_key = "1102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
index_key = "2102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
journal_key = "3102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
[official_account]
app_id = "{APP_ID}"
app_secret = "of no use"
[[payee]]
code = "fiscal"
name = "某省财政厅"
name_en = "Provincial Department of Finance"
fund = "fiscal"
[payee.wechat]
app_id = "{APP_ID}"
mch_id = "{MCH_ID}"
serial_no = "4A7C1B9E2D3F50617283940A1B2C3D4E5F607182"
private_key = "{merchant}"
api_v3_key = "{API_V3_KEY}"
public_key_id = "{PUBLIC_KEY_ID}"
public_key = "{wechat}"
api_base = "http://127.0.0.1:1"
[payee.alipay]
app_id = "2021000000000001"
private_key = "{merchant}"
alipay_public_key = "{alipay}"
seller_id = "2088000000000001"
gateway = "http://127.0.0.1:1"
"#
    )
}
