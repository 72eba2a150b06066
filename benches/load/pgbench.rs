//! pgbench with the very statements the server sends for one notice: logged once, then replayed for other orders.
use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, bail};

use super::http::Connection;
use super::program;
use super::school;
use super::stage::Stage;

/// What the server asks of the database to settle one order.
pub struct Script {
    text: String,
    /// Values that do not depend on the order, by name
    constants: Vec<(String, String)>,
    pub statements: usize,
}

/// One logged statement.
struct Logged {
    process: String,
    sql: String,
    /// `$1` first; none is NULL
    values: Vec<Option<String>>,
}

/// Settles one order with the log of statements on, and makes a script of what it saw.
pub async fn capture(stage: &Stage) -> anyhow::Result<Script> {
    let (outside, database) = (stage.outside(), stage.database());
    let mut connection = Connection::open(stage.address()).await?;
    // the first orders warm the connections up; the last one stands in the middle of a block of serials
    let orders = stage.orders(46)?;
    let sample = orders.end - 1;
    for order in orders.start..sample {
        connection.exchange(&stage.voice.request(order)?).await?;
    }
    let log = outside.folder.join("postgres.log");
    let switch = |on: &str| {
        let sql = format!("ALTER SYSTEM SET log_statement = '{on}'; SELECT pg_reload_conf();");
        // ALTER SYSTEM refuses to run beside another statement in one transaction; psql sends them singly
        outside.psql(&database, &sql)
    };
    switch("all")?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = std::fs::metadata(&log)?.len() as usize;
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let idle = std::fs::metadata(&log)?.len() as usize;
    let answer = connection.exchange(&stage.voice.request(sample)?).await?;
    // what jobs make of the order after the answer is not the notice's work
    let answered = std::fs::metadata(&log)?.len() as usize;
    let text = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    switch("none")?;
    if answer.status != 200 {
        bail!("the sample was answered {}", answer.status);
    }
    let jobs: HashSet<String> = read(&text[begun..idle]).into_iter().map(|logged| logged.sql).collect();
    let mut seen = read(&text[idle..answered]);
    seen.retain(|logged| brackets(&logged.sql) || !jobs.contains(&logged.sql));
    drop_empty(&mut seen);
    let one =
        "SELECT c.id FROM order_line l JOIN charge c ON c.id = l.charge_id JOIN payment_order o ON o.id = l.order_id";
    let charges =
        outside.psql(&database, &format!("{one} WHERE o.order_no = '{}' ORDER BY 1", school::order_no(sample)))?;
    let charges: Vec<String> = charges.lines().map(str::to_owned).collect();
    let kept = |sql: &str| outside.psql(&database, sql).map(|text| text.trim().to_owned());
    let receipt = kept(&format!(
        "SELECT receipt_no FROM receipt r JOIN payment_order o ON o.id = r.order_id WHERE o.order_no = '{}'",
        school::order_no(sample)
    ))?;
    let digest = kept(&format!("SELECT digest FROM notice WHERE about = '{}'", school::attempt_no(sample)))?;
    let stand_in = |value: &str| match value {
        value if value == receipt => Some("('9' || lpad((:n)::text, 8, '0'))".to_owned()),
        value if value == digest => Some("lpad((:n)::text, 64, 'd')".to_owned()),
        value => school::stand_in(sample, &charges, value),
    };
    script(&seen, &stand_in)
}

/// Whether this begins or ends a transaction.
fn brackets(sql: &str) -> bool {
    ["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| sql.eq_ignore_ascii_case(word))
}

/// Takes out transactions of which nothing is left: those of jobs.
fn drop_empty(seen: &mut Vec<Logged>) {
    let mut at = 0;
    while at < seen.len() {
        let process = &seen[at].process;
        let next = (at + 1..seen.len()).find(|next| seen[*next].process == *process);
        match next.filter(|next| brackets(&seen[*next].sql)) {
            Some(next) if seen[at].sql.eq_ignore_ascii_case("BEGIN") => {
                seen.remove(next);
                seen.remove(at);
            }
            _ => at += 1,
        }
    }
}

fn script(seen: &[Logged], stand_in: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Script> {
    let mut script = Script { text: String::new(), constants: Vec::new(), statements: seen.len() };
    script.text += "\\set k :k + 1\n\\set n :first + :client_id + :k * :clients\n";
    for logged in seen {
        let mut rest = logged.sql.as_str();
        while let Some(at) = rest.find('$') {
            script.text += &rest[..at];
            let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
            let number: usize = rest[at + 1..at + 1 + digits].parse()?;
            rest = &rest[at + 1 + digits..];
            let value = logged.values.get(number - 1).with_context(|| format!("no ${number} in {}", logged.sql))?;
            let Some(value) = value else {
                script.text += "NULL";
                continue;
            };
            match stand_in(value) {
                Some(text) => script.text += &text,
                None if value.contains(':') => {
                    let name = format!("constant{}", script.constants.len());
                    script.text += &format!(":{name}");
                    script.constants.push((name, value.clone()));
                }
                None => script.text += &format!("'{}'", value.replace('\'', "''")),
            }
        }
        script.text += &format!("{rest};\n");
    }
    let begins = seen.iter().filter(|logged| logged.sql.eq_ignore_ascii_case("BEGIN")).count();
    let processes: HashSet<&str> = seen.iter().map(|logged| logged.process.as_str()).collect();
    if begins != 1 || seen.len() < 5 {
        bail!("{begins} transactions, {} statements of {} processes:\n{}", seen.len(), processes.len(), script.text);
    }
    Ok(script)
}

/// Reads lines of `log_line_prefix = '%p '`.
fn read(log: &str) -> Vec<Logged> {
    let mut seen: Vec<Logged> = Vec::new();
    for line in log.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        if let Some(values) = rest.strip_prefix("DETAIL:  ").and_then(|detail| detail.split_once("arameters: ")) {
            if let Some(last) = seen.iter_mut().rfind(|logged| logged.process == process) {
                last.values = parameters(values.1);
            }
            continue;
        }
        let Some(rest) = rest.strip_prefix("LOG:  ") else { continue };
        let sql = match (rest.strip_prefix("statement: "), rest.strip_prefix("execute ")) {
            (Some(sql), _) => sql,
            (_, Some(rest)) => rest.split_once(": ").map_or("", |(_, sql)| sql),
            _ => continue,
        };
        let is_ours = !sql.is_empty() && !sql.starts_with("/*") && !sql.starts_with("ALTER SYSTEM");
        if is_ours && !sql.contains("pg_reload_conf") {
            seen.push(Logged { process: process.to_owned(), sql: sql.to_owned(), values: Vec::new() });
        }
    }
    seen
}

/// `$1 = 'text', $2 = NULL`; a quote inside is doubled.
fn parameters(text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(" = ") {
        let Some(quoted) = after.strip_prefix('\'') else {
            values.push(None);
            rest = after;
            continue;
        };
        let mut value = String::new();
        let mut letters = quoted.char_indices().peekable();
        let mut end = quoted.len();
        while let Some((at, letter)) = letters.next() {
            match (letter, letters.peek()) {
                ('\'', Some((_, '\''))) => {
                    value.push('\'');
                    letters.next();
                }
                ('\'', _) => {
                    end = at + 1;
                    break;
                }
                _ => value.push(letter),
            }
        }
        values.push(Some(value));
        rest = &quoted[end.min(quoted.len())..];
    }
    values
}

impl Script {
    /// Transactions a second over these orders.
    pub fn rate(&self, stage: &Stage, orders: std::ops::Range<usize>, clients: usize) -> anyhow::Result<f64> {
        let file = stage.outside().folder.join("settle.sql");
        std::fs::write(&file, &self.text)?;
        let each = orders.len() / clients;
        let mut command = stage.outside().tool("pgbench")?;
        command.args(["-n", "-M", "prepared", "-j", "2"]).arg("-f").arg(&file);
        command.args(["-c", &clients.to_string(), "-t", &each.to_string()]);
        let mut define = |name: &str, value: &str| {
            command.arg("-D").arg(format!("{name}={value}"));
        };
        define("k", "-1");
        define("first", &orders.start.to_string());
        define("clients", &clients.to_string());
        for (name, value) in &self.constants {
            define(name, value);
        }
        command.arg(stage.database());
        let printed = program::run(&mut command)?;
        let line = printed.lines().find(|line| line.starts_with("tps = ")).context("pgbench told no rate")?;
        Ok(line.split_whitespace().nth(2).context("pgbench told no rate")?.parse()?)
    }
}
