//! `jiaofei demo`: a fictional school, its payers, and the whole outside world, in one process and one folder.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::App;
use crate::clock::{Chance, Clock};
use crate::config::{
    AlipayAccount, Api, Cas, CasProtocol, Checkout, Config, Contact, Database, EndpointUrl, FirstSignIn, Fiscal,
    InitialPassword, Key32, Living, Mail, MailSecurity, MessageServer, NoteWay, OfficialAccount, Payee, Portal, School,
    Secrets, Server, SignIn, Sms, SmsMethod, Template, UnionPayAccount, Webhook, WebhookSecret, WechatAccount,
};
use crate::domain::api_key::ApiScope;
use crate::domain::event::EventKind;
use crate::domain::fee::Fund;
use crate::domain::method::MethodRules;
use crate::domain::module::Modules;
use crate::domain::note::NoteKind;
use crate::domain::pattern::Pattern;
use crate::domain::poster::PosterState;
use crate::flow::api_keys::{self, Admission};
use crate::flow::migrate;
use crate::flow::official::menu;
use crate::flow::poster::desk;
use crate::official_account::menu::Menu;
use crate::outbound::HttpClient;
use crate::sandbox::account::notices;
use crate::sandbox::campus::receiver;
use crate::sandbox::cas::doors;
use crate::sandbox::fiscal::{counter, voice};
use crate::sandbox::postbox::gateway;
use crate::sandbox::utility::till;
use crate::sandbox::world::{Hanging, Sandbox};
use crate::sandbox::{keys, merchants, world};
use crate::web::paper::Kind;
use crate::web::print;
use crate::web::view::poster::Size;
use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use tokio::net::TcpListener;

use super::{check, demo_data, serve};

#[derive(Args)]
pub struct DemoArgs {
    /// Where the demo keeps its data
    #[arg(long, default_value = "demo-data")]
    folder: PathBuf,
    /// Start over with a new school
    #[arg(long)]
    fresh: bool,
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The phone and the gateways
    #[arg(long, default_value_t = 8081)]
    sandbox_port: u16,
}

pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let file = folder.join("jiaofei.db");
    if args.fresh {
        for file in ["jiaofei.db", "jiaofei.db-wal", "jiaofei.db-shm", "sandbox.json"] {
            match std::fs::remove_file(folder.join(file)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    let public_url = format!("http://127.0.0.1:{}", args.port);
    let sandbox_url = format!("http://127.0.0.1:{}", args.sandbox_port);
    let mut config = demo_config(&public_url, &sandbox_url, &format!("sqlite://{}", file.display()));
    config.webhook.push(demo_webhook(&sandbox_url));
    let mailbox = bind("127.0.0.1:0").await?;
    let (mail, sms) = demo_messages(&sandbox_url, mailbox.local_addr()?.port());
    (config.mail, config.sms) = (Some(mail), Some(sms));
    config.fiscal = Some(demo_fiscal(&sandbox_url));
    let app = Arc::new(App::open(config, Clock::system(), Chance::system(), HttpClient::new()?).await?);
    migrate::bring_up(&app.db, &app.chain, &app.clock).await?;
    demo_data::fill_if_empty(&app).await.context("the demo's school could not be set up")?;

    let listener = bind(&format!("127.0.0.1:{}", args.sandbox_port)).await?;
    let sandbox = sandbox();
    sandbox.set_public_url(&sandbox_url);
    sandbox.set_app_url(&public_url);
    let ledger = folder.join("sandbox.json");
    sandbox.remember(&ledger).with_context(|| ledger.display().to_string())?;
    tokio::spawn(Arc::clone(&sandbox).run_ledger(ledger));
    tokio::spawn(Arc::clone(&sandbox).run_notifier());
    tokio::spawn(Arc::clone(&sandbox).serve_mail(mailbox));
    let wall = Arc::clone(&sandbox);
    tokio::spawn(async move { sandbox.serve(listener).await });
    demo_menu(&app).await.context("the account's menu could not be set")?;
    tokio::spawn(demo_wall(Arc::clone(&app), wall));
    let key = folder.join("api-key");
    demo_key(&app, &key).await.with_context(|| key.display().to_string())?;
    welcome(&public_url, &sandbox_url, &folder.display().to_string());
    serve::listen(app).await
}

/// 缴费入口, in the phone's WeChat.
async fn demo_menu(app: &App) -> anyhow::Result<()> {
    let menu = Menu::read(super::menu::USUAL, &app.config.server.public_url);
    let menu = menu.map_err(|complaints| anyhow::anyhow!(complaints.join("\n")))?;
    Ok(menu::push(app, &menu).await?)
}

/// The posters of the school on the wall beside the phone. Drawing them takes a while; nobody waits for it.
async fn demo_wall(app: Arc<App>, sandbox: Arc<Sandbox>) {
    if let Err(error) = hang(&app, &sandbox).await {
        tracing::error!("no posters hang beside the phone: {error:#}");
    }
}

async fn hang(app: &App, sandbox: &Sandbox) -> anyhow::Result<()> {
    let now = app.clock.now();
    for (poster, _) in desk::list(app, None).await?.into_iter().rev() {
        if poster.state(now) == PosterState::Active {
            let png = print::poster(app, &poster, Size::A5, Kind::Png).await?;
            sandbox.hang(Hanging { title: poster.title.zh, png });
        }
    }
    Ok(())
}

/// A key that may do everything, kept in a file beside the data as long as it is good.
async fn demo_key(app: &App, file: &Path) -> anyhow::Result<()> {
    if let Ok(key) = std::fs::read_to_string(file)
        && matches!(api_keys::admit(app, key.trim()).await?, Admission::Admitted(_))
    {
        return Ok(());
    }
    api_keys::revoke(app, "demo").await?;
    Ok(std::fs::write(file, api_keys::issue(app, "demo", ApiScope::ALL).await?)?)
}

/// The gateways and the phone alone, for an application of your own at `app`.
pub async fn run_sandbox(listen: &str, app: &str) -> anyhow::Result<()> {
    let listener = bind(listen).await?;
    let sandbox = sandbox();
    sandbox.set_public_url(&format!("http://{}", listener.local_addr()?));
    sandbox.set_app_url(app);
    println!("模拟网关 · sandbox gateways and phone: http://{}/", listener.local_addr()?);
    tokio::spawn(Arc::clone(&sandbox).run_notifier());
    tokio::select! {
        served = sandbox.serve(listener) => Ok(served?),
        () = serve::told_to_stop() => Ok(()),
    }
}

async fn bind(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{address} cannot be listened on"))
}

fn sandbox() -> Arc<world::Sandbox> {
    let names = [(merchants::WECHAT_MCH_FISCAL, FISCAL), (merchants::WECHAT_MCH_AGENCY, AGENCY)];
    let alipay = [(merchants::ALIPAY_APP_FISCAL, FISCAL), (merchants::ALIPAY_APP_AGENCY, AGENCY)];
    let unionpay = [(merchants::UNIONPAY_MER_FISCAL, FISCAL), (merchants::UNIONPAY_MER_AGENCY, AGENCY)];
    let mut options = world::Options::default();
    for merchant in &mut options.merchants {
        // the payer must read the same name at the channel as on our page
        for (id, (name, _)) in names.iter().chain(&alipay).chain(&unionpay) {
            if merchant.id == *id {
                merchant.name = (*name).to_owned();
            }
        }
    }
    let sandbox = world::Sandbox::new(options, Clock::system(), Chance::system());
    sandbox.cas().people = demo_data::of_the_portal();
    sandbox
}

const FISCAL: (&str, &str) = ("启明大学财务处", "Qiming University Finance Office");
const AGENCY: (&str, &str) = ("启明大学后勤集团", "Qiming University Campus Services");

/// One merchant's accounts at all of the sandbox's channels.
fn accounts(
    sandbox_url: &str,
    mch_id: &str,
    (app, seller): (&str, &str),
    mer_id: &str,
) -> (Option<WechatAccount>, Option<AlipayAccount>, Option<UnionPayAccount>) {
    let wechat = WechatAccount {
        app_id: merchants::WECHAT_APP_ID.to_owned(),
        mch_id: mch_id.to_owned(),
        serial_no: keys::WECHAT_MERCHANT_SERIAL.to_owned(),
        private_key: keys::WECHAT_MERCHANT_KEY.into(),
        api_v3_key: keys::WECHAT_API_V3_KEY.into(),
        public_key_id: Some(keys::WECHAT_PUBLIC_KEY_ID.to_owned()),
        public_key: Some(keys::WECHAT_PUBLIC_KEY.into()),
        platform_certificates: vec![keys::WECHAT_PLATFORM_A_CERT.into()],
        api_base: sandbox_url.to_owned(),
        h5: true,
    };
    let alipay = AlipayAccount {
        app_id: app.to_owned(),
        private_key: keys::ALIPAY_APP_KEY.into(),
        alipay_public_key: Some(keys::ALIPAY_PUBLIC.into()),
        app_cert: None,
        alipay_cert: None,
        alipay_root_cert: None,
        seller_id: seller.to_owned(),
        gateway: format!("{sandbox_url}/gateway.do"),
        authorize_base: sandbox_url.to_owned(),
    };
    (Some(wechat), Some(alipay), Some(demo_unionpay(sandbox_url, mer_id)))
}

/// A merchant's account at the sandbox's UnionPay.
fn demo_unionpay(sandbox_url: &str, mer_id: &str) -> UnionPayAccount {
    UnionPayAccount {
        mer_id: mer_id.to_owned(),
        sign_key: keys::UNIONPAY_MERCHANT_KEY.into(),
        sign_cert: keys::UNIONPAY_MERCHANT_CERT.into(),
        root_cert: keys::UNIONPAY_ROOT_CERT.into(),
        middle_cert: keys::UNIONPAY_MIDDLE_CERT.into(),
        name: "中国银联股份有限公司".to_owned(),
        gateway: sandbox_url.to_owned(),
        cashier: sandbox_url.to_owned(),
    }
}

fn student_fees() -> Contact {
    Contact {
        name: "学生收费科".to_owned(),
        name_en: "Student fees".to_owned(),
        phone: "0931-555 0101".to_owned(),
        hours: "工作日 8:30–17:30".to_owned(),
        hours_en: "Mon–Fri 8:30–17:30".to_owned(),
    }
}

/// The demo's configuration: the sandbox's keys at the sandbox's address. `serve` refuses it.
pub fn demo_config(public_url: &str, sandbox_url: &str, database: &str) -> Config {
    let (_, listen) = public_url.split_once("://").unwrap_or(("", public_url));
    let payee = |code: &str, (name, name_en): (&str, &str), fund, (wechat, alipay, unionpay)| Payee {
        code: code.to_owned(),
        name: name.to_owned(),
        name_en: name_en.to_owned(),
        fund,
        method: MethodRules::default(),
        wechat,
        alipay,
        unionpay,
    };
    let fiscal = accounts(
        sandbox_url,
        merchants::WECHAT_MCH_FISCAL,
        (merchants::ALIPAY_APP_FISCAL, merchants::ALIPAY_SELLER_FISCAL),
        merchants::UNIONPAY_MER_FISCAL,
    );
    let agency = accounts(
        sandbox_url,
        merchants::WECHAT_MCH_AGENCY,
        (merchants::ALIPAY_APP_AGENCY, merchants::ALIPAY_SELLER_AGENCY),
        merchants::UNIONPAY_MER_AGENCY,
    );
    Config {
        server: Server {
            listen: listen.to_owned(),
            public_url: public_url.to_owned(),
            trusted_proxies: 0,
            operator_listen: None,
        },
        database: Database { url: database.to_owned(), max_connections: 8 },
        redis: None,
        school: School {
            name: "启明大学".to_owned(),
            name_en: "Qiming University".to_owned(),
            order_prefix: "XF".to_owned(),
            code: "QMU".to_owned(),
            initial_password: InitialPassword::IdLast6,
            first_sign_in: FirstSignIn::Open,
            sign_in_notice: true,
            phone: "0931-555 0100".to_owned(),
            office_hours: "工作日 8:30–17:30".to_owned(),
            office_hours_en: "Mon–Fri 8:30–17:30".to_owned(),
            contact: vec![student_fees()],
            portal: portal(),
            mark: None,
            modules: Modules::default(),
        },
        sign_in: SignIn { cas: Some(demo_cas(sandbox_url)) },
        secrets: Secrets {
            session_key: Key32::new(check::DEMO_SESSION_KEY).into(),
            field_key: Key32::new(check::DEMO_FIELD_KEY).into(),
            index_key: Key32::new(check::DEMO_INDEX_KEY).into(),
            journal_key: Key32::new(check::DEMO_JOURNAL_KEY),
            old_journal_keys: Vec::new(),
        },
        official_account: Some(demo_account(sandbox_url)),
        payee: vec![payee("fiscal", FISCAL, Fund::Fiscal, fiscal), payee("agency", AGENCY, Fund::Agency, agency)],
        checkout: Checkout::default(),
        webhook: Vec::new(),
        mail: None,
        sms: None,
        api: Api { calls_per_minute: 60_000 },
        fiscal: None,
        living: demo_living(sandbox_url),
    }
}

/// The sandbox's portal.
fn demo_cas(sandbox_url: &str) -> Cas {
    Cas {
        base_url: format!("{sandbox_url}{}", doors::BASE),
        name: "统一身份认证".to_owned(),
        name_en: "Campus sign-in".to_owned(),
        number_attribute: String::new(),
        protocol: CasProtocol::Three,
        answer_seconds: 5,
        sign_in_seconds: 600,
        password_url: String::new(),
    }
}

/// The sandbox's official account. Its secrets are known to everybody.
fn demo_account(sandbox_url: &str) -> OfficialAccount {
    OfficialAccount {
        app_id: merchants::WECHAT_APP_ID.to_owned(),
        app_secret: merchants::WECHAT_APP_SECRET.to_owned().into(),
        api_base: sandbox_url.to_owned(),
        authorize_base: sandbox_url.to_owned(),
        message: Some(MessageServer {
            token: keys::WECHAT_MESSAGE_TOKEN.into(),
            encoding_aes_key: Some(keys::WECHAT_MESSAGE_KEY.into()),
        }),
        templates: demo_templates(),
        due_soon_days: 3,
    }
}

/// The sandbox's templates.
fn demo_templates() -> BTreeMap<String, Template> {
    let template = |kind: NoteKind, id: &str, way, fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(field, fact)| ((*field).to_owned(), (*fact).to_owned())).collect();
        (kind.code().to_owned(), Template { id: id.to_owned(), way, fields })
    };
    let (order, money) = ([("character_string1", "order_no"), ("thing2", "item")], ("amount3", "amount"));
    let paid = [order[0], order[1], money, ("time4", "time"), ("phrase5", "=已支付")];
    let due = [("thing1", "item"), ("amount2", "amount"), ("date3", "due")];
    [
        template(NoteKind::Paid, notices::PAID, NoteWay::Template, &paid),
        template(NoteKind::Refunded, notices::REFUNDED, NoteWay::Template, &paid[..4]),
        template(NoteKind::DueSoon, notices::DUE_SOON, NoteWay::Subscription, &due),
        template(NoteKind::SignIn, notices::SIGN_IN, NoteWay::Template, &[("time1", "time")]),
    ]
    .into()
}

/// The sandbox's mail server and its gateway for text messages. Their key is known to everybody.
pub fn demo_messages(sandbox_url: &str, smtp_port: u16) -> (Mail, Sms) {
    let mail = Mail {
        host: "127.0.0.1".to_owned(),
        port: Some(smtp_port),
        security: MailSecurity::None,
        username: None,
        password: None,
        from: "pay@qiming.example".to_owned(),
    };
    let sms = Sms {
        url: format!("{sandbox_url}{}", gateway::PATH),
        method: SmsMethod::Post,
        headers: [("Authorization".to_owned(), gateway::KEY.into())].into(),
        body: r#"{"phone":"{phone}","text":"{text}"}"#.into(),
        success: Some("OK".to_owned()),
    };
    (mail, sms)
}

/// The sandbox's platform of fiscal e-receipts. Its key is known to everybody.
pub fn demo_fiscal(sandbox_url: &str) -> Fiscal {
    Fiscal {
        api_base: format!("{sandbox_url}{}", counter::BASE),
        region: voice::REGION.to_owned(),
        unit_code: voice::UNIT.to_owned(),
        app_id: voice::APP_ID.to_owned(),
        app_key: voice::APP_KEY.into(),
        place_code: voice::PLACE.to_owned(),
        bill_kind: voice::BILL_KIND.to_owned(),
        bill_title: "非税收入统一票据（电子）".to_owned(),
        unit_name: String::new(),
        handler: "支付平台".to_owned(),
    }
}

/// The sandbox's campus system, which is told everything. Its secret is known to everybody.
pub fn demo_webhook(sandbox_url: &str) -> Webhook {
    let secret = format!("whsec_{}", BASE64.encode(keys::CAMPUS_SECRET));
    Webhook {
        name: "campus".to_owned(),
        url: EndpointUrl::try_from(format!("{sandbox_url}{}", receiver::PATH)).expect("the sandbox is on loopback"),
        secrets: vec![WebhookSecret::try_from(secret).expect("32 bytes are long enough")],
        kinds: EventKind::ALL.to_vec(),
    }
}

/// What the sandbox's utility offers. Its secret is known to everybody.
fn demo_living(sandbox_url: &str) -> Vec<Living> {
    let secret = format!("whsec_{}", BASE64.encode(keys::UTILITY_SECRET));
    let service = |id: &str, name: (&str, &str), account: (&str, &str), (pattern, example): (&str, &str)| Living {
        id: id.to_owned(),
        name: name.0.to_owned(),
        name_en: name.1.to_owned(),
        account: account.0.to_owned(),
        account_en: account.1.to_owned(),
        pattern: Pattern::parse(pattern).expect("a row of classes"),
        example: example.to_owned(),
        min: 1_000,
        max: 50_000,
        step: 100,
        chips: vec![5_000, 10_000, 20_000],
        payee: "agency".to_owned(),
        unit: String::new(),
        unit_en: String::new(),
        url: EndpointUrl::try_from(format!("{sandbox_url}{}", till::PATH)).expect("the sandbox is on loopback"),
        secrets: vec![WebhookSecret::try_from(secret.clone()).expect("32 bytes are long enough")],
    };
    let electricity = ("宿舍电费", "Dormitory electricity");
    let card = ("校园卡充值", "Campus card");
    vec![
        service("electricity", electricity, ("房间号", "Room"), ("[1-9][0-9]{0,1}-[0-9]{3,4}", "3-412")),
        service("card", card, ("卡号", "Card number"), ("[0-9]{8}", "20230417")),
    ]
}

fn portal() -> Vec<Portal> {
    // the tiles of the portal the manual shows, but for paying, which is here
    let all = [
        ("在线申请", "Online Applicant", "apply"),
        ("宿舍预订", "Dormitory Reservations", "dorm"),
        ("接机服务", "Airport Pick Up", "pickup"),
        ("申请变更", "Application Change", "change"),
        ("成绩查询", "Query Results", "results"),
        ("考勤结果", "Attendance Results", "attendance"),
        ("离校手续", "Leaving Procedures", "leave"),
        ("校园地图", "School Map", "map"),
    ];
    let one = |(zh, en, path): (&str, &str, &str)| Portal {
        name: zh.to_owned(),
        name_en: en.to_owned(),
        url: format!("https://international.qiming.example/{path}"),
    };
    all.map(one).to_vec()
}

fn welcome(public_url: &str, sandbox_url: &str, folder: &str) {
    let [student, newcomer, staff] = demo_data::three_to_sign_in();
    let international = demo_data::international();
    println!(
        "\n  缴费演示 · jiaofei demo    启明大学 Qiming University（虚构 fictional）\n\n\
         \x20 缴费页面 pages   {public_url}/h5\n\
         \x20 接口 API         {public_url}/api   密钥 key: {folder}/api-key\n\
         \x20 模拟手机 phone   {sandbox_url}/   （微信、支付宝、云闪付、浏览器 · WeChat, Alipay, UnionPay, browser）\n\
         \x20 校园系统 campus  {sandbox_url}/campus   （付款后收到的事件 · events about payments）\n\
         \x20 电子票据 e-receipts {sandbox_url}/fiscal   （财政票据平台 · the fiscal authority's bills）\n\
         \x20 能源中心 utility  {sandbox_url}/utility   （电表与校园卡 · meters and cards）\n\
         \x20 短信邮件 messages {sandbox_url}/messages   （验证码、链接、提醒 · codes, links, notices）\n\
         \x20 统一身份认证 portal {sandbox_url}/cas/login   （登录页的按钮也通到这里 · the sign-in page has a button）\n\
         \x20 数据目录 data    {folder}\n\n\
         \x20 在校生 student   用户名 {}   密码 {}   {}\n\
         \x20 新生 newcomer    证件号 {}   姓名 {}\n\
         \x20 教职工 staff     用户名 {}   密码 {}   {}\n\
         \x20 留学生 international  E-mail {}   Password {}   {}\n\n\
         \x20 付款：在模拟手机里选一个 App 登录缴费；或在电脑上打开缴费页面，用模拟手机扫收银台的二维码。\n\
         \x20 To pay: choose an app on the phone page and sign in there; or open the pages on this computer and\n\
         \x20 scan the cashier's code with the phone page.\n\n\
         \x20 Ctrl-C 停止；再次启动数据还在，--fresh 重新开始。Ctrl-C stops; data stays; --fresh starts over.\n",
        student.username,
        student.password,
        student.name,
        newcomer.username,
        newcomer.name,
        staff.username,
        staff.password,
        staff.name,
        international.username,
        international.password,
        international.name,
    );
}
