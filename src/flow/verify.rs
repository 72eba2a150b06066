//! 核验: whoever holds a voucher, stands before a poster or was shown an order learns whether it is genuine. Each has a
//! code that nobody can make up; without it nothing is told, not even whether the number exists.
use std::net::IpAddr;
use std::time::Duration;

use super::check_code::Facts;
use super::failure::Result;
use super::guess::Fence;
use super::poster::desk::{self, Subject};
use super::records;
use super::voucher::{self, Voucher};
use crate::app::App;
use crate::domain::moment::Moment;
use crate::domain::order::{Order, OrderLine};
use crate::domain::order_no::OrderNo;
use crate::domain::payer::Payer;
use crate::domain::poster::{Poster, PosterNo, PosterState};
use crate::domain::voucher::VoucherCode;
use crate::store::{orders, payers};

/// Wrong ones of one network, and in how long
const WRONG: (u32, Duration) = (30, Duration::from_secs(600));
/// Every number of ours is shorter
const LONGEST_NO: usize = 32;

/// What somebody is told who holds a number and a code.
pub enum Examined {
    Voucher(Box<(Voucher, Payer)>),
    Poster(Box<(Poster, PosterState, Subject)>),
    Order(Box<(Order, Vec<OrderLine>, Payer)>),
    /// There is nothing of that number, or the code is not its code: nobody is told which.
    False,
    /// Too many wrong ones from this network
    Wait {
        until: Moment,
    },
}

/// Tells a genuine paper from another. Asks nobody to be signed in.
pub async fn examine(app: &App, no: &str, code: &VoucherCode, address: IpAddr) -> Result<Examined> {
    let fence = Fence::new(app, "voucher", address, WRONG);
    if let Some(until) = fence.closed(app).await {
        return Ok(Examined::Wait { until });
    }
    match find(app, no, code).await? {
        Some(found) => Ok(found),
        None => {
            fence.wrong(app).await;
            Ok(Examined::False)
        }
    }
}

async fn find(app: &App, no: &str, code: &VoucherCode) -> Result<Option<Examined>> {
    if no.len() > LONGEST_NO {
        return Ok(None);
    }
    if let Some(no) = PosterNo::parse(no) {
        let found = desk::find(app, &no).await?.filter(|poster| desk::is_proved(app, poster, code));
        let Some(poster) = found else { return Ok(None) };
        let subject = desk::subject(app, &poster).await?;
        let state = poster.state(app.clock.now());
        return Ok(Some(Examined::Poster(Box::new((poster, state, subject)))));
    }
    if let Some(no) = OrderNo::parse(no) {
        let found = orders::find_by_no(app.db.read(), &no).await?.filter(|order| facts(order).proved_by(app, code));
        let Some(order) = found else { return Ok(None) };
        let Some(account) = payers::find(app.db.read(), order.payer_id).await? else { return Ok(None) };
        let lines = records::lines_of(app, order.id).await?;
        return Ok(Some(Examined::Order(Box::new((order, lines, account.payer)))));
    }
    Ok(voucher::find(app, no, code).await?.map(|found| Examined::Voucher(Box::new(found))))
}

/// 验真码 of an order: whoever is asked to pay it can check that it is the school's.
pub fn code_of_order(app: &App, order: &Order) -> VoucherCode {
    facts(order).code(app)
}

/// What of an order never changes.
fn facts(order: &Order) -> Facts<'_> {
    Facts {
        of: "order",
        texts: vec![order.order_no.as_str(), &order.payee_code, &order.pay_code],
        numbers: vec![order.created_at.millis(), order.payer_id.0, order.total.get()],
    }
}
