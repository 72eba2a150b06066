//! Who has signed in at the portal, the tickets that were given, and what goes wrong if told so.
use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::moment::Moment;

/// Somebody of the university; the name at the portal is the number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub number: String,
    pub name: String,
}

/// What goes wrong when an application asks whose a ticket is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// 503
    Down,
    /// No answer
    Hang,
    /// This instead of an answer, with status 200
    Say(String),
}

struct Ticket {
    service: String,
    number: String,
    /// The sign-in at the portal it was given in
    session: String,
    until: Moment,
    /// Asked about; it never counts again
    is_used: bool,
    is_valid: bool,
}

/// Why a ticket is nobody's (protocol 3.0, 2.5.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    InvalidTicket,
    InvalidService,
}

pub struct Book {
    /// Whom the sign-in page lists; others may type a number
    pub people: Vec<Person>,
    pub trouble: Option<Trouble>,
    /// How long a ticket may wait to be asked about
    pub life: Duration,
    /// How often the portal was asked about tickets
    pub asked: u32,
    sessions: BTreeMap<String, String>,
    tickets: BTreeMap<String, Ticket>,
}

impl Default for Book {
    fn default() -> Book {
        Book {
            people: Vec::new(),
            trouble: None,
            // Apereo's usual setting
            life: Duration::from_secs(10),
            asked: 0,
            sessions: BTreeMap::new(),
            tickets: BTreeMap::new(),
        }
    }
}

impl Book {
    pub fn name_of(&self, number: &str) -> Option<&str> {
        self.people.iter().find(|person| person.number == number).map(|person| &*person.name)
    }

    pub fn sign_in(&mut self, session: &str, number: &str) {
        self.sessions.insert(session.to_owned(), number.to_owned());
    }

    pub fn who(&self, session: &str) -> Option<&str> {
        self.sessions.get(session).map(String::as_str)
    }

    /// A ticket for one visit to an application; none where nobody has signed in.
    pub fn give(&mut self, session: &str, service: &str, ticket: &str, now: Moment) -> Option<()> {
        let number = self.sessions.get(session)?.clone();
        let (service, session, until) = (service.to_owned(), session.to_owned(), now + self.life);
        let given = Ticket { service, number, session, until, is_used: false, is_valid: false };
        self.tickets.insert(ticket.to_owned(), given);
        Some(())
    }

    /// Whose a ticket is. It counts once, whatever comes of it.
    pub fn redeem(&mut self, ticket: &str, service: &str, now: Moment) -> Result<String, Refusal> {
        self.asked += 1;
        let one = self.tickets.get_mut(ticket).filter(|one| !one.is_used).ok_or(Refusal::InvalidTicket)?;
        one.is_used = true;
        if now >= one.until {
            return Err(Refusal::InvalidTicket);
        }
        if one.service != service {
            return Err(Refusal::InvalidService);
        }
        one.is_valid = true;
        Ok(one.number.clone())
    }

    /// Signs somebody out; gives the tickets applications have taken in that time, with their addresses.
    pub fn sign_out(&mut self, session: &str) -> Vec<(String, String)> {
        self.sessions.remove(session);
        let of = self.tickets.iter().filter(|(_, one)| one.session == session && one.is_valid);
        let told: Vec<(String, String)> = of.map(|(ticket, one)| (ticket.clone(), one.service.clone())).collect();
        self.tickets.retain(|_, one| one.session != session);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_counts_once_for_its_own_application_and_for_ten_seconds() {
        let (mut book, now) = (Book::default(), Moment::from_unix(0));
        assert_eq!(book.give("s", "https://a.example/", "ST-0", now), None, "nobody has signed in");
        book.sign_in("s", "2023");
        for ticket in ["ST-1", "ST-2", "ST-3"] {
            book.give("s", "https://a.example/", ticket, now).unwrap();
        }
        assert_eq!(book.redeem("ST-1", "https://a.example/", now), Ok("2023".to_owned()));
        assert_eq!(book.redeem("ST-1", "https://a.example/", now), Err(Refusal::InvalidTicket));
        assert_eq!(book.redeem("ST-2", "https://b.example/", now), Err(Refusal::InvalidService));
        assert_eq!(book.redeem("ST-2", "https://a.example/", now), Err(Refusal::InvalidTicket), "it is spent");
        let late = now + book.life;
        assert_eq!(book.redeem("ST-3", "https://a.example/", late), Err(Refusal::InvalidTicket));
        assert_eq!(book.sign_out("s"), [("ST-1".to_owned(), "https://a.example/".to_owned())]);
        assert_eq!(book.who("s"), None);
        assert!(book.sign_out("s").is_empty(), "it is told once");
    }
}
