//! The envelope of the e-bill platform: who asks, the data in base64, and a digest that only the two sides can make.
//!
//! From the e-bill platform's interface for units (单位端接口规范, 1.0, the part on the request message), as public
//! integrations have it: `sign` is the upper-case MD5 of
//! `region=…&deptcode=…&appid=…&data=…&noise=…&key=…&version=1.0`; the answer has `data`, `noise` and `sign`, made so.
//! MD5 is theirs to choose and keeps out no determined forger: TLS does, which the configuration insists on.
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::config::Fiscal;

pub const VERSION: &str = "1.0";

#[derive(Serialize)]
pub struct Request<'a> {
    region: &'a str,
    deptcode: &'a str,
    appid: &'a str,
    data: String,
    noise: String,
    version: &'static str,
    sign: String,
}

#[derive(Deserialize)]
struct Answer {
    data: String,
    noise: String,
    sign: String,
}

/// Wraps and signs a message; `noise` is a random text of 32 letters or digits.
pub fn sealed<'a>(config: &'a Fiscal, message: &[u8], noise: String) -> Request<'a> {
    let data = BASE64.encode(message);
    let sign = sign(config, &data, &noise);
    Request {
        region: &config.region,
        deptcode: &config.unit_code,
        appid: &config.app_id,
        data,
        noise,
        version: VERSION,
        sign,
    }
}

/// What an answer says, if it is rightly signed.
///
/// # Errors
/// Why it is not believed.
pub fn opened(config: &Fiscal, body: &[u8]) -> Result<Vec<u8>, &'static str> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "no envelope")?;
    let ours = sign(config, &answer.data, &answer.noise);
    if !bool::from(ours.as_bytes().ct_eq(answer.sign.as_bytes())) {
        return Err("the signature does not fit");
    }
    BASE64.decode(&answer.data).map_err(|_| "data is no base64")
}

fn sign(config: &Fiscal, data: &str, noise: &str) -> String {
    let (region, unit, app) = (&config.region, &config.unit_code, &config.app_id);
    let key = config.app_key.expose_secret();
    let text =
        format!("region={region}&deptcode={unit}&appid={app}&data={data}&noise={noise}&key={key}&version={VERSION}");
    format!("{:X}", md5::compute(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Fiscal {
        toml::from_str(
            "api_base = 'https://e.example.gov.cn'\nregion = '620000'\nunit_code = '021'\napp_id = 'A1'\n\
             app_key = 's3cret'\nplace_code = '001'\nbill_kind = '0102'",
        )
        .unwrap()
    }

    #[test]
    fn the_digest_is_the_one_of_the_text_the_document_tells() {
        // `printf %s 'region=620000&…&key=s3cret&version=1.0' | md5sum`, in capitals
        let config = config();
        let request = sealed(&config, b"{}", "0123456789abcdef0123456789abcdef".to_owned());
        assert_eq!(request.data, "e30=");
        assert_eq!(request.sign, "A1224B71289DFE4E75FD347F9967DE15");
    }

    #[test]
    fn an_answer_is_believed_only_with_our_digest_over_its_own_data() {
        let config = config();
        let noise = "n".repeat(32);
        let sign = sign(&config, "e30=", &noise);
        let body = |data: &str, sign: &str| format!(r#"{{"data":"{data}","noise":"{noise}","sign":"{sign}"}}"#);
        assert_eq!(opened(&config, body("e30=", &sign).as_bytes()).unwrap(), b"{}");
        assert!(opened(&config, body("e30A", &sign).as_bytes()).is_err());
        assert!(opened(&config, body("e30=", "").as_bytes()).is_err());
        assert!(opened(&config, b"<html>").is_err());
    }
}
