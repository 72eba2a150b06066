//! `GET /api/campus/orders…`: every order, in the order of its changes.
use std::sync::Arc;

use poem::Result;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::keys::{May, OrdersRead};
use super::money::{Money, time};
use super::orders::{Ended, PaidThrough, ended};
use super::problem::ApiProblem;
use super::spec::Tag;
use crate::app::App;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::domain::order::OrderState;
use crate::domain::order_no::OrderNo;
use crate::flow::feed::{self, Line, Told};

pub struct FeedApi;

/// How every cursor begins, before it is encoded
const CURSOR: char = 'o';

/// 订单状态
#[derive(poem_openapi::Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum CampusState {
    /// 待支付
    Pending,
    /// 已支付
    Paid,
    /// 已关闭
    Closed,
}

/// One line of an order. 订单明细
#[derive(Object, Debug)]
pub struct CampusLine {
    /// 项目编码
    pub item: String,
    /// 收费期间
    pub period: String,
    pub amount: Money,
    pub refunded: Money,
}

/// An order as campus systems read it. 缴费单
#[derive(Object, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct CampusOrder {
    pub order_no: String,
    pub state: CampusState,
    /// 人员编号
    pub payer_number: String,
    /// 收款单位
    pub payee: String,
    pub total: Money,
    pub refunded: Money,
    pub lines: Vec<CampusLine>,
    pub created_at: String,
    pub paid_at: Option<String>,
    pub channel: Option<PaidThrough>,
    /// 渠道交易号
    pub trade_no: Option<String>,
    pub receipt_no: Option<String>,
    pub closed_at: Option<String>,
    pub close_reason: Option<Ended>,
    /// When the feed took in its last change; in the feed only
    pub changed_at: Option<String>,
}

/// One page of the feed.
#[derive(Object, Debug)]
pub struct ChangedOrders {
    /// First change first; an order that changes again comes again
    pub orders: Vec<CampusOrder>,
    /// Where the next call goes on: keep it, it never goes bad
    pub next: String,
    /// Whether more is there already
    pub more: bool,
}

#[OpenApi(tag = "Tag::Campus")]
impl FeedApi {
    /// Orders in the order of their changes 按变动顺序读取订单
    ///
    /// Call with `next` of the answer before; without a cursor it begins with the first order, or with `changed_since`.
    /// No order is missed, however many change at once: an order gets its place only after its change is committed.
    /// An order may come twice. Scope `orders:read`.
    #[oai(path = "/campus/orders", method = "get", operation_id = "changedOrders")]
    async fn changed(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<OrdersRead>,
        /// `next` of the answer before
        #[oai(validator(min_length = 2, max_length = 19, pattern = "^o[0-9]{1,18}$"))]
        cursor: Query<Option<String>>,
        /// Without a cursor: leave out what changed before this time
        changed_since: Query<Option<String>>,
        /// How many orders at most
        #[oai(default = "hundred", validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<u32>,
    ) -> Result<Json<ChangedOrders>> {
        let since = changed_since.0.as_deref().map(since).transpose()?;
        let (after, since) = match cursor.0.as_deref() {
            Some(cursor) => (read_cursor(cursor)?, None),
            None => (0, since),
        };
        let page = feed::page(app, after, since, u64::from(limit.0)).await.map_err(ApiProblem::from)?;
        Ok(Json(ChangedOrders {
            next: write_cursor(page.next),
            more: page.more,
            orders: page.orders.into_iter().map(told).collect(),
        }))
    }

    /// One order 读取一个订单
    ///
    /// Scope `orders:read`.
    #[oai(path = "/campus/orders/:order_no", method = "get", operation_id = "campusOrder")]
    async fn one(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<OrdersRead>,
        /// 订单号
        order_no: Path<String>,
    ) -> Result<Json<CampusOrder>> {
        let no = OrderNo::parse(&order_no.0).ok_or(ApiProblem::NotFound)?;
        let found = feed::one(app, &no).await.map_err(ApiProblem::from)?;
        Ok(Json(told(found.ok_or(ApiProblem::NotFound)?)))
    }
}

fn hundred() -> u32 {
    100
}

fn since(text: &str) -> Result<Moment, ApiProblem> {
    let wrong = || ApiProblem::Unreadable("changed_since: expected a time like 2026-09-01T00:00:00+08:00".to_owned());
    Moment::parse_rfc3339(text).ok_or_else(wrong)
}

fn write_cursor(after: i64) -> String {
    format!("{CURSOR}{after}")
}

fn read_cursor(text: &str) -> Result<i64, ApiProblem> {
    let number = text.strip_prefix(CURSOR).and_then(|number| number.parse().ok());
    number.ok_or_else(|| ApiProblem::Unreadable("cursor: not one of ours".to_owned()))
}

fn told(told: Told) -> CampusOrder {
    let Told { order, attached, changed_at } = told;
    let (mut paid_at, mut trade_no, mut closed_at, mut close_reason) = (None, None, None, None);
    let state = match order.state {
        OrderState::Pending { .. } => CampusState::Pending,
        OrderState::Paid { trade_no: no, paid_at: at } => {
            paid_at = Some(time(at));
            trade_no = Some(no.0);
            CampusState::Paid
        }
        OrderState::Closed { reason, closed_at: at } => {
            closed_at = Some(time(at));
            close_reason = Some(ended(reason));
            CampusState::Closed
        }
    };
    let line = |line: Line| CampusLine {
        item: line.item_code,
        period: line.period_code,
        amount: line.amount.into(),
        refunded: line.refunded.into(),
    };
    CampusOrder {
        order_no: order.order_no.to_string(),
        state,
        payer_number: attached.payer_number,
        payee: order.payee_code,
        total: order.total.into(),
        refunded: attached.lines.iter().map(|line| line.refunded).sum::<Fen>().into(),
        lines: attached.lines.into_iter().map(line).collect(),
        created_at: time(order.created_at),
        paid_at,
        channel: order.paid_by.map(|product| product.channel().into()),
        trade_no,
        receipt_no: attached.receipt_no,
        closed_at,
        close_reason,
        changed_at: changed_at.map(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_out_and_a_made_up_one_is_refused() {
        for after in [0, 1, i64::MAX] {
            assert_eq!(read_cursor(&write_cursor(after)).unwrap(), after);
        }
        for text in ["", "0", "o", "o1x", "r1", "长", "o99999999999999999999"] {
            assert!(matches!(read_cursor(text), Err(ApiProblem::Unreadable(_))), "{text}");
        }
    }
}
