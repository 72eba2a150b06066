//! Signing up, step by step, and proving a mailbox.
use super::entry::{captcha, me};
use super::kit::{Sample, at, sample, signed_in};
use crate::domain::bilingual::Bilingual;
use crate::domain::document::{Document, WrongNumber};
use crate::domain::password::Weakness;
use crate::domain::question::Question;
use crate::flow::study::Unfit;
use crate::web::html::Frame;
use crate::web::view::account::{Done, FormProblem, Me};
use crate::web::view::member::{Activate, International, PortalLink, Studies, StudyCard, StudyProblem, TypedStudy};
use crate::web::view::message::{Message, MessagePage};
use crate::web::view::phone::{CodeOf, PhoneCheckPage, PhoneCode};
use crate::web::view::sign_up::{ConfirmMail, SignUpDetails, SignUpPhone, TypedDetails, WrongDetails};

pub fn all(frame: &Frame) -> Vec<Sample> {
    let all = [steps(frame), details(frame), mailbox(frame), checks(frame), international(frame)];
    all.into_iter().flatten().collect()
}

fn steps(frame: &Frame) -> Vec<Sample> {
    let phone = |typed: &str, problem| SignUpPhone {
        frame: frame.clone(),
        phone: typed.into(),
        back: "/h5/enrol/1".into(),
        problem,
        captcha: None,
    };
    let asked = SignUpPhone { captcha: Some(captcha()), ..phone("17800005287", Some(FormProblem::Captcha)) };
    let code = |problem| PhoneCode {
        frame: frame.clone(),
        of: CodeOf::SignUp,
        ticket: "t1ck3t".into(),
        phone: "178****5287".into(),
        problem,
        captcha: None,
    };
    let wait = FormProblem::Wait { until: at("2026-09-01 10:25:36") };
    vec![
        sample("sign-up", phone("", None)),
        sample("sign-up-wrong", phone("1780000\"><script>alert(1)</script>", Some(FormProblem::Phone))),
        sample("sign-up-empty", phone("", Some(FormProblem::Empty))),
        sample("sign-up-captcha", asked),
        sample("sign-up-over", phone("", Some(FormProblem::StepOver))),
        sample("sign-up-code", code(None)),
        sample("sign-up-code-wrong", code(Some(FormProblem::Wrong { tries_left: Some(2) }))),
        sample("sign-up-code-wait", code(Some(wait))),
    ]
}

/// 手机验证 before paying.
fn checks(frame: &Frame) -> Vec<Sample> {
    let back = || "/h5/confirm?checkout_id=4b8e7d0c2f6a91e3&fee=1".to_owned();
    let page = |typed: &str, problem| PhoneCheckPage {
        frame: signed_in(frame),
        phone: typed.into(),
        for_receipt: true,
        back: back(),
        problem,
        captcha: None,
    };
    let code = |problem| PhoneCode {
        frame: signed_in(frame),
        of: CodeOf::Paying { back: back() },
        ticket: "t1ck3t".into(),
        phone: "178****5287".into(),
        problem,
        captcha: None,
    };
    let asked = PhoneCheckPage { captcha: Some(captcha()), ..page("17800005287", Some(FormProblem::Captcha)) };
    vec![
        sample("phone-check", page("178****5287", None)),
        sample("phone-check-limited", PhoneCheckPage { for_receipt: false, ..page("", None) }),
        sample("phone-check-wrong", page("1780000\"><script>alert(1)</script>", Some(FormProblem::Phone))),
        sample("phone-check-over", page("178****5287", Some(FormProblem::StepOver))),
        sample("phone-check-captcha", asked),
        sample("phone-check-code", code(None)),
        sample("phone-check-code-wrong", code(Some(FormProblem::Wrong { tries_left: Some(2) }))),
        sample("phone-check-code-wait", code(Some(FormProblem::Wait { until: at("2026-09-01 10:25:36") }))),
    ]
}

fn details(frame: &Frame) -> Vec<Sample> {
    let page = |typed, wrong| SignUpDetails {
        frame: frame.clone(),
        ticket: "t1ck3t".into(),
        phone: "178****5287".into(),
        typed,
        wrong,
        problem: None,
    };
    let empty = WrongDetails {
        name: true,
        document: true,
        number: None,
        gender: true,
        email: true,
        password: Some(FormProblem::Weak(Weakness::Short)),
        question: true,
        answer: true,
    };
    let typed = |number: &str| TypedDetails {
        name: "何知远\"><script>alert(1)</script>".into(),
        document: Document::ResidentId.code().into(),
        number: number.into(),
        gender: "female".into(),
        email: "he@example.com".into(),
        question: Some(Question::FirstConcert),
    };
    let number = |wrong| WrongDetails { number: Some(wrong), ..WrongDetails::default() };
    let weak =
        WrongDetails { password: Some(FormProblem::Weak(Weakness::NoSymbol)), ..number(WrongNumber::CheckDigit) };
    let differ = WrongDetails { password: Some(FormProblem::Differ), ..number(WrongNumber::Shape) };
    let other = number(WrongNumber::Another(Document::TaiwanResidence));
    let locked = Some(FormProblem::Locked { until: at("2026-09-01 10:39:00") });
    let told = |message| MessagePage { frame: frame.clone(), message };
    let back = || "/h5/enrol/1".to_owned();
    vec![
        sample("sign-up-details", page(TypedDetails::default(), WrongDetails::default())),
        sample("sign-up-details-empty", page(TypedDetails::default(), empty)),
        sample("sign-up-details-weak", page(typed("110105194912310021"), weak)),
        sample("sign-up-details-differ", page(typed("1101"), differ)),
        sample("sign-up-details-other", page(typed("830000199201300022"), other)),
        sample("sign-up-details-birth", page(typed("110105194902300021"), number(WrongNumber::BirthDate))),
        sample("sign-up-details-locked", SignUpDetails { problem: locked, ..page(typed(""), WrongDetails::default()) }),
        sample("message-is-student", told(Message::IsStudent { back: back() })),
        sample("message-is-signed-up", told(Message::IsSignedUp { back: back() })),
        sample("message-sign-up-at-office", told(Message::SignUpAtOffice)),
        sample("message-sign-up-away", told(Message::SignUpAway)),
    ]
}

fn mailbox(frame: &Frame) -> Vec<Sample> {
    let own = signed_in(frame);
    let waiting = || Me {
        number: Some("W26000001".into()),
        done: Some(Done::SignedUp),
        mailbox: Some("h***e@example.com".into()),
        ..me(&own)
    };
    let wait = Some(at("2026-09-01 10:25:36"));
    let link = ConfirmMail { frame: frame.clone(), token: "t0k3n".into(), email: "h***e@example.com".into() };
    let told = |message| MessagePage { frame: frame.clone(), message };
    vec![
        sample("me-signed-up", waiting()),
        sample("me-mail-sent", Me { done: Some(Done::MailSent), ..waiting() }),
        sample("me-mail-wait", Me { done: None, mail_wait: wait, ..waiting() }),
        sample("confirm-mail", link),
        sample("message-mail-confirmed", told(Message::MailConfirmed)),
        sample("message-mail-link-over", told(Message::MailLinkOver)),
    ]
}

fn study() -> StudyCard {
    let lines = [
        ("studies.application_no", "20221000075"),
        ("studies.student_no", "202301180418"),
        ("studies.passport_no", "M12****789"),
        ("studies.passport_name", "PARK JIWOO"),
        ("studies.chinese_name", "朴智宇"),
        ("sign_up.gender", "Female"),
        ("studies.birth_date", "2001-03-12"),
        ("studies.nationality", "Korea, Republic of"),
        ("studies.apply_type", "Undergraduate"),
        ("studies.duration", "2026-09 – 2030-07"),
        ("studies.department", "School of Computing, Software Engineering"),
    ];
    let lines = lines.map(|(word, text)| (word, text.to_owned())).to_vec();
    StudyCard { id: 1, lines, passport_name: "PARK JIWOO".into() }
}

fn international(frame: &Frame) -> Vec<Sample> {
    let portal = || {
        let link = |zh: &str, en: &str| PortalLink {
            name: Bilingual::new(zh, en),
            url: "https://international.qiming.example/x?a=1&b=2".into(),
        };
        vec![link("宿舍预订", "Dormitory Reservations"), link("接机服务", "Airport Pick Up")]
    };
    let door = |email: &str, problem| International {
        frame: frame.clone(),
        email: email.into(),
        problem,
        captcha: None,
        portal: portal(),
    };
    let activate = |name_wrong, problem| Activate {
        frame: frame.clone(),
        token: "t0k3n".into(),
        email: "jiwoo@mail.example".into(),
        name: "PARK JIWOO".into(),
        name_wrong,
        problem,
    };
    let studies = |studies, problem| Studies {
        frame: signed_in(frame),
        email: "jiwoo@mail.example".into(),
        studies,
        typed: TypedStudy::default(),
        problem,
        captcha: None,
        portal: portal(),
    };
    let wrong = Studies {
        typed: TypedStudy {
            number: "20221000075\"><script>alert(1)</script>".into(),
            birth_date: "2001-03-13".into(),
            nationality: "KOR".into(),
        },
        captcha: Some(captcha()),
        ..studies(Vec::new(), Some(StudyProblem::Form(FormProblem::Wrong { tries_left: Some(2) })))
    };
    let unfit = StudyProblem::Unfit(Unfit { number: true, birth_date: true, nationality: true });
    let passport = |is_wrong| Some(StudyProblem::Passport { is_wrong });
    let told = |message| MessagePage { frame: frame.clone(), message };
    let wait = FormProblem::Wait { until: at("2026-09-01 10:25:36") };
    vec![
        sample("international", door("", None)),
        sample("international-wrong", door("jiwoo@", Some(FormProblem::Email))),
        sample("international-wait", door("jiwoo@mail.example", Some(wait))),
        sample("activate", activate(false, None)),
        sample("activate-name", activate(true, None)),
        sample("activate-differ", activate(false, Some(FormProblem::Differ))),
        sample("studies-none", studies(Vec::new(), None)),
        sample("studies", studies(vec![study()], None)),
        sample("studies-wrong", wrong),
        sample("studies-unfit", studies(Vec::new(), Some(unfit))),
        sample("studies-passport", studies(Vec::new(), passport(false))),
        sample("studies-passport-wrong", studies(vec![study()], passport(true))),
        sample("message-activation-sent", told(Message::ActivationSent)),
        sample("message-activation-over", told(Message::ActivationOver)),
    ]
}
