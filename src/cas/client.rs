//! The portal's server: where the browser goes, and whose a ticket is (protocol specification 3.0.3).
//!
//! A ticket stands in the address of one call to the server and in no error, log or page. Whether the browser that
//! brings it was sent by us is the caller's question.
use std::time::Duration;

use super::words::{self, Failure, Said};
use crate::config::{Cas, CasProtocol};
use crate::outbound::{HttpClient, OutboundError};

/// The longest ticket that is passed on, in bytes (3.1.1: 256 are recommended).
const LONGEST_TICKET: usize = 256;

#[derive(Clone, Debug)]
pub struct CasClient {
    base: String,
    /// What stands behind it for validation
    validate: &'static str,
    attribute: String,
    patience: Duration,
    http: HttpClient,
}

/// Why nobody is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CasError {
    /// Used, too old, never given, or given for another address: send the browser to sign in once more.
    #[error("the ticket is not valid ({0})")]
    Ticket(&'static str),
    /// The portal does not know this platform, or leaves out what was agreed: the office must act.
    #[error("the portal's server does not serve us: {0}")]
    Us(&'static str),
    /// No usable answer; trying again may help.
    #[error("no usable answer from the portal's server: {0}")]
    Unreachable(&'static str),
    /// An answer that is none of the protocol's.
    #[error("the portal's server says what is no answer")]
    Untrusted,
}

impl CasError {
    /// The word in metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            CasError::Ticket(_) | CasError::Us(_) => "refused",
            CasError::Unreachable(_) => "unreachable",
            CasError::Untrusted => "untrusted",
        }
    }
}

impl CasClient {
    pub fn new(cas: &Cas, http: HttpClient) -> CasClient {
        CasClient {
            base: cas.base_url.clone(),
            validate: match cas.protocol {
                CasProtocol::Two => "/serviceValidate",
                CasProtocol::Three => "/p3/serviceValidate",
            },
            attribute: cas.number_attribute.clone(),
            patience: cas.patience(),
            http,
        }
    }

    /// Where the browser goes to come back to `service` with `ticket` (2.1).
    pub fn login_url(&self, service: &str) -> String {
        self.address("/login", &[("service", service)])
    }

    /// Where the browser goes to leave the portal, and to come to `service` where the server allows it (2.3).
    pub fn logout_url(&self, service: &str) -> String {
        self.address("/logout", &[("service", service)])
    }

    fn address(&self, path: &str, query: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("{}{path}?{query}", self.base)
    }

    /// The number of the person a ticket was given for (2.5, 2.6). The server takes a ticket once, and only with the
    /// very address it was given for.
    ///
    /// # Errors
    /// Why nobody is known.
    pub async fn number(&self, service: &str, ticket: &str) -> Result<String, CasError> {
        if !is_ticket(ticket) {
            return Err(CasError::Ticket("no ticket"));
        }
        let mut query = vec![("service", service), ("ticket", ticket)];
        // 2.0 knows no other format
        if self.validate.starts_with("/p3") {
            query.push(("format", "XML"));
        }
        let url = self.address(self.validate, &query);
        let sent = tokio::time::timeout(self.patience, self.http.get(&url)).await;
        let reply = sent.unwrap_or(Err(OutboundError::Timeout)).map_err(|error| {
            CasError::Unreachable(match error {
                OutboundError::Timeout => "not in time",
                OutboundError::Connect => "no connection",
                _ => "no whole answer",
            })
        })?;
        if reply.status != 200 {
            return Err(CasError::Unreachable("not status 200"));
        }
        let text = std::str::from_utf8(&reply.body).map_err(|_| CasError::Untrusted)?;
        match words::answer(text).ok_or(CasError::Untrusted)? {
            Said::Success(person) => {
                let number = person.value(&self.attribute).ok_or(CasError::Us("no sign_in.cas.number_attribute"))?;
                Ok(number.trim().to_owned())
            }
            Said::Failure(Failure::Ticket(code)) => Err(CasError::Ticket(code)),
            Said::Failure(Failure::Us(code)) => Err(CasError::Us(code)),
            Said::Failure(Failure::Server(code)) => Err(CasError::Unreachable(code)),
        }
    }
}

/// `ST-` and letters, digits and hyphens (3.1.1, 3.7); some servers add their host's name.
pub fn is_ticket(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.len() <= LONGEST_TICKET && text.starts_with("ST-") && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::fake::{Fake, Play};

    const SERVICE: &str = "https://pay.example.edu.cn/cas/callback?state=abc";

    fn client(base: &str, change: impl FnOnce(&mut Cas)) -> CasClient {
        let mut cas: Cas = toml::from_str(&format!("base_url = '{base}/cas'\nanswer_seconds = 1")).unwrap();
        change(&mut cas);
        CasClient::new(&cas, HttpClient::new().unwrap())
    }

    fn success(inside: &str) -> Play {
        Play::plain(
            200,
            &format!(
                "<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'><cas:authenticationSuccess>{inside}\
                 </cas:authenticationSuccess></cas:serviceResponse>"
            ),
        )
    }

    #[tokio::test]
    async fn the_server_is_asked_with_the_very_address_and_its_user_is_the_number() {
        let fake = Fake::start(|_| success("<cas:user> 202301180417\n</cas:user>"));
        let number = client(&fake.base, |_| {}).number(SERVICE, "ST-1-abc-cas01").await;
        assert_eq!(number.as_deref(), Ok("202301180417"));
        let encoded = "https%3A%2F%2Fpay.example.edu.cn%2Fcas%2Fcallback%3Fstate%3Dabc";
        let asked = format!("/cas/p3/serviceValidate?service={encoded}&ticket=ST-1-abc-cas01&format=XML");
        assert_eq!(fake.seen()[0].target, asked);
        let older = client(&fake.base, |cas| cas.protocol = CasProtocol::Two);
        older.number(SERVICE, "ST-2").await.unwrap();
        assert_eq!(fake.seen()[1].target, format!("/cas/serviceValidate?service={encoded}&ticket=ST-2"));
        assert_eq!(older.login_url(SERVICE), format!("{}/cas/login?service={encoded}", fake.base));
        assert_eq!(older.logout_url(SERVICE), format!("{}/cas/logout?service={encoded}", fake.base));
    }

    #[tokio::test]
    async fn the_number_may_stand_in_an_attribute_and_then_nowhere_else() {
        let inside = "<cas:user>lzx</cas:user><cas:attributes><cas:xh>2023</cas:xh></cas:attributes>";
        let fake = Fake::start(move |_| success(inside));
        let of = async |name: &str| {
            let client = client(&fake.base, |cas| cas.number_attribute = name.to_owned());
            client.number(SERVICE, "ST-1").await
        };
        assert_eq!(of("xh").await.as_deref(), Ok("2023"));
        assert!(matches!(of("gh").await, Err(CasError::Us(_))));
    }

    #[tokio::test]
    async fn what_is_no_answer_makes_nobody_known() {
        let of = async |play: fn() -> Play| {
            let fake = Fake::start(move |_| play());
            client(&fake.base, |_| {}).number(SERVICE, "ST-1").await.unwrap_err()
        };
        assert_eq!(of(|| Play::plain(200, "yes\nlzx\n")).await, CasError::Untrusted);
        assert_eq!(of(|| Play::plain(500, "")).await, CasError::Unreachable("not status 200"));
        assert_eq!(of(|| Play::Silence).await, CasError::Unreachable("not in time"));
        let gbk = || Play::Answer { status: 200, headers: Vec::new(), body: b"<a>\xc1\xd6</a>".to_vec() };
        assert_eq!(of(gbk).await, CasError::Untrusted);
        for wrong in ["", "PT-1", "ST-1&service=x", "ST-1 2", &format!("ST-{}", "a".repeat(254))] {
            let nobody = client("http://127.0.0.1:1", |_| {}).number(SERVICE, wrong).await;
            assert_eq!(nobody, Err(CasError::Ticket("no ticket")), "and nobody is asked: {wrong}");
        }
    }
}
