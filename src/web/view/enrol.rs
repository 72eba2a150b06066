//! 报名: the list of programmes, one of them with its form, and one enrolment.
use askama::Template;

use super::links;
use crate::domain::announcement::paragraphs;
use crate::domain::bilingual::Bilingual;
use crate::domain::enrolment::{Enrolment, Standing};
use crate::domain::fee::WindowState;
use crate::domain::ids::EnrolmentId;
use crate::domain::module::Module;
use crate::domain::payer::PayerKind;
use crate::domain::programme::{ANSWER, FormField, Programme};
use crate::flow::enrol::NotTaken;
use crate::web::html::{Frame, filters};

/// The list. Whoever has full rights sees the own enrolments above, and may choose among them by status.
#[derive(Template, Debug)]
#[template(path = "page/enrol.html")]
pub struct Enrol {
    pub frame: Frame,
    /// Signed in with document number and name
    pub limited: bool,
    /// None: nobody is signed in who could have some
    pub mine: Option<Vec<Mine>>,
    /// Programmes to enrol for that are not over
    pub programmes: Vec<Programme>,
    /// 收费部门
    pub departments: Vec<Bilingual>,
    /// The Chinese name of the chosen one; empty: all
    pub department: String,
    pub status: Option<Standing>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mine {
    pub enrolment: Enrolment,
    pub name: Bilingual,
    pub department: Bilingual,
    pub is_free: bool,
}

impl Enrol {
    fn is_department(&self, one: &Bilingual) -> bool {
        self.department == one.zh
    }

    fn is_status(&self, one: &Standing) -> bool {
        self.status.as_ref() == Some(one)
    }

    fn status_word(&self, one: &Standing) -> &'static str {
        standing_word(*one, false)
    }

    fn seats(&self, one: &Programme) -> String {
        seats(&self.frame, one)
    }
}

impl Mine {
    fn word(&self) -> &'static str {
        standing_word(self.enrolment.standing(), self.is_free)
    }

    fn tone(&self) -> &'static str {
        tone(self.enrolment.standing())
    }
}

/// `余 3 个名额`, `已满，可候补`, `9月2日开始`.
fn seats(frame: &Frame, one: &Programme) -> String {
    match one.window.at(frame.now) {
        WindowState::NotYet(opens) => frame.with("enrol.opens", "day", frame.day_time(&opens)),
        WindowState::Over(_) => frame.w("enrol.over").to_owned(),
        WindowState::Open if one.left() == 0 => frame.w("enrol.full").to_owned(),
        WindowState::Open => frame.with("enrol.left", "n", one.left()),
    }
}

fn standing_word(standing: Standing, is_free: bool) -> &'static str {
    match standing {
        Standing::ToPay => "enrol.to_pay",
        Standing::Paid if is_free => "enrol.enrolled",
        Standing::Paid => "enrol.paid",
        Standing::Waiting => "enrol.waiting",
        Standing::Cancelled => "enrol.cancelled",
        Standing::Expired => "enrol.expired",
    }
}

/// A second class of the tag: nothing for what is well.
fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::Paid => "",
        Standing::ToPay | Standing::Waiting | Standing::Cancelled | Standing::Expired => " o",
    }
}

/// What a form of ours shows: POSTs `csrf`, `phone`, `a0`, `a1` … and `queue`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnrolForm {
    pub fields: Vec<FormField>,
    /// 证件号, masked
    pub id_number: Option<String>,
    /// Masked as long as nobody typed another
    pub phone: String,
    pub answers: Vec<String>,
    pub problem: Option<NotTaken>,
}

impl EnrolForm {
    fn phone_is_wrong(&self) -> bool {
        self.problem == Some(NotTaken::Phone)
    }

    fn is_wrong(&self, at: &usize) -> bool {
        self.problem == Some(NotTaken::Answer(*at))
    }

    fn answer(&self, at: &usize) -> &str {
        self.answers.get(*at).map_or("", String::as_str)
    }

    fn is_answer(&self, at: &usize, choice: &Bilingual) -> bool {
        self.answer(at) == choice.zh
    }

    fn longest(&self) -> usize {
        ANSWER
    }

    /// What stands above the form: not about one field.
    fn on_top(&self, frame: &Frame) -> Option<String> {
        match self.problem? {
            NotTaken::Phone | NotTaken::Answer(_) => None,
            NotTaken::NotYet(opens) => Some(frame.with("enrol.opens", "day", frame.day_time(&opens))),
            NotTaken::Over => Some(frame.w("enrol.over").to_owned()),
            NotTaken::NotAdmitted => Some(frame.w("enrol.not_admitted").to_owned()),
            NotTaken::Full => Some(frame.w("enrol.just_full").to_owned()),
        }
    }
}

/// What whoever looks at a programme can do there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    SignIn,
    /// Signed in with document number and name: the password is needed
    Limited,
    NotAdmitted,
    /// Not yet, or not any more
    Closed,
    Enrolled(EnrolmentId),
    Form(EnrolForm),
}

#[derive(Template, Debug)]
#[template(path = "page/programme.html")]
pub struct ProgrammePage {
    pub frame: Frame,
    pub programme: Programme,
    pub way: Way,
}

impl ProgrammePage {
    fn seats(&self) -> String {
        seats(&self.frame, &self.programme)
    }

    fn is_full(&self) -> bool {
        self.programme.left() == 0
    }

    fn about(&self) -> Vec<Vec<&str>> {
        paragraphs(self.frame.name(&self.programme.about))
    }

    fn who(&self) -> String {
        let words = self.programme.kinds.iter().map(|kind| self.frame.w(kind_word(*kind)));
        words.collect::<Vec<_>>().join(self.frame.w("enrol.comma"))
    }

    fn hours(&self) -> u64 {
        self.programme.pay_within.as_secs() / 3_600
    }

    fn sign_in(&self) -> String {
        links::login(links::LoginMode::User, &links::programme(&self.programme.id))
    }

    fn sign_up(&self) -> String {
        links::sign_up(&links::programme(&self.programme.id))
    }

    fn problem(&self) -> bool {
        matches!(&self.way, Way::Form(form) if form.problem.is_some())
    }
}

pub fn kind_word(kind: PayerKind) -> &'static str {
    match kind {
        PayerKind::Student => "payer.student",
        PayerKind::Staff => "payer.staff",
        PayerKind::Newcomer => "payer.newcomer",
        PayerKind::Outsider => "payer.outsider",
    }
}

/// One's own enrolment: what it stands at, what can be changed, and how to pay.
#[derive(Template, Debug)]
#[template(path = "page/enrolment.html")]
pub struct EnrolmentPage {
    /// With a person
    pub frame: Frame,
    pub enrolment: Enrolment,
    pub programme: Programme,
    /// How many wait before
    pub before: i64,
    pub form: EnrolForm,
    /// Names the checkout that pays for the seat
    pub checkout_id: String,
    pub saved: bool,
}

impl EnrolmentPage {
    fn word(&self) -> &'static str {
        standing_word(self.enrolment.standing(), self.enrolment.due.is_none())
    }

    fn tone(&self) -> &'static str {
        tone(self.enrolment.standing())
    }

    /// The charge to pay, and until when.
    fn to_pay(&self) -> Option<crate::domain::enrolment::Due> {
        self.enrolment.due.filter(|_| self.enrolment.standing() == Standing::ToPay)
    }

    fn is_waiting(&self) -> bool {
        self.enrolment.standing() == Standing::Waiting
    }

    /// 报名终止 is past: nobody comes up from the queue any more.
    fn is_over(&self) -> bool {
        self.programme.is_over(self.frame.now)
    }

    fn is_ended(&self) -> bool {
        matches!(self.enrolment.standing(), Standing::Cancelled | Standing::Expired)
    }

    fn is_open(&self) -> bool {
        self.enrolment.is_open()
    }

    /// A seat that cost nothing can be given back too.
    fn may_cancel(&self) -> bool {
        self.is_open() || (self.enrolment.standing() == Standing::Paid && self.enrolment.due.is_none())
    }

    fn shown(&self, at: &usize, field: &FormField) -> String {
        let answer = self.form.answer(at);
        if answer.is_empty() { "--".to_owned() } else { field.shown(answer, self.frame.lang).to_owned() }
    }
}
