//! `POST /api/campus/payers|items|charges`: rows in batches, by the same rules as the office's spreadsheets. All rows
//! or none; a refused batch names each bad row.
use std::sync::Arc;

use poem::Result;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::keys::{ChargesWrite, ItemsWrite, May, PayersWrite};
use super::money::Money;
use super::once::once;
use super::problem::{ApiProblem, RowProblem};
use super::rows::{ChargeRow, ItemRow, PayerRow};
use super::spec::Tag;
use crate::app::App;
use crate::domain::bilingual::Bilingual;
use crate::domain::money::Fen;
use crate::flow::import::report::{BadRow, Report};
use crate::flow::import::run::{ImportError, Kind, import_rows};
use crate::flow::import::table::Row;

pub struct BatchesApi;

macro_rules! batch {
    ($(#[$doc:meta])* $name:ident of $row:ident) => {
        $(#[$doc])*
        #[derive(Object)]
        #[oai(deny_unknown_fields)]
        pub struct $name {
            /// One to a thousand
            #[oai(validator(min_items = 1, max_items = 1000))]
            rows: Vec<$row>,
        }
    };
}

batch!(
    /// Payers to add or bring up to date, by number 缴费人
    PayerBatch of PayerRow
);
batch!(
    /// Fee items to add or bring up to date, by code 收费项目
    ItemBatch of ItemRow
);
batch!(
    /// Charges to assess or change, by payer, item and period 应收
    ChargeBatch of ChargeRow
);

/// What became of a batch. 处理结果
#[derive(Object, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct BatchReport {
    pub rows: u64,
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// The sum assessed (charges only)
    pub assessed: Option<Money>,
}

#[OpenApi(tag = "Tag::Campus")]
impl BatchesApi {
    /// Add payers or bring them up to date 导入缴费人
    ///
    /// A number that is known brings its payer up to date; an absent document number or phone leaves the stored one.
    /// All rows or none. Scope `payers:write`.
    #[oai(path = "/campus/payers", method = "post", operation_id = "writePayers", transform = "once")]
    async fn payers(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<PayersWrite>,
        body: Json<PayerBatch>,
    ) -> Result<Json<BatchReport>> {
        taken(app, Kind::Payers, body.0.rows.into_iter().map(PayerRow::cells).collect()).await
    }

    /// Add fee items or bring them up to date 导入收费项目
    ///
    /// All rows or none. Scope `items:write`.
    #[oai(path = "/campus/items", method = "post", operation_id = "writeItems", transform = "once")]
    async fn items(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<ItemsWrite>,
        body: Json<ItemBatch>,
    ) -> Result<Json<BatchReport>> {
        taken(app, Kind::Items, body.0.rows.into_iter().map(ItemRow::cells).collect()).await
    }

    /// Assess charges or change them 导入应收
    ///
    /// One charge per payer, item and period; a known one is changed to these figures, the journal gets the difference.
    /// `paid_fen` is all that was paid at the counter so far. All rows or none. Scope `charges:write`.
    #[oai(path = "/campus/charges", method = "post", operation_id = "writeCharges", transform = "once")]
    async fn charges(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<ChargesWrite>,
        body: Json<ChargeBatch>,
    ) -> Result<Json<BatchReport>> {
        taken(app, Kind::Charges, body.0.rows.into_iter().map(ChargeRow::cells).collect()).await
    }
}

/// Imports the rows, counted from 1 as they stand in the array.
async fn taken(app: &App, kind: Kind, rows: Vec<Vec<String>>) -> Result<Json<BatchReport>> {
    let row = |(line, cells): (u64, Vec<String>)| Row { line, cells, bytes: 0 };
    let rows: Vec<Row> = (1..).zip(rows).map(row).collect();
    let report = import_rows(app, kind, &rows).await.map_err(|error| match error {
        ImportError::Store(error) if error.is_duplicate() => ApiProblem::Conflict,
        ImportError::Store(error) if error.is_away() => ApiProblem::Unavailable(error.to_string()),
        other => ApiProblem::Internal(other.to_string()),
    })?;
    match report.is_clean() {
        true => Ok(Json(told(kind, &report))),
        false => Err(ApiProblem::RowsRefused { rows: bad_rows(kind, &report), count: report.bad_count }.into()),
    }
}

fn told(kind: Kind, report: &Report) -> BatchReport {
    BatchReport {
        rows: report.rows,
        added: report.added,
        changed: report.changed,
        unchanged: report.unchanged,
        assessed: (kind == Kind::Charges).then(|| Fen::new(report.assessed_fen).into()),
    }
}

fn bad_rows(kind: Kind, report: &Report) -> Vec<RowProblem> {
    let field = |column: &str| match kind {
        Kind::Payers => PayerRow::field(column),
        Kind::Items => ItemRow::field(column),
        Kind::Charges => ChargeRow::field(column),
        // no call brings these
        Kind::Programmes | Kind::Studies => "",
    };
    let problem = |row: &BadRow| {
        let Bilingual { zh: detail_zh, en: detail } = row.why.words();
        let (field, column) = (field(row.column), row.column);
        RowProblem { row: row.line, field, column, code: row.why.code(), detail, detail_zh }
    };
    report.bad.iter().map(problem).collect()
}
