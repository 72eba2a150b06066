//! One-time codes of a sign-in (WeChat's OAuth code, Alipay's auth_code): who they stand for, and whether they were
//! used.
use std::collections::HashMap;
use std::time::Duration;

use crate::domain::moment::Moment;

/// WeChat official account, web page authorisation: a code lives five minutes.
const LIFE: Duration = Duration::from_secs(300);

/// Who a code stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    pub app_id: String,
    /// The phone that agreed
    pub phone: String,
    pub scope: String,
}

struct Issued {
    grant: Grant,
    until: Moment,
    used: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeRefusal {
    /// Never issued, or for another application
    Unknown,
    Used,
    Expired,
}

#[derive(Default)]
pub struct AuthCodes(HashMap<String, Issued>);

impl AuthCodes {
    pub fn issue(&mut self, code: &str, grant: Grant, now: Moment) {
        self.0.insert(code.to_owned(), Issued { grant, until: now + LIFE, used: false });
    }

    /// Changes a code for its grant, once.
    pub fn redeem(&mut self, app_id: &str, code: &str, now: Moment) -> Result<Grant, CodeRefusal> {
        let issued = self.0.get_mut(code).filter(|issued| issued.grant.app_id == app_id).ok_or(CodeRefusal::Unknown)?;
        if issued.used {
            return Err(CodeRefusal::Used);
        }
        if now >= issued.until {
            return Err(CodeRefusal::Expired);
        }
        issued.used = true;
        Ok(issued.grant.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_for_five_minutes_for_its_own_application() {
        let now = Moment::from_unix(0);
        let grant = Grant { app_id: "wx1".into(), phone: "lin".into(), scope: "snsapi_base".into() };
        let mut codes = AuthCodes::default();
        codes.issue("a", grant.clone(), now);
        codes.issue("b", grant.clone(), now);
        assert_eq!(codes.redeem("wx2", "a", now), Err(CodeRefusal::Unknown));
        assert_eq!(codes.redeem("wx1", "a", now), Ok(grant));
        assert_eq!(codes.redeem("wx1", "a", now), Err(CodeRefusal::Used));
        assert_eq!(codes.redeem("wx1", "b", now + LIFE), Err(CodeRefusal::Expired));
        assert_eq!(codes.redeem("wx1", "c", now), Err(CodeRefusal::Unknown));
    }
}
