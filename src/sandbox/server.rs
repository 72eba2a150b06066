//! Everything the sandbox says over HTTP, on one screen.
use std::io;
use std::sync::Arc;

use poem::listener::TcpAcceptor;
use poem::{Endpoint, EndpointExt, Response, Route, Server};

use super::world::Sandbox;

impl Sandbox {
    /// All routes of the outside world: gateways, cashiers, sign-in pages, the control surface.
    pub fn routes(self: &Arc<Self>) -> impl Endpoint<Output = Response> + use<> {
        Route::new().data(Arc::clone(self))
    }

    /// Serves for ever on a bound port.
    pub async fn serve(self: &Arc<Self>, listener: tokio::net::TcpListener) -> io::Result<()> {
        Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(self.routes()).await
    }
}
