//! 财政电子票据: wanted when money is booked, issued, told and made void afterwards. Money never waits for it.
pub mod content;
pub mod desk;
pub mod issue;
pub mod tell;
pub mod wish;
