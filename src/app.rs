//! The toolbox every act is given. It holds things and decides nothing.
use std::sync::Arc;

use aws_lc_rs::hmac;
use tokio::sync::{Mutex, broadcast};

use crate::cache::keep::Cache;
use crate::cache::memory::Twin;
use crate::cas::client::CasClient;
use crate::channel::alipay::account::Alipay;
use crate::channel::counted::Counted;
use crate::channel::directory::Directory;
use crate::channel::unionpay::account::UnionPay;
use crate::channel::wechat::account::Wechat;
use crate::clock::{Chance, Clock};
use crate::config::{Config, Key32};
use crate::domain::ids::OrderId;
use crate::domain::moment::Moment;
use crate::drill::Drill;
use crate::fiscal::contract::EReceiptPlatform;
use crate::fiscal::standard::Standard;
use crate::messenger::carrier::Carrier;
use crate::metrics::counters::Metrics;
use crate::official_account::api::AccountApi;
use crate::official_account::envelope::Envelope;
use crate::official_account::oauth::OauthClient;
use crate::outbound::HttpClient;
use crate::store::chain::Chain;
use crate::store::db::Db;
use crate::store::seal::Sealer;
use crate::store::serials::Serials;

pub struct App {
    pub config: Config,
    pub clock: Clock,
    pub chance: Chance,
    pub db: Db,
    pub sealer: Sealer,
    /// The first signs forms, each is believed
    pub form_keys: Vec<hmac::Key>,
    /// Seals what is entered to charges
    pub chain: Chain,
    pub serials: Serials,
    pub cache: Cache,
    /// Notices this process has booked or seen booked a moment ago, by their bytes
    pub echoes: Twin,
    pub channels: Directory,
    /// Issues fiscal e-receipts; none: the school has none issued
    pub fiscal: Option<Arc<dyn EReceiptPlatform>>,
    pub oauth: Option<OauthClient>,
    /// The university's portal; none: people sign in here only
    pub cas: Option<CasClient>,
    /// The official account's own interface; called through `flow/official/call.rs`
    pub account: Option<AccountApi>,
    /// Believes what the platform pushes; none: followers' messages are not heard
    pub envelope: Option<Envelope>,
    /// Calls campus systems; the channels have it inside
    pub http: HttpClient,
    /// Mail and text messages
    pub carrier: Carrier,
    /// Orders that changed in this process, for pages that wait; a hint only, the page asks the database.
    pub changed: broadcast::Sender<OrderId>,
    pub metrics: Metrics,
    /// What the last scrape has read from the database
    pub scraped: Mutex<Option<Moment>>,
    /// Nothing, except in a storm
    pub drill: Drill,
}

impl App {
    /// Opens the database, the cache and every account of the configuration. Keys are parsed and tried here, so a
    /// wrong one is found at start; Redis is not waited for. Does not migrate.
    pub async fn open(config: Config, clock: Clock, chance: Chance, http: HttpClient) -> anyhow::Result<App> {
        let metrics = Metrics::default();
        let mut channels = Directory::default();
        for payee in &config.payee {
            let at = |key: &dyn std::fmt::Display| anyhow::anyhow!("payee {}: {key}", payee.code);
            if let Some(account) = &payee.wechat {
                let account = Wechat::new(account, clock.clone(), chance.clone(), http.clone()).map_err(|e| at(&e))?;
                channels.add(&payee.code, Arc::new(Counted::new(account, metrics.clone())));
            }
            if let Some(account) = &payee.alipay {
                let account = Alipay::new(account, clock.clone(), http.clone()).map_err(|e| at(&e))?;
                channels.add(&payee.code, Arc::new(Counted::new(account, metrics.clone())));
            }
            if let Some(account) = &payee.unionpay {
                let account = UnionPay::new(account, clock.clone(), http.clone()).map_err(|e| at(&e))?;
                channels.add(&payee.code, Arc::new(Counted::new(account, metrics.clone())));
            }
        }
        let cache = match &config.redis {
            Some(redis) => Cache::redis(&redis.url, clock.clone())?,
            None => Cache::memory(clock.clone()),
        };
        Ok(App {
            db: Db::connect(&config.database).await?.counted(metrics.clone()),
            sealer: Sealer::new(&config.secrets, chance.clone()),
            form_keys: config.secrets.session_key.all().iter().map(form_key).collect(),
            chain: Chain::new(&config.secrets),
            serials: Serials::default(),
            oauth: config.official_account.as_ref().map(|account| OauthClient::new(account, http.clone())),
            cas: config.sign_in.cas.as_ref().map(|cas| CasClient::new(cas, http.clone())),
            account: config.official_account.as_ref().map(|account| AccountApi::new(account, http.clone())),
            envelope: config.official_account.as_ref().map(Envelope::new).transpose()?.flatten(),
            fiscal: config.fiscal.as_ref().map(|fiscal| -> Arc<dyn EReceiptPlatform> {
                Arc::new(Standard::new(fiscal, chance.clone(), http.clone()))
            }),
            carrier: Carrier::new(&config, http.clone())?,
            http,
            changed: broadcast::channel(1024).0,
            metrics,
            scraped: Mutex::default(),
            drill: Drill::default(),
            echoes: Twin::new(clock.clone()),
            cache,
            channels,
            config,
            clock,
            chance,
        })
    }
}

fn form_key(key: &Key32) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key.bytes())
}
