//! 确认缴费, between the choice and the order; and 缴费协议.
//!
//! The page is drawn from its address alone, so that it can be left and come back to. Its form carries the amounts as
//! they were read: what is ordered is what stood there, or the payer is asked again.
use poem::{IntoResponse, Response, Result, handler};

use super::account::{caller, problem_of};
use super::{access, profile as own_profile, tuition};
use crate::app::App;
use crate::domain::amount;
use crate::domain::charge::Charge;
use crate::domain::checkout::{Part, Wanted};
use crate::domain::consent::{AgreementGate, ReceiptPhone};
use crate::domain::ids::ChargeId;
use crate::domain::money::Fen;
use crate::domain::order::OrderLine;
use crate::domain::payer::Phone;
use crate::domain::profile::Email;
use crate::domain::refusal::Refusal;
use crate::domain::session::Rights;
use crate::flow::agreement::{self, Agreement};
use crate::flow::checkout::Given;
use crate::flow::failure::Failure;
use crate::flow::phone_check::Of;
use crate::flow::{checkout, phone_check, profile};
use crate::web::error::{Problem, TYPED_WRONG, see_other};
use crate::web::form::Form;
use crate::web::guard::{SignedIn, Visit, local_path};
use crate::web::html::Page;
use crate::web::view::account::FormProblem;
use crate::web::view::confirm::{
    AgreementPage, Changed, Confirm, ConfirmPart, Consent, ConsentProblem, Reading, Receiver,
};
use crate::web::view::links;

/// What a stamp of the page is for
const READ: &str = "agreement";

/// What was chosen to be paid.
#[derive(Clone)]
pub struct Selection {
    /// Minted when the choice was drawn
    pub key: String,
    pub wanted: Vec<Wanted>,
}

/// Why there is no selection.
pub enum Unread {
    /// No page of ours sends that.
    Broken,
    /// What was typed for this charge is no amount.
    Amount(ChargeId, String),
}

impl Selection {
    /// Reads `checkout_id`, `fee` and `amt{charge}`, but for the charges left out.
    pub fn read(pairs: &[(String, String)], left_out: &[ChargeId]) -> std::result::Result<Selection, Unread> {
        let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let mut wanted = Vec::new();
        for (_, text) in pairs.iter().filter(|(name, _)| name == "fee") {
            let charge_id: ChargeId = text.parse().map_err(|_| Unread::Broken)?;
            if left_out.contains(&charge_id) {
                continue;
            }
            let typed = get(&format!("amt{charge_id}"));
            let amount = match (typed.is_empty(), Fen::typed(typed)) {
                (true, _) => None,
                (false, Some(amount)) => Some(amount),
                // never taken for "all of it": the payer is asked again
                (false, None) => return Err(Unread::Amount(charge_id, typed.to_owned())),
            };
            wanted.push(Wanted { charge_id, amount });
        }
        let key = get("checkout_id");
        if !(16..=64).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Unread::Broken);
        }
        Ok(Selection { key: key.to_owned(), wanted })
    }

    pub fn address(&self) -> String {
        let chosen: Vec<_> = self.wanted.iter().map(|one| (one.charge_id, one.amount)).collect();
        links::confirm(&self.key, &chosen)
    }
}

/// Whether this school has the page.
pub fn is_asked(app: &App) -> bool {
    app.config.checkout.confirm || app.config.checkout.agreement != AgreementGate::None || phone_check::is_asked(app)
}

/// What was answered on the page, and why that is not enough.
#[derive(Default)]
pub struct Answered {
    consent: Option<ConsentProblem>,
    stamp: String,
    phone: String,
    phone_wrong: bool,
    password: Option<FormProblem>,
}

impl Answered {
    fn is_enough(&self) -> bool {
        self.consent.is_none() && !self.phone_wrong && self.password.is_none()
    }
}

/// `GET /h5/confirm`
#[handler]
pub async fn show(visit: &Visit, signed: SignedIn) -> Result<Response> {
    match Selection::read(visit.query_pairs(), &[]) {
        Ok(selection) if !selection.wanted.is_empty() => match must_prove(visit, &signed, &selection).await {
            true => Ok(see_other(&links::phone_check(&selection.address()))),
            false => draw(visit, &signed, &selection, Answered::default()).await,
        },
        Ok(_) | Err(_) => Ok(see_other(links::TUITION)),
    }
}

/// `GET /h5/agreement`
#[handler]
pub async fn show_agreement(visit: &Visit) -> Result<Response> {
    let Agreement { text, version } = agreement::text(&visit.app);
    let back = local_path(visit.query("back")).unwrap_or_default().to_owned();
    Ok(Page::new(AgreementPage { frame: visit.frame(None), text, version, back }).into_response())
}

async fn must_prove(visit: &Visit, signed: &SignedIn, selection: &Selection) -> bool {
    let of = Of { session: &signed.session, choice: &selection.key };
    phone_check::is_asked(&visit.app) && phone_check::proven(&visit.app, of).await.is_none()
}

/// What the form of the page was answered: what was given, or the page again.
pub async fn take(
    visit: &Visit,
    signed: &SignedIn,
    form: &Form,
    selection: &Selection,
) -> Result<std::result::Result<Given, Response>> {
    let of = Of { session: &signed.session, choice: &selection.key };
    let phone = phone_check::proven(&visit.app, of).await.filter(|_| phone_check::is_asked(&visit.app));
    if phone.is_none() && phone_check::is_asked(&visit.app) {
        return Ok(Err(see_other(&links::phone_check(&selection.address()))));
    }
    let mut answered = Answered { stamp: form.get("stamp").to_owned(), ..Answered::default() };
    let asked = agreement::asked(&visit.app);
    if let Some(agreement) = &asked {
        answered.consent = consent_problem(visit, form, agreement);
    }
    if answered.consent.is_none() {
        take_phone(visit, (signed, selection), form, &mut answered).await?;
    }
    match answered.is_enough() {
        // who signed in without a password does not say where receipts go
        true => Ok(Ok(Given { agreement: asked, phone: phone.filter(|_| signed.session.rights == Rights::Full) })),
        false => Ok(Err(draw(visit, signed, selection, answered).await?)),
    }
}

/// Why what a form says of the agreement is not enough.
pub fn consent_problem(visit: &Visit, form: &Form, agreement: &Agreement) -> Option<ConsentProblem> {
    if form.get("agree") != agreement.version {
        return Some(ConsentProblem::Unticked);
    }
    (remaining(visit, agreement, form.get("stamp")) > 0).then_some(ConsentProblem::Early)
}

/// How many seconds the text must still be read by a page drawn then; one without a stamp begins now.
fn remaining(visit: &Visit, agreement: &Agreement, stamp: &str) -> u64 {
    let reading = agreement::reading_time(&visit.app);
    let since = visit.bound().stamped(&format!("{READ} {}", agreement.version), stamp);
    match since {
        Some(at) => (at + reading).since(visit.app.clock.now()).as_millis().div_ceil(1000) as u64,
        None => reading.as_secs(),
    }
}

/// Keeps the phone where none is known and one was given, proven by the password as on 个人信息.
async fn take_phone(
    visit: &Visit,
    (signed, selection): (&SignedIn, &Selection),
    form: &Form,
    answered: &mut Answered,
) -> Result<()> {
    let Receiver::Asked { required, .. } = receiver(visit, signed, selection, &Answered::default()).await? else {
        return Ok(());
    };
    answered.phone = form.get("phone").trim().to_owned();
    if answered.phone.is_empty() {
        answered.phone_wrong = required;
        return Ok(());
    }
    let own = profile::own(&visit.app, &signed.session).await.map_err(Problem::from)?;
    let email = own.profile.email.as_ref().map(Email::masked).unwrap_or_default();
    let address = own.profile.address;
    let typed = profile::Typed {
        phone: &answered.phone,
        email: &email,
        postcode: &address.postcode,
        street: &address.street,
        password: form.get("password"),
    };
    let visitor = visit.visitor();
    // the mailbox stays as it is, so no link goes out
    let kept = profile::change(&visit.app, &signed.session, typed, "", caller(visit, &visitor, form)).await;
    if let Err(wrong) = kept.map_err(Problem::from)? {
        (answered.phone_wrong, answered.password) = (wrong.phone, wrong.password.map(problem_of));
    }
    Ok(())
}

/// 票据接收手机 as this sign-in may see it.
async fn receiver(visit: &Visit, signed: &SignedIn, selection: &Selection, answered: &Answered) -> Result<Receiver> {
    if phone_check::is_asked(&visit.app) {
        let of = Of { session: &signed.session, choice: &selection.key };
        return Ok(match phone_check::proven(&visit.app, of).await {
            Some(phone) if signed.session.rights == Rights::Full => Receiver::Proven(phone.masked()),
            _ => Receiver::Unsaid,
        });
    }
    let rule = visit.app.config.checkout.receipt_phone;
    // of a bound study nothing personal is shown
    if rule == ReceiptPhone::Off || signed.session.rights != Rights::Full {
        return Ok(Receiver::Unsaid);
    }
    let own = profile::own(&visit.app, &signed.session).await.map_err(Problem::from)?;
    Ok(match own.phone.as_ref().map(Phone::masked) {
        Some(masked) => Receiver::Known(masked),
        None => Receiver::Asked {
            typed: answered.phone.clone(),
            required: rule == ReceiptPhone::Required,
            wrong: answered.phone_wrong,
            password: answered.password,
        },
    })
}

/// Draws the page. What is owed by another amount than was chosen is shown with both, to be confirmed anew.
pub async fn draw(visit: &Visit, signed: &SignedIn, selection: &Selection, answered: Answered) -> Result<Response> {
    let (app, payer) = (&visit.app, signed.payer.id);
    let mut selection = selection.clone();
    let mut changed = Vec::new();
    let mut planned = checkout::preview(app, payer, &selection.wanted).await;
    if let Err(Failure::Refused(Refusal::Amount { .. })) = planned {
        let own = checkout::charges(app, payer).await.map_err(Problem::from)?;
        changed = follow(&own, &mut selection.wanted);
        planned = checkout::preview(app, payer, &selection.wanted).await;
    }
    let (parts, own) = match planned {
        Ok(planned) => planned,
        Err(Failure::Refused(refusal)) if refusal != Refusal::NotFound => {
            return tuition::refuse(visit, signed, &selection.wanted, visit.query_pairs(), refusal).await;
        }
        Err(failure) => return Err(Problem::from(failure).into()),
    };
    let status = match answered.is_enough() && changed.is_empty() {
        true => poem::http::StatusCode::OK,
        false => TYPED_WRONG,
    };
    let phone = receiver(visit, signed, &selection, &answered).await?;
    let captcha = match phone {
        Receiver::Asked { .. } => own_profile::captcha(visit, signed).await,
        Receiver::Unsaid | Receiver::Known(_) | Receiver::Proven(_) => None,
    };
    let view = Confirm {
        frame: visit.frame(Some(&signed.payer)),
        checkout_id: selection.key.clone(),
        parts: parts.iter().map(|part| shown(app, part, &own)).collect(),
        changed,
        consent: agreement::asked(app).map(|agreement| consent(visit, agreement, answered.consent, &answered.stamp)),
        phone,
        captcha,
        here: selection.address(),
    };
    Ok(Page::with_status(status, view).into_response())
}

/// Takes what is owed now for amounts that do not fit any more, and says which.
fn follow(own: &[Charge], wanted: &mut Vec<Wanted>) -> Vec<Changed> {
    let mut changed = Vec::new();
    wanted.retain_mut(|one| {
        let Some(charge) = own.iter().find(|charge| charge.id == one.charge_id) else { return true };
        let arrears = charge.balance.arrears();
        let chosen = one.amount.unwrap_or(arrears);
        if amount::check(chosen, arrears, charge.item.min_split).is_ok() {
            return true;
        }
        changed.push(Changed { item: charge.item.name.clone(), was: chosen, now: arrears });
        one.amount = Some(arrears);
        arrears.is_positive()
    });
    changed
}

/// 缴费协议 as a page asks for it, after it was answered wrongly with the problem and the stamp it came with.
pub fn consent(visit: &Visit, agreement: Agreement, problem: Option<ConsentProblem>, stamp: &str) -> Consent {
    let seconds = remaining(visit, &agreement, stamp);
    let purpose = format!("{READ} {}", agreement.version);
    let reading = match visit.app.config.checkout.agreement {
        AgreementGate::Countdown => Some(Reading {
            text: agreement.text,
            seconds,
            stamp: match visit.bound().stamped(&purpose, stamp) {
                Some(_) => stamp.to_owned(),
                None => visit.bound().stamp(&purpose, visit.app.clock.now()),
            },
        }),
        AgreementGate::None | AgreementGate::Checkbox => None,
    };
    Consent { version: agreement.version, reading, problem }
}

fn shown(app: &App, part: &Part, own: &[Charge]) -> ConfirmPart {
    let (payee, fund) = access::payee(app, &part.payee_code);
    let line = |(id, amount): &(ChargeId, Fen)| {
        let charge = own.iter().find(|charge| charge.id == *id)?;
        Some(OrderLine {
            charge_id: *id,
            item: charge.item.name.clone(),
            period: charge.period.name.clone(),
            amount: *amount,
            refunded: Fen::ZERO,
        })
    };
    ConfirmPart { payee, fund, lines: part.lines.iter().filter_map(line).collect(), total: part.total }
}
