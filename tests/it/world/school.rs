//! The manuals' school: two payees, their fee items, and payers who owe what the manuals show.
use jiaofei::app::App;
use jiaofei::domain::bilingual::Bilingual;
use jiaofei::domain::charge::Cause;
use jiaofei::domain::fee::{Collection, FeeItem, FeeKind, Window};
use jiaofei::domain::id_number::{IdNumber, check_digit};
use jiaofei::domain::ids::{ChargeId, FeeItemId, PayerId, PeriodId};
use jiaofei::domain::money::Fen;
use jiaofei::domain::payer::{PayerKind, Phone};
use jiaofei::store::chain::NewEntry;
use jiaofei::store::payers::NewPayer;
use jiaofei::store::{books, fees, payers};

/// Everybody's.
pub const PHONE: &str = "17800005287";

/// A resident ID number from its first 17 digits.
pub fn id_number(first_17: &str) -> IdNumber {
    IdNumber::parse(&format!("{first_17}{}", check_digit(first_17).unwrap())).unwrap()
}

pub struct Student {
    pub id: PayerId,
    pub number: String,
    pub name: String,
    pub id_number: IdNumber,
    /// 学费 8,000.00 (fiscal, splittable from 500.00), 住宿费 1,100.00 (fiscal), 医疗保险 250.00 (agency)
    pub tuition: ChargeId,
    pub dormitory: ChargeId,
    pub insurance: ChargeId,
}

pub struct School {
    pub period: PeriodId,
    pub tuition: FeeItemId,
    pub dormitory: FeeItemId,
    pub insurance: FeeItemId,
}

/// A fee item of the manuals' kind; `code` orders the list.
pub fn item(code: &str, name: (&str, &str), payee: &str, min_split: Option<i64>) -> FeeItem {
    FeeItem {
        id: FeeItemId(0),
        code: code.to_owned(),
        name: Bilingual::new(name.0, name.1),
        kind: FeeKind::Tuition,
        payee_code: payee.to_owned(),
        collection: Collection::Collecting,
        window: Window::default(),
        min_split: min_split.map(Fen::new),
        fiscal_code: (payee == "fiscal").then(|| format!("103042757{code}")),
    }
}

pub async fn found(app: &App) -> School {
    let (db, now) = (app.db.write(), app.clock.now());
    let upsert = async |item: FeeItem| fees::upsert_item(db, &item, now).await.unwrap();
    School {
        period: fees::upsert_period(db, "2019", &Bilingual::new("2019年度", "2019")).await.unwrap(),
        tuition: upsert(item("11", ("学费", "Tuition"), "fiscal", Some(50_000))).await,
        dormitory: upsert(item("12", ("住宿费", "Accommodation"), "fiscal", None)).await,
        insurance: upsert(item("13", ("医疗保险", "Medical insurance"), "agency", None)).await,
    }
}

/// A charge of one item in the school's period, assessed and nothing paid.
pub async fn charge(app: &App, payer: PayerId, item: FeeItemId, period: PeriodId, assessed: i64) -> ChargeId {
    let now = app.clock.now();
    let tx = app.db.begin().await.unwrap();
    let mut book = books::open(&tx, &app.chain, (payer, item, period), None, now).await.unwrap();
    let entry = NewEntry { cause: Cause::Assessed, cause_no: "test", amount: Fen::new(assessed), at: now };
    books::enter(&tx, &app.chain, &mut book, entry).await.unwrap();
    tx.commit().await.unwrap();
    book.charge
}

pub async fn payer(app: &App, kind: PayerKind, number: &str, name: &str, id: &IdNumber) -> PayerId {
    let payer = NewPayer {
        kind,
        number: number.to_owned(),
        name: name.to_owned(),
        name_en: String::new(),
        college: "计算机学院".to_owned(),
        class_name: "软件工程 2301 班".to_owned(),
        id_number: Some(id.clone()),
        phone: Phone::parse(PHONE),
    };
    payers::upsert(app.db.write(), &app.sealer, &payer, app.clock.now()).await.unwrap()
}

impl Student {
    /// The initial password: the last six of the ID number.
    pub fn password(&self) -> &str {
        self.id_number.tail(6)
    }
}

impl School {
    /// A student with the manuals' three charges; `at` (0–999) makes number and ID number differ.
    pub async fn student(&self, app: &App, at: u32, name: &str) -> Student {
        let number = format!("20190118{at:04}");
        let id_number = id_number(&format!("99000020010203{at:03}"));
        let id = payer(app, PayerKind::Student, &number, name, &id_number).await;
        Student {
            id,
            name: name.to_owned(),
            number,
            id_number,
            tuition: charge(app, id, self.tuition, self.period, 800_000).await,
            dormitory: charge(app, id, self.dormitory, self.period, 110_000).await,
            insurance: charge(app, id, self.insurance, self.period, 25_000).await,
        }
    }
}
