//! 公告: the list and one of them. For everybody, signed in or not.
use askama::Template;

use super::links;
use crate::domain::announcement::{Announcement, paragraphs};
use crate::web::html::Frame;

#[derive(Template, Debug)]
#[template(path = "page/news.html")]
pub struct News {
    pub frame: Frame,
    /// Newest first
    pub shown: Vec<Announcement>,
    pub page: u32,
    pub more: bool,
}

impl News {
    fn newer_link(&self) -> Option<String> {
        (self.page > 1).then(|| links::news(self.page - 1))
    }

    fn older_link(&self) -> Option<String> {
        self.more.then(|| links::news(self.page + 1))
    }
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
