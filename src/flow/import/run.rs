//! One import from open file to commit or rollback.
use std::path::Path;

use super::context::Context;
pub use super::context::ImportError;
use super::report::Report;
use super::table::{Column, Row, Table};
use super::{batch, charges, items, payers, programmes, studies};
use crate::app::App;
use crate::store::{bulk, keys, tallies};

/// What a file is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Payers,
    Items,
    Charges,
    Programmes,
    Studies,
}

enum Importer {
    Payers(payers::Importer),
    Items(items::Importer),
    Charges(Box<charges::Importer>),
    Programmes(programmes::Importer),
    Studies(studies::Importer),
}

impl Importer {
    async fn new(kind: Kind, context: &Context<'_>) -> Result<Importer, ImportError> {
        Ok(match kind {
            Kind::Payers => Importer::Payers(payers::Importer::default()),
            Kind::Items => Importer::Items(items::Importer::default()),
            Kind::Charges => Importer::Charges(Box::new(charges::Importer::new(context).await?)),
            Kind::Programmes => Importer::Programmes(programmes::Importer::default()),
            Kind::Studies => Importer::Studies(studies::Importer::default()),
        })
    }

    async fn take(&mut self, context: &Context<'_>, rows: &[Row], report: &mut Report) -> Result<(), ImportError> {
        match self {
            Importer::Payers(payers) => payers.take(context, rows, report).await,
            Importer::Items(items) => items.take(context, rows, report).await,
            Importer::Charges(charges) => charges.take(context, rows, report).await,
            Importer::Programmes(programmes) => programmes.take(context, rows, report).await,
            Importer::Studies(studies) => studies.take(context, rows, report).await,
        }
    }
}

fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Payers => payers::COLUMNS,
        Kind::Items => items::COLUMNS,
        Kind::Charges => charges::COLUMNS,
        Kind::Programmes => programmes::COLUMNS,
        Kind::Studies => studies::COLUMNS,
    }
}

/// Imports a file. With a single bad row, or with `dry`, everything is undone; the report tells in any case. `progress`
/// is called with the rows read and the bytes they take (0: unknown) now and then.
pub async fn import(
    app: &App,
    kind: Kind,
    path: &Path,
    dry: bool,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Report, ImportError> {
    let mut table = Table::open(path, columns(kind)).await?;
    let mut report = Report { ignored_columns: std::mem::take(&mut table.ignored), ..Report::default() };
    let tx = app.db.begin().await?;
    tallies::hold_off(&tx).await?;
    bulk::lock_imports(&tx).await?;
    let present = table.present.clone();
    let context = Context { app, tx: &tx, now: app.clock.now(), run: app.chance.token(10), present };
    let mut importer = Importer::new(kind, &context).await?;
    let mut rows = Vec::with_capacity(batch::ROWS);
    loop {
        let row = table.rows.recv().await.transpose()?;
        let is_last = row.is_none();
        rows.extend(row);
        if rows.len() == batch::ROWS || (is_last && !rows.is_empty()) {
            report.rows += rows.len() as u64;
            importer.take(&context, &rows, &mut report).await?;
            progress(report.rows, rows.last().map_or(0, |row| row.bytes));
            rows.clear();
        }
        if is_last {
            break;
        }
    }
    // a long file may outlast the notes made when it was begun
    keys::note_first(&tx, &app.sealer, app.clock.now()).await?;
    match report.is_clean() && !dry {
        true => tx.commit().await?,
        false => tx.rollback().await?,
    }
    Ok(report)
}

/// Imports rows that are at hand, at most [`batch::ROWS`] of them, by the rules for files: with a single bad row
/// everything is undone. Their cells stand in the order of the kind's columns; an empty one says nothing.
pub async fn import_rows(app: &App, kind: Kind, rows: &[Row]) -> Result<Report, ImportError> {
    let filled = |at: usize| rows.iter().any(|row| row.cells.get(at).is_some_and(|cell| !cell.is_empty()));
    let present = (0..columns(kind).len()).map(filled).collect();
    let tx = app.db.begin().await?;
    bulk::lock_imports(&tx).await?;
    let context = Context { app, tx: &tx, now: app.clock.now(), run: app.chance.token(10), present };
    let mut report = Report { rows: rows.len() as u64, ..Report::default() };
    Importer::new(kind, &context).await?.take(&context, rows, &mut report).await?;
    match report.is_clean() {
        true => tx.commit().await?,
        false => tx.rollback().await?,
    }
    Ok(report)
}
