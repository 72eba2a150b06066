//! 欠费: what a payer owes, and what of it waits in an unpaid order.
use super::failure::Result;
use crate::app::App;
use crate::domain::charge::Charge;
use crate::domain::ids::{ChargeId, PayerId};
use crate::domain::order::Waiting;
use crate::store::charges;

pub struct Arrears {
    /// Every charge the office billed, newest period first; what is paid has no arrears
    pub charges: Vec<Charge>,
    /// Pending orders with the charges each one holds
    pub pending: Vec<(Waiting, ChargeId)>,
}

impl Arrears {
    /// The pending order a charge waits in.
    pub fn order_of(&self, charge: ChargeId) -> Option<&Waiting> {
        self.pending.iter().find(|(_, held)| *held == charge).map(|(order, _)| order)
    }
}

pub async fn of_payer(app: &App, payer: PayerId) -> Result<Arrears> {
    let (mut charges, pending) = charges::find_with_orders(app.db.read(), payer).await?;
    charges.retain(|charge| !charge.is_bought());
    Ok(Arrears { charges, pending })
}

/// One charge, and only if it is this payer's.
pub async fn find_charge(app: &App, payer: PayerId, id: ChargeId) -> Result<Option<Charge>> {
    Ok(charges::find_one_of_payer(app.db.read(), payer, id).await?)
}
