//! What notices cost: told the first time, told again, by two processes, and while students look at pages.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::http::{self, Load, Outcome};
use super::pages;
use super::pgbench;
use super::stage::{Spent, Stage};
use super::table::{Aim, Table, median, millis, per_second};

const CLIENTS: usize = 16;
const ROUNDS: usize = 3;
/// Orders of one side in one round
const ROUND: usize = 3_200;
const LONGEST: Duration = Duration::from_secs(20);

/// Tells these orders as paid, as fast as it goes or at a pace.
async fn settle(
    stage: &Stage,
    servers: &[SocketAddr],
    orders: std::ops::Range<usize>,
    pace: Option<f64>,
) -> anyhow::Result<Outcome> {
    let requests = stage.voice.requests(orders)?;
    send(servers, Arc::new(requests), pace, 1).await
}

async fn send(
    servers: &[SocketAddr],
    requests: http::Requests,
    pace: Option<f64>,
    times: usize,
) -> anyhow::Result<Outcome> {
    let count = requests.len() * times;
    let clients = if pace.is_some() { 4 * CLIENTS } else { CLIENTS };
    http::send(&Load { servers: servers.to_vec(), clients, requests, count, longest: LONGEST, pace }).await
}

pub async fn first_time(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let script = pgbench::capture(stage).await?;
    settle(stage, &[stage.address()], stage.orders(400)?, None).await?;
    let (mut ours, mut theirs, mut ratios, mut waits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut spent, mut answers) = (Spent::default(), 0);
    for _ in 0..ROUNDS {
        let orders = stage.orders(ROUND)?;
        let before = stage.spent()?;
        let told = settle(stage, &[stage.address()], orders, None).await?;
        spent.add(before, stage.spent()?);
        answers += told.answers;
        let replayed = script.rate(stage, stage.orders(ROUND)?, CLIENTS)?;
        ratios.push(told.rate() / replayed);
        waits.push(told.percentile(99));
        ours.push(told.rate());
        theirs.push(replayed);
    }
    let figure = format!("first-time notices ({} statements)", script.statements);
    let told = format!("{}, p99 {}", per_second(median(&ours)), millis(median(&waits)));
    let beside = format!("pgbench {}", per_second(median(&theirs)));
    table.add(&figure, told, beside, Some(median(&ratios)), Aim::at_least(median(&ratios), 0.7));
    spent.tell("first-time notices", answers, table);
    Ok(())
}

pub async fn duplicates(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let requests = Arc::new(stage.voice.requests(stage.orders(800)?)?);
    send(&[stage.address()], Arc::clone(&requests), None, 1).await?;
    let (mut ours, mut hello, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut spent, mut answers) = (Spent::default(), 0);
    for _ in 0..ROUNDS {
        let before = stage.spent()?;
        let told = send(&[stage.address()], Arc::clone(&requests), None, 25).await?;
        spent.add(before, stage.spent()?);
        answers += told.answers;
        // the same bytes, so that reading them costs both sides the same
        let like = requests.iter().map(|request| to_root(request)).collect();
        let bare = send(&[stage.hello.address], Arc::new(like), None, 50).await?;
        ratios.push(told.rate() / bare.rate());
        ours.push(told.rate());
        hello.push(bare.rate());
    }
    let beside = format!("hello-world {}", per_second(median(&hello)));
    let ratio = median(&ratios);
    table.add("duplicate notices", per_second(median(&ours)), beside, Some(ratio), Aim::at_least(ratio, 0.3));
    spent.tell("duplicate notices", answers, table);
    Ok(())
}

fn to_root(request: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(request).replacen("/notify/wechat/fiscal", "/", 1).into_bytes()
}

pub async fn two_processes(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let second = stage.second_process().await?;
    let both = [stage.address(), second.address];
    let (mut notices, mut looked) = (Vec::new(), Vec::new());
    let (mut alone, mut together, mut page, mut pages) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    settle(stage, &both, stage.orders(400)?, None).await?;
    for _ in 0..2 {
        let one = settle(stage, &both[..1], stage.orders(1_600)?, None).await?.rate();
        let two = settle(stage, &both, stage.orders(1_600)?, None).await?.rate();
        notices.push(two / one);
        alone.push(one);
        together.push(two);
        let one = pages::arrears(stage, &both[..1], 1_600).await?.rate();
        let two = pages::arrears(stage, &both, 1_600).await?.rate();
        looked.push(two / one);
        page.push(one);
        pages.push(two);
    }
    let mut tell = |figure: &str, ours: &[f64], beside: &[f64], ratios: &[f64]| {
        let beside = format!("one {}", per_second(median(beside)));
        table.add(figure, per_second(median(ours)), beside, Some(median(ratios)), None);
    };
    tell("first-time notices, two processes", &together, &alone, &notices);
    tell("arrears page, two processes", &pages, &page, &looked);
    Ok(())
}

/// Notices at seven tenths of what they reach alone, and a fifth of the pages' own most at the same time.
pub async fn acknowledgement(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let here = [stage.address()];
    let most = settle(stage, &here, stage.orders(1_600)?, None).await?.rate();
    let page_pace = pages::arrears(stage, &here, 1_600).await?.rate() / 5.0;
    let pace = most * 0.7;
    let count = (pace * 8.0).min(6_000.0);
    let seconds = count / pace;
    let orders = stage.orders(count as usize)?;
    let requests = Arc::new(stage.voice.requests(orders)?);
    let looking = pages::paced(stage, page_pace, (page_pace * seconds) as usize);
    let (told, looked) = tokio::join!(send(&here, requests, Some(pace), 1), looking);
    let (told, looked) = (told?, looked?);
    let figure = format!("notice acknowledgement p99 at {} beside {} pages", per_second(pace), per_second(page_pace));
    let p50 = millis(told.percentile(50));
    let late = told.percentile(99);
    table.add(&figure, millis(late), format!("p50 {p50}"), None, Aim::at_most(late / 1000.0, 100.0, " ms"));
    table.add("arrears page p99 meanwhile", millis(looked.percentile(99)), String::new(), None, None);
    Ok(())
}
