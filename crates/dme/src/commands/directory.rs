//! `dme directory`: what the server knows of the directories' groups.

use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::Result;
use clap::Subcommand;
use dme_console::api;
use serde_json::json;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Each realm's groups: how many, from which connectors and how old, who is asked now, what went
    /// wrong.
    List(Options),
    /// Read groups and people again, now. It happens by itself at each `logins.refresh`.
    Refresh(Options),
}

#[derive(clap::Args)]
pub struct Options {
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: AdminOptions,
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        let refreshes = matches!(self, Self::Refresh(_));
        let (realms, json): (Vec<api::Realm>, bool) = match self {
            Self::List(options) => {
                (options.server.client()?.get(&["directory"]).await?, options.json)
            }
            Self::Refresh(options) => {
                let path = ["directory", "refresh"];
                (options.server.client()?.post(&path, &json!({})).await?, options.json)
            }
        };
        // A script that has them read wants to know that they were.
        let failed = refreshes && realms.iter().any(|realm| realm.trouble.is_some());
        let code = if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        if json {
            say_json(&realms)?;
            return Ok(code);
        }
        for realm in &realms {
            say(realm);
        }
        Ok(code)
    }
}

/// Whose groups are in use and how old they are, and who is asked now: where those that gave them
/// are away, these are not the same.
fn say(realm: &api::Realm) {
    let api::Realm { realm: name, sources, groups, groups_from, age_seconds, trouble, .. } = realm;
    let each = groups_from
        .iter()
        .map(|from| format!("{} s ago from {}", from.age_seconds, from.connector));
    let read = match (age_seconds, each.collect::<Vec<_>>().join(", ")) {
        (None, _) => "never read".to_owned(),
        (Some(age), from) if from.is_empty() => format!("{groups} groups, read {age} s ago"),
        (Some(_), from) => format!("{groups} groups, read {from}"),
    };
    let asked = if sources.is_empty() { "nobody".to_owned() } else { sources.join(", ") };
    say_line(format_args!("{name}: {read}; now asked of {asked}"));
    if let Some(trouble) = trouble {
        say_line(format_args!("  {trouble}"));
    }
    for from in groups_from.iter().filter(|from| from.trouble != *trouble) {
        if let Some(trouble) = &from.trouble {
            say_line(format_args!("  {}: {trouble}", from.connector));
        }
    }
    for wrong in &realm.wrong_groups {
        say_line(format_args!("  {wrong}"));
    }
}
