//! 电子缴费凭证 as a drawing: A5, upright, longer where there are many lines. Both languages stand on it, so that it can be
//! handed to whoever asks for it.
use askama::Template;

use super::drawing::{Anchor, Ink, Run, both, names};
use super::paid::Slip;
use super::part::{channel_word, giver_text};
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::capital::{capitals, english};
use crate::web::code::Modules;
use crate::web::paper::{UNKNOWN, drawable, wrapped};
use crate::web::words::word;

/// Points; A5 is 420 × 595
pub const WIDTH: f32 = 420.0;
const HEIGHT: f32 = 595.0;
const LEFT: f32 = 28.0;
const RIGHT: f32 = WIDTH - LEFT;
/// What a value may take of a row
const ROOM: f32 = 244.0;
/// The side of the QR code
const CODE: f32 = 104.0;
/// What stands at the foot, with the QR code
const FOOT: f32 = CODE + 52.0;

/// What of a voucher is not on its slip's page.
pub struct Holder {
    pub name: Bilingual,
    /// In full: it is the payer's own paper. Masked for who signed in with document number and name.
    pub number: String,
    pub made_at: String,
}

#[derive(Template, Debug)]
#[template(path = "paper/voucher.svg")]
pub struct VoucherPaper {
    pub height: f32,
    pub runs: Vec<Run>,
    /// Where dashed lines go across
    pub rules: Vec<f32>,
    pub code: Option<Modules>,
}

impl VoucherPaper {
    pub fn of(slip: &Slip, holder: &Holder, code: Option<Modules>) -> VoucherPaper {
        let mut paper = VoucherPaper { height: HEIGHT, runs: Vec::new(), rules: Vec::new(), code };
        paper.head(&slip.frame.school);
        let y = paper.facts(slip, holder, 132.0);
        let y = paper.lines(slip, y);
        let y = paper.sums(slip, y);
        paper.height = HEIGHT.max(y + FOOT).ceil();
        paper.foot(slip, holder);
        paper
    }

    fn put(&mut self, place: (f32, f32, Anchor), look: (f32, Ink), text: &str) {
        self.runs.push(Run::new(place, look, text));
    }

    fn head(&mut self, school: &Bilingual) {
        let middle = |y| (WIDTH / 2.0, y, Anchor::Middle);
        self.put(middle(42.0), (14.0, Ink::Black), &school.zh);
        if school.en != school.zh {
            self.put(middle(56.0), (8.5, Ink::Grey), &school.en);
        }
        self.put(middle(86.0), (20.0, Ink::Black), word(Lang::Zh, "voucher.title"));
        self.put(middle(101.0), (9.5, Ink::Grey), word(Lang::En, "voucher.title"));
    }

    /// A label and its value, which may take several lines. Gives where the next row begins.
    fn row(&mut self, y: f32, label: &str, value: &str, (size, ink): (f32, Ink)) -> f32 {
        self.put((LEFT, y, Anchor::Start), (8.5, Ink::Grey), label);
        let lines = wrapped(&drawable(value), size, ROOM);
        for (at, line) in (0u8..).zip(&lines) {
            self.put((RIGHT, y + f32::from(at) * (size + 3.5), Anchor::End), (size, ink), line);
        }
        y + (lines.len() as f32 - 1.0) * (size + 3.5) + size + 8.5
    }

    fn facts(&mut self, slip: &Slip, holder: &Holder, mut y: f32) -> f32 {
        let channel = slip.channel.as_ref().map(|channel| both(channel_word(channel)));
        let order_no = slip.order_no.as_ref().map(ToString::to_string);
        let rows = [
            ("slip.no", Some(slip.receipt_no.clone())),
            ("slip.date", Some(slip.charged_at.beijing_text())),
            ("order.payer", Some(format!("{} {}", names(&holder.name), holder.number))),
            ("cashier.payee", Some(names(&slip.payee))),
            ("order.channel", channel),
            ("order.no", order_no),
            ("order.trade_no", slip.trade_no.clone()),
            ("giver.label", slip.giver.as_ref().map(|giver| giver_text(Lang::Zh, giver))),
        ];
        for (label, value) in rows {
            if let Some(value) = value {
                y = self.row(y, &both(label), &value, (10.0, Ink::Black));
            }
        }
        y
    }

    fn lines(&mut self, slip: &Slip, y: f32) -> f32 {
        self.rules.push(y - 6.0);
        let mut y = y + 12.0;
        for line in &slip.lines {
            let item = wrapped(&drawable(&names(&line.item)), 10.5, ROOM);
            self.put((RIGHT, y, Anchor::End), (10.5, Ink::Black), &line.amount.grouped());
            for part in &item {
                self.put((LEFT, y, Anchor::Start), (10.5, Ink::Black), part);
                y += 13.0;
            }
            self.put((LEFT, y - 1.0, Anchor::Start), (8.0, Ink::Grey), &names(&line.period));
            y += 17.0;
        }
        y
    }

    fn sums(&mut self, slip: &Slip, y: f32) -> f32 {
        self.rules.push(y - 8.0);
        let mut y = self.row(y + 14.0, &both("voucher.total"), &format!("¥{}", slip.total), (17.0, Ink::Black));
        for (lang, words) in [(Lang::Zh, capitals(slip.total)), (Lang::En, english(slip.total))] {
            y = self.row(y - 4.0, word(lang, "slip.capital"), &words, (10.5, Ink::Black));
        }
        for (label, amount) in [("verify.back", slip.refunded), ("verify.returning", slip.returning)] {
            if amount.is_positive() {
                y = self.row(y, &both(label), &format!("−{amount}"), (10.5, Ink::Red));
            }
        }
        if slip.is_void() {
            self.put((RIGHT, y, Anchor::End), (11.0, Ink::Red), &both("slip.void"));
            y += 18.0;
        }
        y
    }

    fn code_top(&self) -> f32 {
        self.height - CODE - 26.0
    }

    /// From modules to points.
    fn code_scale(&self, code: &Modules) -> f32 {
        CODE / code.side as f32
    }

    fn foot(&mut self, slip: &Slip, holder: &Holder) {
        let top = self.code_top();
        self.rules.push(top - 12.0);
        let x = LEFT + CODE + 14.0;
        let room = RIGHT - x;
        self.put((x, top + 14.0, Anchor::Start), (9.0, Ink::Grey), &both("slip.code"));
        self.put((x, top + 33.0, Anchor::Start), (16.0, Ink::Black), &slip.code);
        let mut y = top + 50.0;
        let type_it = word(Lang::Zh, "voucher.check").replace("{address}", &slip.check_at);
        let mut notes = vec![type_it, both("voucher.kind")];
        if self.runs.iter().any(|run| run.text.contains(UNKNOWN)) {
            notes.push(both("voucher.letters"));
        }
        for note in notes {
            for line in wrapped(&drawable(&note), 8.0, room) {
                self.put((x, y, Anchor::Start), (8.0, Ink::Grey), &line);
                y += 10.5;
            }
        }
        let made = format!("{} {}", both("voucher.made"), holder.made_at);
        self.put((WIDTH / 2.0, self.height - 10.0, Anchor::Middle), (7.5, Ink::Grey), &made);
    }
}
