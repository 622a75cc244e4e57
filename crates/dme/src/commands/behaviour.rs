//! `dme behaviour`: the rules by which devices that misbehave are slowed down or shut out.

use super::{read_json, revise};
use crate::admin::{AdminClient, AdminOptions};
use crate::ask::say_json;
use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use dme_console::api;
use dme_model::Span;
use dme_policy::{Act, Behaviour, BehaviourRule};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Print the rules as JSON, with their revision: what `load` takes.
    Show {
        /// Rules to begin with, in place of those there are.
        #[arg(long)]
        suggested: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Set the rules from a file.
    Load {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Make a rule, as the last, or put it in the place of one.
    Add {
        /// What it is called.
        name: String,
        /// What it counts.
        #[arg(long)]
        counts: Counted,
        /// How often it may happen.
        #[arg(long)]
        threshold: u32,
        /// In which time, such as 10m.
        #[arg(long)]
        within: Span,
        /// What is done when it happens more often.
        #[arg(long)]
        then: Then,
        /// How long a device is slowed down.
        #[arg(long, default_value = "10m")]
        slow: Span,
        /// In whose place it stands.
        #[arg(long, value_name = "RULE")]
        instead_of: Option<String>,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Have a rule count earlier by one place, among those that are as stern.
    Raise {
        /// Its name.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Take a rule away.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
}

/// What a rule counts.
#[derive(Clone, Copy, ValueEnum)]
pub enum Counted {
    /// Requests of any kind.
    Requests,
    /// The same request for a folder again, though there is something new.
    RepeatedKey,
    /// The same item fails.
    FailingItem,
    /// Wrong passwords.
    WrongPassword,
    /// Answers that are errors.
    Errors,
}

/// What a rule does.
#[derive(Clone, Copy, ValueEnum)]
pub enum Then {
    /// Answer the device seldom for a while.
    Slow,
    /// Shut it out until somebody releases it.
    Block,
    /// Tell the administrators.
    Tell,
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Show { suggested, server } => {
                let client = server.client()?;
                let mut held = book(&client).await?;
                if suggested {
                    held.rules = client.get(&["behaviour", "suggested"]).await?;
                }
                say_json(&held)?;
            }
            Self::Load { file, server } => {
                let change: api::BehaviourBook = read_json(&file, "dme behaviour show")?;
                revise(&server.client()?, &["behaviour"], &change).await?;
            }
            Self::Add { name, counts, threshold, within, then, slow, instead_of, server } => {
                let client = server.client()?;
                let mut held = book(&client).await?;
                let counts = counts.into();
                let then = match then {
                    Then::Slow => Act::Slow(slow),
                    Then::Block => Act::Block,
                    Then::Tell => Act::Tell,
                };
                let rule = BehaviourRule { name, counts, threshold, within, then };
                match instead_of {
                    Some(other) => {
                        let place = place(&held, &other)?;
                        held.rules.rules[place] = rule;
                    }
                    None => held.rules.rules.push(rule),
                }
                revise(&client, &["behaviour"], &held).await?;
            }
            Self::Raise { name, server } => {
                let client = server.client()?;
                let mut held = book(&client).await?;
                let place = place(&held, &name)?;
                held.rules.rules.swap(place, place.saturating_sub(1));
                revise(&client, &["behaviour"], &held).await?;
            }
            Self::Remove { name, server } => {
                let client = server.client()?;
                let mut held = book(&client).await?;
                let place = place(&held, &name)?;
                held.rules.rules.remove(place);
                revise(&client, &["behaviour"], &held).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl From<Counted> for Behaviour {
    fn from(counted: Counted) -> Self {
        match counted {
            Counted::Requests => Self::Requests,
            Counted::RepeatedKey => Self::RepeatedKey,
            Counted::FailingItem => Self::FailingItem,
            Counted::WrongPassword => Self::WrongPassword,
            Counted::Errors => Self::Errors,
        }
    }
}

fn place(held: &api::BehaviourBook, name: &str) -> Result<usize> {
    let place = held.rules.rules.iter().position(|rule| rule.name == name);
    place.with_context(|| format!("there is no rule {name}; `dme behaviour show` prints them"))
}

async fn book(client: &AdminClient) -> Result<api::BehaviourBook> {
    client.get(&["behaviour"]).await
}
