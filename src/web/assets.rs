//! The stylesheets and scripts of the H5 pages, embedded in the binary. The first page a browser is sent has them
//! written into it and asks for nothing but itself; the pages after it name them by address, so that the browser keeps
//! them. An address has the hash of its text, and the policy allows exactly these texts and these addresses.
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

macro_rules! inlined {
    ($($(#[$doc:meta])* $name:ident = $file:literal),+ $(,)?) => {$(
        $(#[$doc])*
        pub fn $name() -> &'static str {
            static TEXT: LazyLock<String> =
                LazyLock::new(|| squeeze(include_str!(concat!("../../assets/", $file))));
            &TEXT
        }
    )+};
}

inlined! {
    /// On every page
    css = "h5.css",
    /// Sign-in and the first page
    first_css = "first.css",
    /// What is owed
    fees_css = "fees.css",
    /// From the cashier to the records
    pay_css = "pay.css",
    /// On every page
    js = "h5.js",
    /// What is owed
    fees_js = "fees.js",
    /// Cashier, launch and results
    pay_js = "pay.js",
}

pub fn sheets() -> [&'static str; 4] {
    [css(), first_css(), fees_css(), pay_css()]
}

pub fn scripts() -> [&'static str; 3] {
    [js(), fees_js(), pay_js()]
}

/// One text with its address.
pub struct Asset {
    text: &'static str,
    /// `3f2a…c1.css`: the first 20 hexadecimal digits of the text's SHA-256
    pub name: String,
    pub content_type: &'static str,
    /// As the policy names the text itself
    hash: String,
    inlined: String,
    linked: String,
}

impl Asset {
    pub fn text(&self) -> &'static str {
        self.text
    }
}

/// All of them, always in the same order.
pub fn assets() -> &'static [Asset] {
    static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
        let asset = |text: &'static str, kind: &str, content_type, inlined, link: [&str; 2]| {
            let hash = digest(&SHA256, text.as_bytes());
            let name = format!("{}.{kind}", hex(&hash.as_ref()[..10]));
            let hash = format!("'sha256-{}'", STANDARD.encode(hash));
            let linked = format!("{}{FOLDER}{name}{}", link[0], link[1]);
            Asset { text, name, content_type, hash, inlined, linked }
        };
        let sheet = |text: &'static str| {
            let link = ["<link rel=\"stylesheet\" href=\"", "\">"];
            asset(text, "css", "text/css", format!("<style>{text}</style>"), link)
        };
        let script = |text: &'static str| {
            let link = ["<script src=\"", "\"></script>"];
            asset(text, "js", "text/javascript", format!("<script>{text}</script>"), link)
        };
        sheets().into_iter().map(sheet).chain(scripts().into_iter().map(script)).collect()
    });
    &ASSETS
}

/// Where the texts have their addresses.
pub const FOLDER: &str = "/asset/";

/// The element of a page that brings this text, or names it for a browser that has had it.
pub fn element(text: &'static str, linked: bool) -> &'static str {
    match assets().iter().find(|asset| std::ptr::eq(asset.text, text)) {
        Some(asset) if linked => &asset.linked,
        Some(asset) => &asset.inlined,
        // every text is made by the table above
        None => "",
    }
}

/// Stands for all the texts of this build: a browser that has had them says so with it.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let names: String = assets().iter().map(|asset| asset.name.as_str()).collect();
        hex(&digest(&SHA256, names.as_bytes()).as_ref()[..8])
    });
    &VERSION
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Allows the inlined stylesheets and scripts by their SHA-256, pictures and requests of our own, and nothing else.
pub fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| policy(None));
    &POLICY
}

/// As [`content_security_policy`], and the same texts at their addresses; `origin` is where the pages are.
pub fn content_security_policy_of_linked(origin: &str) -> String {
    policy(Some(origin))
}

fn policy(origin: Option<&str>) -> String {
    let allowed = |content_type: &str| {
        let own = || assets().iter().filter(|asset| asset.content_type == content_type);
        let addresses = origin.map(|origin| own().map(move |asset| format!("{origin}{FOLDER}{}", asset.name)));
        own().map(|asset| asset.hash.clone()).chain(addresses.into_iter().flatten()).collect::<Vec<_>>().join(" ")
    };
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        allowed("text/css"),
        allowed("text/javascript")
    )
}

/// The policy of a page with a form to these origins; its other forms stay here.
pub fn with_form_to(policy: &str, origins: &str) -> String {
    policy.replacen("form-action 'self'", &format!("form-action 'self' {origins}"), 1)
}

/// Takes out indentation, blank lines and lines that are only a `/* … */` comment. The lines of code stay lines, so a
/// script means the same.
fn squeeze(source: &str) -> String {
    let lines = source.lines().map(str::trim);
    let is_comment = |line: &str| line.starts_with("/*") && line.ends_with("*/");
    let kept = lines.filter(|line| !line.is_empty() && !is_comment(line));
    kept.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_with_a_form_to_a_channel_allows_that_channel_too() {
        let policy = with_form_to(content_security_policy(), "https://gateway.95516.com https://cashier.95516.com");
        assert!(
            policy.contains("form-action 'self' https://gateway.95516.com https://cashier.95516.com; base-uri 'none'")
        );
    }

    #[test]
    fn the_policy_names_each_text_and_nothing_unsafe() {
        let policy = content_security_policy();
        assert_eq!(policy.matches("'sha256-").count(), sheets().len() + scripts().len());
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe") && !policy.contains('*'));
        assert!(policy.ends_with("form-action 'self'; base-uri 'none'; frame-ancestors 'none'"));
    }

    #[test]
    fn a_linked_text_is_allowed_at_its_own_address_only() {
        let policy = content_security_policy_of_linked("https://pay.example.edu.cn");
        assert_eq!(policy.matches("https://pay.example.edu.cn/asset/").count(), sheets().len() + scripts().len());
        assert!(policy.contains(&format!("https://pay.example.edu.cn/asset/{};", find_last_sheet())));
        assert!(element(css(), true).starts_with("<link rel=\"stylesheet\" href=\"/asset/"));
        assert!(element(js(), true).starts_with("<script src=\"/asset/"));
        assert_eq!(element(css(), false), format!("<style>{}</style>", css()));
    }

    fn find_last_sheet() -> &'static str {
        let name = element(pay_css(), true).split(FOLDER).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_eq!(assets().iter().find(|asset| asset.name == name).unwrap().text, pay_css());
        name
    }

    #[test]
    fn squeezing_keeps_every_line_of_code() {
        assert_eq!(squeeze("/* a */\n  var x = 1; /* b */\n\n  f(x)\n"), "var x = 1; /* b */\nf(x)");
    }

    /// A closing tag inside would end the element early.
    #[test]
    fn no_text_ends_its_own_element() {
        for text in sheets().into_iter().chain(scripts()) {
            assert!(!["</style", "</script", "<script", "<!--"].iter().any(|end| text.contains(end)));
        }
    }
}
