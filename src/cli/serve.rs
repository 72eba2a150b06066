//! `jiaofei serve`: migrate, listen, work unasked, and stop without losing what is in hand.
use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::clock::{Chance, Clock};
use crate::config::Config;
use crate::flow::{migrate, restore, rotate};
use crate::outbound::HttpClient;
use crate::{jobs, web};
use anyhow::Context;
use poem::Server;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::web::LocalAddr;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::check::unfit_to_serve;
use super::rehearsal::unfit_to_rehearse;

/// How long requests in flight may take after the stop, notices among them.
const LAST_ORDERS: Duration = Duration::from_secs(20);

/// `rehearsal`: nothing real, instead of nothing unfit for real money.
pub async fn run(config: Config, rehearsal: bool) -> anyhow::Result<()> {
    let (complaints, verdict) = match rehearsal {
        false => (unfit_to_serve(&config), "not fit for real money"),
        true => (unfit_to_rehearse(&config), "not a rehearsal"),
    };
    if !complaints.is_empty() {
        anyhow::bail!("{verdict}:\n  {}", complaints.join("\n  "));
    }
    if rehearsal {
        tracing::warn!("a rehearsal: every key is known to everybody, and no money is real");
    }
    let app = App::open(config, Clock::system(), Chance::system(), HttpClient::new()?).await?;
    listen(Arc::new(app)).await
}

/// Migrates, then serves until a signal to stop (SIGTERM or Ctrl-C).
pub async fn listen(app: Arc<App>) -> anyhow::Result<()> {
    let up = migrate::bring_up(&app.db, &app.chain, &app.clock).await;
    up.context("the database could not be brought up to date")?;
    restore::recognise(&app).await.context("looking whether a backup was brought back")?;
    let complaints = rotate::take_up(&app).await?;
    if !complaints.is_empty() {
        anyhow::bail!("the keys do not fit the database:\n  {}", complaints.join("\n  "));
    }
    let address = app.config.server.listen.clone();
    let acceptor = TcpListener::bind(address.as_str()).into_acceptor().await;
    let acceptor = acceptor.with_context(|| format!("server.listen: {address}"))?;
    tracing::info!(local = ?acceptor.local_addr(), cache = ?app.cache.state(), "serving");
    let (stop, stopped) = watch::channel(false);
    let operator = operator(&app, stopped.clone()).await?;
    let jobs = tokio::spawn(jobs::run(Arc::clone(&app), stopped));
    let server = Server::new_with_acceptor(acceptor).idle_timeout(Duration::from_secs(75));
    let served = server.run_with_graceful_shutdown(web::routes::routes(app), told_to_stop(), Some(LAST_ORDERS)).await;
    stop.send_replace(true);
    jobs.await.context("a job broke")?;
    operator.await.context("the operator's port broke")?;
    Ok(served?)
}

/// Serves the operator's port, where one is configured, for as long as the jobs run.
async fn operator(app: &Arc<App>, mut stop: watch::Receiver<bool>) -> anyhow::Result<JoinHandle<()>> {
    let Some(address) = app.config.server.operator_listen.clone() else { return Ok(tokio::spawn(async {})) };
    let acceptor = TcpListener::bind(address.as_str()).into_acceptor().await;
    let acceptor = acceptor.with_context(|| format!("server.operator_listen: {address}"))?;
    let bound = acceptor.local_addr();
    tracing::info!(local = ?bound, "serving the operator");
    let loopback = |local: &LocalAddr| local.as_socket_addr().is_some_and(|at| at.ip().is_loopback());
    if !bound.iter().all(loopback) {
        tracing::warn!("the operator's port is not on loopback: keep it behind a firewall");
    }
    let routes = web::operator::routes(Arc::clone(app));
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    Ok(tokio::spawn(async move {
        let server = Server::new_with_acceptor(acceptor).idle_timeout(Duration::from_secs(75));
        if let Err(error) = server.run_with_graceful_shutdown(routes, stopped, Some(Duration::from_secs(1))).await {
            tracing::error!(%error, "the operator's port broke");
        }
    }))
}

pub async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
