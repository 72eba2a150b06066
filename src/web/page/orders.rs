//! 订单查询 and 订单明细.
use std::time::Duration;

use chrono::NaiveDate;
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::access::facts;
use super::ereceipt::standing;
use super::living::line_of;
use crate::domain::moment::Moment;
use crate::domain::order::OrderState;
use crate::domain::order_no::OrderNo;
use crate::flow::inquire;
use crate::flow::records::{self, Listed, Shown};
use crate::web::error::Problem;
use crate::web::guard::{Settled, Visit};
use crate::web::html::Page;
use crate::web::view::ereceipt::Standing;
use crate::web::view::filter::{Listing, Pages, Span, Which};
use crate::web::view::links;
use crate::web::view::order::{OrderPage, RefundLine};
use crate::web::view::orders::{Month, OrderRow, Orders};
use crate::web::view::part::Title;

/// `GET /h5/orders?show=&when=&from=&to=&no=&page=`
#[handler]
pub async fn list(visit: &Visit, Settled(signed): Settled) -> Result<Response> {
    let which = Which::parse(visit.query("show")).unwrap_or_default();
    let list = listing(visit, links::ORDERS, which.code());
    let shown = match which {
        Which::All => Shown::All,
        Which::Pending => Shown::Pending,
        Which::Paid => Shown::Paid,
        Which::Failed => Shown::Closed,
    };
    let within = bounds(list.span, visit.app.clock.now());
    let number = capitals(&list.number);
    let find = async |page| records::orders_of(&visit.app, &signed.session, shown, within, &number, page).await;
    let mut page = page(visit);
    let (mut listed, total) = find(page).await.map_err(Problem::from)?;
    if page > Pages::last_of(total) {
        page = Pages::last_of(total);
        listed = find(page).await.map_err(Problem::from)?.0;
    }
    let view = Orders {
        frame: visit.frame(Some(&signed.payer)),
        which,
        list,
        months: months(listed),
        pages: Pages { page, total },
        limited: signed.is_limited(),
    };
    Ok(Page::new(view).into_response())
}

/// What a list was asked for; all of it when the question cannot be read.
pub fn listing(visit: &Visit, path: &'static str, rows: &'static str) -> Listing {
    let span = Span::parse(visit.query("when"), visit.query("from"), visit.query("to")).unwrap_or_default();
    Listing { path, show: rows, span, number: visit.query("no").trim().chars().take(64).collect() }
}

/// A number as it is looked for: spaces do not count, nor do small letters.
pub fn capitals(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// From 1
pub fn page(visit: &Visit) -> u32 {
    visit.query("page").trim().parse().unwrap_or(1).clamp(1, 100_000)
}

/// `[from, until)`: Beijing days, the last one included.
pub fn bounds(span: Span, now: Moment) -> (Moment, Moment) {
    let end_of = |day: NaiveDate| Moment::start_of(day) + Duration::from_secs(86_400);
    let for_ever = Moment::from_millis(i64::MAX);
    match span {
        Span::All => (Moment::from_millis(0), for_ever),
        Span::Today => (Moment::start_of(now.day()), for_ever),
        Span::Month => (now.month_start(), for_ever),
        Span::Days { from, to } => (from.map_or(Moment::from_millis(0), Moment::start_of), to.map_or(for_ever, end_of)),
    }
}

fn months(listed: Vec<Listed>) -> Vec<Month> {
    let mut months: Vec<Month> = Vec::new();
    for one in listed {
        let at = one.order.created_at;
        let row = OrderRow {
            order_no: one.order.order_no.clone(),
            title: Title::of(&one.lines),
            created_at: at,
            total: one.order.total,
            state: one.order.state.clone(),
            channel: one.order.paid_by.map(|product| product.channel()),
            refunded: one.refunded(),
            returning: one.returning,
        };
        let same = months.last_mut().filter(|month| month.month.month_start() == at.month_start());
        let month = match same {
            Some(month) => month,
            None => {
                let empty = Month { month: at, paid_count: 0, paid_sum: Default::default(), orders: Vec::new() };
                months.push(empty);
                months.last_mut().expect("one was pushed just now")
            }
        };
        if matches!(row.state, OrderState::Paid { .. }) {
            month.paid_count += 1;
            month.paid_sum = month.paid_sum + row.total;
        }
        month.orders.push(row);
    }
    months
}

/// `GET /h5/orders/{order_no}`. Asks the channel about an order that waits.
#[handler]
pub async fn show(visit: &Visit, Settled(signed): Settled, Path(no): Path<String>) -> Result<Response> {
    let app = &visit.app;
    let no = OrderNo::parse(&no).ok_or(Problem::NotFound)?;
    let found = records::find_order(app, &signed.session, &no).await.map_err(Problem::from)?;
    let seen = inquire::on_read(app, found.ok_or(Problem::NotFound)?, inquire::WAITING).await.map_err(Problem::from)?;
    let record = records::record(app, seen.order).await.map_err(Problem::from)?;
    let refund = |refund: &crate::domain::refund::Refund| RefundLine {
        cause: refund.cause,
        state: refund.state,
        amount: refund.amount,
        channel: refund.channel,
        asked_at: refund.created_at,
        done_at: refund.done_at,
    };
    let top_up = line_of(app, &record.order, signed.is_limited()).await?;
    let ereceipt = match &record.receipt {
        Some(receipt) => standing(app, receipt.id).await?,
        None => Standing::Other,
    };
    let view = OrderPage {
        top_up,
        ereceipt,
        frame: visit.frame(Some(&signed.payer)),
        order: facts(app, &record.order, record.lines.clone()),
        state: record.order.state.clone(),
        channel: record.channel,
        receipt: record.receipt.as_ref().map(|receipt| (receipt.receipt_no.clone(), receipt.issued_at)),
        refunds: record.refunds.iter().rev().map(refund).collect(),
        under_review: record.under_review,
    };
    Ok(Page::new(view).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_span_of_days_includes_its_last_day_and_is_open_where_no_day_is_given() {
        let now = at("2026-09-15T10:00:00+08:00");
        let days = |from: &str, to: &str| bounds(Span::parse("days", from, to).unwrap(), now);
        let (from, until) = days("2026-09-01", "2026-09-02");
        assert_eq!((from, until), (at("2026-09-01T00:00:00+08:00"), at("2026-09-03T00:00:00+08:00")));
        assert_eq!(days("", "x"), bounds(Span::All, now));
        assert_eq!(days("-9999-01-01", "+262142-12-31"), bounds(Span::All, now), "days no calendar here has");
        assert_eq!(bounds(Span::Today, now).0, at("2026-09-15T00:00:00+08:00"));
        assert_eq!(bounds(Span::Month, now).0, at("2026-09-01T00:00:00+08:00"));
    }
}
