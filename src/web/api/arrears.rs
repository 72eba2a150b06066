//! `GET /api/arrears`: what the payer owes, charge by charge, as the arrears page shows it.
use std::sync::Arc;

use poem::Result;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};

use super::money::{Money, Names, day};
use super::problem::ApiProblem;
use super::spec::Tag;
use crate::app::App;
use crate::domain::bilingual::Bilingual;
use crate::domain::charge::Charge;
use crate::domain::fee::FeeKind;
use crate::domain::money::Fen;
use crate::flow::arrears::{self, Arrears};
use crate::web::guard::SignedIn;

pub struct ArrearsApi;

/// Whether a charge can be paid now. 缴费状态
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum ChargeState {
    /// It can be paid
    Payable,
    /// It waits in an unpaid order
    InOrder,
    /// Outside its time, or not collected at present
    Closed,
}

/// 收费类型
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum Kind {
    /// 学费
    Tuition,
    /// 其他费用
    Other,
    /// 生活缴费
    Living,
    /// 报名费
    Enrolment,
}

impl From<FeeKind> for Kind {
    fn from(kind: FeeKind) -> Kind {
        match kind {
            FeeKind::Tuition => Kind::Tuition,
            FeeKind::Other => Kind::Other,
            FeeKind::Living => Kind::Living,
            FeeKind::Enrolment => Kind::Enrolment,
        }
    }
}

/// A charge that is not paid in full. 应收
#[derive(Object, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct Owed {
    pub charge_id: i64,
    pub item: Names,
    pub kind: Kind,
    pub period_code: String,
    pub period: Names,
    /// Who receives it
    pub payee: Names,
    pub assessed: Money,
    pub waived: Money,
    pub paid: Money,
    pub refunded: Money,
    /// What is still owed
    pub arrears: Money,
    /// The least a part payment may be, where parts are allowed
    pub min_part: Option<Money>,
    pub due_day: Option<String>,
    pub state: ChargeState,
    /// The order it waits in
    pub order_no: Option<String>,
}

/// 欠费
#[derive(Object, Debug)]
pub struct ArrearsInfo {
    pub total: Money,
    /// Newest period first
    pub charges: Vec<Owed>,
}

#[OpenApi(tag = "Tag::Payer")]
impl ArrearsApi {
    /// What the payer owes 欠费
    #[oai(path = "/arrears", method = "get", operation_id = "arrears")]
    async fn arrears(&self, Data(app): Data<&Arc<App>>, signed: SignedIn) -> Result<Json<ArrearsInfo>> {
        let own = arrears::of_payer(app, signed.payer.id).await.map_err(ApiProblem::from)?;
        let owed: Vec<&Charge> = own.charges.iter().filter(|charge| charge.balance.arrears().is_positive()).collect();
        let total: Fen = owed.iter().map(|charge| charge.balance.arrears()).sum();
        let charges = owed.into_iter().map(|charge| row(app, &own, charge)).collect();
        Ok(Json(ArrearsInfo { total: total.into(), charges }))
    }
}

fn row(app: &App, own: &Arrears, charge: &Charge) -> Owed {
    let now = app.clock.now();
    let waiting = own.order_of(charge.id).filter(|order| order.expires_at > now);
    let state = match (waiting, charge.item.payable_at(now)) {
        (Some(_), _) => ChargeState::InOrder,
        (None, Ok(())) => ChargeState::Payable,
        (None, Err(_)) => ChargeState::Closed,
    };
    let payee = app.config.payee(&charge.item.payee_code).map(|payee| payee.bilingual_name());
    let balance = &charge.balance;
    Owed {
        charge_id: charge.id.0,
        item: charge.item.name.clone().into(),
        kind: charge.item.kind.into(),
        period_code: charge.period.code.clone(),
        period: charge.period.name.clone().into(),
        payee: payee.unwrap_or_else(|| Bilingual::new(&charge.item.payee_code, "")).into(),
        assessed: balance.assessed.into(),
        waived: balance.waived.into(),
        paid: balance.paid.into(),
        refunded: balance.refunded.into(),
        arrears: balance.arrears().into(),
        min_part: charge.item.min_split.map(Money::from),
        due_day: charge.due_day.map(day),
        state,
        order_no: waiting.map(|order| order.order_no.to_string()),
    }
}
