//! Reads CSV (UTF-8 with or without BOM, or GBK) and XLSX files row by row, whatever their size. Knows headers, not
//! meanings.
//!
//! Reading blocks, so it runs on a thread of its own and hands rows over a short queue.
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use calamine::{DataRef, Reader, Xlsx};
use chrono::{Days, NaiveDate};
use encoding_rs::{Encoding, GB18030, UTF_8};
use rust_decimal::Decimal;
use tokio::sync::mpsc;

/// Rows waiting between the reader and the writer.
const QUEUE: usize = 2_000;

/// A column of the office's files: its names, the first one used in reports.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub names: &'static [&'static str],
    pub required: bool,
}

/// One row; `cells` stand in the order of the wanted columns, an absent column or cell is an empty text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// As the spreadsheet counts: the header is line 1
    pub line: u64,
    pub cells: Vec<String>,
    /// How far into the file this row is, in bytes (CSV only)
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{0}: 只能导入 .csv 和 .xlsx 文件 (only .csv and .xlsx)")]
    Kind(String),
    #[error("文件读不出来 (unreadable): {0}")]
    Unreadable(String),
    #[error("文件是空的 (empty file)")]
    Empty,
    #[error("缺少列 (missing column): {0}")]
    Missing(String),
    #[error("列名重复 (column twice): {0}")]
    Twice(String),
}

/// A file that is being read.
pub struct Table {
    pub rows: mpsc::Receiver<Result<Row, TableError>>,
    /// Columns nobody asked for
    pub ignored: Vec<String>,
    /// Which of the wanted columns the file has
    pub present: Vec<bool>,
}

/// Where each wanted column stands in the file.
struct Layout {
    at: Vec<Option<usize>>,
    ignored: Vec<String>,
}

impl Layout {
    fn of(header: &[String], wanted: &[Column]) -> Result<Layout, TableError> {
        let header: Vec<String> = header.iter().map(|name| name.trim().trim_matches('*').trim().to_owned()).collect();
        let mut at = Vec::new();
        for column in wanted {
            let is_it = |name: &&String| column.names.iter().any(|known| known.eq_ignore_ascii_case(name));
            let mut found = header.iter().enumerate().filter(|(_, name)| is_it(name));
            let first = found.next();
            if let Some((_, name)) = found.next() {
                return Err(TableError::Twice(name.clone()));
            }
            if first.is_none() && column.required {
                return Err(TableError::Missing(column.names.join(" / ")));
            }
            at.push(first.map(|(at, _)| at));
        }
        let unused = |(at_file, name): (usize, &String)| {
            (!name.is_empty() && !at.contains(&Some(at_file))).then(|| name.clone())
        };
        let ignored = header.iter().enumerate().filter_map(unused).collect();
        Ok(Layout { at, ignored })
    }

    fn pick(&self, mut cell: impl FnMut(usize) -> String) -> Vec<String> {
        self.at.iter().map(|at| at.map(&mut cell).unwrap_or_default()).collect()
    }
}

impl Table {
    /// Opens a file and finds the wanted columns; rows follow through [`Table::rows`], blank ones left out.
    pub async fn open(path: &Path, wanted: &'static [Column]) -> Result<Table, TableError> {
        let (rows, receiver) = mpsc::channel(QUEUE);
        let (ready, header) = tokio::sync::oneshot::channel();
        let path = path.to_owned();
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        let read = match extension.as_str() {
            "csv" => read_csv,
            "xlsx" => read_xlsx,
            _ => return Err(TableError::Kind(path.display().to_string())),
        };
        tokio::task::spawn_blocking(move || {
            let mut ready = Some(ready);
            let sink = Sink { wanted, rows: &rows };
            let outcome = read(&path, &sink, &mut |layout| {
                if let Some(ready) = ready.take() {
                    let present = layout.at.iter().map(Option::is_some).collect();
                    // whoever asked may be gone already
                    let _ = ready.send(Ok((layout.ignored.clone(), present)));
                }
            });
            match (outcome, ready.take()) {
                (Err(error), Some(ready)) => drop(ready.send(Err(error))),
                (Err(error), None) => drop(rows.blocking_send(Err(error))),
                (Ok(()), Some(ready)) => drop(ready.send(Err(TableError::Empty))),
                (Ok(()), None) => {}
            }
        });
        let header = header.await.map_err(|_| TableError::Unreadable("the reader broke off".to_owned()))?;
        let (ignored, present): (Vec<String>, Vec<bool>) = header?;
        Ok(Table { rows: receiver, ignored, present })
    }
}

struct Sink<'a> {
    wanted: &'static [Column],
    rows: &'a mpsc::Sender<Result<Row, TableError>>,
}

impl Sink<'_> {
    /// False when nobody listens any more.
    fn send(&self, row: Row) -> bool {
        let blank = row.cells.iter().all(String::is_empty);
        blank || self.rows.blocking_send(Ok(row)).is_ok()
    }
}

fn unreadable(error: impl std::fmt::Display) -> TableError {
    TableError::Unreadable(error.to_string())
}

fn read_csv(path: &Path, sink: &Sink<'_>, ready: &mut dyn FnMut(&Layout)) -> Result<(), TableError> {
    let mut file = File::open(path).map_err(unreadable)?;
    let mut sample = Vec::new();
    file.by_ref().take(256 * 1024).read_to_end(&mut sample).map_err(unreadable)?;
    let start = if sample.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
    let encoding = encoding_of(&sample);
    // the csv reader takes a record for ended at its CR, so the next one seems to begin a line early
    let late = u64::from(sample.windows(2).any(|pair| pair == b"\r\n"));
    file.seek(std::io::SeekFrom::Start(start)).map_err(unreadable)?;
    // no trail byte of GBK or GB18030 is a comma, a quote or a line end, so records are split before they are decoded
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(file));
    let text = |bytes: &[u8]| encoding.decode_without_bom_handling(bytes).0.trim().to_owned();
    let mut layout: Option<Layout> = None;
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        let Some(layout) = &layout else {
            let header: Vec<String> = record.iter().map(text).collect();
            ready(layout.insert(Layout::of(&header, sink.wanted)?));
            continue;
        };
        let position = record.position();
        let (line, bytes) = position.map_or((0, 0), |at| (at.line() + late, at.byte()));
        let cells = layout.pick(|at| record.get(at).map(text).unwrap_or_default());
        if !sink.send(Row { line, cells, bytes }) {
            break;
        }
    }
    Ok(())
}

/// UTF-8 when the beginning is (a character cut at the sample's end forgiven), else GB18030, which reads GBK.
fn encoding_of(sample: &[u8]) -> &'static Encoding {
    match std::str::from_utf8(sample) {
        Ok(_) => UTF_8,
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => GB18030,
    }
}

fn read_xlsx(path: &Path, sink: &Sink<'_>, ready: &mut dyn FnMut(&Layout)) -> Result<(), TableError> {
    let mut book: Xlsx<_> = calamine::open_workbook(path).map_err(|e: calamine::XlsxError| unreadable(e))?;
    let sheet = book.sheet_names().first().cloned().ok_or(TableError::Empty)?;
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(unreadable)?;
    let mut layout: Option<Layout> = None;
    let mut current: (u32, Vec<String>) = (0, Vec::new());
    let mut finish = |(row, cells): (u32, Vec<String>), layout: &mut Option<Layout>| -> Result<bool, TableError> {
        if cells.iter().all(String::is_empty) {
            return Ok(true);
        }
        match layout {
            None => ready(layout.insert(Layout::of(&cells, sink.wanted)?)),
            Some(layout) => {
                let cells = layout.pick(|at| cells.get(at).cloned().unwrap_or_default());
                return Ok(sink.send(Row { line: u64::from(row) + 1, cells, bytes: 0 }));
            }
        }
        Ok(true)
    };
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let (row, column) = cell.get_position();
        if row != current.0 {
            let done = std::mem::replace(&mut current, (row, Vec::new()));
            if !finish(done, &mut layout)? {
                return Ok(());
            }
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column < 256 {
            current.1.resize(current.1.len().max(column + 1), String::new());
            current.1[column] = cell_text(cell.get_value());
        }
    }
    finish(current, &mut layout)?;
    Ok(())
}

/// A cell as the office reads it: whole numbers without an exponent, dates as `yyyy-MM-dd`, and a fraction without the
/// noise binary floating point adds behind the sixth decimal.
fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => {
            let shortest = number.to_string();
            let rounded = shortest.parse::<Decimal>().map(|exact| exact.round_dp(6).normalize().to_string());
            rounded.unwrap_or(shortest)
        }
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.split('T').next().unwrap_or("").to_owned(),
        DataRef::DateTime(at) => day_of_serial(at.as_f64()),
    }
}

/// Excel counts days from 1899-12-30.
fn day_of_serial(serial: f64) -> String {
    let days = serial.to_string().split('.').next().and_then(|whole| whole.parse::<u64>().ok());
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30);
    let day = epoch.zip(days).and_then(|(epoch, days)| epoch.checked_add_days(Days::new(days)));
    day.map(|day| day.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: &[Column] = &[
        Column { names: &["人员编号", "学号"], required: true },
        Column { names: &["姓名"], required: true },
        Column { names: &["金额"], required: false },
    ];

    async fn read(name: &str, bytes: &[u8]) -> Result<(Vec<Row>, Vec<String>), TableError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let mut table = Table::open(&path, WANTED).await?;
        let mut rows = Vec::new();
        while let Some(row) = table.rows.recv().await {
            rows.push(row?);
        }
        Ok((rows, table.ignored))
    }

    #[tokio::test]
    async fn csv_is_read_in_utf8_with_bom_and_in_gbk() {
        let text = "备注,学号,姓名*\r\n甲,2023001,\"林,知夏\"\r\n,,\r\n乙,2023002,张三\r\n";
        let bom = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let gbk = encoding_rs::GBK.encode(text).0.into_owned();
        for bytes in [text.as_bytes(), &bom, &gbk] {
            let (rows, ignored) = read("a.csv", bytes).await.unwrap();
            assert_eq!(rows[0].cells, ["2023001", "林,知夏", ""]);
            assert_eq!((rows.len(), rows[1].line), (2, 4), "the blank line is left out and counted");
            assert_eq!(ignored, ["备注"]);
        }
    }

    #[tokio::test]
    async fn a_missing_or_doubled_column_is_named() {
        let missing = read("a.csv", "学号,金额\n1,2\n".as_bytes()).await.unwrap_err().to_string();
        assert!(missing.contains("姓名"), "{missing}");
        let twice = read("a.csv", "学号,人员编号,姓名\n".as_bytes()).await.unwrap_err().to_string();
        assert!(twice.contains("人员编号"), "{twice}");
        assert!(matches!(read("a.csv", b"").await, Err(TableError::Empty)));
        assert!(matches!(read("a.pdf", b"x").await, Err(TableError::Kind(_))));
        assert!(matches!(read("a.xlsx", b"not a workbook").await, Err(TableError::Unreadable(_))));
    }

    #[tokio::test]
    async fn a_spreadsheets_numbers_and_dates_are_read_as_written() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (at, name) in ["学号", "姓名", "金额"].iter().enumerate() {
            sheet.write(0, u16::try_from(at).unwrap(), *name).unwrap();
        }
        sheet.write(1, 0, 202_301_180_417_f64).unwrap();
        sheet.write(1, 1, "𠮷野").unwrap();
        sheet.write(1, 2, 0.1 + 0.2).unwrap();
        let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 9, 30).unwrap();
        let format = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
        sheet.write(3, 0, "x").unwrap();
        sheet.write_with_format(3, 2, &day, &format).unwrap();
        let (rows, _) = read("a.xlsx", &book.save_to_buffer().unwrap()).await.unwrap();
        assert_eq!(rows[0].cells, ["202301180417", "𠮷野", "0.3"]);
        assert_eq!((rows[1].line, rows[1].cells[2].as_str()), (4, "2026-09-30"));
    }
}
