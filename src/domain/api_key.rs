//! 接口密钥: what a campus system may do with its key.
use super::fee::coded;
use super::ids::ApiKeyId;
use super::moment::Moment;

coded! {
    /// What a key may do
    ApiScope {
        /// Add payers and bring them up to date
        PayersWrite = "payers:write",
        /// Add fee items and bring them up to date
        ItemsWrite = "items:write",
        /// Assess and change charges
        ChargesWrite = "charges:write",
        /// Read every order
        OrdersRead = "orders:read",
        /// Read every poster, and print it
        PostersRead = "posters:read",
        /// Make and revoke posters
        PostersWrite = "posters:write",
    }
}

/// A key as lists show it; the key itself is told once, when it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    pub id: ApiKeyId,
    /// The system it was made for
    pub name: String,
    pub scopes: Vec<ApiScope>,
    pub created_at: Moment,
    /// To the minute
    pub last_used_at: Option<Moment>,
    pub revoked_at: Option<Moment>,
}

impl ApiKey {
    pub fn may(&self, scope: ApiScope) -> bool {
        self.scopes.contains(&scope)
    }
}
