//! 已缴费 of every way, and 交易记录: what a payer's receipts, the counter and the channels tell, as far as the session
//! may see back. Everything is looked up inside its payer.
use std::collections::BTreeMap;

use super::failure::Result;
use super::records::{self, PAGE, Slip};
use crate::app::App;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::session::{Rights, Session};
use crate::store::dealings;
use crate::store::journal;

pub use crate::store::dealings::{Dealing, Taken};
use crate::store::payments::{self, AtCounter, Issued};

/// What of the payments is wanted.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Those with a tuition line (true), or with another line (false)
    pub tuition: Option<bool>,
    /// Made in `[from, until)`
    pub within: (Moment, Moment),
    /// A receipt's, an order's or a channel's number, in capitals; empty: any
    pub number: &'a str,
    /// From 1
    pub page: u32,
}

/// A payment as the list shows it.
pub enum Payment {
    Slip(Slip),
    AtCounter(AtCounter),
}

/// One page of the payments, and what all that were found come to.
pub struct Found {
    /// Newest first
    pub page: Vec<Payment>,
    pub total: u64,
    /// Newest first: year, how many payments, their sum
    pub years: Vec<(String, usize, Fen)>,
}

/// Before its lines are read.
enum Known {
    Issued(Issued),
    AtCounter(AtCounter),
}

impl Known {
    fn at(&self) -> Moment {
        match self {
            Known::Issued(receipt) => receipt.at(),
            Known::AtCounter(paid) => paid.at,
        }
    }

    fn amount(&self) -> Fen {
        match self {
            Known::Issued(receipt) => receipt.total(),
            Known::AtCounter(paid) => paid.amount,
        }
    }
}

/// The payments of every way. A session that may not see the past sees its own day's, and none of the counter's.
pub async fn of_payer(app: &App, session: &Session, wanted: Wanted<'_>) -> Result<Found> {
    let db = app.db.read();
    let (from, until) = (wanted.within.0.max(session.sees_since()), wanted.within.1);
    let issued = payments::issued(db, session.payer_id, wanted.tuition, (from, until), wanted.number).await?;
    let mut known: Vec<Known> = issued.into_iter().map(Known::Issued).collect();
    if session.rights != Rights::OwnArrears {
        let fits = |paid: &AtCounter| {
            let of_kind = wanted.tuition.is_none_or(|tuition| paid.is_tuition == tuition);
            let numbered = wanted.number.is_empty() || paid.slip.slip_no.to_uppercase() == wanted.number;
            of_kind && numbered && from <= paid.at && paid.at < until
        };
        let counter = payments::at_counter(db, session.payer_id).await?.into_iter().filter(fits);
        // the last one entered stands first among those of one day
        known.extend(counter.rev().map(Known::AtCounter));
        known.sort_by_key(|one| std::cmp::Reverse(one.at()));
    }
    let (total, years) = (known.len() as u64, years(&known));
    let skip = PAGE * (wanted.page.max(1) as usize - 1);
    let mut page = Vec::with_capacity(PAGE);
    for one in known.into_iter().skip(skip).take(PAGE) {
        match one {
            Known::AtCounter(paid) => page.push(Payment::AtCounter(paid)),
            Known::Issued(one) => {
                if let Some(receipt) = journal::find_receipt(db, session.payer_id, &one.receipt_no).await? {
                    page.extend(records::slip(app, receipt).await?.map(Payment::Slip));
                }
            }
        }
    }
    Ok(Found { page, total, years })
}

fn years(known: &[Known]) -> Vec<(String, usize, Fen)> {
    let mut years: BTreeMap<String, (usize, Fen)> = BTreeMap::new();
    for one in known {
        let (count, sum) = years.entry(one.at().format("%Y")).or_default();
        (*count, *sum) = (*count + 1, *sum + one.amount());
    }
    years.into_iter().rev().map(|(year, (count, sum))| (year, count, sum)).collect()
}

/// One page (from 1) of 交易记录, newest first, and how many there are. `paid` keeps those that took money, or those that
/// did not.
pub async fn dealings(
    app: &App,
    session: &Session,
    paid: Option<bool>,
    (from, until): (Moment, Moment),
    number: &str,
    page: u32,
) -> Result<(Vec<Dealing>, u64)> {
    let db = app.db.read();
    let within = (from.max(session.sees_since()), until);
    let wanted = dealings::Wanted { payer: session.payer_id, paid, within, number };
    let offset = u64::from(page.max(1) - 1) * PAGE as u64;
    let found = dealings::list(db, wanted, (offset, PAGE as u64)).await?;
    Ok((found, dealings::count(db, wanted).await?))
}
