//! What has arrived, and what goes wrong if told so.
use serde::Serialize;

use crate::domain::message::Way;
use crate::domain::moment::Moment;

/// How many messages are kept
const KEPT: usize = 500;

/// A message as its receiver reads it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Arrived {
    /// `mail` or `sms`
    pub way: &'static str,
    /// Number or address
    pub to: String,
    /// Of a mail
    pub subject: String,
    pub text: String,
    /// The sender's own number of a mail
    pub id: String,
    pub at: Moment,
}

#[derive(Default)]
pub struct Shelf {
    arrived: Vec<Arrived>,
    /// The status to answer instead of taking a message, and how often still
    refusals: Vec<(Way, u16, u32)>,
    /// How many messages were refused so far
    pub refused: usize,
}

impl Shelf {
    /// Everything, oldest first.
    pub fn all(&self) -> &[Arrived] {
        &self.arrived
    }

    /// What came to a number or an address, oldest first.
    pub fn of(&self, to: &str) -> Vec<Arrived> {
        self.arrived.iter().filter(|one| one.to == to).cloned().collect()
    }

    /// Refuses the next `times` messages: an HTTP status for text messages, an SMTP code for mail.
    pub fn refuse(&mut self, way: Way, status: u16, times: u32) {
        self.refusals.push((way, status, times));
    }

    /// Refuses nothing any more.
    pub(in crate::sandbox) fn mend(&mut self) {
        self.refusals.clear();
    }

    pub(super) fn refusal(&mut self, way: Way) -> Option<u16> {
        let (_, status, times) = self.refusals.iter_mut().find(|(of, _, times)| *of == way && *times > 0)?;
        *times -= 1;
        self.refused += 1;
        Some(*status)
    }

    pub(super) fn take(&mut self, message: Arrived) {
        if self.arrived.len() == KEPT {
            self.arrived.remove(0);
        }
        self.arrived.push(message);
    }
}
