//! What pages cost: weight, rate and waiting, beside hello-world and beside a small school.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use super::http::{self, Answer, Connection, Load, Outcome};
use super::school::{self, PHONE, Size};
use super::stage::{Spent, Stage};
use super::table::{Aim, Table, median, millis, per_second};

const CLIENTS: usize = 8;
const ROUNDS: usize = 3;
const COUNT: usize = 2_000;
const TUITION: &str = "/h5/tuition";

fn arrears_requests(size: Size) -> Vec<Vec<u8>> {
    size.lookers().into_iter().map(|payer| school::page(TUITION, payer, PHONE)).collect()
}

fn cashier_requests(size: Size) -> Vec<Vec<u8>> {
    let first = size.orders() + 1;
    let orders = size.waiting().enumerate();
    orders.map(|(at, payer)| school::page(&cashier(first + at), payer, PHONE)).collect()
}

fn cashier(order: usize) -> String {
    format!("/h5/cashier/{}", school::order_no(order))
}

async fn load(servers: &[SocketAddr], requests: Vec<Vec<u8>>, count: usize) -> anyhow::Result<Outcome> {
    let (servers, requests) = (servers.to_vec(), Arc::new(requests));
    let load = Load { servers, clients: CLIENTS, requests, count, longest: Duration::from_secs(15), pace: None };
    http::send(&load).await
}

pub async fn arrears(stage: &Stage, servers: &[SocketAddr], count: usize) -> anyhow::Result<Outcome> {
    load(servers, arrears_requests(stage.size), count).await
}

/// Arrears pages at a steady pace.
pub async fn paced(stage: &Stage, pace: f64, count: usize) -> anyhow::Result<Outcome> {
    let requests = Arc::new(arrears_requests(stage.size));
    let longest = Duration::from_secs(30);
    let servers = vec![stage.address()];
    http::send(&Load { servers, clients: 4 * CLIENTS, requests, count, longest, pace: Some(pace) }).await
}

pub async fn rates(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let hello = vec![b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()];
    let here = [stage.address()];
    let names = ["arrears page, signed in", "cashier page"];
    let sets = [arrears_requests(stage.size), cashier_requests(stage.size)];
    for (name, requests) in names.into_iter().zip(sets) {
        load(&here, requests.clone(), 400).await?;
        let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let (mut middle, mut late) = (Vec::new(), Vec::new());
        let (mut spent, mut answers) = (Spent::default(), 0);
        for _ in 0..ROUNDS {
            let before = stage.spent()?;
            let page = load(&here, requests.clone(), COUNT).await?;
            spent.add(before, stage.spent()?);
            answers += page.answers;
            let least = load(&[stage.hello.address], hello.clone(), 10 * COUNT).await?;
            ratios.push(page.rate() / least.rate());
            ours.push(page.rate());
            bare.push(least.rate());
            middle.push(page.percentile(50));
            late.push(page.percentile(99));
        }
        let (p50, p99) = (millis(median(&middle)), millis(median(&late)));
        let told = format!("{}, p50 {p50}, p99 {p99}", per_second(median(&ours)));
        let beside = format!("hello-world {}", per_second(median(&bare)));
        let aim = Aim::at_least(median(&ratios), 0.08).filter(|_| name.starts_with("arrears"));
        table.add(name, told, beside, Some(median(&ratios)), aim);
        spent.tell(name, answers, table);
    }
    Ok(())
}

/// The same page in a school of ten thousand charges, in turn.
pub async fn against_small(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let (small, server) = stage.another(10_000).await?;
    let (mut few, mut many, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    load(&[server.address], arrears_requests(small), 400).await?;
    for _ in 0..7 {
        let one = load(&[server.address], arrears_requests(small), COUNT).await?.percentile(99);
        let other = load(&[stage.address()], arrears_requests(stage.size), COUNT).await?.percentile(99);
        ratios.push(other / one);
        few.push(one);
        many.push(other);
    }
    let ratio = median(&ratios);
    let figure = format!("arrears page p99, {} charges beside 10000", stage.size.charges);
    table.add(&figure, millis(median(&many)), millis(median(&few)), Some(ratio), Aim::at_most(ratio, 1.3, ""));
    Ok(())
}

/// Bytes of the first visit and of the next one.
pub async fn weights(stage: &Stage, table: &mut Table) -> anyhow::Result<()> {
    let (payer, waiting) = (stage.size.lookers()[0], stage.size.waiting().start);
    let order = stage.size.orders() + 1;
    for (name, path, payer) in [("arrears page", TUITION.to_owned(), payer), ("cashier page", cashier(order), waiting)]
    {
        let request = school::page(&path, payer, PHONE);
        let mut connection = Connection::open(stage.address()).await?;
        let cold = connection.exchange(&request).await?;
        if cold.status != 200 || field(&cold, "content-encoding") != Some("br") {
            bail!("{path}: {}", cold.head);
        }
        let again = repeat(&request, &cold);
        let repeat = connection.exchange(&again).await?;
        let told = format!("{} B cold, {} B repeat", cold.body.len(), repeat.body.len());
        let headers = format!("headers {} B, {} B", cold.head.len(), repeat.head.len());
        let kilobytes = |answer: &Answer| answer.body.len() as f64 / 1024.0;
        let first = Aim::at_most(kilobytes(&cold), 10.0, " KB in one request");
        let next = Aim::at_most(kilobytes(&repeat), 2.5, " KB");
        table.add(&format!("{name}, brotli"), told, headers, None, Aim::and(first, next));
    }
    Ok(())
}

/// What a browser sends the second time: the cookies it was given.
fn repeat(request: &[u8], cold: &Answer) -> Vec<u8> {
    let given = cold.head.lines().filter_map(|line| line.split_once(": "));
    let cookies = given.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pairs: String = cookies.map(|(_, value)| format!("; {}", value.split(';').next().unwrap_or(""))).collect();
    let text = String::from_utf8_lossy(request).into_owned();
    text.replacen("\r\n\r\n", &format!("{pairs}\r\n\r\n"), 1).into_bytes()
}

fn field<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut lines = answer.head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
