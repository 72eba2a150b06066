//! `jiaofei events …`: what campus systems were told, and whether they took it.
use std::process::ExitCode;

use clap::Subcommand;

use crate::app::App;
use crate::domain::moment::Moment;
use crate::flow::events::desk;
use crate::store::events::Delivery;

#[derive(Subcommand)]
pub enum Act {
    /// The latest events, newest first
    List {
        /// Only those an endpoint did not take
        #[arg(long)]
        failed: bool,
    },
    /// One event: what is sent, and every try
    Show { id: String },
    /// Let an event go out again, under the same id
    Resend {
        id: String,
        /// Only to this endpoint, even if it never went there; none: to all it went to
        #[arg(long)]
        endpoint: Option<String>,
    },
}

pub async fn run(act: Act, app: &App) -> anyhow::Result<ExitCode> {
    match act {
        Act::List { failed } => {
            let list = desk::list(app, failed).await?;
            for (event, deliveries) in &list {
                let at = event.created_at.beijing_text();
                let stands: Vec<String> = deliveries.iter().map(stands).collect();
                let stands = if stands.is_empty() { "nobody wants it".to_owned() } else { stands.join(", ") };
                println!("{}  {at}  {:<13}  {}  {stands}", event.event_no, event.kind.code(), event.subject);
            }
            println!("{} shown", list.len());
        }
        Act::Show { id } => {
            let told = desk::show(app, &id).await?;
            println!("{}  {}  {}", told.event.event_no, told.event.kind.code(), told.event.created_at.beijing_text());
            println!("{}", told.event.payload);
            for delivery in &told.deliveries {
                println!("{}", stands(delivery));
            }
            for one in &told.tries {
                let at = Moment::from_millis(one.at).beijing_text();
                let status = one.status.map_or_else(|| "—".to_owned(), |status| status.to_string());
                println!("  {at}  {}  {}  {status}  {} ms  {}", one.endpoint, one.outcome, one.millis, one.said);
            }
        }
        Act::Resend { id, endpoint } => {
            let names = desk::resend(app, &id, endpoint.as_deref()).await?;
            println!("{id} goes again to {}", names.join(", "));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `campus-card: waiting, 3 tries, next 2026-09-01 12:00:00`
fn stands(delivery: &Delivery) -> String {
    let when = match (delivery.next_try_at, delivery.done_at) {
        (Some(next), _) => format!(", next {}", next.beijing_text()),
        (None, Some(done)) => format!(", {}", done.beijing_text()),
        (None, None) => String::new(),
    };
    format!("{}: {}, {} tries{when}", delivery.endpoint, delivery.state.code(), delivery.tries)
}
