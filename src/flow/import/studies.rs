//! 学业 of international students from a file, by application number. An applicant without a student number is a payer
//! under the application number; when the student number comes, the same payer goes on under it.
use super::batch::{self, SeenKeys};
use super::context::{Context, ImportError};
use super::report::Report;
use super::table::{Column, Row};
use super::why::Why;
use crate::domain::id_number::IdNumber;
use crate::domain::payer::PayerKind;
use crate::domain::study::Details;
use crate::store::payers::{self, NewPayer, number_key};
use crate::store::studies::{self, Study};

pub const COLUMNS: &[Column] = &[
    Column { names: &["申请号", "application_no"], required: true },
    Column { names: &["学号", "人员编号", "number"], required: false },
    Column { names: &["护照号", "passport_no"], required: true },
    Column { names: &["护照姓名", "passport_name"], required: true },
    Column { names: &["中文名", "name"], required: false },
    Column { names: &["性别", "gender"], required: false },
    Column { names: &["出生日期", "birth_date"], required: true },
    Column { names: &["国籍", "nationality"], required: true },
    Column { names: &["申请类型", "apply_type"], required: false },
    Column { names: &["学习期限", "duration"], required: false },
    Column { names: &["院系专业", "department_major"], required: false },
];

#[derive(Default)]
pub struct Importer {
    seen: SeenKeys,
}

type Refused = (&'static str, Why);

/// A row, read.
struct Said {
    line: u64,
    payer: NewPayer,
    application_no: String,
    has_number: bool,
    details: Details,
}

impl Importer {
    pub async fn take(&mut self, context: &Context<'_>, rows: &[Row], report: &mut Report) -> Result<(), ImportError> {
        for row in rows {
            let said = match read(row) {
                Ok(said) => said,
                Err((column, why)) => {
                    report.refuse(row.line, column, why);
                    continue;
                }
            };
            match self.seen.earlier(number_key(&said.application_no), row.line) {
                Some(first) => report.refuse(row.line, "申请号", Why::Repeats { line: first }),
                None => write(context, said, report).await?,
            }
        }
        Ok(())
    }
}

async fn write(context: &Context<'_>, said: Said, report: &mut Report) -> Result<(), ImportError> {
    let (tx, sealer, now) = (context.tx, &context.app.sealer, context.now);
    let known = studies::find(tx, sealer, &said.application_no).await?;
    let named = payers::find_by_number(tx, &said.payer.number).await?;
    let mut payer = said.payer;
    if let Some(known) = &known {
        let same = named.as_ref().is_some_and(|named| named.payer.id == known.payer);
        match (&named, said.has_number) {
            (Some(_), true) if !same => {
                report.refuse(said.line, "学号", Why::OtherPerson);
                return Ok(());
            }
            (None, true) => studies::renumber(tx, known.payer, &payer.number, now).await?,
            (_, true) => {}
            // a number that was given before stays
            (_, false) => {
                if let Some(account) = payers::find(tx, known.payer).await? {
                    (payer.number, payer.kind) = (account.payer.number, account.payer.kind);
                }
            }
        }
    }
    let id = payers::upsert(tx, sealer, &payer, now).await?;
    let study = Study { payer: id, application_no: said.application_no, details: said.details };
    match &known {
        None => report.added += 1,
        Some(known) if *known == study => report.unchanged += 1,
        Some(_) => report.changed += 1,
    }
    if studies::of_payer(tx, sealer, id).await?.is_some_and(|other| other.application_no != study.application_no) {
        report.refuse(said.line, "学号", Why::OtherPerson);
        return Ok(());
    }
    Ok(studies::upsert(tx, sealer, &study, now).await?)
}

fn read(row: &Row) -> Result<Said, Refused> {
    let cell = |at: usize| row.cells.get(at).map_or("", |text| text.trim());
    let text = |at: usize, longest: usize| match cell(at) {
        text if text.chars().count() > longest => Err((COLUMNS[at].names[0], Why::TooLong { most: longest })),
        text => Ok(text.to_owned()),
    };
    for at in [0, 2, 3, 6, 7] {
        if cell(at).is_empty() {
            return Err((COLUMNS[at].names[0], Why::Empty));
        }
    }
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    for at in [0, 1] {
        if !cell(at).chars().all(letters) {
            return Err((COLUMNS[at].names[0], Why::NumberLetters));
        }
    }
    let (application_no, number) = (text(0, 32)?, text(1, 32)?);
    let has_number = !number.is_empty();
    let passport_name = text(3, 96)?;
    let name = match text(4, 64)? {
        none if none.is_empty() => passport_name.clone(),
        name => name,
    };
    let passport = IdNumber::parse(cell(2)).map_err(|error| (COLUMNS[2].names[0], Why::from(error)))?;
    let department = text(10, 64)?;
    let birth_date = batch::day(cell(6)).ok_or((COLUMNS[6].names[0], Why::NoDay))?.to_string();
    let details = Details {
        passport: passport.reveal().to_owned(),
        birth_date,
        nationality: text(7, 96)?,
        gender: text(5, 16)?,
        apply_type: text(8, 64)?,
        duration: text(9, 64)?,
        department: department.clone(),
    };
    let payer = NewPayer {
        kind: if has_number { PayerKind::Student } else { PayerKind::Newcomer },
        number: if has_number { number } else { application_no.clone() },
        name,
        name_en: passport_name,
        college: department,
        class_name: String::new(),
        id_number: Some(passport),
        phone: None,
    };
    Ok(Said { line: row.line, payer, application_no, has_number, details })
}
