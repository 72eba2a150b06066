//! Everything a run stands on, and how large it is.
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::StreamExt;
use jiaofei::app::App;
use jiaofei::cli::check::{DEMO_FIELD_KEY, DEMO_INDEX_KEY, DEMO_JOURNAL_KEY, DEMO_SESSION_KEY};
use jiaofei::cli::demo::demo_config;
use jiaofei::clock::{Chance, Clock};
use jiaofei::domain::payer::PayerKind;
use jiaofei::outbound::HttpClient;
use jiaofei::sandbox::campus::receiver;
use jiaofei::sandbox::keys;
use jiaofei::sandbox::merchants::{
    ALIPAY_APP_AGENCY, ALIPAY_APP_FISCAL, ALIPAY_SELLER_AGENCY, ALIPAY_SELLER_FISCAL, WECHAT_APP_ID, WECHAT_APP_SECRET,
    WECHAT_MCH_AGENCY, WECHAT_MCH_FISCAL,
};
use jiaofei::store::fees;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::door::Door;
use super::notes::Notes;
use super::outside::{Postgres, Redis, free_port};
use super::program::{Gateways, Server, jiaofei};
use crate::world::school::{charge, id_number, item, payer};

/// How large a run is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub seed: u64,
    pub kills: u64,
    /// Of each kind
    pub outages: u64,
    pub students: u32,
    /// Students at their phones at once
    pub persons: u64,
    pub order_seconds: u64,
    /// PostgreSQL waits for the disk, and the end for every refund
    pub full: bool,
}

impl Scale {
    /// Five kills and one outage of each kind; `JIAOFEI_TEST_KILLS=50` and `JIAOFEI_TEST_SEED` choose.
    pub fn read() -> Scale {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        let seed = number("JIAOFEI_TEST_SEED").unwrap_or_else(|| Chance::system().below(1_000_000));
        match number("JIAOFEI_TEST_KILLS") {
            None => Scale { kills: 5, outages: 1, students: 120, persons: 10, order_seconds: 15, full: false, seed },
            Some(kills) => {
                let outages = (kills / 12).max(1);
                Scale { kills, outages, students: 1200, persons: 48, order_seconds: 45, full: true, seed }
            }
        }
    }
}

/// Somebody who owes.
#[derive(Clone, Debug)]
pub struct Debtor {
    pub number: String,
    pub password: String,
}

pub struct Town {
    pub notes: Arc<Notes>,
    pub servers: Vec<Arc<Server>>,
    pub redis: Mutex<Redis>,
    pub gateways: Gateways,
    /// Where payers and channels come in
    pub front: Arc<Door>,
    /// Where the servers go out
    pub way_out: Arc<Door>,
    pub config: PathBuf,
    pub database: String,
    pub full: bool,
    debtors: Mutex<Vec<Debtor>>,
    closing: AtomicBool,
    pub postgres: Postgres,
    /// Goes when the story ends
    _folder: tempfile::TempDir,
}

impl Town {
    pub async fn build(scale: &Scale) -> Arc<Town> {
        // the first test of a process installs it, the others find it there
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let (postgres, redis) = (Postgres::start(folder.path(), scale.full), Redis::start());
        let database = format!("postgres://postgres@127.0.0.1:{}/rehearsal", postgres.port);
        make_database(&database).await;
        let ports = [free_port(), free_port()];
        let front = Door::open(ports.to_vec()).await;
        let bank = free_port();
        let way_out = Door::open(vec![bank]).await;
        let config = folder.path().join("jiaofei.toml");
        std::fs::write(&config, toml(&front.url(), &way_out.url(), &database, redis.port, scale)).unwrap();
        let migrated = jiaofei(&config, &["migrate"]).output().await.unwrap();
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        let debtors = found(&front.url(), &way_out.url(), &database, scale.students).await;
        let notes = Arc::new(Notes::new());
        let gateways = Gateways::start(bank, &front.url(), &folder.path().join("sandbox.log"));
        let log = |port: u16| folder.path().join(format!("server-{port}.log"));
        let servers = ports.map(|port| Server::start(&config, port, log(port), Arc::clone(&notes))).to_vec();
        let town = Town {
            notes,
            servers,
            redis: Mutex::new(redis),
            gateways,
            front,
            way_out,
            config,
            database,
            full: scale.full,
            debtors: Mutex::new(debtors),
            closing: AtomicBool::new(false),
            postgres,
            _folder: folder,
        };
        for port in ports.iter().chain([&town.gateways.port]) {
            town.answers(*port, Duration::from_secs(30)).await;
        }
        Arc::new(town)
    }

    /// Waits until this process answers.
    pub async fn answers(&self, port: u16, within: Duration) {
        let path = if port == self.gateways.port { "control/merchants" } else { "readyz" };
        let (url, begun) = (format!("http://127.0.0.1:{port}/{path}"), Instant::now());
        let client = client();
        while !client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            let said = self.servers.iter().map(|server| tail(&server.written(), 2000).to_owned()).collect::<Vec<_>>();
            assert!(begun.elapsed() < within, "{url} does not answer: {}", said.join("\n"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn next_debtor(&self) -> Option<Debtor> {
        self.debtors.lock().await.pop()
    }

    /// Payers finish what they are at and go home.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Says something to the sandbox's control surface, past every door; none when it does not answer in time.
    pub async fn control(&self, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
        let url = format!("http://127.0.0.1:{}/control/{path}", self.gateways.port);
        let request = match body {
            None => client().get(url),
            Some(body) => client().post(url).header("content-type", "application/json").body(body.to_string()),
        };
        let answer = request.timeout(Duration::from_secs(10)).send().await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    pub async fn fault(&self, fault: &str, times: Option<u64>) {
        self.control("faults", Some(json!({ "fault": fault, "times": times }))).await;
    }

    pub async fn no_faults(&self) {
        let url = format!("http://127.0.0.1:{}/control/faults", self.gateways.port);
        client().delete(url).send().await.unwrap();
    }
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// The end of a long text.
pub fn tail(text: &str, bytes: usize) -> &str {
    let from = text.len().saturating_sub(bytes);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    &text[from..]
}

async fn make_database(url: &str) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let db = sea_orm::Database::connect(format!("{server}/postgres")).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(&db, &format!("CREATE DATABASE {name}")).await.unwrap();
    db.close().await.unwrap();
}

/// Students who each owe eight items, half of them to each payee.
async fn found(url: &str, bank: &str, database: &str, students: u32) -> Vec<Debtor> {
    let http = HttpClient::new().unwrap();
    let config = demo_config(url, bank, database);
    let app = App::open(config, Clock::system(), Chance::system(), http).await.unwrap();
    let mut items = Vec::new();
    for at in 0..8 {
        let payee = ["fiscal", "agency"][at % 2];
        let item = item(&format!("{}", 21 + at), ("代收费", "Fee"), payee, None);
        items.push(fees::upsert_item(app.db.write(), &item, app.clock.now()).await.unwrap());
    }
    let name = jiaofei::domain::bilingual::Bilingual::new("2026年度", "2026");
    let period = fees::upsert_period(app.db.write(), "2026", &name).await.unwrap();
    let one = async |at: u32| {
        let (number, id) =
            (format!("2026{at:06}"), id_number(&format!("9900002002{:02}03{:03}", at / 1000 + 1, at % 1000)));
        let student = payer(&app, PayerKind::Student, &number, "林知夏", &id).await;
        for (place, item) in items.iter().enumerate() {
            charge(&app, student, *item, period, 1_000 + i64::from(at) + 100 * i64::try_from(place).unwrap()).await;
        }
        Debtor { number, password: id.tail(6).to_owned() }
    };
    futures_util::stream::iter((0..students).map(one)).buffer_unordered(8).collect().await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The demo's configuration as a file, which `serve --rehearsal` takes.
fn toml(url: &str, bank: &str, database: &str, redis: u16, scale: &Scale) -> String {
    let payee = |code: &str, fund: &str, mch: &str, app: &str, seller: &str| {
        format!(
            "[[payee]]\ncode = '{code}'\nname = '启明大学'\nfund = '{fund}'\n\
             [payee.wechat]\napp_id = '{WECHAT_APP_ID}'\nmch_id = '{mch}'\nserial_no = '{}'\nprivate_key = '''{}'''\n\
             api_v3_key = '{}'\npublic_key_id = '{}'\npublic_key = '''{}'''\napi_base = '{bank}'\n\
             [payee.alipay]\napp_id = '{app}'\nprivate_key = '''{}'''\nalipay_public_key = '''{}'''\n\
             seller_id = '{seller}'\ngateway = '{bank}/gateway.do'\nauthorize_base = '{bank}'\n",
            keys::WECHAT_MERCHANT_SERIAL,
            keys::WECHAT_MERCHANT_KEY,
            keys::WECHAT_API_V3_KEY,
            keys::WECHAT_PUBLIC_KEY_ID,
            keys::WECHAT_PUBLIC_KEY,
            keys::ALIPAY_APP_KEY,
            keys::ALIPAY_PUBLIC,
        )
    };
    format!(
        "[server]\nlisten = '127.0.0.1:0'\npublic_url = '{url}'\ntrusted_proxies = 1\n\
         [database]\nurl = '{database}'\nmax_connections = 12\n[redis]\nurl = 'redis://127.0.0.1:{redis}/0'\n\
         [school]\nname = '启明大学'\ncode = 'QMU'\n[checkout]\norder_seconds = {}\nsession_seconds = 7200\n\
         confirm = false\nagreement = 'none'\n\
         [secrets]\nsession_key = '{}'\nfield_key = '{}'\nindex_key = '{}'\njournal_key = '{}'\n\
         [official_account]\napp_id = '{WECHAT_APP_ID}'\napp_secret = '{WECHAT_APP_SECRET}'\napi_base = '{bank}'\n\
         authorize_base = '{bank}'\n{}{}[[webhook]]\nname = 'campus'\nurl = '{bank}{}'\nsecrets = ['whsec_{}']\n\
         kinds = ['order.paid', 'refund.done', 'trade.surplus']\n",
        scale.order_seconds,
        hex(&DEMO_SESSION_KEY),
        hex(&DEMO_FIELD_KEY),
        hex(&DEMO_INDEX_KEY),
        hex(&DEMO_JOURNAL_KEY),
        payee("fiscal", "fiscal", WECHAT_MCH_FISCAL, ALIPAY_APP_FISCAL, ALIPAY_SELLER_FISCAL),
        payee("agency", "agency", WECHAT_MCH_AGENCY, ALIPAY_APP_AGENCY, ALIPAY_SELLER_AGENCY),
        receiver::PATH,
        BASE64.encode(keys::CAMPUS_SECRET),
    )
}
