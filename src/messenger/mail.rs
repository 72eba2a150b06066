//! Mail over SMTP (RFC 5321), one connection a letter: there are few. Addresses and what the server says about them
//! never reach an error.
use std::time::{Duration, SystemTime};

use anyhow::Context;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;

use super::unsent::Unsent;
use crate::config::{Mail, MailSecurity};
use crate::domain::moment::Moment;
use crate::domain::profile::Email;

/// For each command, not for the whole
const PATIENCE: Duration = Duration::from_secs(8);
/// For the whole letter
const LONGEST: Duration = Duration::from_secs(30);

pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// What a mail says.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// The same on every try, so that a reader's program knows it again
    pub id: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
}

impl Mailer {
    /// # Errors
    /// The key that does not fit.
    pub fn new(config: &Mail, name: &str) -> anyhow::Result<Mailer> {
        type Smtp = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match config.security {
            MailSecurity::Tls => Smtp::relay(&config.host).context("mail.host")?,
            MailSecurity::Starttls => Smtp::starttls_relay(&config.host).context("mail.host")?,
            MailSecurity::None => Smtp::builder_dangerous(&config.host),
        };
        let domain = config.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let mut builder = builder.timeout(Some(PATIENCE)).hello_name(ClientId::Domain(domain.to_owned()));
        if let Some(port) = config.port {
            builder = builder.port(port);
        }
        if let (Some(user), Some(password)) = (&config.username, &config.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        let from = Mailbox::new(Some(name.to_owned()), config.from.parse().context("mail.from")?);
        Ok(Mailer { transport: builder.build(), from })
    }

    /// # Errors
    /// Why the server did not take it.
    pub async fn send(&self, to: &Email, letter: Letter<'_>, at: Moment) -> Result<(), Unsent> {
        let to = to.reveal().parse().map_err(|_| Unsent::Never("address"))?;
        let body = Body::new_with_encoding(letter.text.to_owned(), ContentTransferEncoding::Base64);
        let body = body.map_err(|_| Unsent::Never("body"))?;
        let date = SystemTime::UNIX_EPOCH + Duration::from_millis(at.millis().unsigned_abs());
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(date)
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .subject(letter.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|_| Unsent::Never("message"))?;
        match tokio::time::timeout(LONGEST, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(Unsent::Never("refused")),
            Ok(Err(error)) if error.is_transient() => Err(Unsent::Later("not now")),
            Ok(Err(error)) if error.is_tls() => Err(Unsent::Later("tls")),
            Ok(Err(error)) if error.is_timeout() => Err(Unsent::Later("timeout")),
            Ok(Err(_)) => Err(Unsent::Later("connection")),
            Err(_) => Err(Unsent::Later("timeout")),
        }
    }
}
