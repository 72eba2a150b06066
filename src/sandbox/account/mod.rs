//! The official account's half: the page that tells a web page who its visitor is with the exchange of the code it
//! gives, and the account's own interface: tokens, tickets, the menu.
pub mod authorize;
pub mod interface;
pub mod menu;
pub mod state;
pub mod token;
pub mod tokens;
