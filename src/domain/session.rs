//! 登录会话: who is signed in, and what that sign-in entitles to.
use super::fee::coded;
use super::ids::{PayerId, SessionId};
use super::moment::Moment;

coded! {
    /// What a session may do
    Rights {
        /// Signed in with a password
        Full = "full",
        /// Signed in with ID number and name, which others may know: own arrears and their payment, nothing personal,
        /// no history before the day of the sign-in
        OwnArrears = "own_arrears",
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    pub id: SessionId,
    pub payer_id: PayerId,
    pub rights: Rights,
    pub created_at: Moment,
    pub seen_at: Moment,
}

impl Session {
    /// The earliest moment whose records this session may see.
    pub fn sees_since(&self) -> Moment {
        match self.rights {
            Rights::Full => Moment::from_millis(0),
            Rights::OwnArrears => Moment::start_of(self.created_at.day()),
        }
    }
}
