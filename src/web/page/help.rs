//! 帮助.
use poem::{IntoResponse, Response, Result, handler};

use crate::domain::bilingual::Bilingual;
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::help::{Contact, Help};

/// `GET /h5/help`
#[handler]
pub fn show(visit: &Visit) -> Result<Response> {
    let contacts = visit.app.config.school.contact.iter().map(|contact| Contact {
        name: Bilingual::new(&contact.name, &contact.name_en),
        phone: contact.phone.clone(),
        hours: Bilingual::new(&contact.hours, &contact.hours_en),
    });
    Ok(Page::new(Help { frame: visit.frame(None), contacts: contacts.collect() }).into_response())
}
