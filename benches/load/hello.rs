//! The least a server of the same making can do: what HTTP alone costs here.
use poem::listener::TcpListener;
use poem::{Route, Server, get, handler};

#[handler]
fn hello() -> &'static str {
    "hello, world"
}

pub async fn serve(address: &str) -> anyhow::Result<()> {
    let routes = Route::new().at("/", get(hello).post(hello));
    Ok(Server::new(TcpListener::bind(address)).run(routes).await?)
}
