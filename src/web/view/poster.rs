//! 海报 as a drawing: title, code, three steps, how to tell a genuine one. Upright A4; A3 and A5 are the same, larger and
//! smaller. Both languages stand on it, one of them first.
use askama::Template;

use super::drawing::{Anchor, Ink, Run};
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::moment::Moment;
use crate::domain::poster::PosterKind;
use crate::web::code::{DRAWN, MARK_PERCENT, Modules, Patch, QUIET};
use crate::web::paper::{Weight, drawable, width, wrapped_in};
use crate::web::words::{fill, word};

/// Points of A4
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;
const MIDDLE: f32 = WIDTH / 2.0;
const LEFT: f32 = 48.0;
const RIGHT: f32 = WIDTH - LEFT;
/// What a line of the title may take
const TITLE_ROOM: f32 = 484.0;
/// The white card with the code
const CARD: f32 = 322.0;
pub(super) const CARD_TOP: f32 = 236.0;
const CARD_HEIGHT: f32 = 354.0;
/// The code with its quiet zone
pub(super) const CODE: f32 = 306.0;
const STEPS_TOP: f32 = 634.0;
const WARNING_TOP: f32 = 717.0;

/// How large a poster is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    A3,
    A4,
    A5,
}

impl Size {
    pub const ALL: &[Size] = &[Size::A3, Size::A4, Size::A5];

    pub const fn code(self) -> &'static str {
        match self {
            Size::A3 => "a3",
            Size::A4 => "a4",
            Size::A5 => "a5",
        }
    }

    pub fn parse(code: &str) -> Option<Size> {
        Size::ALL.iter().copied().find(|size| size.code().eq_ignore_ascii_case(code))
    }

    /// In points (ISO 216; 72 to the inch)
    pub const fn points(self) -> (f32, f32) {
        match self {
            Size::A3 => (841.89, 1190.55),
            Size::A4 => (WIDTH, HEIGHT),
            Size::A5 => (419.53, 595.28),
        }
    }
}

/// What stands on a poster.
pub struct Poster<'a> {
    pub kind: PosterKind,
    pub lang: Lang,
    pub school: &'a Bilingual,
    pub title: &'a Bilingual,
    /// Who receives the money; none: not known before somebody chooses
    pub payee: Option<&'a Bilingual>,
    pub poster_no: &'a str,
    /// 验真码, as people read it
    pub check: &'a str,
    /// Where it is checked
    pub check_at: &'a str,
    /// The host of every genuine address
    pub host: &'a str,
    pub ends: Option<Moment>,
    /// Telephone of the finance office; empty: none
    pub phone: &'a str,
    pub code: Modules,
    /// The school's own mark; none: the platform's neutral one
    pub mark: Option<Vec<Patch>>,
}

#[derive(Template, Debug)]
#[template(path = "paper/poster.svg")]
pub struct PosterPaper {
    size: (f32, f32),
    pub(super) runs: Vec<Run>,
    code: Modules,
    pub(super) mark: Option<Vec<Patch>>,
    /// Where the middles of the steps' numbers are
    steps: [f32; 3],
    /// The pill that names the payee: where it begins and how wide it is
    pill: Option<(f32, f32)>,
    pill_top: f32,
    /// First letter of the school, where it has no mark
    initial: String,
}

impl PosterPaper {
    pub fn of(poster: &Poster<'_>, size: Size) -> PosterPaper {
        let third = (RIGHT - LEFT) / 3.0;
        let mut paper = PosterPaper {
            size: size.points(),
            runs: Vec::new(),
            code: poster.code.clone(),
            mark: poster.mark.clone(),
            steps: [0.5, 1.5, 2.5].map(|at| LEFT + third * at),
            pill: None,
            pill_top: 0.0,
            initial: poster.school.zh.chars().next().map(|first| drawable(&first.to_string())).unwrap_or_default(),
        };
        paper.head(poster);
        paper.title(poster);
        paper.under_code(poster);
        paper.steps(poster);
        paper.warning(poster);
        paper.foot(poster);
        paper
    }

    fn put(&mut self, run: Run) {
        self.runs.push(run);
    }

    fn middle(&mut self, y: f32, look: (f32, Ink), text: &str) {
        self.put(Run::new((MIDDLE, y, Anchor::Middle), look, text));
    }

    fn head(&mut self, poster: &Poster<'_>) {
        let (first, second) = in_order(poster.lang, poster.school);
        let x = LEFT + 52.0;
        let y = if second.is_empty() { 67.0 } else { 59.0 };
        self.put(Run::new((x, y, Anchor::Start), (16.0, Ink::White), first).bold());
        self.put(Run::new((x, 75.0, Anchor::Start), (9.0, Ink::Pale), second));
        let (first, second) = words(poster.lang, "poster.official");
        self.put(Run::new((RIGHT, 59.0, Anchor::End), (11.0, Ink::White), first).bold());
        self.put(Run::new((RIGHT, 75.0, Anchor::End), (8.0, Ink::Pale), second));
    }

    /// As large as it fits on one line, else on two.
    fn title(&mut self, poster: &Poster<'_>) {
        let (first, second) = in_order(poster.lang, poster.title);
        let first = drawable(first);
        let fits = |size: &f32| width(&first, (*size, Weight::Bold)) <= TITLE_ROOM;
        let one_line = [46.0, 42.0, 38.0, 34.0, 31.0].into_iter().find(fits);
        let (size, lines) = match one_line {
            Some(size) => (size, vec![first.clone()]),
            None => {
                let sizes = [34.0, 30.0, 26.0, 22.0];
                let broken = |size: f32| (size, wrapped_in(&first, (size, Weight::Bold), TITLE_ROOM));
                let found = sizes.into_iter().map(broken).find(|(_, lines)| lines.len() <= 2);
                let (size, lines) = found.unwrap_or_else(|| broken(20.0));
                (size, balanced(&lines, size))
            }
        };
        let pill = poster.payee.is_some();
        let has_second = !second.is_empty();
        let leading = size * 1.22;
        let height = size * 0.86
            + leading * (lines.len() as f32 - 1.0)
            + if has_second { 24.0 } else { 0.0 }
            + if pill { 36.0 } else { 0.0 };
        // between the head and the card
        let mut y = 96.0 + ((CARD_TOP - 14.0 - 96.0) - height) / 2.0 + size * 0.86;
        for (at, line) in lines.iter().enumerate() {
            let run = Run::new((MIDDLE, y + leading * at as f32, Anchor::Middle), (size, Ink::White), line);
            self.put(run.bold());
        }
        y += leading * (lines.len() as f32 - 1.0);
        if has_second {
            let second = drawable(second);
            let small = [15.0, 13.0, 11.0, 9.0];
            let fits = |size: &f32| width(&second, (*size, Weight::Regular)) <= TITLE_ROOM;
            y += 24.0;
            self.middle(y, (small.into_iter().find(fits).unwrap_or(8.0), Ink::Pale), &second);
        }
        if let Some(payee) = poster.payee {
            self.payee(poster.lang, payee, y + 14.0);
        }
    }

    fn payee(&mut self, lang: Lang, payee: &Bilingual, top: f32) {
        let (label, label_more) = words(lang, "cashier.payee");
        let (name, name_more) = in_order(lang, payee);
        let plain = |size| (size, Weight::Regular);
        let text = drawable(&format!("{label} {label_more}"));
        let name = drawable(name);
        let more = drawable(name_more);
        let (a, b) = (width(&text, plain(8.5)), width(&name, (11.0, Weight::Bold)));
        let c = if more.is_empty() { 0.0 } else { width(&more, plain(8.5)) + 7.0 };
        let all = (a + 8.0 + b + c + 30.0).min(WIDTH - 2.0 * 24.0);
        let left = MIDDLE - all / 2.0;
        self.pill = Some((left, all));
        self.pill_top = top;
        let (x, y) = (left + 15.0, top + 16.2);
        self.put(Run::new((x, y, Anchor::Start), (8.5, Ink::Pale), &text));
        self.put(Run::new((x + a + 8.0, y, Anchor::Start), (11.0, Ink::White), &name).bold());
        self.put(Run::new((x + a + b + 15.0, y, Anchor::Start), (8.5, Ink::Pale), &more));
    }

    fn under_code(&mut self, poster: &Poster<'_>) {
        let (first, second) = words(poster.lang, "poster.scan");
        let y = CARD_TOP + CODE + 16.0;
        let first = Run::new((MIDDLE, y, Anchor::Middle), (16.0, Ink::Black), first);
        self.put(first.bold());
        self.middle(y + 17.0, (9.5, Ink::Grey), second);
    }

    fn steps(&mut self, poster: &Poster<'_>) {
        let room = (RIGHT - LEFT) / 3.0 - 12.0;
        for (at, (name, more)) in steps(poster.kind).into_iter().enumerate() {
            let x = self.steps[at];
            let number = Run::new((x, STEPS_TOP + 4.8, Anchor::Middle), (13.5, Ink::White), &(at + 1).to_string());
            self.put(number.bold());
            let [first, _] = in_langs(poster.lang);
            let name = Run::new((x, STEPS_TOP + 33.0, Anchor::Middle), (13.5, Ink::Black), word(first, name));
            self.put(name.bold());
            let (first, second) = words(poster.lang, more);
            let mut y = STEPS_TOP + 48.0;
            for (size, ink, text) in [(9.2, Ink::Black, first), (7.8, Ink::Grey, second)] {
                for line in wrapped_in(&drawable(text), (size, Weight::Regular), room).iter().take(2) {
                    self.put(Run::new((x, y, Anchor::Middle), (size, ink), line));
                    y += size + 2.5;
                }
            }
        }
    }

    /// Row 8 of every manual: only the school's own ways in are genuine.
    fn warning(&mut self, poster: &Poster<'_>) {
        let x = LEFT + 42.0;
        let room = RIGHT - 14.0 - x;
        let (first, second) = words(poster.lang, "poster.warning");
        let mut y = WARNING_TOP + 19.0;
        let mut lines = |paper: &mut PosterPaper, text: &str, (size, weight): (f32, Weight), ink| {
            for line in wrapped_in(&drawable(text), (size, weight), room) {
                let run = Run::new((x, y, Anchor::Start), (size, ink), &line);
                paper.put(if weight == Weight::Bold { run.bold() } else { run });
                y += size + 4.0;
            }
        };
        lines(self, first, (10.5, Weight::Bold), Ink::Amber);
        let [hosts, hosts_second] =
            in_langs(poster.lang).map(|lang| fill(lang, "poster.host", &[("host", &poster.host)]));
        lines(self, &hosts, (9.0, Weight::Regular), Ink::Amber);
        lines(self, &format!("{second} {hosts_second}"), (7.2, Weight::Regular), Ink::Amber);
    }

    fn foot(&mut self, poster: &Poster<'_>) {
        let top = 803.0;
        let labels = |key: &'static str| {
            let (first, second) = words(poster.lang, key);
            format!("{first} {second}")
        };
        let grey = (7.2, Ink::Grey);
        self.put(Run::new((LEFT, top, Anchor::Start), grey, &labels("poster.check")));
        self.put(Run::new((LEFT, top + 15.5, Anchor::Start), (13.5, Ink::Black), poster.check).bold());
        let x = LEFT + 172.0;
        self.put(Run::new((x, top, Anchor::Start), grey, &labels("poster.no")));
        self.put(Run::new((x, top + 15.5, Anchor::Start), (13.5, Ink::Black), poster.poster_no).bold());
        let mut right = vec![format!("{} {}", labels("poster.check_at"), poster.check_at)];
        if let Some(ends) = poster.ends {
            right.push(format!("{} {}", labels("poster.ends"), ends.format("%Y-%m-%d %H:%M")));
        }
        if !poster.phone.is_empty() {
            right.push(format!("{} {}", labels("base.office"), poster.phone));
        }
        for (at, text) in right.iter().enumerate() {
            self.put(Run::new((RIGHT, top + 10.5 * at as f32, Anchor::End), grey, text));
        }
    }

    fn card_left(&self) -> f32 {
        (WIDTH - CARD) / 2.0
    }

    fn code_left(&self) -> f32 {
        (WIDTH - CODE) / 2.0
    }

    /// From modules to points.
    fn code_scale(&self) -> f32 {
        CODE / self.code.side as f32
    }

    /// The white tile under the mark, in modules: as much as level H forgives, with some to spare.
    fn tile(&self) -> f32 {
        (self.code.side - 2 * QUIET) as f32 * MARK_PERCENT as f32 / 100.0
    }

    fn tile_from(&self) -> f32 {
        (self.code.side as f32 - self.tile()) / 2.0
    }

    /// From units of the school's mark to modules.
    fn mark_scale(&self) -> f32 {
        (self.tile() - 1.0) / DRAWN as f32
    }

    /// The same of the neutral one, which has 120.
    fn neutral_scale(&self) -> f32 {
        (self.tile() - 1.0) / 120.0
    }

    /// From units of the school's mark to points, at the head.
    fn head_scale(&self) -> f32 {
        34.0 / DRAWN as f32
    }
}

/// A text in the poster's first language, and in the other; empty where the two say the same.
fn in_order(lang: Lang, text: &Bilingual) -> (&str, &str) {
    let other = if text.en.is_empty() || text.en == text.zh { "" } else { &text.en };
    match lang {
        Lang::En if !other.is_empty() => (other, &text.zh),
        _ => (&text.zh, other),
    }
}

fn in_langs(first: Lang) -> [Lang; 2] {
    match first {
        Lang::Zh => [Lang::Zh, Lang::En],
        Lang::En => [Lang::En, Lang::Zh],
    }
}

fn words(lang: Lang, key: &'static str) -> (&'static str, &'static str) {
    let [first, second] = in_langs(lang);
    (word(first, key), word(second, key))
}

/// What to do, in a few letters and in a sentence.
fn steps(kind: PosterKind) -> [(&'static str, &'static str); 3] {
    let scan = ("poster.step_scan", "poster.step_scan_more");
    match kind {
        PosterKind::Platform => [
            scan,
            ("poster.step_sign_in", "poster.step_sign_in_more"),
            ("poster.step_choose", "poster.step_choose_more"),
        ],
        PosterKind::Item | PosterKind::Department => {
            [scan, ("poster.step_name", "poster.step_name_more"), ("poster.step_pay", "poster.step_pay_more")]
        }
        PosterKind::Programme => {
            [scan, ("poster.step_enrol", "poster.step_enrol_more"), ("poster.step_seat", "poster.step_seat_more")]
        }
    }
}

/// Two lines of about the same length.
fn balanced(lines: &[String], size: f32) -> Vec<String> {
    if lines.len() != 2 {
        return lines.to_vec();
    }
    let text = lines.join(if lines.concat().contains(' ') { " " } else { "" });
    let half = width(&text, (size, Weight::Bold)) / 2.0;
    let room = (0..20u8).map(|at| half + f32::from(at) * size / 2.0);
    let mut broken = room.map(|room| wrapped_in(&text, (size, Weight::Bold), room));
    broken.find(|lines| lines.len() == 2).unwrap_or_else(|| lines.to_vec())
}
