//! Addresses as the relay turns them: a page's own (`http://127.0.0.1:8080/h5`) and the relayed one
//! (`/as/wechat/p1/h5`).
use super::device::Device;

/// A browser tab: one app on one phone.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tab {
    pub device: Device,
    /// Letters, digits, `-` and `_`; at most 32
    pub phone: String,
}

impl Tab {
    /// `/as/{app}/{phone}`
    pub fn prefix(&self) -> String {
        format!("/as/{}/{}", self.device.code(), self.phone)
    }

    /// The tab of a relayed path, and what follows its prefix.
    pub fn read(path: &str) -> Option<(Tab, &str)> {
        let rest = path.strip_prefix("/as/")?;
        let (device, rest) = rest.split_once('/')?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (phone, rest) = rest.split_at(end);
        let plain = phone.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let fits = plain && !phone.is_empty() && phone.len() <= 32;
        Some((Tab { device: Device::parse(device)?, phone: phone.to_owned() }, rest)).filter(|_| fits)
    }
}

/// Who answers behind the relay.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Host {
    /// The app under demonstration
    App,
    /// The sandbox's own pages
    Gate,
}

/// What a relayed path leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    /// The tab itself: `?scan=…`, or the app's entrance
    Tab,
    Page(Host, &'a str),
    Pay,
    Closed,
}

impl Place<'_> {
    /// `path` is what follows the tab's prefix, without the query.
    pub fn of(path: &str) -> Place<'_> {
        match path {
            "" => Place::Tab,
            "/~pay" => Place::Pay,
            "/~closed" => Place::Closed,
            path => match path.strip_prefix("/~/") {
                Some(_) => Place::Page(Host::Gate, &path[2..]),
                None => Place::Page(Host::App, path),
            },
        }
    }
}

/// Where a link found on a page leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    /// Through the relay, by this path
    Relayed(String),
    /// As it stands: it is relative to its page
    Relative,
    /// Out of the little world the phone knows
    Foreign,
}

/// The addresses of one tab's world.
#[derive(Clone, Debug)]
pub struct Map {
    pub tab: Tab,
    /// The app's address without a trailing slash; none: no app to show
    pub app: Option<String>,
    /// The sandbox's addresses, the one to use first
    pub gates: Vec<String>,
}

impl Map {
    /// The true address of a page.
    pub fn outward(&self, host: Host, path_and_query: &str) -> Option<String> {
        let base = match host {
            Host::App => self.app.as_deref()?,
            Host::Gate => self.gates.first()?,
        };
        Some(format!("{base}{path_and_query}"))
    }

    /// A link on a page of `here`.
    pub fn inward(&self, here: Host, link: &str) -> Link {
        if let Some(rest) = self.app.as_deref().and_then(|base| below(base, link)) {
            return self.relayed(Host::App, rest);
        }
        if let Some(rest) = self.gates.iter().find_map(|base| below(base, link)) {
            return self.relayed(Host::Gate, rest);
        }
        match link.as_bytes() {
            [b'/', b'/', ..] => Link::Foreign,
            [b'/', ..] => self.relayed(here, link),
            _ if has_scheme(link) => Link::Foreign,
            _ => Link::Relative,
        }
    }

    fn relayed(&self, host: Host, rest: &str) -> Link {
        let (prefix, slash) = (self.tab.prefix(), if rest.starts_with('/') { "" } else { "/" });
        let mark = if host == Host::Gate { "/~" } else { "" };
        Link::Relayed(format!("{prefix}{mark}{slash}{rest}"))
    }
}

/// What follows a base address, if the link is one of it.
fn below<'a>(base: &str, link: &'a str) -> Option<&'a str> {
    let rest = link.strip_prefix(base)?;
    matches!(rest.as_bytes().first(), None | Some(b'/' | b'?' | b'#')).then_some(rest)
}

fn has_scheme(link: &str) -> bool {
    let scheme = link.split(':').next().filter(|scheme| scheme.len() < link.len());
    scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Map {
        Map {
            tab: Tab { device: Device::Wechat, phone: "p1".to_owned() },
            app: Some("http://127.0.0.1:8080".to_owned()),
            gates: vec!["http://127.0.0.1:8081".to_owned(), "http://localhost:8081".to_owned()],
        }
    }

    #[test]
    fn a_tab_is_read_from_its_path_and_written_back() {
        let (tab, rest) = Tab::read("/as/wechat/p1/h5/orders?x=1").unwrap();
        assert_eq!((tab.prefix().as_str(), rest), ("/as/wechat/p1", "/h5/orders?x=1"));
        assert_eq!(Tab::read("/as/alipay/p-2_a").unwrap().1, "");
        for wrong in ["/as/fax/p1/h5", "/as/wechat//h5", "/as/wechat/p%31/h5", "/as/wechat", "/h5"] {
            assert_eq!(Tab::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_path_leads_to_the_app_the_sandbox_or_the_phone_itself() {
        assert_eq!(Place::of(""), Place::Tab);
        assert_eq!(Place::of("/h5/orders"), Place::Page(Host::App, "/h5/orders"));
        assert_eq!(Place::of("/"), Place::Page(Host::App, "/"));
        assert_eq!(Place::of("/~/gateway.do"), Place::Page(Host::Gate, "/gateway.do"));
        assert_eq!(Place::of("/~pay"), Place::Pay);
    }

    #[test]
    fn links_to_the_app_and_the_sandbox_stay_in_the_tab() {
        let relayed = |host, link| match map().inward(host, link) {
            Link::Relayed(path) => path,
            other => panic!("{link}: {other:?}"),
        };
        assert_eq!(relayed(Host::App, "/h5/orders"), "/as/wechat/p1/h5/orders");
        assert_eq!(relayed(Host::Gate, "/cashier/x?token=1"), "/as/wechat/p1/~/cashier/x?token=1");
        assert_eq!(relayed(Host::Gate, "http://127.0.0.1:8080/h5?a=b"), "/as/wechat/p1/h5?a=b");
        assert_eq!(relayed(Host::Gate, "http://127.0.0.1:8080"), "/as/wechat/p1/");
        assert_eq!(relayed(Host::App, "http://localhost:8081/gateway.do?a=b"), "/as/wechat/p1/~/gateway.do?a=b");
    }

    #[test]
    fn a_link_elsewhere_is_foreign_and_a_relative_one_is_left_alone() {
        for foreign in ["https://evil.example/", "//evil.example", "weixin://dl/business", "http://127.0.0.1:80801/"] {
            assert_eq!(map().inward(Host::App, foreign), Link::Foreign, "{foreign}");
        }
        for relative in ["", "orders", "?page=2", "#top", "./a:b"] {
            assert_eq!(map().inward(Host::App, relative), Link::Relative, "{relative}");
        }
        assert_eq!(map().outward(Host::App, "/h5?x").as_deref(), Some("http://127.0.0.1:8080/h5?x"));
    }
}
