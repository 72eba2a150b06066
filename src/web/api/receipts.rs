//! `GET /api/receipts…`: what the payer has paid, as far back as the session sees.
use std::sync::Arc;

use poem::Result;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::money::time;
use super::orders::{OrderInfo, info, within};
use super::problem::ApiProblem;
use super::spec::Tag;
use crate::app::App;
use crate::flow::records::{self, Slip};
use crate::web::guard::SignedIn;

pub struct ReceiptsApi;

/// 收费单
#[derive(Object, Debug)]
pub struct ReceiptInfo {
    pub receipt_no: String,
    pub issued_at: String,
    /// Who issued it; the platform, or a clerk
    pub issuer: String,
    pub order: OrderInfo,
}

/// One page of receipts, newest first.
#[derive(Object, Debug)]
pub struct ReceiptList {
    pub receipts: Vec<ReceiptInfo>,
    pub page: u32,
    /// Whether there is another page
    pub more: bool,
}

#[OpenApi(tag = "Tag::Payer")]
impl ReceiptsApi {
    /// The payer's receipts 收费单列表
    ///
    /// Twenty on a page, newest first.
    #[oai(path = "/receipts", method = "get", operation_id = "receipts")]
    async fn receipts(
        &self,
        Data(app): Data<&Arc<App>>,
        signed: SignedIn,
        /// First day, in Beijing
        from: Query<Option<String>>,
        /// Last day, in Beijing, included
        to: Query<Option<String>>,
        /// From 1
        #[oai(default = "first", validator(minimum(value = "1"), maximum(value = "100000")))]
        page: Query<u32>,
    ) -> Result<Json<ReceiptList>> {
        let within = within(from.0.as_deref(), to.0.as_deref())?;
        let found = records::slips_of(app, &signed.session, within, page.0).await;
        let (slips, more) = found.map_err(ApiProblem::from)?;
        let receipts = slips.into_iter().map(|slip| receipt(app, slip)).collect();
        Ok(Json(ReceiptList { receipts, page: page.0, more }))
    }

    /// One receipt 收费单
    #[oai(path = "/receipts/:receipt_no", method = "get", operation_id = "receipt")]
    async fn receipt(
        &self,
        Data(app): Data<&Arc<App>>,
        signed: SignedIn,
        /// 收费单号
        receipt_no: Path<String>,
    ) -> Result<Json<ReceiptInfo>> {
        let is_number = receipt_no.0.len() <= 64 && receipt_no.0.bytes().all(|b| b.is_ascii_graphic());
        if !is_number {
            return Err(ApiProblem::NotFound.into());
        }
        let found = records::find_slip(app, &signed.session, &receipt_no.0).await.map_err(ApiProblem::from)?;
        Ok(Json(receipt(app, found.ok_or(ApiProblem::NotFound)?)))
    }
}

fn first() -> u32 {
    1
}

fn receipt(app: &App, slip: Slip) -> ReceiptInfo {
    ReceiptInfo {
        receipt_no: slip.receipt.receipt_no,
        issued_at: time(slip.receipt.issued_at),
        issuer: slip.receipt.issuer,
        order: info(app, &slip.listed.order, slip.listed.lines, false),
    }
}
