//! The demo's school: fee items as the manuals have them, and payers that nobody is. ID numbers carry the region
//! 990000, which no authority has given out.
use std::time::Duration;

use super::demo_posters;
use crate::app::App;
use crate::clock::Chance;
use crate::config::InitialPassword;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::Cause;
use crate::domain::fee::{Collection, FeeItem, FeeKind, Window};
use crate::domain::id_number::{IdNumber, check_digit};
use crate::domain::ids::{FeeItemId, PayLinkId, PayerId, PeriodId, ProgrammeId};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::pay_for_me::{For, Lasting, PayLink};
use crate::domain::payer::{PayerKind, Phone};
use crate::domain::profile::Email;
use crate::domain::programme::Programme;
use crate::domain::study;
use crate::flow::{enrol, member, password};
use crate::sandbox::cas::book::Person;
use crate::store::bulk::{self, Told};
use crate::store::chain::{Chain, NewEntry};
use crate::store::enrolments::Details;
use crate::store::payers::NewPayer;
use crate::store::profiles::Profile;
use crate::store::studies::{self, Study};
use crate::store::{books, charges, enrolments, fees, members, pay_for_me, payers, profiles, programmes};
use sea_orm::ConnectionTrait;

/// Somebody to sign in as.
pub struct Face {
    pub username: String,
    pub password: String,
    pub name: String,
}

pub fn three_to_sign_in() -> [Face; 3] {
    named().map(|payer| {
        let id = payer.id_number.as_ref();
        let username = match payer.kind {
            PayerKind::Newcomer => id.map(|id| id.reveal().to_owned()).unwrap_or_default(),
            _ => payer.number.clone(),
        };
        let password = InitialPassword::IdLast6.of(&username, id).unwrap_or_default();
        Face { username, password, name: payer.name }
    })
}

/// Whom the university's portal knows.
pub fn of_the_portal() -> Vec<Person> {
    named().map(|payer| Person { number: payer.number, name: payer.name }).into()
}

/// Who signs in by e-mail, with one study bound.
pub fn international() -> Face {
    let text = str::to_owned;
    Face { username: text("jiwoo@mail.example"), password: text("Kaleidos7!"), name: text("PARK JIWOO") }
}

fn named() -> [NewPayer; 3] {
    let payer = |kind, number: &str, name: &str, name_en: &str, class: (&str, &str), id: &str| NewPayer {
        kind,
        number: number.to_owned(),
        name: name.to_owned(),
        name_en: name_en.to_owned(),
        college: class.0.to_owned(),
        class_name: class.1.to_owned(),
        id_number: id_number(id),
        phone: Phone::parse("17800005287"),
    };
    let software = ("计算机学院", "软件工程 2301 班");
    [
        payer(PayerKind::Student, "202301180417", "林知夏", "LIN ZHIXIA", software, "99000020050312042"),
        payer(PayerKind::Newcomer, "26990417", "周以宁", "ZHOU YINING", ("计算机学院", ""), "99000020080521031"),
        payer(PayerKind::Staff, "T20110063", "陈立群", "CHEN LIQUN", ("外国语学院", ""), "99000019791102001"),
    ]
}

fn id_number(first_17: &str) -> Option<IdNumber> {
    IdNumber::parse(&format!("{first_17}{}", check_digit(first_17)?)).ok()
}

/// Sets the school up in one transaction, unless it is there.
pub async fn fill_if_empty(app: &App) -> anyhow::Result<()> {
    if payers::find_by_number(app.db.read(), &named()[0].number).await?.is_some() {
        return Ok(());
    }
    let now = app.clock.now();
    let stored = password::store_form(app, &international().password).await;
    let tx = app.db.begin().await?;
    let school = School::found(&tx, now).await?;
    for payer in named().into_iter().chain(crowd()) {
        let id = payers::upsert(&tx, &app.sealer, &payer, now).await?;
        school.charge(&tx, &app.chain, &payer, id, now).await?;
        if payer.number == named()[0].number {
            let profile = Profile { email: Email::parse("zhixia@qiming.example"), ..Profile::default() };
            profiles::save(&tx, &app.sealer, id, &profile, now).await?;
            pay_link(app, &tx, id, now).await?;
        }
    }
    programmes(app, &tx, &school, now).await?;
    international_student(app, &tx, &school, &stored).await?;
    tx.commit().await?;
    demo_posters::make(app).await
}

/// A study as the admissions office writes it, and the account it is bound to. `stored` is the account's password as
/// it is kept.
async fn international_student(
    app: &App,
    tx: &impl ConnectionTrait,
    school: &School,
    stored: &str,
) -> anyhow::Result<()> {
    let (face, now, department) = (international(), app.clock.now(), "School of Computing, Software Engineering");
    let details = study::Details {
        passport: "M12345678".to_owned(),
        birth_date: "2005-03-12".to_owned(),
        nationality: "Republic of Korea/Korea/KOR/韩国".to_owned(),
        gender: "Female".to_owned(),
        apply_type: "Undergraduate Student".to_owned(),
        duration: "2023-09-01 – 2027-07-15".to_owned(),
        department: department.to_owned(),
    };
    let payer = NewPayer {
        kind: PayerKind::Student,
        number: "202301180422".to_owned(),
        name: "朴智宇".to_owned(),
        name_en: face.name.clone(),
        college: department.to_owned(),
        class_name: String::new(),
        id_number: IdNumber::parse(&details.passport).ok(),
        phone: None,
    };
    let id = payers::upsert(tx, &app.sealer, &payer, now).await?;
    school.charge(tx, &app.chain, &payer, id, now).await?;
    let study = Study { payer: id, application_no: "20230000422".to_owned(), details };
    studies::upsert(tx, &app.sealer, &study, now).await?;
    let email = Email::parse(&face.username).ok_or_else(|| anyhow::anyhow!("no address"))?;
    let opened = member::open(app, tx, &email, "I23000001", &face.name, stored).await?;
    let opened = opened.ok_or_else(|| anyhow::anyhow!("the account is there already"))?;
    members::bind(tx, opened, id, now).await?;
    Ok(())
}

/// A link by which others may pay the student's first charge that may be shared.
async fn pay_link(app: &App, tx: &impl ConnectionTrait, payer: PayerId, now: Moment) -> anyhow::Result<()> {
    let own = charges::find_of_payer(tx, payer).await?;
    let shared = own.iter().find(|charge| charge.item.min_split.is_some() && charge.balance.arrears().is_positive());
    let Some(charge) = shared else { return Ok(()) };
    let link = PayLink {
        id: PayLinkId(0),
        code: app.chance.token(22),
        payer_id: payer,
        of: For::Charge(charge.id),
        created_at: now,
        expires_at: now + Lasting::Week.time(),
        revoked_at: None,
    };
    pay_for_me::insert(tx, &link).await?;
    Ok(())
}

/// Two programmes to enrol for; of the second the only seat is taken.
async fn programmes(app: &App, tx: &impl ConnectionTrait, school: &School, now: Moment) -> anyhow::Result<()> {
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let members = [PayerKind::Student, PayerKind::Newcomer];
    let add = async |code: &str, (zh, en): (&str, &str), about: (&str, &str), (fee, capacity): (i64, i64), form| {
        let name = Bilingual::new(zh, en);
        // the course is for everybody
        let kinds = if code == "CALL" { Vec::new() } else { members.to_vec() };
        let item = FeeItem {
            id: FeeItemId(0),
            code: format!("BM-{code}"),
            name: name.clone(),
            kind: FeeKind::Enrolment,
            payee_code: "agency".to_owned(),
            collection: Collection::Collecting,
            window: Window::default(),
            min_split: None,
            fiscal_code: None,
        };
        let programme = Programme {
            id: ProgrammeId(0),
            code: code.to_owned(),
            department: match code {
                "CAMP" => Bilingual::new("团委", "Youth League Committee"),
                _ => Bilingual::new("教务处", "Academic Affairs Office"),
            },
            name,
            about: Bilingual::new(about.0, about.1),
            item: fees::upsert_item(tx, &item, now).await?,
            period: school.this_year,
            fee: Fen::new(fee),
            capacity,
            taken: 0,
            window: Window { opens_at: Some(now - days(3)), closes_at: Some(now + days(20)) },
            pay_within: days(2),
            kinds,
            fields: Vec::new(),
        };
        let id = programmes::upsert(tx, &programme, form, now).await?;
        anyhow::Ok(Programme { id, ..programme })
    };
    let test = ("9 月 26 日上午笔试。", "Written test on the morning of 26 September.");
    let camp = ("两天一夜，含食宿。", "Two days and a night, meals and bed included.");
    add("CET4", ("全国大学英语四级考试", "College English Test, Band 4"), test, (3_000, 120), "").await?;
    let course = ("周末授课，四周，凭证件入校。", "Four weekends; bring your document to enter the campus.");
    add("CALL", ("书法短期班（面向社会）", "Calligraphy course (open to all)"), course, (38_000, 30), "").await?;
    let form = "组别/Group*=初级/Beginner|高级/Advanced；饮食要求/Diet";
    let camp = add("CAMP", ("秋季登山营", "Autumn mountain camp"), camp, (20_000, 1), form).await?;
    let first = crowd().find(|payer| payer.kind == PayerKind::Student);
    let first = first.ok_or_else(|| anyhow::anyhow!("nobody to take the seat"))?;
    let first = payers::find_by_number(tx, &first.number).await?.ok_or_else(|| anyhow::anyhow!("nobody is there"))?;
    let details =
        Details { phone: "19900000000".to_owned(), answers: vec![("组别".to_owned(), "初级".to_owned())] };
    enrolments::insert(tx, &app.sealer, (camp.id, first.payer.id), &details, now).await?;
    enrol::fill(app, tx, &camp, now).await?;
    Ok(())
}

/// The fee items and periods, with the ids they were given.
struct School {
    this_year: PeriodId,
    last_year: PeriodId,
    tuition: FeeItemId,
    dormitory: FeeItemId,
    insurance: FeeItemId,
    books: FeeItemId,
    check_up: FeeItemId,
    conference: FeeItemId,
    uniform: FeeItemId,
    autumn_books: FeeItemId,
    due_day: i64,
}

impl School {
    async fn found(tx: &impl ConnectionTrait, now: Moment) -> anyhow::Result<School> {
        let year: i64 = Moment::from_millis((now - Duration::from_secs(200 * 86_400)).millis()).format("%Y").parse()?;
        let year_name = |year: i64| {
            Bilingual::new(format!("{year}–{}学年", year + 1), format!("Academic year {year}–{}", year + 1))
        };
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let open = Window { opens_at: Some(now - days(30)), closes_at: Some(now + days(60)) };
        let over = Window { opens_at: Some(now - days(60)), closes_at: Some(now - days(5)) };
        let soon = Window { opens_at: Some(now + days(14)), closes_at: Some(now + days(60)) };
        let always = Window::default();
        let item = async |code: &str, (zh, en): (&str, &str), kind, payee: &str, window, min_split: Option<i64>| {
            let item = FeeItem {
                id: FeeItemId(0),
                code: code.to_owned(),
                name: Bilingual::new(zh, en),
                kind,
                payee_code: payee.to_owned(),
                collection: if code == "14" { Collection::Suspended } else { Collection::Collecting },
                window,
                min_split: min_split.map(Fen::new),
                fiscal_code: (payee == "fiscal").then(|| format!("103042757{code}")),
            };
            fees::upsert_item(tx, &item, now).await
        };
        use FeeKind::{Other, Tuition};
        Ok(School {
            this_year: fees::upsert_period(tx, &year.to_string(), &year_name(year)).await?,
            last_year: fees::upsert_period(tx, &(year - 1).to_string(), &year_name(year - 1)).await?,
            tuition: item("11", ("学费", "Tuition"), Tuition, "fiscal", always, Some(50_000)).await?,
            dormitory: item("12", ("住宿费", "Accommodation"), Tuition, "fiscal", always, None).await?,
            insurance: item("13", ("医疗保险", "Medical insurance"), Tuition, "agency", always, None).await?,
            books: item("14", ("教材费", "Textbooks"), Tuition, "agency", always, None).await?,
            check_up: item("21", ("体检费", "Health check"), Other, "agency", open, None).await?,
            conference: item("22", ("会议费", "Conference fee"), Other, "agency", over, None).await?,
            uniform: item("23", ("军训服装费", "Training uniform"), Other, "agency", soon, None).await?,
            autumn_books: item("24", ("秋季教材费", "Autumn textbooks"), Other, "agency", open, Some(10_000)).await?,
            due_day: (now + days(30)).format("%Y%m%d").parse()?,
        })
    }

    /// What one payer owes: newcomers this year's bill; students also what is left of last year's, paid in part at the
    /// counter; staff a conference and a check-up.
    async fn charge(
        &self,
        tx: &impl ConnectionTrait,
        chain: &Chain,
        payer: &NewPayer,
        id: PayerId,
        now: Moment,
    ) -> anyhow::Result<()> {
        let mut bill: Vec<(FeeItemId, PeriodId, i64, i64, i64)> = Vec::new();
        if payer.kind == PayerKind::Staff {
            bill.push((self.conference, self.this_year, 80_000, 0, 0));
            bill.push((self.check_up, self.this_year, 6_500, 0, 0));
        } else {
            bill.push((self.tuition, self.this_year, 800_000, 0, 0));
            bill.push((self.dormitory, self.this_year, 110_000, 0, 0));
            bill.push((self.insurance, self.this_year, 25_000, 0, 0));
            bill.push((self.check_up, self.this_year, 6_500, 0, 0));
        }
        if payer.kind == PayerKind::Student {
            bill.push((self.autumn_books, self.this_year, 36_500, 0, 0));
        }
        if payer.kind == PayerKind::Newcomer {
            bill.push((self.uniform, self.this_year, 23_800, 0, 0));
        }
        if payer.kind == PayerKind::Student {
            let last: i64 = payer.number.bytes().next_back().map_or(0, |digit| i64::from(digit % 10));
            // the last digit tells how last year's tuition stands: owed in part, below the smallest part, or paid
            let paid = [800_000, 770_000, 800_000, 600_000, 800_000, 500_000, 800_000, 500_000, 800_000, 800_000];
            let waived = if last == 3 { 50_000 } else { 0 };
            bill.push((self.tuition, self.last_year, 800_000, waived, paid[usize::try_from(last)? % 10]));
            bill.push((self.dormitory, self.last_year, 110_000, 0, 110_000));
            bill.push((self.books, self.last_year, 41_860, 0, 0));
        }
        for (item, period, assessed, waived, paid) in bill {
            let mut book = books::open(tx, chain, (id, item, period), Some(self.due_day), now).await?;
            if item == self.autumn_books {
                let told = Told { due_day: Some(self.due_day), batch: "秋季教材".to_owned() };
                bulk::set_told(tx, book.charge, &told).await?;
            }
            let entries = [(Cause::Assessed, "demo", assessed), (Cause::Waived, "counter", waived)];
            for (cause, cause_no, amount) in entries.into_iter().chain([(Cause::Paid, "counter:demo", paid)]) {
                if amount > 0 {
                    let entry = NewEntry { cause, cause_no, amount: Fen::new(amount), at: now };
                    books::enter(tx, chain, &mut book, entry).await?;
                }
            }
        }
        Ok(())
    }
}

/// Three hundred more, the same in every demo.
fn crowd() -> impl Iterator<Item = NewPayer> {
    const SURNAMES: [&str; 20] = [
        "王",
        "李",
        "张",
        "刘",
        "陈",
        "杨",
        "赵",
        "黄",
        "周",
        "吴",
        "徐",
        "孙",
        "胡",
        "朱",
        "高",
        "欧阳",
        "司马",
        "买买提·",
        "郭",
        "何",
    ];
    const GIVEN: [&str; 20] = [
        "子涵", "雨桐", "浩然", "欣怡", "梓萱", "明远", "思远", "若溪", "嘉禾", "一诺", "景行", "清和", "知行", "书瑶",
        "星辰", "安", "艾力", "婧", "睿", "望舒",
    ];
    const COLLEGES: [(&str, &str); 5] = [
        ("计算机学院", "软件工程"),
        ("土木工程学院", "土木工程"),
        ("外国语学院", "英语"),
        ("经济管理学院", "会计学"),
        ("材料学院", "材料科学"),
    ];
    let chance = Chance::seeded(2026);
    (0..300_u64).map(move |at| {
        let pick = |list: &[&str]| list[usize::try_from(chance.below(list.len() as u64)).unwrap_or(0)].to_owned();
        let (college, subject) = COLLEGES[usize::try_from(at % 5).unwrap_or(0)];
        let (kind, number, class_name) = match at % 15 {
            0 => (PayerKind::Staff, format!("T2015{at:04}"), String::new()),
            1 | 2 => (PayerKind::Newcomer, format!("2699{at:04}"), String::new()),
            _ => (PayerKind::Student, format!("20240118{at:04}"), format!("{subject} 240{} 班", at % 4 + 1)),
        };
        let (month, day) = (1 + at % 12, 1 + at % 28);
        NewPayer {
            kind,
            number,
            name: format!("{}{}", pick(&SURNAMES), pick(&GIVEN)),
            name_en: String::new(),
            college: college.to_owned(),
            class_name,
            id_number: id_number(&format!("9900002006{month:02}{day:02}{at:03}")),
            phone: Phone::parse(&format!("1990000{at:04}")),
        }
    })
}
