//! What a CAS server says: whose a ticket is (protocol 3.0, 2.5 and 2.6), and that somebody has signed out (2.3.3).
use std::collections::BTreeMap;

use crate::xml::{self, Element};

/// The namespace of an answer
const CAS: &str = "http://www.yale.edu/tp/cas";
/// That of a request to sign out
const SAML: &str = "urn:oasis:names:tc:SAML:2.0:protocol";

/// Whose a ticket is, or why nobody's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Success(Person),
    Failure(Failure),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub user: String,
    /// By name; one with children, or with something else inside, is left out
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl Person {
    /// The value of an attribute that has exactly one; of an empty name the user's own.
    pub fn value(&self, attribute: &str) -> Option<&str> {
        match (attribute, self.attributes.get(attribute).map(Vec::as_slice)) {
            ("", _) => Some(&self.user),
            (_, Some([value])) => Some(value),
            _ => None,
        }
    }
}

/// The code of a failure (protocol 3.0, 2.5.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// Used, too old, never given, or given for another address
    Ticket(&'static str),
    /// The server does not know us, or not what we ask
    Us(&'static str),
    /// Something is wrong with the server
    Server(&'static str),
}

impl Failure {
    fn parse(code: &str) -> Failure {
        // the server's own words are not repeated in a log
        match code {
            "INVALID_TICKET" => Failure::Ticket("INVALID_TICKET"),
            "INVALID_TICKET_SPEC" => Failure::Ticket("INVALID_TICKET_SPEC"),
            "INVALID_SERVICE" => Failure::Ticket("INVALID_SERVICE"),
            "INVALID_REQUEST" => Failure::Us("INVALID_REQUEST"),
            "UNAUTHORIZED_SERVICE" => Failure::Us("UNAUTHORIZED_SERVICE"),
            "UNAUTHORIZED_SERVICE_PROXY" => Failure::Us("UNAUTHORIZED_SERVICE_PROXY"),
            "INTERNAL_ERROR" => Failure::Server("INTERNAL_ERROR"),
            _ => Failure::Server("an unknown code"),
        }
    }
}

/// Reads an answer. None: it is not one, or it says two things at once.
pub fn answer(text: &str) -> Option<Said> {
    let root = xml::read(text).filter(|root| root.is(CAS, "serviceResponse"))?;
    let [said] = root.children() else { return None };
    if said.is(CAS, "authenticationFailure") {
        return Some(Said::Failure(Failure::parse(said.attribute("code")?)));
    }
    if !said.is(CAS, "authenticationSuccess") {
        return None;
    }
    let user = said.only(CAS, "user")?.text()?.to_owned();
    let attributes = match said.children().iter().any(|child| child.is(CAS, "attributes")) {
        true => attributes(said.only(CAS, "attributes")?),
        false => BTreeMap::new(),
    };
    Some(Said::Success(Person { user, attributes }))
}

fn attributes(of: &Element) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for child in of.children().iter().filter(|child| child.is(CAS, child.name())) {
        if let Some(text) = child.text() {
            all.entry(child.name().to_owned()).or_default().push(text.to_owned());
        }
    }
    all
}

/// The ticket whose person has signed out. None: it is no such request.
pub fn signed_out(text: &str) -> Option<String> {
    let root = xml::read(text).filter(|root| root.is(SAML, "LogoutRequest"))?;
    Some(root.only(SAML, "SessionIndex")?.text()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success(inside: &str) -> String {
        format!(
            "<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\">\n  <cas:authenticationSuccess>{inside}\
             </cas:authenticationSuccess>\n</cas:serviceResponse>"
        )
    }

    fn person(inside: &str) -> Option<Person> {
        match answer(&success(inside))? {
            Said::Success(person) => Some(person),
            Said::Failure(_) => None,
        }
    }

    #[test]
    fn a_success_names_its_user_and_attributes() {
        let said = person(
            "<cas:user>lzx</cas:user><cas:attributes><cas:xh>202301180417</cas:xh><cas:group>a</cas:group>\
             <cas:group>b</cas:group><cas:odd><cas:x/></cas:odd><other>1</other></cas:attributes>",
        );
        let said = said.unwrap();
        assert_eq!((said.value(""), said.value("xh")), (Some("lzx"), Some("202301180417")));
        for none in ["group", "odd", "other", "user"] {
            assert_eq!(said.value(none), None, "{none}");
        }
        let bare = "<serviceResponse xmlns='http://www.yale.edu/tp/cas'><authenticationSuccess><user>a</user>\
                    </authenticationSuccess></serviceResponse>";
        assert!(matches!(answer(bare), Some(Said::Success(person)) if person.user == "a"));
    }

    #[test]
    fn a_failure_is_told_by_its_code_alone() {
        let of = |code: &str| {
            answer(&format!(
                "<c:serviceResponse xmlns:c='http://www.yale.edu/tp/cas'><c:authenticationFailure code=\"{code}\">\
                 Ticket ST-1 not recognized</c:authenticationFailure></c:serviceResponse>"
            ))
        };
        assert_eq!(of("INVALID_TICKET"), Some(Said::Failure(Failure::Ticket("INVALID_TICKET"))));
        assert_eq!(of("UNAUTHORIZED_SERVICE"), Some(Said::Failure(Failure::Us("UNAUTHORIZED_SERVICE"))));
        assert_eq!(of("ST-secret"), Some(Said::Failure(Failure::Server("an unknown code"))));
    }

    #[test]
    fn an_answer_that_says_two_things_or_not_its_own_says_nothing() {
        for inside in [
            "",
            "<cas:user>a</cas:user><cas:user>b</cas:user>",
            "<cas:user>a<!-- -->b</cas:user>",
            "<cas:user><cas:user>a</cas:user></cas:user>",
            "<user>a</user>",
            "<cas:attributes><cas:user>a</cas:user></cas:attributes>",
            "<cas:user>a</cas:user><cas:attributes/><cas:attributes/>",
            "<cas:user>a</cas:user></cas:authenticationSuccess><cas:authenticationSuccess><cas:user>b</cas:user>",
        ] {
            assert_eq!(person(inside), None, "{inside}");
        }
        let good = success("<cas:user>a</cas:user>");
        assert!(answer(&good).is_some());
        for wrong in [
            good.replace("http://www.yale.edu/tp/cas", "http://evil.example/cas"),
            good.replace("cas:serviceResponse", "cas:response"),
            format!("<!DOCTYPE a>{good}"),
            format!("{good}{good}"),
            "yes\nlzx\n".to_owned(),
        ] {
            assert_eq!(answer(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_request_to_sign_out_names_one_ticket() {
        let request = "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"1\" \
             Version=\"2.0\" IssueInstant=\"2026-09-01T02:00:00Z\"><saml:NameID \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">@NOT_USED@</saml:NameID>\
             <samlp:SessionIndex>ST-1-abc</samlp:SessionIndex></samlp:LogoutRequest>";
        assert_eq!(signed_out(request).as_deref(), Some("ST-1-abc"));
        let index = "<samlp:SessionIndex>ST-1-abc</samlp:SessionIndex>";
        for wrong in [
            request.replace("SAML:2.0:protocol", "SAML:1.0:protocol"),
            request.replace(index, &[index, index].concat()),
            request.replace(index, ""),
            request.replace("LogoutRequest", "AuthnRequest"),
        ] {
            assert_eq!(signed_out(&wrong), None, "{wrong}");
        }
    }
}
