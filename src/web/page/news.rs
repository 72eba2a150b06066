//! 公告.
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::orders::page;
use crate::domain::ids::AnnouncementId;
use crate::flow::announcements;
use crate::web::error::Problem;
use crate::web::guard::{SignedIn, Visit};
use crate::web::html::Page;
use crate::web::view::filter::{Listing, Pages};
use crate::web::view::links;
use crate::web::view::news::{News, OneAnnouncement};

/// `GET /h5/news?page=`
#[handler]
pub async fn list(visit: &Visit, signed: Option<SignedIn>) -> Result<Response> {
    let mut page = page(visit);
    let (mut shown, total) = announcements::list(&visit.app, page).await.map_err(Problem::from)?;
    if page > Pages::last_of(total) {
        page = Pages::last_of(total);
        shown = announcements::list(&visit.app, page).await.map_err(Problem::from)?.0;
    }
    let (list, pages) = (Listing::whole(links::NEWS), Pages { page, total });
    let unread = match &signed {
        Some(signed) => announcements::unread(&visit.app, &signed.session).await.map_err(Problem::from)?,
        None => Vec::new(),
    };
    Ok(Page::new(News { frame: visit.frame(None), shown, unread, list, pages }).into_response())
}

/// `GET /h5/news/{id}`
#[handler]
pub async fn show(visit: &Visit, signed: Option<SignedIn>, Path(id): Path<String>) -> Result<Response> {
    let id: AnnouncementId = id.parse().map_err(|_| Problem::NotFound)?;
    let one = announcements::find(&visit.app, id).await.map_err(Problem::from)?.ok_or(Problem::NotFound)?;
    if let Some(signed) = signed {
        announcements::note_read(&visit.app, &signed.session, id).await.map_err(Problem::from)?;
    }
    Ok(Page::new(OneAnnouncement { frame: visit.frame(None), one }).into_response())
}
