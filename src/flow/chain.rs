//! 验链: follows every charge's chain and every tally from end to end. Reads only, a page of charges at a time, so a
//! million charges need no more memory than a thousand. And the job that tallies.
use std::collections::BTreeMap;

use super::failure::Result;
use crate::app::App;
use crate::domain::ids::ChargeId;
pub use crate::store::chain::{Disbelief, Torn};
pub use crate::store::tallies::Tally;
use crate::store::{books, tallies};

/// How many differences of one kind are told.
pub const TOLD: usize = 20;
/// Charges read at a time.
const PAGE: u32 = 1_000;

/// What following the chains found; clean when `torn`, `missing` and `unknown_keys` are all empty.
#[derive(Default)]
pub struct Findings {
    pub charges: u64,
    pub entries: u64,
    /// The first charges that are not what was written, and where each of them first is not
    pub torn: Vec<(ChargeId, Torn)>,
    pub torn_count: u64,
    /// The first tallies that do not fit, and why
    pub missing: Vec<(i64, Missing)>,
    pub missing_count: u64,
    /// Names of keys that are not configured, and how many charges and tallies were sealed with each
    pub unknown_keys: BTreeMap<String, u64>,
    pub last_tally: Option<Tally>,
}

/// What is wrong with a tally.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// Of what was entered between the tally before and this one; milliseconds since 1970
    Figure { what: &'static str, since: i64, until: i64, stands: i128, should_be: i128 },
    /// The tally is not what was sealed
    Seal(Disbelief),
}

impl Findings {
    pub fn is_clean(&self) -> bool {
        self.torn_count == 0 && self.missing_count == 0 && self.unknown_keys.is_empty()
    }

    fn tear(&mut self, charge: ChargeId, torn: Torn) {
        if let Torn::Entry { why: Disbelief::UnknownKey(name), .. } | Torn::Head { why: Disbelief::UnknownKey(name) } =
            &torn
        {
            *self.unknown_keys.entry(name.clone()).or_default() += 1;
        }
        self.torn_count += 1;
        if self.torn.len() < TOLD {
            self.torn.push((charge, torn));
        }
    }

    fn miss(&mut self, no: i64, missing: Missing) {
        if let Missing::Seal(Disbelief::UnknownKey(name)) = &missing {
            *self.unknown_keys.entry(name.clone()).or_default() += 1;
        }
        self.missing_count += 1;
        if self.missing.len() < TOLD {
            self.missing.push((no, missing));
        }
    }
}

/// Charges, entries and fen entered between two tallies. Wide enough for figures nobody should believe.
type Count = [i128; 3];

/// Follows every chain. What is entered meanwhile is seen or not, and fits either way.
pub async fn follow(app: &App) -> Result<Findings> {
    let db = app.db.read();
    let tallies = tallies::all(db).await?;
    let mut counts: Vec<Count> = vec![[0; 3]; tallies.len()];
    let mut findings = Findings::default();
    let mut after = ChargeId(i64::MIN);
    loop {
        let page = books::page(db, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = last.charge;
        for (book, entries) in &page {
            findings.charges += 1;
            findings.entries += entries.len() as u64;
            let mut count = |at: i64, more: Count| {
                if let Some(count) = counts.get_mut(tallies.partition_point(|tally| tally.entered_until < at)) {
                    *count = std::array::from_fn(|figure| count[figure] + more[figure]);
                }
            };
            count(book.owner.created_at.millis(), [1, 0, 0]);
            for entry in entries {
                count(entry.at, [0, 1, entry.amount_fen.into()]);
            }
            if let Some(torn) = book.check(&app.chain, entries) {
                findings.tear(book.charge, torn);
            }
        }
    }
    compare(app, &tallies, &counts, &mut findings);
    findings.last_tally = tallies.into_iter().next_back();
    Ok(findings)
}

fn compare(app: &App, tallies: &[Tally], counts: &[Count], findings: &mut Findings) {
    let figures = |tally: &Tally| [tally.charges, tally.entries, tally.sum_fen].map(i128::from);
    let mut before: Option<&Tally> = None;
    for (tally, stands) in tallies.iter().zip(counts) {
        if let Err(why) = tally.check(&app.chain, before) {
            findings.miss(tally.no, Missing::Seal(why));
        }
        let earlier = before.map_or([0; 3], figures);
        let names = ["charges", "entries", "fen"];
        for (at, what) in names.into_iter().enumerate() {
            let (stands, should_be) = (stands[at], figures(tally)[at] - earlier[at]);
            if stands != should_be {
                let (since, until) = (before.map_or(0, |tally| tally.entered_until), tally.entered_until);
                findings.miss(tally.no, Missing::Figure { what, since, until, stands, should_be });
            }
        }
        before = Some(tally);
    }
}

/// Tallies the journal when it is time. The line in the log is a witness outside the database.
pub async fn run_once(app: &App) -> Result<usize> {
    let Some(tally) = tallies::take_if_due(&app.db, &app.chain, app.clock.now()).await? else { return Ok(0) };
    let Tally { no, entered_until, charges, entries, sum_fen, mac } = &tally;
    tracing::info!(no, entered_until, charges, entries, sum_fen, mac, "tallied");
    Ok(1)
}
