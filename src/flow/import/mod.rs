//! 导入: what the office's spreadsheets say becomes payers, fee items and charges. One file is one transaction: all rows
//! or none; importing a file again changes nothing.
pub mod batch;
pub mod charges;
pub mod context;
pub mod items;
pub mod payers;
pub mod programmes;
pub mod report;
pub mod run;
pub mod studies;
pub mod table;
pub mod why;
