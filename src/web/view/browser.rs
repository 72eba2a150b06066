//! 在浏览器打开: how to reach Alipay from inside WeChat, which does not open it.
use askama::Template;

use super::part::{OrderFacts, Viewer};
use crate::domain::moment::Moment;
use crate::web::html::{Frame, filters};

#[derive(Template, Debug)]
#[template(path = "page/browser.html")]
pub struct BrowserGuide {
    pub frame: Frame,
    pub viewer: Viewer,
    pub order: OrderFacts,
    /// The absolute address to open elsewhere: pays this one order and shows nothing else
    pub link: String,
    /// Until when the link works
    pub good_until: Moment,
}
