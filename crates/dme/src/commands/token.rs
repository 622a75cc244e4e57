//! `dme token`: tokens that programs administer by.

use super::when;
use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use dme_console::api;
use serde_json::json;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// All of them, with what each may do and when it was used last.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Make one and print it. A program shows it as `Authorization: Bearer TOKEN`.
    Make {
        /// What it is called.
        name: String,
        /// What it may do; may be given several times.
        #[arg(long = "duty", required = true)]
        duties: Vec<Duty>,
        /// For how many days it is good.
        #[arg(long = "days", default_value_t = 90)]
        valid_days: u32,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Have one open nothing any more.
    Revoke {
        /// Its name.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
}

/// What a token may be limited to.
#[derive(Clone, Copy, ValueEnum)]
pub enum Duty {
    /// Look at users, devices, connectors, statistics.
    See,
    /// Let devices in, block and wipe them.
    Operate,
    /// Change connectors, policies and rules.
    Configure,
    /// Read the records.
    Audit,
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::List { json, server } => {
                let all: Vec<api::ApiToken> = server.client()?.get(&["api-tokens"]).await?;
                match json {
                    true => say_json(&all)?,
                    false => all.iter().for_each(say),
                }
            }
            Self::Make { name, duties, valid_days, server } => {
                let duties = duties.into_iter().map(scope).collect();
                let new = api::NewApiToken { name, duties, valid_days };
                let made: api::IssuedToken = server.client()?.post(&["api-tokens"], &new).await?;
                say_line(made.token);
            }
            Self::Revoke { name, server } => {
                let path = ["api-tokens", &name, "revoke"];
                let _: api::Done = server.client()?.post(&path, &json!({})).await?;
                say_line(format_args!("token {name} opens nothing any more"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

const fn scope(duty: Duty) -> api::Scope {
    match duty {
        Duty::See => api::Scope::See,
        Duty::Operate => api::Scope::Operate,
        Duty::Configure => api::Scope::Configure,
        Duty::Audit => api::Scope::Audit,
    }
}

fn say(token: &api::ApiToken) {
    let state = if token.expired { "expired" } else { "good until" };
    let used =
        token.last_used.map_or_else(|| "never used".to_owned(), |at| format!("used {}", when(at)));
    let (name, duties, expires) = (&token.name, token.duties.join(", "), when(token.expires));
    say_line(format_args!("{name}: {duties}; {state} {expires}; {used}"));
    say_line(format_args!("  made by {} {}", token.made_by, when(token.made)));
}
