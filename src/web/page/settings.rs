//! 语言 and 关怀模式, kept by the browser.
use poem::{Response, Result, handler};

use crate::domain::bilingual::Lang;
use crate::web::error::see_other;
use crate::web::form::Form;
use crate::web::guard::{Visit, local_path, set_cookie};
use crate::web::view::links;

/// `POST /h5/settings`
#[handler]
pub async fn submit(visit: &Visit, form: Form) -> Result<Response> {
    let back = form.get("back");
    // the sign-in page has the switches too, and no other page may lead there
    let back = local_path(back).or_else(|| back.strip_prefix(links::LOGIN).and_then(|_| login_again(back)));
    let mut response = see_other(back.unwrap_or(links::HOME));
    if let Some(lang) = Lang::parse(form.get("lang")) {
        response = set_cookie(response, &visit.lang_cookie(lang));
    }
    if let "0" | "1" = form.get("care") {
        response = set_cookie(response, &visit.care_cookie(form.get("care") == "1"));
    }
    Ok(response)
}

/// The sign-in page with its query, if that is as plain as any path of ours.
fn login_again(back: &str) -> Option<&str> {
    let rest = back.strip_prefix(links::LOGIN)?;
    let plain = rest.bytes().all(|b| b.is_ascii_graphic()) && !rest.contains(['\\', '#']) && !rest.contains("//");
    (plain && (rest.is_empty() || rest.starts_with('?'))).then_some(back)
}
