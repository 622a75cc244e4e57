//! `dme log`: what happened that administrators may want to know of.

use super::{ago, when_millis};
use crate::admin::{AdminClient, AdminOptions};
use crate::ask::{say, say_json, say_line};
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use dme_console::{api, csv};
use dme_model::Span;
use std::process::ExitCode;
use std::time::Duration;

/// Events of a page of an export.
const PAGE: u32 = 1_000;
/// How often it is looked for new ones.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Subcommand)]
pub enum Command {
    /// Events, the newest last.
    List {
        /// So many at the most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Events as they happen, until it is interrupted.
    Follow {
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// All events that are wanted, the newest first.
    Export {
        /// In which form.
        #[arg(long, value_enum, default_value_t = Form::Json)]
        form: Form,
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// The kinds of events there are.
    Kinds {
        #[command(flatten)]
        server: AdminOptions,
    },
}

/// In which form something is exported.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One object a line.
    Json,
    /// With a line of names first.
    Csv,
}

/// Which events.
#[derive(Args)]
pub struct Wanted {
    /// Of this user.
    #[arg(long)]
    user: Option<String>,
    /// Of this device.
    #[arg(long)]
    device: Option<String>,
    /// Of this connector.
    #[arg(long)]
    connector: Option<String>,
    /// Of this request: the id that logs and answers have.
    #[arg(long)]
    request: Option<String>,
    /// Of this kind: `dme log kinds`.
    #[arg(long)]
    kind: Option<String>,
    /// Of this level and above: info, warning, error.
    #[arg(long)]
    level: Option<String>,
    /// With this in their message.
    #[arg(long)]
    text: Option<String>,
    /// Of the last so many: 30m, 12h, 7d.
    #[arg(long)]
    since: Option<Span>,
}

impl Wanted {
    fn query(self) -> Vec<(&'static str, String)> {
        let from = self.since.map(|span| ago(span).to_string());
        let all = [
            ("user", self.user),
            ("device", self.device),
            ("connector", self.connector),
            ("request", self.request),
            ("kind", self.kind),
            ("level", self.level),
            ("text", self.text),
            ("from", from),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::List { limit, json, wanted, server } => {
                let (client, mut query) = (server.client()?, wanted.query());
                query.push(("limit", limit.to_string()));
                let mut page = page(&client, &query, None).await?;
                page.events.reverse();
                if json {
                    say_json(&page)?;
                } else {
                    page.events.iter().for_each(say_event);
                }
            }
            Self::Follow { wanted, server } => follow(&server.client()?, wanted.query()).await?,
            Self::Export { form, wanted, server } => {
                export(&server.client()?, wanted.query(), form).await?;
            }
            Self::Kinds { server } => {
                let kinds: Vec<api::EventKind> = server.client()?.get(&["log", "kinds"]).await?;
                for api::EventKind { kind, level } in kinds {
                    say_line(format_args!("{kind} ({level})"));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn page(
    client: &AdminClient,
    query: &[(&'static str, String)],
    before: Option<u64>,
) -> Result<api::EventPage> {
    let before = before.map(|before| ("before", before.to_string()));
    let query: Vec<_> = query.iter().cloned().chain(before).collect();
    client.ask(&["log"], &query).await
}

async fn follow(client: &AdminClient, mut query: Vec<(&'static str, String)>) -> Result<()> {
    query.push(("limit", PAGE.to_string()));
    let mut last = page(client, &query, None).await?.events.first().map_or(0, |one| one.number);
    loop {
        tokio::time::sleep(LOOK).await;
        let page = page(client, &query, None).await?;
        for event in page.events.iter().rev().filter(|one| one.number > last) {
            say_event(event);
        }
        last = page.events.first().map_or(last, |one| one.number);
    }
}

async fn export(
    client: &AdminClient,
    mut query: Vec<(&'static str, String)>,
    form: Form,
) -> Result<()> {
    query.push(("limit", PAGE.to_string()));
    if form == Form::Csv {
        say(csv::EVENTS);
    }
    let mut before = None;
    loop {
        let page = page(client, &query, before).await?;
        for event in &page.events {
            match form {
                Form::Json => say_line(serde_json::to_string(event)?),
                Form::Csv => say(&csv::event(event)),
            }
        }
        before = page.before;
        if before.is_none() {
            return Ok(());
        }
    }
}

fn say_event(event: &api::Event) {
    let of: Vec<&str> = [&event.user, &event.device, &event.connector, &event.request]
        .into_iter()
        .filter_map(|one| one.as_deref())
        .collect();
    let (time, of) = (when_millis(event.time), of.join(" "));
    let api::Event { level, kind, message, .. } = event;
    say_line(format_args!("{time} {level} {kind} [{of}] {message}"));
}
