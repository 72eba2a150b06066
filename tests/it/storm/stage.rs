//! Where a storm happens: two processes of the app over one database, the outside world beside them, a clock moved by
//! hand. Nothing goes over a network and nothing is left to the machine, so that one seed gives one history.
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use jiaofei::app::App;
use jiaofei::channel::contract::{About, Notice, RawNotice};
use jiaofei::cli::demo::{demo_config, demo_messages, demo_webhook};
use jiaofei::clock::{Chance, Clock};
use jiaofei::config::Config;
use jiaofei::domain::ids::{ChargeId, PayerId};
use jiaofei::domain::trade::{Channel, Heard};
use jiaofei::drill::Fault;
use jiaofei::outbound::{HttpClient, OutboundError, Reply, Wire};
use jiaofei::sandbox::outbox::{Courier, NoticeJob, Outgoing};
use jiaofei::sandbox::world::{Options, Sandbox};
use jiaofei::web::routes::routes;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderMap, Method, Uri};
use poem::{Endpoint, EndpointExt, Request, Response};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use super::history::History;
use crate::world::app::start_of_story;
use crate::world::database::TestDatabase;
use crate::world::school;

pub const STUDENTS: usize = 2;
/// Loopback, because some addresses may be that or https only; nothing of it is dialled.
const OUTSIDE: &str = "http://127.0.0.1:9";
const INSIDE: &str = "http://inside.example";

/// A student with a family of charges: tuition that may be split, dormitory, insurance (of another payee).
#[derive(Clone)]
pub struct Person {
    pub id: PayerId,
    pub number: String,
    pub charges: [ChargeId; 3],
}

/// One process of the app: its toolbox and its door.
pub struct Process {
    pub app: Arc<App>,
    door: BoxEndpoint<'static, Response>,
}

pub struct Stage {
    pub sandbox: Arc<Sandbox>,
    pub clock: Clock,
    pub people: Vec<Person>,
    pub history: History,
    /// Side by side on a server, one after the other in a history that can be repeated
    pub one_by_one: bool,
    processes: Mutex<Vec<Arc<Process>>>,
    /// Which process the next notices go to
    receiver: Mutex<usize>,
    /// Orders whose channel took money against its word
    broken_word: Mutex<BTreeSet<String>>,
    planted: Option<Fault>,
    config: Config,
    http: HttpClient,
    chance: Chance,
    _database: Place,
}

/// Goes with the stage.
enum Place {
    File { _folder: TempDir },
    Server { _database: TestDatabase },
}

impl Stage {
    pub async fn build(seed: u64, planted: Option<Fault>) -> Arc<Stage> {
        let clock = Clock::manual(start_of_story());
        let chance = Chance::seeded(seed ^ 0x5EED);
        let sandbox = Sandbox::new(Options::default(), clock.clone(), Chance::seeded(seed ^ 0xBA4C));
        sandbox.set_public_url(OUTSIDE);
        sandbox.set_app_url(INSIDE);
        let http = HttpClient::over(Arc::new(Straight(sandbox.routes().boxed())));
        let server = on_a_server();
        let (url, place) = match server {
            true => {
                let database = TestDatabase::fresh().await;
                (database.url.clone(), Place::Server { _database: database })
            }
            false => {
                let folder = folder();
                let file = folder.path().join("storm.db");
                std::fs::write(&file, &ground().file).unwrap();
                (sqlite(&file), Place::File { _folder: folder })
            }
        };
        let config = config(&url, if server { 8 } else { 2 });
        let mut stage = Stage {
            history: History::new(clock.clone()),
            one_by_one: !server,
            processes: Mutex::default(),
            receiver: Mutex::default(),
            broken_word: Mutex::default(),
            _database: place,
            people: Vec::new(),
            sandbox,
            clock,
            planted,
            config,
            http,
            chance,
        };
        let first = stage.process().await;
        stage.people = if server { settle_in(&first.app).await } else { ground().people.clone() };
        let second = stage.process().await;
        stage.processes.lock().unwrap().extend([Arc::new(first), Arc::new(second)]);
        let stage = Arc::new(stage);
        stage.sandbox.set_courier(Arc::new(Postman(Arc::downgrade(&stage))));
        stage
    }

    /// A new process: empty cache, new blocks of serials.
    async fn process(&self) -> Process {
        let app = App::open(self.config.clone(), self.clock.clone(), self.chance.clone(), self.http.clone());
        let app = Arc::new(app.await.unwrap());
        if self.one_by_one {
            app.drill.one_by_one();
        }
        app.drill.plant(self.planted);
        Process { door: routes(Arc::clone(&app)), app }
    }

    pub fn of(&self, process: usize) -> Arc<Process> {
        let processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&processes[process % processes.len()])
    }

    pub fn app(&self, process: usize) -> Arc<App> {
        Arc::clone(&self.of(process).app)
    }

    /// Notices go to this process from now on.
    pub fn receive_at(&self, process: usize) {
        *self.receiver.lock().unwrap() = process;
    }

    /// Ends a process and begins a new one in its place. Whoever lay in wait goes on lying.
    pub async fn restart(&self, process: usize) {
        let fresh = Arc::new(self.process().await);
        fresh.app.drill.lie_in_wait(self.app(process).drill.lies_in_wait());
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        let at = process % processes.len();
        processes[at] = fresh;
    }

    /// Takes back what was armed and did not strike; tells what did; replaces the dead.
    pub async fn clear_up(&self) {
        for process in 0..2 {
            let app = self.app(process);
            let dead = app.drill.disarm();
            for line in app.drill.told() {
                self.history.add(format!("      process {process} {line}"));
            }
            if dead {
                self.restart(process).await;
                self.history.add(format!("      process {process} is a new one"));
            }
        }
    }

    pub fn note_broken_word(&self, order: &str) {
        self.broken_word.lock().unwrap().insert(order.to_owned());
    }

    pub fn word_is_broken(&self, order: &str) -> bool {
        self.broken_word.lock().unwrap().contains(order)
    }

    /// What was armed in a process and has struck, for the error it caused.
    pub fn struck(failure: &str) -> bool {
        failure.contains("ended by a drill")
    }
}

/// Whether the storm blows on a database server, with acts side by side.
pub fn on_a_server() -> bool {
    std::env::var("JIAOFEI_TEST_DATABASE").is_ok()
}

/// Every place the flows have, in one order.
pub fn places() -> &'static BTreeSet<String> {
    static PLACES: OnceLock<BTreeSet<String>> = OnceLock::new();
    PLACES.get_or_init(|| {
        let mut places = BTreeSet::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/flow")];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).unwrap() {
                let path = file.unwrap().path();
                // fiscal e-receipts and living fees are not in storms: what happens to them has its own stories
                if path.ends_with("ereceipt") || path.ends_with("living") {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(path).unwrap();
                for call in ["drill.point(\"", "drill.gap(\""] {
                    places.extend(text.split(call).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
                }
            }
        }
        places
    })
}

fn config(url: &str, connections: u32) -> Config {
    let mut config = demo_config(INSIDE, OUTSIDE, url);
    config.database.max_connections = connections;
    config.webhook.push(demo_webhook(OUTSIDE));
    config.sms = Some(demo_messages(OUTSIDE, 9).1);
    config
}

fn sqlite(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

/// In memory, where the machine has such a folder.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A migrated database with the school and its students, made once and copied for every seed.
struct Ground {
    file: Vec<u8>,
    people: Vec<Person>,
}

fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| std::thread::spawn(lay_ground).join().unwrap())
}

fn lay_ground() -> Ground {
    let folder = folder();
    let file = folder.path().join("ground.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let people = runtime.block_on(async {
        let (clock, chance) = (Clock::manual(start_of_story()), Chance::seeded(0));
        let app = App::open(config(&sqlite(&file), 2), clock, chance, HttpClient::new().unwrap()).await.unwrap();
        let people = settle_in(&app).await;
        app.db.write().execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        people
    });
    Ground { file: std::fs::read(&file).unwrap(), people }
}

async fn settle_in(app: &App) -> Vec<Person> {
    app.db.migrate().await.unwrap();
    let school = school::found(app).await;
    let mut people = Vec::new();
    for at in 0..STUDENTS {
        let student = school.student(app, u32::try_from(at).unwrap(), "林知夏").await;
        people.push(Person {
            id: student.id,
            number: student.number,
            charges: [student.tuition, student.dormitory, student.insurance],
        });
    }
    people
}

/// Carries our requests straight into the outside world.
struct Straight(BoxEndpoint<'static, Response>);

impl std::fmt::Debug for Straight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Straight")
    }
}

/// The part of an address that a server sees.
fn target(url: &str) -> Uri {
    let url: Uri = url.parse().unwrap();
    url.path_and_query().unwrap().as_str().parse().unwrap()
}

#[async_trait]
impl Wire for Straight {
    async fn carry(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, OutboundError> {
        let mut request = Request::builder().method(method).uri(target(url)).body(body);
        *request.headers_mut() = headers;
        request.headers_mut().insert("host", "outside.example".parse().unwrap());
        request.headers_mut().insert("user-agent", "jiaofei".parse().unwrap());
        let answer = self.0.get_response(request).await;
        let (head, body) = answer.into_parts();
        let body = body.into_vec().await.map_err(|_| OutboundError::Broken)?;
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }
}

/// Brings notices to the door of whichever process is on duty.
struct Postman(Weak<Stage>);

#[async_trait]
impl Courier for Postman {
    async fn carry(&self, job: &NoticeJob, notice: Outgoing) -> Option<(u16, String)> {
        let stage = self.0.upgrade()?;
        let process = stage.of(*stage.receiver.lock().unwrap());
        if process.app.drill.is_dead() {
            return None;
        }
        let mut request = Request::builder().method(Method::POST).uri(target(&job.url));
        request = request.header("content-type", notice.content_type);
        for (name, value) in notice.headers {
            request = request.header(name, value);
        }
        let request = request.body(notice.body.clone());
        let (genuine, struck) = (process.believes(job, &request, notice.body), process.app.drill.struck());
        let answer = process.door.get_response(request).await;
        if process.app.drill.is_dead() {
            return None;
        }
        let status = answer.status().as_u16();
        let words = answer.into_body().into_string().await.ok()?;
        let kept = status == 200 && (job.key.channel == Channel::Wechat || words == "success");
        if genuine && !kept && process.app.drill.struck() == struck {
            stage.history.break_off(format!("an error of ours: a genuine notice of {} not kept", job.key.out_trade_no));
        }
        Some((status, words))
    }
}

impl Process {
    /// Whether a notice is rightly signed and about our own account.
    fn believes(&self, job: &NoticeJob, request: &Request, body: Vec<u8>) -> bool {
        let Some(account) = self.app.channels.find(job.url.rsplit('/').next().unwrap(), job.key.channel) else {
            return false;
        };
        let raw = RawNotice { headers: request.headers().clone(), body, received_at: self.app.clock.now() };
        let foreign = |notice: &Notice| matches!(notice.about, About::Payment { heard: Heard::Foreign { .. }, .. });
        account.verify(&raw).is_ok_and(|notice| !foreign(&notice))
    }
}

impl Stage {
    /// A payer's browser opens an address of the outside world.
    pub async fn visit(&self, url: &str, phone: &str) {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", format!("phone={phone}").parse().unwrap());
        let _ = self.http.send(Method::GET, url, headers, Vec::new()).await;
    }

    pub fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }
}
