//! 公告: the list and one of them. For everybody, signed in or not.
use askama::Template;

use super::filter::{Listing, Pages};
use super::links;
use crate::domain::announcement::{Announcement, paragraphs};
use crate::domain::ids::AnnouncementId;
use crate::web::html::Frame;

#[derive(Template, Debug)]
#[template(path = "page/news.html")]
pub struct News {
    pub frame: Frame,
    /// Newest first
    pub shown: Vec<Announcement>,
    /// Not opened yet by who is signed in
    pub unread: Vec<AnnouncementId>,
    pub list: Listing,
    pub pages: Pages,
}

#[derive(Template, Debug)]
#[template(path = "page/announcement.html")]
pub struct OneAnnouncement {
    pub frame: Frame,
    pub one: Announcement,
}

impl OneAnnouncement {
    fn paragraphs(&self) -> Vec<Vec<&str>> {
        paragraphs(self.frame.name(&self.one.body))
    }
}
