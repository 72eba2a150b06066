//! `GET /api/session`: who is signed in. The name and the number are masked: whoever holds the session knows them.
use poem::Result;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};

use super::money::time;
use super::spec::Tag;
use crate::domain::payer::{mask_name, mask_number};
use crate::domain::session::Rights;
use crate::web::guard::SignedIn;

pub struct SessionApi;

/// What the session may do. 会话权限
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum SessionRights {
    /// Signed in with a password
    Full,
    /// Signed in with document number and name: own arrears, and the orders and receipts of today
    OwnArrears,
}

/// Who is signed in. 登录会话
#[derive(Object, Debug)]
pub struct SessionInfo {
    /// Masked: `林*夏`
    pub name: String,
    /// Masked: `2023****0417`
    pub number: String,
    pub rights: SessionRights,
    pub signed_in_at: String,
}

#[OpenApi(tag = "Tag::Payer")]
impl SessionApi {
    /// Who is signed in 登录会话
    #[oai(path = "/session", method = "get", operation_id = "session")]
    async fn session(&self, signed: SignedIn) -> Result<Json<SessionInfo>> {
        Ok(Json(SessionInfo {
            name: mask_name(&signed.payer.name),
            number: mask_number(&signed.payer.number),
            rights: match signed.session.rights {
                Rights::Full => SessionRights::Full,
                Rights::OwnArrears | Rights::Bound => SessionRights::OwnArrears,
            },
            signed_in_at: time(signed.session.created_at),
        }))
    }
}
