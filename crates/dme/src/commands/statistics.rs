//! `dme statistics`: what was counted of requests.

use super::{ago, when};
use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::Result;
use clap::{Args, ValueEnum};
use dme_console::{api, csv};
use dme_model::Span;
use std::process::ExitCode;

/// Which counts, and how they are told apart.
#[derive(Args)]
pub struct Options {
    /// Told apart by this; may be given several times.
    #[arg(long, value_enum)]
    by: Vec<By>,
    /// Of the last so many: 12h, 7d.
    #[arg(long, default_value = "7d")]
    since: Span,
    /// Of this user.
    #[arg(long)]
    user: Option<String>,
    /// Of this device.
    #[arg(long)]
    device: Option<String>,
    /// Of this connector.
    #[arg(long)]
    connector: Option<String>,
    /// Of this command: Sync, Ping; link for the bytes that crossed connectors' links, which are told
    /// by that alone.
    #[arg(long)]
    command: Option<String>,
    /// As JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// As CSV.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    server: AdminOptions,
}

/// What counts are told apart by.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Hour,
    Day,
    User,
    Device,
    Connector,
    Command,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::User => "user",
            Self::Device => "device",
            Self::Connector => "connector",
            Self::Command => "command",
        }
    }
}

pub async fn run(options: Options) -> Result<ExitCode> {
    let mut asked = vec![("from", ago(options.since).to_string())];
    asked.extend(options.by.iter().map(|by| ("by", by.word().to_owned())));
    for (name, value) in [
        ("user", options.user),
        ("device", options.device),
        ("connector", options.connector),
        ("command", options.command),
    ] {
        asked.extend(value.map(|value| (name, value)));
    }
    let counts: Vec<api::Count> = options.server.client()?.ask(&["statistics"], &asked).await?;
    if options.json {
        say_json(&counts)?;
        return Ok(ExitCode::SUCCESS);
    }
    let end = if options.csv { "\r" } else { "" };
    let between = if options.csv { "," } else { "\t" };
    let names = options.by.iter().map(|by| by.word()).chain(csv::COUNTED);
    say_line(format_args!("{}{end}", names.collect::<Vec<_>>().join(between)));
    for count in &counts {
        let told = options.by.iter().map(|by| csv::field(&value(*by, count)));
        let fields: Vec<String> = told.chain(csv::counted(count)).collect();
        say_line(format_args!("{}{end}", fields.join(between)));
    }
    Ok(ExitCode::SUCCESS)
}

fn value(by: By, count: &api::Count) -> String {
    let text = match by {
        By::Hour | By::Day => return count.start.map(when).unwrap_or_default(),
        By::User => &count.user,
        By::Device => &count.device,
        By::Connector => &count.connector,
        By::Command => &count.command,
    };
    text.clone().unwrap_or_default()
}
