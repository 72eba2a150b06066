//! Passwords: argon2id off the async threads, two at a time; and the school's initial password until one is set.
//!
//! Every check costs one argon2, whether the account exists, has a password of its own or neither, so that the time an
//! answer takes tells nothing.
use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use aws_lc_rs::digest::{SHA256, digest};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::config::InitialPassword;
use crate::domain::id_number::IdNumber;

/// One argon2 takes 19 MiB and a core for some 15 ms: more than two at once would only slow each other, and the pages.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What is checked against where there is no password to check.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash(b"nobody has this password", b"a salt of nobody"));

/// A password as a payer's account stores it (PHC string).
pub async fn store_form(app: &App, password: &str) -> String {
    let (password, salt) = (password.to_owned(), app.chance.bytes::<16>());
    off_thread(app, move || hash(password.as_bytes(), &salt)).await
}

fn hash(password: &[u8], salt: &[u8]) -> String {
    let hashed = Argon2::default().hash_password_with_salt(password, salt);
    hashed.expect("the default parameters are valid and the salt has sixteen bytes").to_string()
}

/// What the sign-in page may tell of initial passwords. A fixed word is the school's to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hint {
    IdLast6,
    IdLast8,
    Username,
    None,
}

pub fn hint(app: &App) -> Hint {
    match &app.config.school.initial_password {
        InitialPassword::IdLast6 => Hint::IdLast6,
        InitialPassword::IdLast8 => Hint::IdLast8,
        InitialPassword::Username => Hint::Username,
        InitialPassword::Zeros6 | InitialPassword::Fixed(_) => Hint::None,
    }
}

/// What an account's password is checked against.
pub struct Known<'a> {
    pub hash: Option<String>,
    /// The name the account was found by
    pub username: &'a str,
    pub id_number: Option<&'a IdNumber>,
}

/// Whether the password fits; nothing fits where there is no account.
pub async fn fits(app: &App, known: Option<Known<'_>>, password: &str) -> bool {
    let own = known.as_ref().and_then(|known| known.hash.clone());
    let has_own = own.is_some();
    let fits_own = fits_hash(app, own, password).await;
    match known {
        Some(_) if has_own => fits_own,
        Some(known) => fits_initial(&app.config.school.initial_password, &known, password),
        None => false,
    }
}

/// Whether a word fits a stored hash; nothing fits where there is none, and it takes as long.
pub async fn fits_hash(app: &App, stored: Option<String>, word: &str) -> bool {
    let (is_there, word) = (stored.is_some(), word.to_owned());
    let fits = off_thread(app, move || {
        let stored = stored.unwrap_or_else(|| NOBODYS.clone());
        Argon2::default().verify_password(word.as_bytes(), stored.as_str()).is_ok()
    });
    fits.await && is_there
}

/// An ID number's X may be typed small.
fn fits_initial(rule: &InitialPassword, known: &Known<'_>, password: &str) -> bool {
    let from_id = matches!(rule, InitialPassword::IdLast6 | InitialPassword::IdLast8);
    let typed = if from_id { password.to_ascii_uppercase() } else { password.to_owned() };
    rule.of(known.username, known.id_number).is_some_and(|initial| same(&initial, &typed))
}

/// Compares in a time that does not tell where the two differ.
fn same(one: &str, other: &str) -> bool {
    let digest = |text: &str| digest(&SHA256, text.as_bytes());
    digest(one).as_ref().ct_eq(digest(other).as_ref()).into()
}

async fn off_thread<T: Send + 'static>(app: &App, work: impl FnOnce() -> T + Send + 'static) -> T {
    let _in_hand = app.metrics.password();
    let _turn = HASHING.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(work).await.expect("argon2 does not panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known<'a>(username: &'a str, id_number: Option<&'a IdNumber>) -> Known<'a> {
        Known { hash: None, username, id_number }
    }

    #[test]
    fn each_schools_initial_password_is_its_own_and_an_x_may_be_small() {
        let id = IdNumber::parse("11010519491231002X").unwrap();
        let known = known("20190118", Some(&id));
        let fits = |rule: &str, typed: &str| fits_initial(&rule.to_owned().try_into().unwrap(), &known, typed);
        assert!(fits("id_last6", "31002X") && fits("id_last6", "31002x"));
        assert!(fits("id_last8", "1231002x") && !fits("id_last8", "31002X"));
        assert!(fits("zeros6", "000000") && !fits("zeros6", "00000"));
        assert!(fits("username", "20190118") && !fits("username", "20190119"));
        assert!(fits("fixed:Qming#1", "Qming#1") && !fits("fixed:Qming#1", "QMING#1"));
        assert!(!fits("id_last6", " 31002X") && !fits("id_last6", ""), "nothing is trimmed");
    }

    #[test]
    fn without_an_id_number_no_password_made_of_it_fits() {
        assert!(!fits_initial(&InitialPassword::IdLast6, &known("1", None), ""));
    }
}
