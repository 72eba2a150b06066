//! `GET /api/orders…`: the payer's own orders, as far back as the session sees. Reading one that waits asks the
//! channel, as the page does.
use std::sync::Arc;

use chrono::NaiveDate;
use poem::Result;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};

use super::money::{Line, Money, Names, time};
use super::problem::ApiProblem;
use super::spec::Tag;
use crate::app::App;
use crate::domain::moment::Moment;
use crate::domain::order::{CloseReason, Order, OrderLine, OrderState};
use crate::domain::order_no::OrderNo;
use crate::domain::refund::Refund;
use crate::domain::trade::Channel;
use crate::flow::inquire;
use crate::flow::records::{self, Record, Shown};
use crate::web::guard::SignedIn;

pub struct OrdersApi;

/// 订单状态
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub enum State {
    /// 待支付
    Pending,
    /// 已支付
    Paid,
    /// 已关闭
    Closed,
    /// Money of another amount arrived and the office looks at it 核对中
    Review,
}

/// 关闭原因
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum Ended {
    Cancelled,
    Expired,
    /// What is owed changed
    Superseded,
}

/// 支付渠道
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum PaidThrough {
    Wechat,
    Alipay,
    #[oai(rename = "unionpay")]
    UnionPay,
}

impl From<Channel> for PaidThrough {
    fn from(channel: Channel) -> PaidThrough {
        match channel {
            Channel::Wechat => PaidThrough::Wechat,
            Channel::Alipay => PaidThrough::Alipay,
            Channel::UnionPay => PaidThrough::UnionPay,
        }
    }
}

/// Which orders a list shows.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[oai(rename_all = "snake_case")]
pub enum Show {
    #[default]
    All,
    Pending,
    Paid,
    Closed,
}

/// 缴费单
#[derive(Object, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct OrderInfo {
    pub order_no: String,
    pub state: State,
    pub payee: Names,
    pub total: Money,
    /// What went back of it
    pub refunded: Money,
    pub lines: Vec<Line>,
    pub created_at: String,
    /// Until when it can be paid; only while it waits
    pub expires_at: Option<String>,
    pub paid_at: Option<String>,
    pub closed_at: Option<String>,
    pub close_reason: Option<Ended>,
    pub channel: Option<PaidThrough>,
}

/// One page of orders, newest first.
#[derive(Object, Debug)]
pub struct OrderList {
    pub orders: Vec<OrderInfo>,
    pub page: u32,
    /// Whether there is another page
    pub more: bool,
}

/// 退费进度
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum RefundProgress {
    /// On its way
    Processing,
    Done,
    /// The office looks at it
    Abnormal,
    /// It will not happen
    Closed,
}

/// 退费
#[derive(Object, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct RefundInfo {
    pub amount: Money,
    pub state: RefundProgress,
    /// Whether it sends back money that came twice or too late
    pub surplus: bool,
    pub asked_at: String,
    pub done_at: Option<String>,
}

/// One order with all that belongs to it.
#[derive(Object, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct OrderDetail {
    pub order: OrderInfo,
    pub receipt_no: Option<String>,
    /// First one first
    pub refunds: Vec<RefundInfo>,
}

/// How an order stands.
#[derive(Object, Debug)]
pub struct OrderStateInfo {
    pub order_no: String,
    pub state: State,
    /// Whether the state can still change by the payer's doing
    pub is_final: bool,
}

#[OpenApi(tag = "Tag::Payer")]
impl OrdersApi {
    /// The payer's orders 订单列表
    ///
    /// Twenty on a page, newest first.
    #[oai(path = "/orders", method = "get", operation_id = "orders")]
    async fn orders(
        &self,
        Data(app): Data<&Arc<App>>,
        signed: SignedIn,
        /// Which orders
        #[oai(default)]
        show: Query<Show>,
        /// First day, in Beijing
        from: Query<Option<String>>,
        /// Last day, in Beijing, included
        to: Query<Option<String>>,
        /// From 1
        #[oai(default = "first", validator(minimum(value = "1"), maximum(value = "100000")))]
        page: Query<u32>,
    ) -> Result<Json<OrderList>> {
        let shown = match show.0 {
            Show::All => Shown::All,
            Show::Pending => Shown::Pending,
            Show::Paid => Shown::Paid,
            Show::Closed => Shown::Closed,
        };
        let within = within(from.0.as_deref(), to.0.as_deref())?;
        let found = records::orders_of(app, &signed.session, shown, within, "", page.0).await;
        let (listed, total) = found.map_err(ApiProblem::from)?;
        let orders = listed.into_iter().map(|one| info(app, &one.order, one.lines, false)).collect();
        let more = total > u64::from(page.0) * records::PAGE as u64;
        Ok(Json(OrderList { orders, page: page.0, more }))
    }

    /// One order 订单
    #[oai(path = "/orders/:order_no", method = "get", operation_id = "order")]
    async fn order(
        &self,
        Data(app): Data<&Arc<App>>,
        signed: SignedIn,
        /// 订单号
        order_no: Path<String>,
    ) -> Result<Json<OrderDetail>> {
        let record = look(app, &signed, &order_no.0).await?;
        Ok(Json(OrderDetail {
            order: info(app, &record.order, record.lines, record.under_review),
            receipt_no: record.receipt.map(|receipt| receipt.receipt_no),
            refunds: record.refunds.iter().map(refund).collect(),
        }))
    }

    /// How an order stands 订单状态
    #[oai(path = "/orders/:order_no/state", method = "get", operation_id = "orderState")]
    async fn state(
        &self,
        Data(app): Data<&Arc<App>>,
        signed: SignedIn,
        /// 订单号
        order_no: Path<String>,
    ) -> Result<Json<OrderStateInfo>> {
        let record = look(app, &signed, &order_no.0).await?;
        let state = state_of(&record.order, record.under_review);
        let is_final = matches!(state, State::Paid | State::Closed);
        Ok(Json(OrderStateInfo { order_no: record.order.order_no.to_string(), state, is_final }))
    }
}

fn first() -> u32 {
    1
}

async fn look(app: &Arc<App>, signed: &SignedIn, no: &str) -> Result<Record, ApiProblem> {
    let no = OrderNo::parse(no).ok_or(ApiProblem::NotFound)?;
    let found = records::find_order(app, &signed.session, &no).await?.ok_or(ApiProblem::NotFound)?;
    let seen = inquire::on_read(app, found, inquire::WAITING).await?;
    Ok(records::record(app, seen.order).await?)
}

/// `[from, until)` of Beijing days, the last one included; open where no day is given.
pub fn within(from: Option<&str>, to: Option<&str>) -> Result<(Moment, Moment), ApiProblem> {
    let day = |name: &str, text: &str| {
        let wrong = || ApiProblem::Unreadable(format!("{name}: expected a day like 2026-09-30"));
        let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| plain).ok_or_else(wrong)
    };
    let from = from.map(|text| day("from", text)).transpose()?;
    let to = to.map(|text| day("to", text)).transpose()?;
    let after = |last: NaiveDate| Moment::start_of(last.succ_opt().unwrap_or(last));
    Ok((from.map_or(Moment::from_millis(i64::MIN), Moment::start_of), to.map_or(Moment::from_millis(i64::MAX), after)))
}

fn state_of(order: &Order, under_review: bool) -> State {
    match order.state {
        OrderState::Paid { .. } => State::Paid,
        OrderState::Closed { .. } => State::Closed,
        OrderState::Pending { .. } if under_review => State::Review,
        OrderState::Pending { .. } => State::Pending,
    }
}

pub fn info(app: &App, order: &Order, lines: Vec<OrderLine>, under_review: bool) -> OrderInfo {
    let payee = app.config.payee(&order.payee_code).map(|payee| payee.bilingual_name());
    let (mut expires_at, mut paid_at, mut closed_at, mut close_reason) = (None, None, None, None);
    match &order.state {
        OrderState::Pending { expires_at: at } => expires_at = Some(time(*at)),
        OrderState::Paid { paid_at: at, .. } => paid_at = Some(time(*at)),
        OrderState::Closed { reason, closed_at: at } => {
            closed_at = Some(time(*at));
            close_reason = Some(ended(*reason));
        }
    }
    OrderInfo {
        order_no: order.order_no.to_string(),
        state: state_of(order, under_review),
        payee: payee.map_or_else(|| Names { zh: order.payee_code.clone(), en: String::new() }, Names::from),
        total: order.total.into(),
        refunded: lines.iter().map(|line| line.refunded).sum::<crate::domain::money::Fen>().into(),
        lines: lines.into_iter().map(Line::from).collect(),
        created_at: time(order.created_at),
        expires_at,
        paid_at,
        closed_at,
        close_reason,
        channel: order.paid_by.map(|product| product.channel().into()),
    }
}

pub fn ended(reason: CloseReason) -> Ended {
    match reason {
        CloseReason::Cancelled => Ended::Cancelled,
        CloseReason::Expired => Ended::Expired,
        CloseReason::Superseded => Ended::Superseded,
    }
}

fn refund(refund: &Refund) -> RefundInfo {
    use crate::domain::refund::{RefundCause, RefundState};
    RefundInfo {
        amount: refund.amount.into(),
        state: match refund.state {
            RefundState::Wanted | RefundState::Processing => RefundProgress::Processing,
            RefundState::Done => RefundProgress::Done,
            RefundState::Abnormal => RefundProgress::Abnormal,
            RefundState::Closed => RefundProgress::Closed,
        },
        surplus: refund.cause == RefundCause::Surplus,
        asked_at: time(refund.created_at),
        done_at: refund.done_at.map(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_days_in_beijing_and_what_is_no_day_is_told() {
        let (from, until) = within(Some("2026-09-01"), Some("2026-09-02")).unwrap();
        assert_eq!(
            (from.rfc3339().as_str(), until.rfc3339().as_str()),
            ("2026-09-01T00:00:00+08:00", "2026-09-03T00:00:00+08:00")
        );
        for text in ["", "2026-02-30", "2026-9-1", "+2026-09-1", "二〇二六"] {
            assert!(matches!(within(Some(text), None), Err(ApiProblem::Unreadable(_))), "{text}");
        }
        assert!(within(None, Some("9999-12-31")).is_ok() && within(Some("0001-01-01"), None).is_ok());
    }
}
