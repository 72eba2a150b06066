//! 生活缴费: rooms and cards are topped up through the ordinary checkout, and delivered to who provides the service.
pub mod books;
pub mod buy;
pub mod deliver;
pub mod provider;
