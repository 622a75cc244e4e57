//! `dme outbox`: messages that wait for the connector of their sender's mail.

use super::when;
use crate::admin::AdminOptions;
use crate::ask::{say_each, say_line};
use anyhow::Result;
use clap::Subcommand;
use dme_console::api;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Those that wait, the longest first.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Take a message away: it is not sent. Its sender's phone believes it was.
    Discard {
        /// Its number.
        number: i64,
        #[command(flatten)]
        server: AdminOptions,
    },
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        let (waiting, json): (Vec<api::Waiting>, bool) = match self {
            Self::List { json, server } => (server.client()?.get(&["outbox"]).await?, json),
            Self::Discard { number, server } => {
                (server.client()?.delete(&["outbox", &number.to_string()]).await?, false)
            }
        };
        say_each(&waiting, json, "nothing waits", |one| {
            let api::Waiting { number, user, since, attempts, aside, trouble } = one;
            let (since, aside) = (when(*since), if *aside { ", set aside" } else { "" });
            say_line(format_args!(
                "{number}: of {user}, since {since}, tried {attempts} times{aside}"
            ));
            if let Some(trouble) = trouble {
                say_line(format_args!("  {trouble}"));
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
