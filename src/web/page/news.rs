//! 公告.
use poem::web::Path;
use poem::{IntoResponse, Response, Result, handler};

use super::orders::page;
use crate::domain::ids::AnnouncementId;
use crate::flow::announcements;
use crate::web::error::Problem;
use crate::web::guard::Visit;
use crate::web::html::Page;
use crate::web::view::filter::{Listing, Pages};
use crate::web::view::links;
use crate::web::view::news::{News, OneAnnouncement};

/// `GET /h5/news?page=`
#[handler]
pub async fn list(visit: &Visit) -> Result<Response> {
    let mut page = page(visit);
    let (mut shown, total) = announcements::list(&visit.app, page).await.map_err(Problem::from)?;
    if page > Pages::last_of(total) {
        page = Pages::last_of(total);
        shown = announcements::list(&visit.app, page).await.map_err(Problem::from)?.0;
    }
    let (list, pages) = (Listing::whole(links::NEWS), Pages { page, total });
    Ok(Page::new(News { frame: visit.frame(None), shown, list, pages }).into_response())
}

/// `GET /h5/news/{id}`
#[handler]
pub async fn show(visit: &Visit, Path(id): Path<String>) -> Result<Response> {
    let id: AnnouncementId = id.parse().map_err(|_| Problem::NotFound)?;
    let one = announcements::find(&visit.app, id).await.map_err(Problem::from)?.ok_or(Problem::NotFound)?;
    Ok(Page::new(OneAnnouncement { frame: visit.frame(None), one }).into_response())
}
