//! Where a form stood, with all its page needs to be drawn again: what a hidden field carried goes into the address.
use super::guard::{local_path, page_of};
use super::view::filter::Owing;
use super::view::links;

/// The address of the page a form stood on, by where it was sent and what it held. Only what an address of ours may
/// hold goes into it: tickets, charges, amounts, and pages to go on to.
pub fn stood_at(action: &str, form: &[(String, String)]) -> String {
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let page = page_of(action);
    let with = |carried: &[(&str, &str)]| links::with_query(page, carried);
    let address = match action {
        links::CHECKOUT => chosen(form, &field),
        links::MAIL_LINK | links::RESET_LINK | links::ACTIVATE => with(&[("t", field("token"))]),
        links::SIGN_UP_CODE | links::SIGN_UP_DETAILS => with(&[("t", field("ticket"))]),
        links::PHONE_CODE => with(&[("t", field("ticket")), ("back", field("back"))]),
        links::LOGIN => with(&[("mode", field("mode")), ("back", field("back"))]),
        links::SIGN_UP | links::PHONE_CHECK | links::PROFILE => with(&[("back", field("back"))]),
        links::PAY_FOR_ME => with(&[("order", field("order"))]),
        links::WECHAT_ENTER => with(&[("to", field("to"))]),
        links::SETTINGS => field("back").to_owned(),
        _ if action.starts_with(links::TUITION) => changed(page, &Owing::read(form)),
        _ if action.starts_with("/q/") && action.ends_with("/fees") => {
            with(&[("t", field("t")), ("who", field("who"))])
        }
        _ if action.starts_with("/q/") && action.ends_with("/ask") => format!("{page}/result"),
        _ => page.to_owned(),
    };
    let login = action == links::LOGIN && address.starts_with(links::LOGIN);
    // one that is too long, or made up, is left
    if login || local_path(&address).is_some() { address } else { page.to_owned() }
}

/// The choice of fees, or its confirmation, as it was sent.
fn chosen<'a>(form: &'a [(String, String)], field: &dyn Fn(&str) -> &'a str) -> String {
    let of_batches = field("page") == "other";
    let is_chosen =
        |name: &str| form.iter().any(|(key, value)| key == "fee" && name.strip_prefix("amt") == Some(value));
    let kept = form.iter().filter(|(name, _)| match name.as_str() {
        "fee" => !of_batches,
        "batch" | "checkout_id" => true,
        name => is_chosen(name),
    });
    let kept: Vec<(&str, &str)> = kept.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = match (of_batches, field("confirmed")) {
        (_, "1") => links::CONFIRM,
        (true, _) => links::OTHER,
        (false, _) => links::TUITION,
    };
    let of_page = |name: &str| name != "checkout_id" || page == links::CONFIRM;
    links::with_query(page, &kept.into_iter().filter(|(name, _)| of_page(name)).collect::<Vec<_>>())
}

/// The page of one amount, with the filters and the other amounts it carries.
fn changed(page: &str, chosen: &Owing) -> String {
    let amounts = chosen.amount_fields();
    let mut query = chosen.fields();
    query.extend(amounts.iter().map(|(name, yuan)| (name.as_str(), yuan.as_str())));
    links::with_query(page, &query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(action: &str, form: &[(&str, &str)]) -> String {
        let form: Vec<(String, String)> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        stood_at(action, &form)
    }

    #[test]
    fn a_choice_of_fees_comes_back_with_its_amounts_and_ticks() {
        let form = [("checkout_id", "k"), ("fee", "7"), ("amt7", "600.00"), ("amt8", "1.00"), ("period", "")];
        assert_eq!(at(links::CHECKOUT, &form), "/h5/tuition?fee=7&amt7=600.00");
        let confirmed = [&form[..3], &[("confirmed", "1"), ("agree", "v"), ("phone", "139")]].concat();
        assert_eq!(at(links::CHECKOUT, &confirmed), "/h5/confirm?checkout_id=k&fee=7&amt7=600.00");
        let batch = [("page", "other"), ("batch", "other:2020"), ("fee", "7"), ("amt7", "6.00")];
        assert_eq!(at(links::CHECKOUT, &batch), "/h5/other?batch=other%3A2020&amt7=6.00");
    }

    #[test]
    fn a_ticket_comes_back_and_nothing_personal_does() {
        let form = [("csrf", "c"), ("ticket", "T"), ("code", "123456"), ("phone", "13900001111")];
        assert_eq!(at(links::SIGN_UP_CODE, &form), "/h5/sign-up/code?t=T");
        assert_eq!(at(links::ACTIVATE, &[("token", "T"), ("new", "secret")]), "/h5/international/activate?t=T");
        assert_eq!(at("/q/ab/fees", &[("t", "T"), ("who", "0"), ("fee", "7")]), "/q/ab/fees?t=T&who=0");
        assert_eq!(at("/q/ab/person", &[("number", "1"), ("name", "x")]), "/q/ab");
        assert_eq!(at("/q/ab/ask", &[]), "/q/ab/result");
        assert_eq!(at("/h5/me/card", &[("number", "6222"), ("holder", "x")]), "/h5/me/card");
    }

    #[test]
    fn a_page_to_go_on_to_is_carried_and_no_other_site() {
        assert_eq!(
            at(links::LOGIN, &[("mode", "id"), ("back", "/h5/orders")]),
            "/h5/login?mode=id&back=%2Fh5%2Forders"
        );
        assert_eq!(at(links::SETTINGS, &[("back", "/h5/help")]), "/h5/help");
        assert_eq!(at(links::SETTINGS, &[("back", "//evil.example")]), "/h5");
        let long = [("fee", "7"), ("amt7", "6"), ("batch", &"x".repeat(5000))];
        assert_eq!(at(links::CHECKOUT, &long), "/h5/tuition");
    }
}
