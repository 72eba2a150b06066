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
        /// Signed in by e-mail with a study chosen: everything owed and paid for it; nothing of its own account
        Bound = "bound",
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    pub id: SessionId,
    pub payer_id: PayerId,
    pub rights: Rights,
    /// Who signed in by e-mail; the payer then is the study that was chosen, or nobody's
    pub member: Option<PayerId>,
    /// The university's portal has vouched for the person, who needs no password of this platform
    pub by_portal: bool,
    pub created_at: Moment,
    pub seen_at: Moment,
}

impl Session {
    /// Signed in by e-mail, with no study chosen: nothing can be owed or paid yet.
    pub fn is_unbound(&self) -> bool {
        self.member == Some(self.payer_id)
    }

    /// The session of the account itself.
    pub fn own(self) -> Session {
        match self.member {
            Some(member) => Session { payer_id: member, rights: Rights::Full, ..self },
            None => self,
        }
    }

    /// The earliest moment whose records this session may see.
    pub fn sees_since(&self) -> Moment {
        match self.rights {
            Rights::Full | Rights::Bound => Moment::from_millis(0),
            Rights::OwnArrears => Moment::start_of(self.created_at.day()),
        }
    }
}
