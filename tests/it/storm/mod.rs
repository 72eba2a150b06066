//! The storm: one seed deals the moves of students, apps, gateways, notices, clocks and dying processes; after quiet,
//! our books and the bank's must agree trade by trade. The same seed gives the same history.
//!
//! `JIAOFEI_TEST_SEEDS=n` runs n seeds, `JIAOFEI_TEST_SEED=n` begins with seed n (and runs it alone); `tests/storm`
//! does it with a quick build. What it proves, and how it is used: docs/PROOF.md.
pub mod faults;
pub mod finds;
pub mod history;
pub mod invariants;
pub mod moves;
pub mod perform;
pub mod run;
pub mod seeds;
pub mod shrink;
pub mod stage;
pub mod telling;
