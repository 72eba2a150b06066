//! The page that starts a payment. It can be opened again at any time; it starts the same attempt again.
use askama::Template;

use super::links::Said;
use super::part::{OrderFacts, Viewer, channel_glyph, channel_tile, channel_word};
use crate::domain::trade::Channel;
use crate::web::html::{Frame, filters};

#[derive(Template, Debug)]
#[template(path = "page/launch.html")]
pub struct Launch {
    pub frame: Frame,
    pub viewer: Viewer,
    pub order: OrderFacts,
    pub how: How,
}

/// What the payer's device does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum How {
    /// `getBrandWCPayRequest` with these parameters (a JSON object); needs the script
    Wechat { parameters: String },
    /// `tradePay` with this trade number; needs the script
    Alipay { trade_no: String },
    /// Goes to this address of the channel; a plain link without the script
    Redirect { channel: Channel, url: String },
    /// Sends this form to this address of the channel; the script sends it by itself. `origins`: where a browser that
    /// is strict about forms must be let, blanks between
    Form { channel: Channel, action: String, fields: Vec<(String, String)>, origins: String },
}

impl Launch {
    fn channel_text(&self) -> &'static str {
        self.frame.w(channel_word(&self.how.channel()))
    }

    fn is_form(&self) -> bool {
        matches!(self.how, How::Form { .. })
    }

    fn tile(&self) -> &'static str {
        channel_tile(&self.how.channel())
    }

    fn glyph(&self) -> &'static str {
        channel_glyph(&self.how.channel())
    }
}

impl How {
    fn channel(&self) -> Channel {
        match self {
            How::Wechat { .. } => Channel::Wechat,
            How::Alipay { .. } => Channel::Alipay,
            How::Redirect { channel, .. } | How::Form { channel, .. } => *channel,
        }
    }
}
