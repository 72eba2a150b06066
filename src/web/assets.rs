//! The stylesheets and scripts of the H5 pages, embedded in the binary and written into the pages that use them. A page
//! asks for nothing but itself, and the policy allows exactly these texts.
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

/// Allows the inlined stylesheets and scripts by their SHA-256, pictures and requests of our own, and nothing else.
pub fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = |text: &&str| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())));
        let hashes = |texts: &[&str]| texts.iter().map(hash).collect::<Vec<_>>().join(" ");
        format!(
            "default-src 'none'; style-src {}; script-src {}; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            hashes(&sheets()),
            hashes(&scripts())
        )
    });
    &POLICY
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
    fn the_policy_names_each_text_and_nothing_unsafe() {
        let policy = content_security_policy();
        assert_eq!(policy.matches("'sha256-").count(), sheets().len() + scripts().len());
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe") && !policy.contains('*'));
        assert!(policy.ends_with("form-action 'self'; base-uri 'none'; frame-ancestors 'none'"));
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
