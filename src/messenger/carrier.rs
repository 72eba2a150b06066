//! The ways out of the house for mail and text messages, as far as the configuration has them.
use crate::config::Config;
use crate::domain::message::Way;
use crate::outbound::HttpClient;

use super::mail::Mailer;
use super::sms::Texter;

pub struct Carrier {
    pub mail: Option<Mailer>,
    pub sms: Option<Texter>,
}

impl Carrier {
    /// # Errors
    /// The key that does not fit.
    pub fn new(config: &Config, http: HttpClient) -> anyhow::Result<Carrier> {
        let name = &config.school.name;
        Ok(Carrier {
            mail: config.mail.as_ref().map(|mail| Mailer::new(mail, name)).transpose()?,
            sms: config.sms.as_ref().map(|sms| Texter::new(sms, http)).transpose()?,
        })
    }

    pub fn has(&self, way: Way) -> bool {
        match way {
            Way::Mail => self.mail.is_some(),
            Way::Sms => self.sms.is_some(),
            // goes by the account's interface, not from here
            Way::Account => false,
        }
    }
}
