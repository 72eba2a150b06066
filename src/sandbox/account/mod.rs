//! The official account's half: the page that tells a web page who its visitor is with the exchange of the code it
//! gives, and the account's own interface: tokens, tickets, the menu; and the conversation with followers.
pub mod authorize;
pub mod followers;
pub mod interface;
pub mod menu;
pub mod notices;
pub mod push;
pub mod state;
pub mod talk;
pub mod token;
pub mod tokens;
pub mod voice;
