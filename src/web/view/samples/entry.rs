//! Signing in, the first page, messages and errors.
use super::around::announcement;
use super::kit::{Sample, at, order_no, outside, sample, signed_in, this_year, titled};
use crate::domain::bilingual::Bilingual;
use crate::domain::module::{Module, Opening};
use crate::domain::money::Fen;
use crate::domain::order::CloseReason;
use crate::domain::order_no::OrderNo;
use crate::domain::password::Weakness;
use crate::domain::payer::PayerKind;
use crate::domain::question::Question;
use crate::domain::refusal::Refusal;
use crate::domain::trade::Channel;
use crate::web::html::Frame;
use crate::web::view::account::{Done, Forgot, FormProblem, Me, PasswordPage, Portal, QuestionPage};
use crate::web::view::failure::{Failure, FailurePage};
use crate::web::view::home::{Home, OwedPeriod, PendingOrder};
use crate::web::view::links::LoginMode;
use crate::web::view::login::{Captcha, Choose, Identity, Login, LoginProblem, PasswordHint};
use crate::web::view::message::{Message, MessagePage};
use crate::web::view::part::Surplus;
use crate::web::view::recovery::{Proof, Reset};

pub fn all(frame: &Frame) -> Vec<Sample> {
    [logins(frame), accounts(frame), homes(frame), messages(frame), failures(frame)].into_iter().flatten().collect()
}

/// A picture of one pixel; the real one comes from the cache's captcha.
const PICTURE: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

pub(super) fn captcha() -> Captcha {
    Captcha {
        id: "c4pTcHa".into(),
        image: PICTURE.into(),
        question: Bilingual::new("二十七加五等于几", "twenty-seven plus five"),
    }
}

fn logins(frame: &Frame) -> Vec<Sample> {
    let login = |mode| Login {
        frame: Frame { path: "/h5/login".into(), person: None, ..outside(frame.lang) },
        mode,
        typed: String::new(),
        typed_name: String::new(),
        problem: None,
        expired: false,
        captcha: None,
        hint: PasswordHint::IdLast6,
        portal: None,
        news: Vec::new(),
        back: String::new(),
    };
    let portal = || Some(Bilingual::new("统一身份认证", "Campus sign-in"));
    let care = |view: Login| Login { frame: Frame { care: frame.care, ..view.frame }, ..view };
    let captcha = captcha();
    let wrong = Login {
        typed: "202301180417".into(),
        problem: Some(LoginProblem::WrongPair { tries_left: Some(2) }),
        captcha: Some(captcha.clone()),
        ..login(LoginMode::User)
    };
    let wrong_id = Login {
        typed: "11010519491231002X".into(),
        typed_name: "林知夏\"><script>alert(1)</script>".into(),
        problem: Some(LoginProblem::WrongPair { tries_left: None }),
        back: "/h5/tuition".into(),
        ..login(LoginMode::Id)
    };
    let locked = LoginProblem::Locked { until: at("2026-09-01 10:39:00") };
    let captcha_wrong = Login {
        typed: "202301180417".into(),
        problem: Some(LoginProblem::Captcha),
        captcha: Some(captcha),
        hint: PasswordHint::Username,
        ..login(LoginMode::User)
    };
    let empty = Login {
        news: vec![announcement()],
        problem: Some(LoginProblem::Empty),
        hint: PasswordHint::Told,
        ..login(LoginMode::User)
    };
    vec![
        sample("login-user", care(login(LoginMode::User))),
        sample("login-portal", care(Login { portal: portal(), back: "/h5/orders".into(), ..login(LoginMode::User) })),
        sample("login-portal-id", care(Login { portal: portal(), ..login(LoginMode::Id) })),
        sample("login-user-wrong", care(wrong)),
        sample("login-captcha-wrong", care(captcha_wrong)),
        sample("login-empty", care(empty)),
        sample("login-locked", care(Login { problem: Some(locked), ..login(LoginMode::User) })),
        sample("login-expired", care(Login { expired: true, hint: PasswordHint::IdLast8, ..login(LoginMode::User) })),
        sample("login-id", care(login(LoginMode::Id))),
        sample("login-id-wrong", care(wrong_id)),
        sample("login-choose", choice(frame)),
    ]
}

/// One person who holds several numbers.
fn choice(frame: &Frame) -> Choose {
    let identity = |value: &str, kind, number: &str, unit: &str| Identity {
        value: value.into(),
        kind,
        number: number.into(),
        unit: unit.into(),
    };
    Choose {
        frame: frame.clone(),
        ticket: "t1ck3t".into(),
        identities: vec![
            identity("1", PayerKind::Student, "2023****0417", "计算机学院 · 软件工程 2301 班"),
            identity("2", PayerKind::Staff, "T10****86", "图书馆"),
            identity("3", PayerKind::Newcomer, "1101****002X", ""),
            identity("4", PayerKind::Outsider, "W00****12", ""),
        ],
        problem: true,
        back: String::new(),
    }
}

fn accounts(frame: &Frame) -> Vec<Sample> {
    let own = signed_in(frame);
    let new_here = Me { own_password: false, question: None, last_sign_in: None, phone: None, ..me(&own) };
    let password = |set_up, problem| PasswordPage {
        frame: own.clone(),
        set_up,
        portal: None,
        question: None,
        problem,
        captcha: None,
    };
    let portal = |url: Option<&str>| {
        let name = Bilingual::new("统一身份认证", "Campus sign-in");
        Some(Portal { name, url: url.map(str::to_owned) })
    };
    let question = |ticket: Option<&str>, problem| QuestionPage {
        frame: own.clone(),
        ticket: ticket.map(Into::into),
        question: Some(Question::BirthTown),
        problem,
        captcha: None,
    };
    let forgot = |asked, problem| Forgot {
        frame: frame.clone(),
        asked,
        by_mail: false,
        by_sms: false,
        username: "202301180417".into(),
        problem,
        captcha: Some(captcha()),
    };
    let wait = FormProblem::Wait { until: at("2026-09-01 10:13:00") };
    let asked = || Some(("t1ck3t".to_owned(), Question::FirstTeacher));
    let locked = FormProblem::Locked { until: at("2026-09-01 10:39:00") };
    let all = vec![
        sample("me", me(&own)),
        sample("me-new", new_here),
        sample("me-limited", Me { limited: true, ..me(&own) }),
        sample("me-password-done", Me { done: Some(Done::Password), ..me(&own) }),
        sample("password", password(false, None)),
        sample("password-wrong", password(false, Some(FormProblem::Wrong { tries_left: Some(2) }))),
        sample("password-weak", password(false, Some(FormProblem::Weak(Weakness::Common)))),
        sample("password-first", password(true, None)),
        sample("password-portal", PasswordPage { portal: portal(None), ..password(true, None) }),
        sample(
            "password-portal-own",
            PasswordPage { portal: portal(Some("https://my.example.edu.cn/password")), ..password(false, None) },
        ),
        sample("password-first-no-question", password(true, Some(FormProblem::Question))),
        sample("question-one", question(None, Some(locked))),
        sample("question-two", question(Some("t1ck3t"), None)),
        sample("question-two-short", question(Some("t1ck3t"), Some(FormProblem::Answer))),
        sample("forgot", forgot(None, None)),
        sample("forgot-empty", forgot(None, Some(FormProblem::Empty))),
        sample("forgot-ways", Forgot { by_mail: true, by_sms: true, captcha: None, ..forgot(None, None) }),
        sample("forgot-wait", Forgot { by_mail: true, by_sms: true, captcha: None, ..forgot(None, Some(wait)) }),
        sample("forgot-over", forgot(None, Some(FormProblem::StepOver))),
        sample("forgot-two", forgot(asked(), None)),
        sample("forgot-two-wrong", forgot(asked(), Some(FormProblem::Wrong { tries_left: None }))),
        sample("forgot-two-differ", forgot(asked(), Some(FormProblem::Differ))),
    ];
    all.into_iter().chain(resets(frame)).collect()
}

fn resets(frame: &Frame) -> Vec<Sample> {
    let reset = |proof, problem| Reset { frame: frame.clone(), proof, problem, captcha: None };
    let code = || Proof::Code { ticket: "t1ck3t".to_owned() };
    let link = || Proof::Link { token: "t0k3n".to_owned() };
    let told = |message| MessagePage { frame: frame.clone(), message };
    vec![
        sample("reset-code", reset(code(), None)),
        sample("reset-code-wrong", reset(code(), Some(FormProblem::Wrong { tries_left: Some(2) }))),
        sample("reset-link", reset(link(), None)),
        sample("reset-link-weak", reset(link(), Some(FormProblem::Weak(Weakness::NoDigit)))),
        sample("message-link-sent", told(Message::LinkSent)),
        sample("message-link-over", told(Message::LinkOver)),
    ]
}

pub(super) fn me(frame: &Frame) -> Me {
    Me {
        frame: frame.clone(),
        done: None,
        limited: false,
        number: None,
        id_number: Some("3****************8".into()),
        phone: Some("178****5287".into()),
        own_password: true,
        member: false,
        mailbox: None,
        mail_wait: None,
        question: Some(Question::FavouriteBook),
        last_sign_in: Some(at("2026-08-31 18:02:11")),
        unread: 2,
        wechat: true,
    }
}

fn homes(frame: &Frame) -> Vec<Sample> {
    let order_no = OrderNo::parse("PT260901QMU000052").expect("well formed");
    let pending = PendingOrder {
        order_no,
        title: titled(Bilingual::new("医疗保险", "Medical insurance"), 1),
        total: Fen::new(25_000),
        expires_at: at("2026-09-01 10:36:42"),
        count: 1,
    };
    let owed = |code: &str, name, fen| OwedPeriod { code: code.into(), name, arrears: Fen::new(fen) };
    let home = Home {
        frame: signed_in(frame),
        tuition: Fen::new(1_100_000),
        other: Fen::new(135_000),
        periods: vec![
            owed("2025", this_year(), 935_000),
            owed("2024", Bilingual::new("2024–2025 学年", "2024–2025"), 300_000),
        ],
        pending: Some(pending),
        surplus: None,
        pinned: Some(announcement()),
        unread: 2,
        limited: false,
    };
    let surplus =
        Surplus { amount: Fen::new(6_500), channel: Channel::Wechat, returned_at: Some(at("2026-08-31 09:12:00")) };
    let clear = |frame| Home {
        frame,
        tuition: Fen::ZERO,
        other: Fen::ZERO,
        periods: Vec::new(),
        pending: None,
        surplus: Some(surplus.clone()),
        pinned: None,
        unread: 0,
        limited: true,
    };
    let mut partly = signed_in(frame);
    partly.modules.set(Module::Enrolment, Opening::Closed);
    vec![sample("home", home), sample("home-clear", clear(signed_in(frame))), sample("home-partly", clear(partly))]
}

fn messages(frame: &Frame) -> Vec<Sample> {
    let message = |message| MessagePage { frame: frame.clone(), message };
    let leave = || "https://cas.example.edu.cn/cas/logout?service=x".to_owned();
    let order_no = order_no();
    let closed = |reason| Message::OrderClosed { order_no: order_no.clone(), reason };
    vec![
        sample("message-cancelled", message(Message::OrderCancelled { order_no: order_no.clone() })),
        sample("message-closed", message(closed(CloseReason::Expired))),
        sample("message-superseded", message(closed(CloseReason::Superseded))),
        sample("message-code-paid", message(Message::CodePaid)),
        sample("message-code-closed", message(Message::CodeClosed)),
        sample("message-code-unknown", message(Message::CodeUnknown)),
        sample("message-gift-revoked", message(Message::GiftRevoked)),
        sample("message-gift-expired", message(Message::GiftExpired)),
        sample("message-gift-paid", message(Message::GiftPaid)),
        sample("message-gift-gone", message(Message::GiftGone)),
        sample("message-gift-waiting", message(Message::GiftWaiting)),
        sample("message-signed-out", message(Message::SignedOut)),
        sample("message-signed-out-of-here", message(Message::SignedOutOfHere { leave: leave() })),
        sample("message-portal-over", message(Message::PortalOver { back: "/h5/orders".into() })),
        sample("message-portal-away", message(Message::PortalAway { back: String::new() })),
        sample("message-portal-unknown", message(Message::PortalUnknown { leave: leave() })),
        sample("message-signed-out-everywhere", message(Message::SignedOutEverywhere)),
    ]
}

fn failures(frame: &Frame) -> Vec<Sample> {
    let page =
        |failure, retry: Option<&str>| FailurePage { frame: frame.clone(), failure, retry: retry.map(str::to_owned) };
    let here = Some("/h5/tuition");
    let until = Some(at("2026-09-01 11:00:00"));
    let mut noted = frame.clone();
    let words = Bilingual::new("考试报名请到教务处办理。", "Enrol for exams at the academic affairs office.");
    noted.modules.set_noted(Module::Enrolment, Opening::Closed, words);
    let noted = FailurePage { frame: noted, failure: Failure::NotOpen(Module::Enrolment), retry: None };
    vec![
        sample("failure-400", page(Failure::BadRequest, None)),
        sample("failure-403", page(Failure::Forbidden, None)),
        sample("failure-404", page(Failure::NotFound, None)),
        sample("failure-405", page(Failure::MethodNotAllowed, None)),
        sample("failure-413", page(Failure::TooLarge, None)),
        sample("failure-419", page(Failure::FormExpired, here)),
        sample("failure-429", page(Failure::TooMany { wait_seconds: 20 }, here)),
        sample("failure-429-long", page(Failure::TooMany { wait_seconds: 600 }, None)),
        sample("failure-500", page(Failure::Internal { code: "7F3A-21C9".into() }, here)),
        sample("failure-503", page(Failure::Unavailable { until: None }, here)),
        sample("failure-503-until", page(Failure::Unavailable { until }, here)),
        sample("failure-not-open", page(Failure::NotOpen(Module::LivingFees), None)),
        sample("failure-not-open-noted", noted),
        sample("failure-refused", page(Failure::Refused(Refusal::OrderPaid), None)),
    ]
}
