//! 查账: adds the books up again and tells where they do not agree. Reads only.
use super::failure::Result;
use crate::app::App;
use crate::store::audit::{self, CHECKS};
pub use crate::store::audit::{Difference, Totals};

/// How many differing rows of one check are told.
pub const TOLD: u32 = 20;

/// One thing that must hold, and the first rows where it does not; none when all is well.
pub struct Finding {
    pub must_hold: &'static str,
    pub differences: Vec<Difference>,
}

pub async fn run(app: &App) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for check in &CHECKS {
        let differences = check.run(app.db.read(), TOLD).await?;
        findings.push(Finding { must_hold: check.name, differences });
    }
    Ok(findings)
}

/// What came and went through each channel of each payee.
pub async fn totals(app: &App) -> Result<Vec<Totals>> {
    Ok(audit::totals(app.db.read()).await?)
}
