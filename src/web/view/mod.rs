//! What each page shows: one plain struct per page, its template, and where its links lead. Handlers fill them.
pub mod account;
pub mod amount;
pub mod bill;
pub mod browser;
pub mod cashier;
pub mod confirm;
pub mod dealings;
pub mod drawing;
pub mod enrol;
pub mod ereceipt;
pub mod failure;
pub mod filter;
pub mod help;
pub mod home;
pub mod landing;
pub mod launch;
pub mod links;
pub mod living;
pub mod login;
pub mod member;
pub mod message;
pub mod news;
pub mod order;
pub mod orders;
pub mod other;
pub mod paid;
pub mod part;
pub mod pay_for_me;
pub mod phone;
pub mod poster;
pub mod profile;
pub mod recovery;
pub mod refusals;
pub mod result;
pub mod sign_up;
pub mod trouble;
pub mod tuition;
pub mod verify;
pub mod voucher;
pub mod wechat;

#[cfg(test)]
pub mod poster_tests;
#[cfg(test)]
pub mod samples;
#[cfg(test)]
pub mod tests;
