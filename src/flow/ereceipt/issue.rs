//! Has e-receipts issued, made void after a refund, and issued again for the rest.
//!
//! A try is claimed by compare-and-set for [`HELD`]; a process that dies in the middle leaves it to the next. What may
//! exist at the platform is asked about before it is asked for again, under the same serial number: an answer that was
//! lost costs a question and never a second bill. Names and the platform's words reach no log.
use std::time::Duration;

use sea_orm::ConnectionTrait;

use super::content::{self, lines_left};
use super::tell;
use crate::app::App;
use crate::domain::ereceipt::{
    Bill, Content, EReceipt, EReceiptState, PUSHES, REFUSALS, Step, WORRYING, pause_after, serial_no, step,
};
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::fiscal::contract::{EReceiptPlatform, IssueAsk, PlatformError, ReverseAsk};
use crate::flow::failure::Result;
use crate::flow::lane;
use crate::store::ereceipts::{self, Claim, Line};
use crate::store::{journal, office};

/// How long a claimed try belongs to its process; longer than its calls can take.
pub const HELD: Duration = Duration::from_secs(90);
/// How many are looked at in one run
const AT_ONCE: u64 = 40;
/// What the platform is told of a reversal
const REASON: &str = "退费";

/// The platform refuses it, or it cannot be asked for: the office must mend why.
pub const FAILED: &str = "ereceipt_failed";
/// The platform has not done it for a long time.
pub const STUCK: &str = "ereceipt_stuck";

/// Works on what is due. Gives how many tries were made.
pub async fn run_once(app: &App) -> Result<usize> {
    let Some(platform) = &app.fiscal else { return Ok(0) };
    let due = ereceipts::find_due(app.db.read(), app.clock.now(), AT_ONCE).await?;
    lane::all(app, due, async |row| try_once(app, platform.as_ref(), &row).await).await
}

/// How a try ended.
enum Outcome {
    To(EReceiptState),
    /// No news; again later
    Later(String),
    /// Nothing to do until somebody wakes it
    Rest,
    /// The claim was over before the platform was asked
    Lost,
}

/// One try under its claim.
struct Try<'a> {
    app: &'a App,
    platform: &'a dyn EReceiptPlatform,
    row: &'a EReceipt,
    claim: Claim,
}

/// False when another process has claimed it.
async fn try_once(app: &App, platform: &dyn EReceiptPlatform, row: &EReceipt) -> Result<bool> {
    let now = app.clock.now();
    let Some(claim) = ereceipts::claim(app.db.write(), row, now, now + HELD).await? else { return Ok(false) };
    app.drill.gap("ereceipt: claimed").await?;
    let (lines, left) = lines_left(app.db.read(), row.receipt_id).await?;
    let this = Try { app, platform, row, claim };
    let outcome = match step(&row.state, left) {
        Step::Find => this.find(&lines).await?,
        Step::Issue => this.issue(&lines).await?,
        Step::Push => this.push().await?,
        Step::Reverse => this.reverse().await?,
        Step::Drop => Outcome::To(EReceiptState::Dropped),
        Step::Rest => Outcome::Rest,
    };
    app.drill.gap("ereceipt: the platform has answered").await?;
    this.end(outcome).await?;
    Ok(true)
}

impl Try<'_> {
    fn tries(&self) -> i64 {
        self.row.tries + 1
    }

    /// What was asked for, in the platform's hands or not.
    async fn known(&self, content: &Content) -> std::result::Result<Option<Bill>, PlatformError> {
        self.platform.find(&IssueAsk { serial_no: &self.row.serial_no, content }).await
    }

    async fn find(&self, lines: &[Line]) -> Result<Outcome> {
        let Some(asked) = &self.row.content else { return self.issue(lines).await };
        match self.known(asked).await {
            Ok(Some(bill)) => Ok(Outcome::To(EReceiptState::Issued(bill))),
            Ok(None) if content::left(lines).is_positive() => self.issue(lines).await,
            Ok(None) => Ok(Outcome::To(EReceiptState::Dropped)),
            Err(error) => Ok(Outcome::Later(error.to_string())),
        }
    }

    async fn issue(&self, lines: &[Line]) -> Result<Outcome> {
        let content = match content::of(self.app.db.read(), self.row.receipt_id, lines).await? {
            Ok(content) => content,
            Err(why) => return Ok(Outcome::To(EReceiptState::Failed { why })),
        };
        if !ereceipts::note_asked(self.app.db.write(), self.claim, &content, self.app.clock.now()).await? {
            return Ok(Outcome::Lost);
        }
        self.app.drill.gap("ereceipt: noted that it is asked for").await?;
        let issued = self.platform.issue(&IssueAsk { serial_no: &self.row.serial_no, content: &content }).await;
        let before = self.row.content.as_ref().map_or(content.total(), Content::total);
        Ok(match issued {
            // an earlier call of ours may have come first, with another amount: the platform knows which one counts
            Ok(_) if before != content.total() => match self.known(&content).await {
                Ok(Some(bill)) => Outcome::To(EReceiptState::Issued(bill)),
                _ => Outcome::Later("issued, and not yet told for how much".to_owned()),
            },
            Ok(bill) => Outcome::To(EReceiptState::Issued(bill)),
            Err(PlatformError::Refused { code, text }) => match self.known(&content).await {
                // refused because it was issued before
                Ok(Some(bill)) => Outcome::To(EReceiptState::Issued(bill)),
                Ok(None) if self.tries() >= REFUSALS => {
                    Outcome::To(EReceiptState::Failed { why: format!("{code} {text}") })
                }
                _ => Outcome::Later(format!("refused: {code}")),
            },
            Err(error) => Outcome::Later(error.to_string()),
        })
    }

    async fn push(&self) -> Result<Outcome> {
        let EReceiptState::Issued(bill) = &self.row.state else { return Ok(Outcome::Rest) };
        Ok(match tell::tell(self.app, self.row, bill).await? {
            tell::Heard::Told(told) => Outcome::To(EReceiptState::Pushed(bill.clone(), told)),
            tell::Heard::Later(why) if self.tries() < PUSHES => Outcome::Later(why.to_owned()),
            // it can be seen in the list of what was paid in any case
            tell::Heard::Later(_) | tell::Heard::Nobody => Outcome::Rest,
        })
    }

    async fn reverse(&self) -> Result<Outcome> {
        let bill = match &self.row.state {
            EReceiptState::Reversing(bill) => bill,
            // written down before it is asked for
            other => {
                return Ok(other
                    .bill()
                    .map_or(Outcome::Rest, |bill| Outcome::To(EReceiptState::Reversing(bill.clone()))));
            }
        };
        let now = self.app.clock.now();
        let reversed = |red| Outcome::To(EReceiptState::Reversed { bill: bill.clone(), red, at: now });
        if self.row.tries > 0 {
            match self.platform.reversal_of(&bill.name).await {
                Ok(Some(reversal)) => return Ok(reversed(reversal.red)),
                Ok(None) => {}
                Err(error) => return Ok(Outcome::Later(error.to_string())),
            }
        }
        let ask = ReverseAsk { bill: &bill.name, reason: REASON, at: now };
        Ok(match self.platform.reverse(&ask).await {
            Ok(reversal) => reversed(reversal.red),
            Err(error @ PlatformError::Refused { .. }) => match self.platform.reversal_of(&bill.name).await {
                Ok(Some(reversal)) => reversed(reversal.red),
                _ => Outcome::Later(error.to_string()),
            },
            Err(error) => Outcome::Later(error.to_string()),
        })
    }

    /// Writes down how the try ended, unless its claim was over before.
    async fn end(&self, outcome: Outcome) -> Result<()> {
        let (app, row) = (self.app, self.row);
        let (serial_no, tries, now) = (row.serial_no.as_str(), self.tries(), app.clock.now());
        let tx = app.db.begin().await?;
        if !ereceipts::end_claim(&tx, self.claim).await? {
            return Ok(());
        }
        // from here on the row is ours alone: what goes back now wakes it after the commit
        let (_, left) = lines_left(&tx, row.receipt_id).await?;
        match outcome {
            Outcome::To(state) => {
                ereceipts::move_to(&tx, row.id, &state).await?;
                let more = !matches!(step(&state, left), Step::Rest);
                ereceipts::look_again(&tx, row.id, more.then_some(now)).await?;
                self.arrive(&tx, &state, left, now).await?;
                tracing::info!(serial_no, tries, state = state.word().code(), "e-receipt");
            }
            Outcome::Later(why) => {
                let pause = pause_after(tries, app.chance.below(u64::MAX));
                ereceipts::look_again(&tx, row.id, Some(now + pause)).await?;
                let worrying = if matches!(row.state, EReceiptState::Reversing(_)) { REFUSALS } else { WORRYING };
                if tries == worrying && !matches!(row.state, EReceiptState::Issued(_)) {
                    journal::raise_office_item(&tx, STUCK, serial_no, &why, now).await?;
                }
                tracing::warn!(serial_no, tries, why, "e-receipt: again later");
            }
            Outcome::Rest => {
                let more = matches!(step(&row.state, left), Step::Reverse | Step::Drop);
                ereceipts::look_again(&tx, row.id, more.then_some(now)).await?;
            }
            Outcome::Lost => {}
        }
        app.drill.point("ereceipt: written down")?;
        tx.commit().await?;
        Ok(())
    }

    /// What a state brings with it.
    async fn arrive(&self, tx: &impl ConnectionTrait, state: &EReceiptState, left: Fen, now: Moment) -> Result<()> {
        let (app, row) = (self.app, self.row);
        let serial = row.serial_no.as_str();
        match state {
            EReceiptState::Failed { why } => {
                journal::raise_office_item(tx, FAILED, serial, why, now).await?;
            }
            EReceiptState::Issued(_) | EReceiptState::Dropped | EReceiptState::Reversed { .. } => {
                office::resolve_about(tx, FAILED, serial, now).await?;
                office::resolve_about(tx, STUCK, serial, now).await?;
            }
            EReceiptState::Wanted { .. } | EReceiptState::Pushed(..) | EReceiptState::Reversing(_) => {}
        }
        if matches!(state, EReceiptState::Reversed { .. }) && left.is_positive() {
            let receipt = journal::find_receipt_by_id(tx, row.receipt_id).await?;
            let receipt = receipt.ok_or_else(|| sea_orm::DbErr::RecordNotFound(format!("receipt of {serial}")))?;
            let (part, school) = (row.part + 1, &app.config.school.code);
            let next = serial_no(school, &receipt.receipt_no, part);
            ereceipts::insert(tx, row.receipt_id, part, &next, now).await?;
        }
        Ok(())
    }
}
