//! `dme webhook`: those who are told of events by HTTP.

use super::when;
use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::Result;
use clap::Subcommand;
use dme_console::api;
use serde_json::json;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// All that are configured, and how it goes with each.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Let one begin again that was given up; what waits for it is delivered.
    Enable {
        /// Its name.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Send one a word that means nothing, to see whether it arrives.
    Test {
        /// Its name.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        let (all, json): (Vec<api::Webhook>, bool) = match self {
            Self::List { json, server } => (server.client()?.get(&["webhooks"]).await?, json),
            Self::Enable { name, server } => {
                let path = ["webhooks", &name, "enable"];
                (server.client()?.post(&path, &json!({})).await?, false)
            }
            Self::Test { name, server } => {
                let path = ["webhooks", &name, "test"];
                let _: api::Done = server.client()?.post(&path, &json!({})).await?;
                say_line("it arrived");
                return Ok(ExitCode::SUCCESS);
            }
        };
        if json {
            say_json(&all)?;
            return Ok(ExitCode::SUCCESS);
        }
        for one in all {
            let state = match (one.disabled, one.failing_since) {
                (true, since) => {
                    format!("given up, failed since {}", since.map_or_else(String::new, when))
                }
                (false, Some(since)) => format!("fails since {}", when(since)),
                (false, None) => "well".to_owned(),
            };
            say_line(format_args!("{}: {} ({}): {state}", one.name, one.url, one.kinds.join(", ")));
            let last = one.delivered.map_or_else(|| "nothing yet".to_owned(), when);
            say_line(format_args!("  {} wait; delivered last: {last}", one.waiting));
            if let Some(trouble) = one.trouble {
                say_line(format_args!("  {trouble}"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
