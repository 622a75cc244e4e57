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
    /// Each realm's groups: from which connectors, how many, how old, what went wrong.
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
        for realm in realms {
            let api::Realm { realm, sources, groups, age_seconds, trouble, wrong_groups, .. } =
                realm;
            let from = if sources.is_empty() { "nobody".to_owned() } else { sources.join(", ") };
            let age = age_seconds.map_or_else(
                || "never read".to_owned(),
                |age| format!("{groups} groups, read {age} s ago"),
            );
            say_line(format_args!("{realm}: {age}; asked of {from}"));
            if let Some(trouble) = trouble {
                say_line(format_args!("  {trouble}"));
            }
            for wrong in wrong_groups {
                say_line(format_args!("  {wrong}"));
            }
        }
        Ok(code)
    }
}
