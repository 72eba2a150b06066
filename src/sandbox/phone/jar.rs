//! What a tab remembers: its cookies at each host, and how its last page wants to be named to others.
use std::collections::HashMap;

use chrono::DateTime;

use crate::domain::moment::Moment;

use super::address::{Host, Tab};

#[derive(Clone, PartialEq, Eq, Debug)]
struct Cookie {
    name: String,
    value: String,
    path: String,
}

/// The cookies of one tab at one host.
#[derive(Default)]
pub struct Jar(Vec<Cookie>);

impl Jar {
    /// Takes a `Set-Cookie` value. Max-Age of nothing and an Expires gone by take the cookie away.
    pub fn keep(&mut self, set_cookie: &str, now: Moment) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let mut cookie = Cookie { name: name.to_owned(), value: value.to_owned(), path: "/".to_owned() };
        let (mut max_age, mut expires) = (None, None);
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "max-age" => max_age = value.parse::<i64>().ok(),
                "expires" => expires = DateTime::parse_from_rfc2822(value).ok(),
                _ => {}
            }
        }
        self.0.retain(|old| old.name != cookie.name || old.path != cookie.path);
        let gone = match (max_age, expires) {
            (Some(seconds), _) => seconds <= 0,
            (None, Some(at)) => at.timestamp_millis() <= now.millis(),
            (None, None) => false,
        };
        if !gone {
            self.0.push(cookie);
        }
    }

    /// The `Cookie` pairs for a path.
    pub fn pairs(&self, path: &str) -> Vec<(String, String)> {
        let under = |cookie: &&Cookie| {
            let rest = path.strip_prefix(cookie.path.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().filter(under).map(|cookie| (cookie.name.clone(), cookie.value.clone())).collect()
    }
}

/// What every tab remembers.
#[derive(Default)]
pub struct Memory {
    jars: HashMap<(Tab, Host), Jar>,
    /// `Referrer-Policy` of the last page each host showed
    policies: HashMap<(Tab, Host), String>,
}

impl Memory {
    pub fn jar(&mut self, tab: &Tab, host: Host) -> &mut Jar {
        self.jars.entry((tab.clone(), host)).or_default()
    }

    pub fn policy(&self, tab: &Tab, host: Host) -> Option<&str> {
        self.policies.get(&(tab.clone(), host)).map(String::as_str)
    }

    pub fn note_policy(&mut self, tab: &Tab, host: Host, policy: &str) {
        self.policies.insert((tab.clone(), host), policy.to_owned());
    }

    /// As if every app on the phone had been installed anew.
    pub fn forget(&mut self, phone: &str) {
        self.jars.retain(|(tab, _), _| tab.phone != phone);
        self.policies.retain(|(tab, _), _| tab.phone != phone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::phone::device::Device;

    const NOW: Moment = Moment::from_unix(1_788_235_200);

    #[test]
    fn a_cookie_is_kept_replaced_and_taken_away() {
        let mut jar = Jar::default();
        jar.keep("jf_s=one; Path=/; HttpOnly; SameSite=Lax", NOW);
        jar.keep("jf_s=two; Path=/; Max-Age=60", NOW);
        jar.keep("lang=en", NOW);
        let pairs = |jar: &Jar, path| jar.pairs(path).into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>();
        assert_eq!(pairs(&jar, "/h5"), ["jf_s=two", "lang=en"]);
        jar.keep("jf_s=; Path=/; Max-Age=0", NOW);
        jar.keep("lang=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", NOW);
        assert!(jar.pairs("/h5").is_empty());
        jar.keep("no pair", NOW);
        assert!(jar.pairs("/").is_empty());
    }

    #[test]
    fn a_cookie_goes_only_under_its_path() {
        let mut jar = Jar::default();
        jar.keep("a=1; Path=/h5", NOW);
        for (path, count) in [("/h5", 1), ("/h5/orders", 1), ("/h5evil", 0), ("/q", 0)] {
            assert_eq!(jar.pairs(path).len(), count, "{path}");
        }
    }

    #[test]
    fn phones_and_apps_do_not_share_cookies_and_a_phone_can_forget() {
        let tab = |device, phone: &str| Tab { device, phone: phone.to_owned() };
        let mut memory = Memory::default();
        memory.jar(&tab(Device::Wechat, "p1"), Host::App).keep("a=1", NOW);
        memory.jar(&tab(Device::Wechat, "p2"), Host::App).keep("a=2", NOW);
        assert!(memory.jar(&tab(Device::Alipay, "p1"), Host::App).pairs("/").is_empty());
        memory.forget("p1");
        assert!(memory.jar(&tab(Device::Wechat, "p1"), Host::App).pairs("/").is_empty());
        assert_eq!(memory.jar(&tab(Device::Wechat, "p2"), Host::App).pairs("/").len(), 1);
    }
}
