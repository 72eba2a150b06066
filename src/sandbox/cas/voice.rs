//! What the portal's server writes: answers about tickets, and the request that ends a session (protocol 3.0, appendix
//! A and 2.3.3).
use super::book::Refusal;
use crate::sandbox::html::escape;

fn response(inside: &str) -> String {
    format!("<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\">\n{inside}\n</cas:serviceResponse>\n")
}

pub fn success(number: &str, name: &str) -> String {
    let (number, name) = (escape(number), escape(name));
    response(&format!(
        "  <cas:authenticationSuccess>\n    <cas:user>{number}</cas:user>\n    <cas:attributes>\n      \
         <cas:employeeNumber>{number}</cas:employeeNumber>\n      <cas:cn>{name}</cas:cn>\n      \
         <cas:isFromNewLogin>false</cas:isFromNewLogin>\n    </cas:attributes>\n  </cas:authenticationSuccess>"
    ))
}

pub fn failure(code: &str, words: &str) -> String {
    response(&format!("  <cas:authenticationFailure code=\"{code}\">{}</cas:authenticationFailure>", escape(words)))
}

pub fn refused(refusal: Refusal, ticket: &str) -> String {
    match refusal {
        Refusal::InvalidTicket => failure("INVALID_TICKET", &format!("Ticket {ticket} not recognized")),
        Refusal::InvalidService => failure("INVALID_SERVICE", &format!("Ticket {ticket} is for another service")),
    }
}

/// `at`: RFC 3339
pub fn log_out(id: &str, ticket: &str, at: &str) -> String {
    let ticket = escape(ticket);
    format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"LR-{id}\" Version=\"2.0\" \
         IssueInstant=\"{at}\"><saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">@NOT_USED@\
         </saml:NameID><samlp:SessionIndex>{ticket}</samlp:SessionIndex></samlp:LogoutRequest>"
    )
}
