//! The bills the platform has issued, and what goes wrong if told so.
use serde::{Deserialize, Serialize};

use crate::domain::moment::Moment;
use crate::domain::money::Fen;

/// Of the first bill; the next ones follow
const FIRST: u64 = 11_657_007;
const FIRST_RED: u64 = 90_000_001;

/// What goes wrong at the platform.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// 503 at the door
    Down,
    /// Nothing is done, and nothing is answered
    Hang,
    /// It is done, and the answer is lost
    LoseAnswer,
    /// It is done, and the answer is signed with somebody else's key
    Forge,
    /// Nothing is done: a field does not please
    Refuse { code: String, text: String },
}

/// A mishap with its limits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trouble {
    pub mishap: Mishap,
    /// None: whatever is asked
    #[serde(default)]
    pub service: Option<String>,
    /// How often still; none: until told otherwise
    #[serde(default)]
    pub times: Option<u32>,
}

/// One row of a bill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Charged {
    pub code: String,
    pub name: String,
    pub amount_fen: Fen,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Red {
    pub number: String,
    pub check: String,
    pub at: Moment,
    pub reason: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Issued {
    /// 业务流水号
    pub serial_no: String,
    pub code: String,
    pub number: String,
    pub check: String,
    pub payer: String,
    pub remark: String,
    pub charges: Vec<Charged>,
    pub total_fen: Fen,
    /// As it was told, `yyyyMMddHHmmssSSS`
    pub business_time: String,
    pub at: Moment,
    pub red: Option<Red>,
}

/// What is asked for.
pub struct Wanted {
    pub serial_no: String,
    pub payer: String,
    pub remark: String,
    pub charges: Vec<Charged>,
    pub business_time: String,
}

#[derive(Default)]
pub struct Ledger {
    bills: Vec<Issued>,
    trouble: Option<Trouble>,
    /// Services by name, as they were called
    calls: Vec<String>,
}

impl Ledger {
    /// Every bill, first one first.
    pub fn bills(&self) -> &[Issued] {
        &self.bills
    }

    /// Those of a serial number, of which there is one at most.
    pub fn of(&self, serial_no: &str) -> Vec<Issued> {
        self.bills.iter().filter(|bill| bill.serial_no == serial_no).cloned().collect()
    }

    pub fn bill(&self, code: &str, number: &str) -> Option<&Issued> {
        self.bills.iter().find(|bill| bill.code == code && bill.number == number)
    }

    /// How often a service was asked.
    pub fn called(&self, service: &str) -> usize {
        self.calls.iter().filter(|call| *call == service).count()
    }

    /// From now on this goes wrong; none: all is well.
    pub fn set_trouble(&mut self, trouble: Option<Trouble>) {
        self.trouble = trouble;
    }

    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// What goes wrong with this call.
    pub(super) fn strikes(&mut self, service: &str) -> Option<Mishap> {
        self.calls.push(service.to_owned());
        let trouble = self.trouble.as_mut()?;
        if trouble.service.as_ref().is_some_and(|only| only != service) {
            return None;
        }
        match &mut trouble.times {
            None => {}
            Some(0) => {
                self.trouble = None;
                return None;
            }
            Some(times) => *times -= 1,
        }
        Some(trouble.mishap.clone())
    }

    /// None: the serial number has its bill.
    pub(super) fn issue(&mut self, wanted: Wanted, check: String, at: Moment) -> Option<Issued> {
        if self.bills.iter().any(|bill| bill.serial_no == wanted.serial_no) {
            return None;
        }
        let bill = Issued {
            serial_no: wanted.serial_no,
            code: format!("620101{}", at.format("%y")),
            number: format!("{:010}", FIRST + self.bills.len() as u64),
            check,
            payer: wanted.payer,
            remark: wanted.remark,
            total_fen: wanted.charges.iter().map(|charge| charge.amount_fen).sum(),
            charges: wanted.charges,
            business_time: wanted.business_time,
            at,
            red: None,
        };
        self.bills.push(bill.clone());
        Some(bill)
    }

    /// None: there is no such bill, or it is void already.
    pub(super) fn reverse(&mut self, (code, number): (&str, &str), red: (String, String), at: Moment) -> Option<Red> {
        let reds = self.bills.iter().filter(|bill| bill.red.is_some()).count() as u64;
        let bill = self.bills.iter_mut().find(|bill| bill.code == code && bill.number == number)?;
        if bill.red.is_some() {
            return None;
        }
        let (check, reason) = red;
        let red = Red { number: format!("{:010}", FIRST_RED + reds), check, at, reason };
        bill.red = Some(red.clone());
        Some(red)
    }
}
