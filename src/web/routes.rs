//! The whole map on one screen.
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::middleware::SetHeader;
use poem::{Endpoint, EndpointExt, Request, Response, Route, RouteMethod, get, handler, post};

use super::late::refilled;
use super::layer::{compressed, offered, pages, watch};
use super::page::{
    account, amount, callback, cashier, checkout, confirm, dealings, enrol, ereceipt, give, help, home, living, login,
    logout, member, news, orders, other, paid, pay, pay_for_me, phone, poster, profile, recovery, result, settings,
    sign_up, sso, state, trouble, tuition, verify, wechat,
};
use super::view::links;
use super::{api, error, health, notify, push};
use crate::app::App;
use crate::domain::module::Module::{
    self, BankCard, Enrolment, FiscalReceipts, International, LivingFees, OtherFees, PayForMe, Recovery, SignUp,
};

pub fn routes(app: Arc<App>) -> BoxEndpoint<'static, Response> {
    Route::new()
        .at("/", get(entrance))
        .nest("/h5", h5().around(pages))
        // such an address may stand where search engines read
        .nest("/q", code().around(pages).with(SetHeader::new().overriding("x-robots-tag", "noindex")))
        .nest("/for", given().around(pages).with(SetHeader::new().overriding("x-robots-tag", "noindex")))
        .at("/wechat/callback", get(callback::wechat).around(pages))
        .at("/wechat/message", get(push::check).post(push::receive))
        .at("/alipay/callback", get(callback::alipay).around(pages))
        .at("/cas/callback", get(sso::arrive.around(pages)).post(sso::signed_out))
        .at("/verify", page(get(verify::show)).around(pages))
        .at("/notify/:channel/:payee", post(notify::notify))
        .nest("/api", api::service::service(&app))
        .at("/asset/:name", get(super::page::asset::send))
        .at("/healthz", get(health::healthz))
        .at("/readyz", get(health::readyz))
        .around(watch)
        .data(app)
        .map_to_response()
        .boxed()
}

/// A page of a part that a school may not offer, or not yet. Whoever adds a page of such a part names the part here.
fn of(module: Module, page: impl Endpoint<Output = Response> + 'static) -> impl Endpoint<Output = Response> {
    page.around(move |page, req| offered(module, page, req))
}

/// What a payer sees.
fn h5() -> Route {
    Route::new()
        .at("/", page(get(home::show)))
        .at("/login", page(get(login::show).post(login::submit)))
        .nest("/sso", portal())
        .at("/logout", page(post(logout::here)))
        .at("/logout-everywhere", page(post(logout::everywhere)))
        .at("/settings", page(post(settings::submit)))
        .at("/forgot", of(Recovery, page(get(recovery::show_forgot).post(recovery::submit_forgot))))
        .at("/forgot/code", of(Recovery, page(get(recovery::show_code).post(recovery::submit_code))))
        .at("/forgot/link", of(Recovery, page(get(recovery::show_link).post(recovery::submit_link))))
        .at("/sign-up", of(SignUp, page(get(sign_up::show).post(sign_up::submit))))
        .at("/sign-up/code", of(SignUp, page(get(sign_up::show_code).post(sign_up::submit_code))))
        .at("/sign-up/details", of(SignUp, page(get(sign_up::show_details).post(sign_up::submit_details))))
        .at("/international", of(International, page(get(member::show).post(member::register))))
        .at("/international/activate", of(International, page(get(member::show_link).post(member::activate))))
        .at("/studies", of(International, page(get(member::studies).post(member::bind))))
        .at("/studies/choose", of(International, page(post(member::choose))))
        .at("/studies/unbind", of(International, page(post(member::unbind))))
        .at("/mail", page(get(sign_up::show_mail).post(sign_up::confirm_mail)))
        .at("/news", page(get(news::list)))
        .at("/news/:id", page(get(news::show)))
        .at("/help", page(get(help::show)))
        .at("/enrol", of(Enrolment, page(get(enrol::list))))
        .at("/enrol/:programme_id", of(Enrolment, page(get(enrol::show).post(enrol::submit))))
        .at("/enrolments/:enrolment_id", of(Enrolment, page(get(enrol::show_own).post(enrol::edit))))
        .at("/enrolments/:enrolment_id/cancel", of(Enrolment, page(post(enrol::cancel))))
        .at("/me", page(get(account::show_me)))
        .at("/me/profile", page(get(profile::show).post(profile::submit)))
        .at("/me/mail", page(post(account::submit_mail)))
        .at("/me/card", of(BankCard, page(get(profile::show_card).post(profile::submit_card))))
        .at("/me/password", page(get(account::show_password).post(account::submit_password)))
        .at("/me/question", page(get(account::show_question).post(account::submit_question)))
        .at("/me/wechat", page(get(wechat::show).post(wechat::bind)))
        .at("/me/wechat/unbind", page(post(wechat::unbind)))
        .at("/wechat/enter", page(get(wechat::enter).post(wechat::choose)))
        .at("/wechat/jssdk", get(wechat::jssdk))
        .at("/tuition", page(get(tuition::show)))
        .at("/tuition/:charge_id/amount", page(get(amount::show).post(amount::submit)))
        .at("/other", of(OtherFees, page(get(other::show))))
        .at("/living", of(LivingFees, page(get(living::list))))
        .at("/living/:service", of(LivingFees, page(get(living::show).post(living::submit))))
        .at("/checkout", page(post(checkout::submit)))
        .at("/confirm", page(get(confirm::show)))
        .at("/phone", page(get(phone::show).post(phone::submit)))
        .at("/phone/code", page(get(phone::show_code).post(phone::submit_code)))
        .at("/agreement", page(get(confirm::show_agreement)))
        .at("/cashier/:order_no", page(get(cashier::show)))
        .at("/cashier/:order_no/pay", page(post(pay::pay)))
        .at("/cashier/:order_no/go", page(get(pay::go)))
        .at("/cashier/:order_no/cancel", page(post(cashier::cancel)))
        .at("/cashier/:order_no/browser", page(get(cashier::browser)))
        .at("/cashier/:order_no/code.png", get(cashier::code_png))
        .at("/result/:order_no", page(get(result::show).post(result::come_back)))
        .at("/result/:order_no/ask", page(post(result::ask)))
        .at("/result/:order_no/state", get(state::show))
        .at("/result/:order_no/events", get(state::events))
        .at("/orders", page(get(orders::list)))
        .at("/dealings", page(get(dealings::list)))
        .at("/orders/:order_no", page(get(orders::show)))
        .at("/orders/:order_no/trouble", page(get(trouble::show)))
        .nest("/pay-for-me", sharing())
        .at("/paid", page(get(paid::list)))
        .at("/paid/:receipt_no", page(get(paid::show)))
        .at("/paid/:receipt_no/ereceipt", of(FiscalReceipts, page(get(ereceipt::show))))
        .at("/paid/:receipt_no/ereceipt.png", of(FiscalReceipts, get(ereceipt::picture)))
        .at("/paid/:receipt_no/ereceipt/again", of(FiscalReceipts, page(post(ereceipt::again))))
        .at("/paid/:receipt_no/voucher.png", get(paid::voucher_png))
        .at("/paid/:receipt_no/voucher.pdf", get(paid::voucher_pdf))
}

/// 统一身份认证
fn portal() -> Route {
    Route::new()
        // whoever is signed in goes there as well
        .at("/", page(get(sso::begin)))
        .at("/trouble", page(get(sso::show_trouble)))
}

/// Whoever has an order's code may pay the order, and may not cancel it. A poster's code leads to what the poster is
/// about.
/// Such an address may stand where search engines read: they are told to leave it out.
fn code() -> Route {
    Route::new()
        .at("/:code", page(get(poster::scan)))
        .at("/:code/person", page(get(poster::show_person).post(poster::submit_person)))
        .at("/:code/fees", page(get(poster::show_fees).post(poster::submit_fees)))
        .at("/:code/pay", page(post(pay::pay)))
        .at("/:code/go", page(get(pay::go)))
        .at("/:code/browser", page(get(cashier::browser)))
        .at("/:code/code.png", get(cashier::code_png))
        .at("/:code/result", page(get(result::show).post(result::come_back)))
        .at("/:code/ask", page(post(result::ask)))
        .at("/:code/state", get(state::show))
        .at("/:code/events", get(state::events))
}

/// 代付链接, of whoever makes them.
fn sharing() -> Route {
    Route::new()
        .at("/", of(PayForMe, page(get(pay_for_me::list).post(pay_for_me::make))))
        .at("/:pay_link_id", of(PayForMe, page(get(pay_for_me::show))))
        .at("/:pay_link_id/revoke", of(PayForMe, page(post(pay_for_me::revoke))))
        .at("/:pay_link_id/code.png", of(PayForMe, get(pay_for_me::code_png)))
}

/// Whoever has the link may begin to pay what it is for.
fn given() -> Route {
    Route::new()
        // nobody signs in here
        .at("/:code", of(PayForMe, page(get(give::show).post(give::submit))))
}

fn page(methods: RouteMethod) -> impl Endpoint<Output = Response> {
    compressed(methods.around(refilled))
}

#[handler]
fn entrance(_req: &Request) -> Response {
    error::see_other(links::HOME)
}
