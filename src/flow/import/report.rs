//! What became of an import, row by row where a row is wrong.
use super::why::Why;

/// How many wrong rows are told; all are counted.
pub const TOLD: usize = 1_000;

/// A row that cannot be imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// As the spreadsheet counts: the header is line 1
    pub line: u64,
    pub column: &'static str,
    pub why: Why,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub rows: u64,
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// Columns of the file that no rule reads
    pub ignored_columns: Vec<String>,
    pub bad: Vec<BadRow>,
    pub bad_count: u64,
    /// 应收 of all rows, in fen (charges only)
    pub assessed_fen: i64,
}

impl Report {
    pub fn refuse(&mut self, line: u64, column: &'static str, why: Why) {
        self.bad_count += 1;
        if self.bad.len() < TOLD {
            self.bad.push(BadRow { line, column, why });
        }
    }

    pub fn is_clean(&self) -> bool {
        self.bad_count == 0
    }
}
