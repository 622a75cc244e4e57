//! `dme audit`: administrators' acts, and whether their record is still the one that was written.

use super::{ago, when, when_millis};
use crate::admin::{AdminClient, AdminOptions};
use crate::ask::{say_json, say_line};
use anyhow::{Context, Result};
use clap::Subcommand;
use dme_audit::{Countersignature, Report, Row, Signer, Verifier};
use dme_console::api;
use dme_link::Fingerprint;
use dme_model::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Acts, the newest last.
    List {
        /// By whom.
        #[arg(long)]
        who: Option<String>,
        /// Of this name: devices.wipe; or with this beginning: devices.
        #[arg(long)]
        act: Option<String>,
        /// With this in what they concern: a user, a device, a connector.
        #[arg(long)]
        target: Option<String>,
        /// Of the last so many: 30m, 12h, 7d.
        #[arg(long)]
        since: Option<Span>,
        /// So many at the most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// The whole record with its countersignatures, one a line, to be kept elsewhere.
    Export {
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Find what was changed, taken out, moved or cut off.
    Verify {
        /// What was exported; the running server's record where not said.
        file: Option<PathBuf>,
        #[command(flatten)]
        server: AdminOptions,
    },
}

/// A line of an export.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Row(serde_json::Value),
    Signature(Countersignature),
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::List { who, act, target, since, limit, json, server } => {
                let from = since.map(|span| ago(span).to_string());
                let limit = Some(limit.to_string());
                let asked = [
                    ("who", who),
                    ("act", act),
                    ("target", target),
                    ("from", from),
                    ("limit", limit),
                ];
                let asked: Vec<_> =
                    asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
                let mut acts: Vec<api::Act> = server.client()?.ask(&["audit"], &asked).await?;
                acts.reverse();
                if json {
                    say_json(&acts)?;
                } else {
                    acts.iter().for_each(say_act);
                }
            }
            Self::Export { server } => {
                let client = server.client()?;
                each(&client, |line| {
                    say_line(serde_json::to_string(&line)?);
                    Ok(())
                })
                .await?;
            }
            Self::Verify { file, server } => {
                let mut lines = Vec::new();
                let mut keep = |line| {
                    lines.push(line);
                    Ok(())
                };
                match file {
                    Some(path) => read(&path, &mut keep)?,
                    None => each(&server.client()?, &mut keep).await?,
                }
                return Ok(verify(lines));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Every line of a running server's record, the signatures first.
async fn each(client: &AdminClient, mut with: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let mut after = 0_u64;
    loop {
        let asked = [("after", after.to_string())];
        let api::AuditRows { rows, signatures } = client.ask(&["audit", "rows"], &asked).await?;
        for signature in signatures {
            with(Line::Signature(serde_json::from_value(signature)?))?;
        }
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            after = number(&row).context("the server gave a row without a number")?;
            with(Line::Row(row))?;
        }
    }
}

fn number(row: &serde_json::Value) -> Option<u64> {
    row.get("number").and_then(serde_json::Value::as_u64)
}

fn read(path: &Path, mut with: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let cannot = || format!("cannot read {}", path.display());
    let file = std::fs::File::open(path).with_context(cannot)?;
    for (n, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(cannot)?;
        let line = serde_json::from_str(&line)
            .with_context(|| format!("{}:{}: no line of an export", path.display(), n + 1))?;
        with(line)?;
    }
    Ok(())
}

fn verify(lines: Vec<Line>) -> ExitCode {
    let signatures = lines.iter().filter_map(|line| match line {
        Line::Signature(one) => Some(one.clone()),
        Line::Row(_) => None,
    });
    let signatures: Vec<Countersignature> = signatures.collect();
    let mut verifier = Verifier::new(signatures.iter().cloned());
    for line in lines {
        let Line::Row(row) = line else { continue };
        let number = number(&row).unwrap_or(0);
        match serde_json::from_value::<Row>(row) {
            Ok(row) => verifier.read(&row),
            Err(_) => verifier.read_broken(number),
        }
    }
    let report = verifier.end();
    say_report(&report, &signatures);
    if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say_report(report: &Report, signatures: &[Countersignature]) {
    report.faults.iter().for_each(say_line);
    let words = if report.is_sound() { "nothing was done to them" } else { "see above" };
    say_line(format_args!("{} rows: {words}", report.rows));
    let mut newest = BTreeMap::new();
    for one in signatures.iter().filter(|one| one.is_genuine()) {
        newest.insert((one.signer.as_str(), &one.name), one);
    }
    for one in newest.values() {
        let key = Fingerprint::of_public_key(&one.key).grouped();
        let (row, time) = (one.head.number, when(one.signed.as_seconds()));
        match one.signer {
            Signer::Connector => {
                let name = &one.name;
                say_line(format_args!("connector {name} signed row {row}, {time}, key {key}"));
            }
            Signer::Server => say_line(format_args!(
                "the server's own authority signed row {row}, {time}, key {key}: who has taken the \
                 server over can sign too"
            )),
        }
    }
    if report.connectors.is_none() {
        say_line(
            "no connector signed: that the end is not cut off, and that not all is made anew, \
             cannot be told",
        );
    }
}

fn say_act(act: &api::Act) {
    let time = when_millis(act.time);
    let targets = act.targets.join(" ");
    let from = act.address.as_deref().map(|from| format!(" from {from}")).unwrap_or_default();
    let outcome = match act.outcome.as_deref() {
        None => "nobody knows what came of it".to_owned(),
        Some("done") => "done".to_owned(),
        Some(word) => format!("{word}: {}", act.reason),
    };
    let api::Act { number, who, role, by, act: name, changes, .. } = act;
    say_line(format_args!(
        "{number} {time} {who} ({role}, {by}{from}) {name} {targets}: {outcome}"
    ));
    for api::Change { what, before, after } in changes {
        let of = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
        say_line(format_args!("  {what}: {} -> {}", of(before), of(after)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_none_is_named() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("record");
        std::fs::write(&path, "{\"row\":{\"number\":1}}\nno\n").unwrap();
        let mut count = 0;
        let said = read(&path, |_| {
            count += 1;
            Ok(())
        });
        assert_eq!(count, 1);
        assert!(said.unwrap_err().to_string().ends_with("record:2: no line of an export"));
    }

    #[test]
    fn a_row_that_is_none_makes_the_record_unsound() {
        let rows = vec![Line::Row(serde_json::json!({"number": 1}))];
        assert_eq!(verify(rows), ExitCode::FAILURE);
        assert_eq!(verify(vec![]), ExitCode::SUCCESS);
    }
}
