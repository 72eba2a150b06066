//! Configuration: values only. `config.example.toml` is the manual; each key can be overridden by the environment
//! variable
//! `JIAOFEI__SECTION__KEY` (for payees: `JIAOFEI__PAYEE__0__WECHAT__API_V3_KEY`).
pub mod checkout;
pub mod fiscal;
pub mod key;
pub mod living;
pub mod message;
pub mod method;
pub mod note;
pub mod official_account;
pub mod school;
pub mod settings;
pub mod sign_in;
pub mod webhook;

pub use checkout::Checkout;
pub use fiscal::Fiscal;
pub use key::{Key32, OneOrMore, Pem, Picture};
pub use living::Living;
pub use message::{Mail, MailSecurity, Sms, SmsMethod};
pub use note::{NoteWay, Template};
pub use official_account::{MessageServer, OfficialAccount};
pub use school::*;
pub use settings::*;
pub use sign_in::{Cas, CasProtocol, SignIn};
pub use webhook::{EndpointUrl, Webhook, WebhookSecret};
