//! A row of the table: a form, the page it stands on, and what is typed into it; and the stage its proofs stand on.
use futures_util::future::BoxFuture;
use jiaofei::cli::demo::demo_fiscal;
use jiaofei::config::Config;
use sea_orm::ConnectionTrait;

use crate::messages::sending;
use crate::world::app::TestApp;
use crate::world::page::{Form, Page};
use crate::world::phone::{Device, Phone};
use crate::world::school::Student;

/// A good password of one's own
pub const GOOD: &str = "Kaleidos7!";
/// The mailbox of a member
pub const EMAIL: &str = "jiwoo@mail.example";

/// Who must be signed in to send the form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Nobody: there is no session that could end
    Nobody,
    /// A payer, by user name and password
    Payer,
    /// 留学生, by e-mail
    Member,
}

/// What a form does to the session of the browser that sends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Session {
    Stays,
    /// It begins or ends one, so the page it stood on is another session's afterwards
    Changes,
}

/// Why a form has no second device.
pub type Alone = Option<&'static str>;

pub struct Row {
    /// As the route map has it
    pub route: &'static str,
    pub who: Who,
    pub device: Device,
    pub session: Session,
    pub alone: Alone,
    /// An ended session changes nothing for it, and why
    pub free: Option<&'static str>,
    /// Where a stale page or an ended session leads instead of its own page, as the form that stands there, and why
    pub elsewhere: Option<(&'static str, &'static str)>,
    /// Tables that grow with each sending, and why that is right
    pub grows: &'static [(&'static str, &'static str)],
    pub config: fn(&mut Config),
    pub set: for<'a> fn(&'a Stage) -> BoxFuture<'a, Place>,
}

impl Row {
    pub fn new(route: &'static str, who: Who, set: for<'a> fn(&'a Stage) -> BoxFuture<'a, Place>) -> Row {
        Row {
            route,
            who,
            device: Device::Mobile,
            session: Session::Stays,
            alone: None,
            free: None,
            elsewhere: None,
            grows: &[],
            config: |_| {},
            set,
        }
    }
}

/// A field as it is typed.
#[derive(Clone, Debug)]
pub struct Typed {
    pub name: String,
    pub value: String,
    pub shown: Shown,
}

/// Whether a field holds what was typed when its page is drawn again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    Again,
    /// Passwords, codes, answers, numbers of documents and cards
    Never,
    /// It is a button
    Pressed,
}

/// Where a form stands.
#[derive(Clone, Debug)]
pub struct Place {
    pub page: String,
    pub action: String,
    pub typed: Vec<Typed>,
    /// A form that no address draws, as it was drawn
    pub drawn: Option<Form>,
}

impl Place {
    pub fn new(page: impl Into<String>, action: impl Into<String>) -> Place {
        Place { page: page.into(), action: action.into(), typed: Vec::new(), drawn: None }
    }

    /// Its action is the page itself.
    pub fn own(page: impl Into<String>) -> Place {
        let page = page.into();
        let action = page.split('?').next().unwrap().to_owned();
        Place::new(page, action)
    }

    fn with(mut self, name: impl Into<String>, value: impl Into<String>, shown: Shown) -> Place {
        self.typed.push(Typed { name: name.into(), value: value.into(), shown });
        self
    }

    pub fn typing(self, name: impl Into<String>, value: impl Into<String>) -> Place {
        self.with(name, value, Shown::Again)
    }

    pub fn secretly(self, name: impl Into<String>, value: impl Into<String>) -> Place {
        self.with(name, value, Shown::Never)
    }

    pub fn pressing(self, name: impl Into<String>, value: impl Into<String>) -> Place {
        self.with(name, value, Shown::Pressed)
    }

    pub fn drawn(self, form: Form) -> Place {
        Place { drawn: Some(form), ..self }
    }

    /// The form as somebody has filled it in.
    pub fn fill(&self, form: Form) -> Form {
        let mut form = form;
        for typed in &self.typed {
            form = form.without(&typed.name);
        }
        form.fields.extend(self.typed.iter().map(|typed| (typed.name.clone(), typed.value.clone())));
        form
    }

    pub async fn filled(&self, phone: &Phone) -> Form {
        match &self.drawn {
            Some(form) => self.fill(form.clone()),
            None => self.fill(phone.open(&self.page).await.form(&self.action)),
        }
    }
}

pub struct Stage {
    pub world: TestApp,
    pub student: Student,
    pub phone: Phone,
    who: Who,
    device: Device,
}

impl Stage {
    pub async fn new(row: &Row) -> Stage {
        let world = sending(|config| {
            let sandbox = config.official_account.as_ref().unwrap().api_base.clone();
            config.fiscal = Some(demo_fiscal(&sandbox));
            (row.config)(config);
        })
        .await;
        let student = world.school.student(&world.app, 1, "林知夏").await;
        let (who, device) = (row.who, row.device);
        let phone = browser(&world, device);
        // a member's account is opened by its own rows
        if who == Who::Payer {
            phone.sign_in(&student).await;
        }
        Stage { world, student, phone, who, device }
    }

    /// A browser of the same person, signed in as the row wants it.
    pub async fn another(&self) -> Phone {
        let phone = browser(&self.world, self.device);
        if self.who != Who::Nobody {
            let login = phone.get("/h5/login").await;
            self.enter_at(&phone, &login).await;
        }
        phone
    }

    /// Fills in the page of the sign-in, and goes where that leads.
    pub async fn enter_at(&self, phone: &Phone, login: &Page) -> Page {
        let (name, password) = match self.who {
            Who::Member => (EMAIL, GOOD),
            _ => (self.student.number.as_str(), self.student.password()),
        };
        let done = phone.submit(&login.form("/h5/login").set("username", name).set("password", password)).await;
        assert_eq!(done.status, 303, "{}", done.text());
        phone.settle(done).await
    }

    pub async fn run(&self, sql: &str) {
        self.world.app.db.write().execute_unprepared(sql).await.unwrap();
    }

    /// Nobody has used a session for three hours; nothing else has grown older.
    pub async fn end_sessions(&self) {
        self.run(&format!("UPDATE session SET seen_at = seen_at - {}", 3 * 3_600_000)).await;
    }

    /// How many rows each table has, and how many of them are over.
    pub async fn state(&self) -> Vec<(String, i64)> {
        let mut state = Vec::new();
        for what in tables().into_iter().chain(OVER.map(str::to_owned)) {
            let count = self.world.count(&format!("SELECT COUNT(*) FROM {what}")).await;
            state.push((what, count));
        }
        state
    }
}

/// What changes in rows that stay.
const OVER: [&str; 12] = [
    "session WHERE ended_at IS NOT NULL",
    "payment_order WHERE state = 'closed'",
    "attempt WHERE state <> 'live'",
    "enrolment WHERE state = 'cancelled'",
    "pay_link WHERE revoked_at IS NOT NULL",
    "study_binding WHERE ended_at IS NOT NULL",
    "mail_link WHERE ended_at IS NOT NULL",
    "reset_link WHERE ended_at IS NOT NULL",
    "payer WHERE password_hash IS NOT NULL",
    "profile WHERE card_sealed IS NOT NULL",
    "profile WHERE address_sealed IS NOT NULL",
    "profile WHERE email_sealed IS NOT NULL",
];

/// Every table the migrations make.
fn tables() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut tables = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let made = sql.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
        tables.extend(made.map(|rest| rest.split([' ', '(']).next().unwrap().to_owned()));
    }
    // renamed by the migration that made it
    tables.retain(|table| !table.ends_with("_next"));
    tables.sort();
    tables.dedup();
    assert!(tables.len() > 30, "{tables:?}");
    tables
}

/// What has changed between two states.
pub fn grown(before: &[(String, i64)], after: &[(String, i64)]) -> Vec<(String, i64)> {
    let pairs = before.iter().zip(after);
    pairs.filter(|(one, other)| one.1 != other.1).map(|(one, other)| (one.0.clone(), other.1 - one.1)).collect()
}

/// Says where its forms stand, as browsers do.
fn browser(world: &TestApp, device: Device) -> Phone {
    world.phone(device).with_header("origin", &world.url)
}
