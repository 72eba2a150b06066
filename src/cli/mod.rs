//! The commands. They open the toolbox, hand it to the floors below, and speak to whoever sits at the terminal.
pub mod announce;
pub mod args;
pub mod audit;
pub mod backup;
pub mod check;
pub mod demo;
pub mod demo_data;
pub mod events;
pub mod import;
pub mod key;
pub mod log;
pub mod menu;
pub mod office;
pub mod rehearsal;
pub mod reseal;
pub mod serve;
