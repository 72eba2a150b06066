//! `jiaofei audit`: prints what does not agree and exits with 1 when anything does not. `--chain` follows the journal's
//! chains instead of adding up; `--json` prints one object for programs.
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::desk;
use crate::config::Config;
use crate::domain::moment::Moment;
use crate::domain::money::Fen;
use crate::flow::audit::{self, Finding, Totals};
use crate::flow::chain::{self, Disbelief, Findings, Missing, Torn};

#[derive(Args)]
pub struct AuditArgs {
    /// Follow the journal's chains: has anybody altered, added or taken away an entry?
    #[arg(long)]
    chain: bool,
    /// One JSON object instead of lines
    #[arg(long)]
    json: bool,
    #[arg(long, env = "JIAOFEI_CONFIG", default_value = "jiaofei.toml")]
    pub config: PathBuf,
}

pub async fn run(args: AuditArgs, config: Config) -> anyhow::Result<ExitCode> {
    let app = desk::books(config).await?;
    let (clean, lines, object) = match args.chain {
        true => {
            let findings = chain::follow(&app).await?;
            (findings.is_clean(), chain_lines(&findings, &app.chain.key_names()), chain_object(&findings))
        }
        false => {
            let findings = audit::run(&app).await?;
            let clean = findings.iter().all(|finding| finding.differences.is_empty());
            let totals = audit::totals(&app).await?;
            (clean, lines(&findings, &totals), object(&findings, &totals))
        }
    };
    match args.json {
        true => println!("{object}"),
        false => print!("{lines}"),
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lines(findings: &[Finding], totals: &[Totals]) -> String {
    let mut out = String::new();
    for finding in findings {
        out += &format!("{}  {}\n", mark(finding.differences.is_empty()), finding.must_hold);
        for row in &finding.differences {
            out += &format!("      {}: stands at {}, should be {}\n", row.subject, row.stands_fen, row.should_be_fen);
        }
    }
    for sums in totals {
        let Totals { payee_code, channel, .. } = sums;
        let [settled, surplus, mismatch, back, under_way] = figures(sums).map(|fen| Fen::new(fen).grouped());
        out += &format!(
            "      {payee_code} {channel}: settled {settled}, surplus {surplus}, mismatch {mismatch}; \
             sent back {back}, on its way back {under_way}\n"
        );
    }
    out
}

fn figures(sums: &Totals) -> [i64; 5] {
    [sums.settled_fen, sums.surplus_fen, sums.mismatch_fen, sums.sent_back_fen, sums.under_way_fen]
}

fn object(findings: &[Finding], totals: &[Totals]) -> Value {
    let finding = |finding: &Finding| {
        let row = |row: &audit::Difference| {
            let (stands, should_be) = (row.stands_fen, row.should_be_fen);
            json!({ "subject": row.subject, "stands": stands, "should_be": should_be })
        };
        let differences: Vec<Value> = finding.differences.iter().map(row).collect();
        json!({ "must_hold": finding.must_hold, "differences": differences })
    };
    let clean = findings.iter().all(|finding| finding.differences.is_empty());
    let total = |sums: &Totals| {
        let [settled, surplus, mismatch, sent_back, under_way] = figures(sums);
        json!({ "payee": sums.payee_code, "channel": sums.channel, "settled_fen": settled, "surplus_fen": surplus,
            "mismatch_fen": mismatch, "sent_back_fen": sent_back, "under_way_fen": under_way })
    };
    let (checks, totals): (Vec<Value>, Vec<Value>) =
        (findings.iter().map(finding).collect(), totals.iter().map(total).collect());
    json!({ "clean": clean, "checks": checks, "totals": totals })
}

fn mark(clean: bool) -> &'static str {
    if clean { "ok  " } else { "DIFF" }
}

fn chain_lines(findings: &Findings, keys: &[&str]) -> String {
    let mut out = String::new();
    for (name, count) in &findings.unknown_keys {
        out += &format!(
            "DIFF  {count} of them sealed with the journal key {name}, which is not configured (configured: {}): is \
             secrets.journal_key another one, or does secrets.old_journal_keys lack one?\n",
            keys.join(", ")
        );
    }
    let (charges, entries, torn) = (findings.charges, findings.entries, findings.torn_count);
    out += &format!("{}  {charges} charges with {entries} entries; not as written: {torn}\n", mark(torn == 0));
    for (charge, torn) in &findings.torn {
        out += &format!("      charge {charge}{}\n", told(torn));
    }
    out += &format!("{}  tallies that do not fit: {}\n", mark(findings.missing_count == 0), findings.missing_count);
    for (no, missing) in &findings.missing {
        out += &match missing {
            Missing::Seal(why) => format!("      tally {no}: {}\n", reason(why)),
            Missing::Figure { what, since, until, stands, should_be } => format!(
                "      tally {no}: {what} entered from {} to {} stand at {stands}, should be {should_be}\n",
                Moment::from_millis(*since).rfc3339(),
                Moment::from_millis(*until).rfc3339()
            ),
        };
    }
    match &findings.last_tally {
        Some(tally) => {
            let until = Moment::from_millis(tally.entered_until).rfc3339();
            out += &format!("      the last is tally {}, until {until}, {}\n", tally.no, tally.mac);
        }
        None => out += "      none has been made yet: a charge taken away with all its entries would not be missed\n",
    }
    out
}

fn told(torn: &Torn) -> String {
    match torn {
        Torn::Entry { seq, cause, cause_no, why } => {
            format!(", entry {} ({cause} {cause_no}), or what stands before it: {}", number(*seq), reason(why))
        }
        Torn::Order { stands, should_be } => {
            format!(": an entry's number stands at {}, should be {should_be}", number(*stands))
        }
        Torn::Figure { what, stands, should_be } => format!(": {what} stands at {stands}, should be {should_be}"),
        Torn::Head { why } => format!(", its owner or its head: {}", reason(why)),
    }
}

fn number(seq: Option<i64>) -> String {
    seq.map_or_else(|| "none".to_owned(), |seq| seq.to_string())
}

fn reason(why: &Disbelief) -> String {
    match why {
        Disbelief::Missing => "the seal is missing".to_owned(),
        Disbelief::UnknownKey(name) => format!("sealed with the unknown key {name}"),
        Disbelief::Broken => "not what was written".to_owned(),
    }
}

fn chain_object(findings: &Findings) -> Value {
    let torn = |(charge, torn): &(crate::domain::ids::ChargeId, Torn)| {
        let (what, stands, should_be) = match torn {
            Torn::Order { stands, should_be } => ("seq", *stands, Some(*should_be)),
            Torn::Figure { what, stands, should_be } => (*what, Some(*stands), Some(*should_be)),
            Torn::Entry { seq, .. } => ("entry", *seq, None),
            Torn::Head { .. } => ("head", None, None),
        };
        let told = format!("charge {charge}{}", told(torn));
        json!({ "charge": charge, "what": what, "stands": stands, "should_be": should_be, "told": told })
    };
    let missing = |(no, missing): &(i64, Missing)| match missing {
        Missing::Seal(why) => json!({ "tally": no, "what": "seal", "told": reason(why) }),
        Missing::Figure { what, since, until, stands, should_be } => json!({
            "tally": no, "what": what, "since": since, "until": until,
            "stands": stands.to_string(), "should_be": should_be.to_string(),
        }),
    };
    let last = findings.last_tally.as_ref().map(|tally| {
        json!({ "no": tally.no, "until": tally.entered_until, "charges": tally.charges, "entries": tally.entries,
            "sum_fen": tally.sum_fen, "mac": tally.mac })
    });
    json!({
        "clean": findings.is_clean(), "charges": findings.charges, "entries": findings.entries,
        "torn_count": findings.torn_count, "torn": findings.torn.iter().map(torn).collect::<Vec<_>>(),
        "missing_count": findings.missing_count, "missing": findings.missing.iter().map(missing).collect::<Vec<_>>(),
        "unknown_keys": findings.unknown_keys, "last_tally": last,
    })
}
