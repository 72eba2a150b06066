//! Everything the sandbox says over HTTP, on one screen.
use std::io;
use std::sync::Arc;

use poem::listener::TcpAcceptor;
use poem::{Endpoint, EndpointExt, Response, Route, Server, get, post};

use super::account::{authorize, interface, menu, notices, token};
use super::alipay;
use super::campus::receiver;
use super::cas::doors;
use super::control;
use super::fiscal::counter;
use super::phone;
use super::postbox::gateway;
use super::unionpay;
use super::unionpay::gateway::Door;
use super::utility::till;
use super::wechat::cashier;
use super::wechat::gateway::Gateway;
use super::world::Sandbox;

impl Sandbox {
    /// All routes of the outside world: gateways, cashiers, sign-in pages, the control surface.
    pub fn routes(self: &Arc<Self>) -> impl Endpoint<Output = Response> + use<> {
        Route::new()
            // WeChat Pay
            .at("/v3/*rest", Gateway(Arc::clone(self)))
            .at("/cgi-bin/mmpayweb-bin/checkmweb", get(cashier::show).post(cashier::choose))
            // Alipay
            .at("/gateway.do", alipay::gateway::Gateway(Arc::clone(self)))
            .at(alipay::cashier::PATH, get(alipay::cashier::show).post(alipay::cashier::choose))
            .at("/oauth2/publicAppAuthorize.htm", get(alipay::authorize::authorize))
            // UnionPay
            .at(Door::Front.path(), Door::Front.gateway(self))
            .at(Door::Back.path(), Door::Back.gateway(self))
            .at(Door::Query.path(), Door::Query.gateway(self))
            .at(unionpay::cashier::PATH, get(unionpay::cashier::show).post(unionpay::cashier::choose))
            // WeChat official account
            .at("/connect/oauth2/authorize", get(authorize::authorize))
            .at("/sns/oauth2/access_token", get(token::access_token))
            .at("/cgi-bin/stable_token", post(interface::stable_token))
            .at("/cgi-bin/ticket/getticket", get(interface::ticket))
            .at("/cgi-bin/message/template/send", post(notices::send_template))
            .at("/cgi-bin/message/subscribe/bizsend", post(notices::send_subscription))
            .at("/cgi-bin/menu/create", post(menu::create))
            .at("/cgi-bin/menu/get", get(menu::get))
            .at("/cgi-bin/menu/delete", get(menu::delete))
            // a system of the campus that is told of payments
            .at(receiver::PATH, post(receiver::hear))
            .at("/campus", get(receiver::show))
            // a provider of electricity and the campus card
            .at("/utility", get(till::show))
            .at("/utility/:what", post(till::serve))
            // text messages and mail
            .at(gateway::PATH, post(gateway::send))
            .at("/messages", get(gateway::show))
            // e-receipts of the fiscal authority
            .at(format!("{}/:service", counter::BASE), post(counter::serve))
            .at("/fiscal", get(counter::list))
            .at("/fiscal/:code/:number", get(counter::show))
            // the university's portal
            .at("/cas/login", get(doors::login).post(doors::sign_in))
            .at("/cas/p3/serviceValidate", get(doors::validate))
            .at("/cas/serviceValidate", get(doors::validate))
            .at("/cas/logout", get(doors::logout))
            // the sandbox itself
            .nest("/control", control::routes())
            .nest_no_strip("/", phone::routes::routes(self))
            .data(Arc::clone(self))
    }

    /// Serves for ever on a bound port.
    pub async fn serve(self: &Arc<Self>, listener: tokio::net::TcpListener) -> io::Result<()> {
        Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(self.routes()).await
    }
}

#[cfg(test)]
pub mod stage;
