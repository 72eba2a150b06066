//! WeChat Pay v3 as a direct merchant meets it: gateway, H5 cashier, notices.
pub mod answer;
pub mod authorization;
pub mod bridge;
pub mod cashier;
pub mod certificates;
pub mod fields;
pub mod forms;
pub mod gateway;
pub mod notices;
pub mod orders;
pub mod refunds;
pub mod transaction;
pub mod voice;
