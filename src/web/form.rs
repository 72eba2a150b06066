//! [`Form`]: the only way for a page to read a POST. It is read after the sender has proved to be our own page.
use poem::http::header::{CONTENT_TYPE, HOST, HeaderMap, ORIGIN};
use poem::{FromRequest, Request, RequestBody};

use super::error::Problem;
use super::guard::Visit;

/// The longest form that is read, in bytes; a selection of a hundred charges takes about four thousand.
pub(super) const LONGEST: usize = 16 * 1024;

/// The fields of a form, in order, as they were typed.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// A field; empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

impl<'a> FromRequest<'a> for Form {
    async fn from_request(req: &'a Request, body: &mut RequestBody) -> poem::Result<Form> {
        let visit = <&Visit>::from_request(req, body).await?;
        let public_url = &visit.app.config.server.public_url;
        if !sent_from_here(req.headers(), public_url) {
            return Err(Problem::Forbidden.into());
        }
        let kind = req.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Problem::BadRequest.into());
        }
        let bytes = body.take()?.into_bytes_limit(LONGEST).await?;
        let form = Form(form_urlencoded::parse(&bytes).into_owned().collect());
        match visit.bound().accepts(form.get("csrf")) {
            true => Ok(form),
            false => Err(Problem::FormExpired.into()),
        }
    }
}

/// What browsers say of where a form stood. Old ones say nothing; the token decides in any case.
pub(super) fn sent_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site_fits = header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let host = header(HOST.as_str()).unwrap_or_default();
    // a browser writes the host itself, so an origin of the same host is the page's own
    let origin_fits = header(ORIGIN.as_str()).is_none_or(|origin| {
        let own_host = origin.split_once("://").is_some_and(|(_, of)| !of.is_empty() && of == host);
        own_host || origin == public_url || public_url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
    });
    site_fits && origin_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pairs: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(poem::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        sent_from_here(&headers, "https://pay.example.edu.cn")
    }

    #[test]
    fn a_form_from_another_site_is_told_by_its_headers() {
        assert!(fits(&[]));
        assert!(fits(&[("origin", "https://pay.example.edu.cn"), ("sec-fetch-site", "same-origin")]));
        assert!(fits(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")]));
        for wrong in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "https://evil.example"), ("host", "pay.example.edu.cn")],
            &[("origin", "https://pay.example.edu.cn.evil.example")],
            &[("origin", "https://pay.example.edu")],
            &[("origin", "null")],
            &[("origin", "null"), ("host", "null")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
        ] {
            assert!(!fits(wrong), "{wrong:?}");
        }
    }
}
