//! `dme console`: the way into the administrators' pages.

use super::when;
use crate::admin::AdminOptions;
use crate::ask::{password, say_line};
use anyhow::Result;
use clap::{Args, Subcommand};
use dme_console::api;
use dme_console::api::ConsoleLink;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// A link, or the account for emergencies.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    server: AdminOptions,
}

#[derive(Subcommand)]
enum Command {
    /// The account for emergencies: a name and a password of this server's own, for the day when the
    /// directory is gone. There is none until it is made.
    Emergency {
        #[command(subcommand)]
        command: Emergency,
    },
}

#[derive(Subcommand)]
enum Emergency {
    /// Make it, in the place of the one before, and print its password, once.
    Make {
        /// By which name one signs in.
        #[arg(long, default_value = "emergency")]
        name: String,
        /// For how many days it is good.
        #[arg(long, default_value_t = 90)]
        days: u32,
        /// Read the password from this file; one is made if not given.
        #[arg(long)]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Whether there is one, until when, and when it was used.
    Show {
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Take it away; whoever is signed in with it is so no longer.
    Remove {
        #[command(flatten)]
        server: AdminOptions,
    },
}

impl Options {
    pub async fn run(self) -> Result<ExitCode> {
        match self.command {
            None => link(&self.server).await?,
            Some(Command::Emergency { command }) => command.run().await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes a link and prints it.
async fn link(options: &AdminOptions) -> Result<()> {
    let client = options.client()?;
    let link: ConsoleLink = client.post(&["console", "link"], &json!({})).await?;
    say_line(format_args!(
        "Open this within five minutes; it works once:\n\n  http://{}{}\n",
        client.address(),
        link.path
    ));
    Ok(())
}

impl Emergency {
    async fn run(self) -> Result<()> {
        const PATH: [&str; 2] = ["console", "emergency"];
        match self {
            Self::Make { name, days, password_file, server } => {
                let chosen = password_file
                    .map(|path| password(Some(&path), "password"))
                    .transpose()?
                    .map(|password| password.expose().to_owned());
                let is_made = chosen.is_none();
                let new = api::NewEmergency { name, days, password: chosen };
                let made: api::MadeEmergency = server.client()?.post(&PATH, &new).await?;
                say_line(format_args!("{} signs in at the console for {days} days", made.name));
                if is_made {
                    say_line(format_args!("password {}", made.password));
                    say_line("It is not shown again: put it where you find it in an emergency.");
                }
            }
            Self::Show { server } => {
                let shown: api::Emergency = server.client()?.get(&PATH).await?;
                match shown.account {
                    None => say_line("there is no account for emergencies"),
                    Some(account) => {
                        let ends = if account.ended { "ended" } else { "good until" };
                        let used = match (account.used, &account.client) {
                            (Some(at), Some(client)) => {
                                format!("used {} from {client}", when(at))
                            }
                            _ => "never used".to_owned(),
                        };
                        let (name, until) = (&account.name, when(account.ends));
                        say_line(format_args!("{name}: {ends} {until}; {used}"));
                    }
                }
            }
            Self::Remove { server } => {
                let _: api::Done = server.client()?.delete(&PATH).await?;
                say_line("there is no account for emergencies any more");
            }
        }
        Ok(())
    }
}
