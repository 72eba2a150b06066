//! What a person does at the portal.
use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::Phone;
use crate::world::school::Student;

pub const SSO: &str = "/h5/sso";

pub async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

/// Presses the button and signs in at the portal; gives the address to come back to, with its ticket.
pub async fn ticket(world: &TestApp, phone: &Phone, from: &str, number: &str) -> String {
    let sent = phone.get(from).await;
    let portal = phone.get(sent.location()).await;
    if portal.status == 302 {
        return portal.location().to_owned();
    }
    choose(world, phone, &sent, number).await
}

/// Signs in at the portal, whoever has signed in there before.
pub async fn ticket_as(world: &TestApp, phone: &Phone, from: &str, number: &str) -> String {
    choose(world, phone, &phone.get(from).await, number).await
}

async fn choose(world: &TestApp, phone: &Phone, sent: &Page, number: &str) -> String {
    let login = format!("{}/cas/login", world.sandbox_url);
    let service = service(sent.location());
    phone.post(&login, &[("service", &service), ("user", number)]).await.location().to_owned()
}

/// The address of ours that the portal is sent.
fn service(address: &str) -> String {
    let query = address.split_once('?').unwrap().1;
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "service").unwrap().1.into_owned()
}

/// The state a browser is sent to the portal with.
pub async fn state(phone: &Phone) -> String {
    parameter(&service(phone.get(SSO).await.location()), "state")
}

/// All the way; gives the page the payer ends on.
pub async fn come_in(world: &TestApp, phone: &Phone, from: &str, number: &str) -> Page {
    let back = ticket(world, phone, from, number).await;
    phone.open(&back).await
}

pub async fn sessions(world: &TestApp) -> i64 {
    world.count("SELECT COUNT(*) FROM session").await
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> String {
    let rest = address.split(&format!("{name}=")).nth(1).unwrap();
    rest.split('&').next().unwrap().to_owned()
}

/// A ticket begins where a word begins; in the middle of a random token the same letters mean nothing.
pub fn shows_a_ticket(page: &Page) -> bool {
    let body = page.body();
    let of_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    body.match_indices("ST-").any(|(at, _)| !body[..at].ends_with(of_token))
}
