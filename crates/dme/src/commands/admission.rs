//! `dme admission`: the rules by which devices may in.

use super::members::Members;
use super::{read_json, revise};
use crate::admin::{AdminClient, AdminOptions};
use crate::ask::{say_json, say_line};
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use dme_console::api;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Print the rules as JSON, with their revision: what `load` takes.
    Show {
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
    /// Say of which devices the rules in a file would make something else, and change nothing.
    Preview {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Make a rule, before all others, or put it in the place of one.
    Put {
        /// Its name.
        name: String,
        /// In whose place it stands.
        #[arg(long, value_name = "RULE")]
        instead_of: Option<String>,
        #[command(flatten)]
        members: Members,
        #[command(flatten)]
        outcome: Outcome,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Have a rule asked earlier by one place.
    Raise(One),
    /// Take a rule away.
    Remove(One),
    /// Say what becomes of devices that no rule fits, and how many a user may have; as the server's
    /// configuration says where nothing is said.
    Otherwise {
        /// What becomes of them.
        #[arg(long)]
        then: Option<Then>,
        /// Why, for their owners and the administrators.
        #[arg(long, requires = "then")]
        reason: Option<String>,
        /// So many devices a user may have.
        #[arg(long)]
        per_user: Option<u32>,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Apply the rules to all devices that no person decided of.
    Apply {
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Say what the rules make of a device, and which of them decides.
    Explain {
        /// The device's user, `name@realm`.
        user: String,
        /// Its id.
        device: String,
        #[command(flatten)]
        server: AdminOptions,
    },
}

/// One rule.
#[derive(Args)]
pub struct One {
    /// Its name.
    name: String,
    #[command(flatten)]
    server: AdminOptions,
}

/// What a rule makes of devices.
#[derive(Args)]
pub struct Outcome {
    /// What becomes of them.
    #[arg(long)]
    then: Then,
    /// Why, for their owners and the administrators.
    #[arg(long)]
    reason: Option<String>,
}

/// What becomes of devices.
#[derive(Clone, Copy, ValueEnum)]
pub enum Then {
    /// They may in.
    Allow,
    /// They wait for an administrator.
    Quarantine,
    /// They may not in.
    Block,
}

impl Then {
    const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Quarantine => "quarantine",
            Self::Block => "block",
        }
    }
}

impl One {
    async fn change(self, act: &str) -> Result<()> {
        let client = self.server.client()?;
        let revision = admission(&client).await?.revision;
        let named = api::Named { name: self.name, revision };
        revise(&client, &["admission", "rules", act], &named).await
    }
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Show { server } => say_json(&admission(&server.client()?).await?)?,
            Self::Load { file, server } => {
                let change: api::Admission = read_json(&file, "dme admission show")?;
                revise(&server.client()?, &["admission"], &change).await?;
            }
            Self::Preview { file, server } => {
                let change: api::Admission = read_json(&file, "dme admission show")?;
                let path = ["admission", "preview"];
                let judged: Vec<Value> = server.client()?.post(&path, &change.rules).await?;
                judged.iter().for_each(say_judged);
                say_line(format_args!("{} devices would change", judged.len()));
            }
            Self::Put { name, instead_of, members, outcome: Outcome { then, reason }, server } => {
                let client = server.client()?;
                let revision = admission(&client).await?.revision;
                let (devices, then) = (members.into(), then.word().to_owned());
                let rule = api::NewRule { name, devices, then, reason, instead_of, revision };
                revise(&client, &["admission", "rules"], &rule).await?;
            }
            Self::Raise(one) => one.change("raise").await?,
            Self::Remove(one) => one.change("remove").await?,
            Self::Otherwise { then, reason, per_user, server } => {
                let client = server.client()?;
                let revision = admission(&client).await?.revision;
                let otherwise = then.map(|then| then.word().to_owned());
                let beside = api::Otherwise { otherwise, reason, per_user, revision };
                revise(&client, &["admission", "otherwise"], &beside).await?;
            }
            Self::Apply { server } => {
                let path = ["admission", "apply"];
                let all: Vec<api::DeviceName> = server.client()?.post(&path, &json!({})).await?;
                for api::DeviceName { user, device } in &all {
                    say_line(format_args!("{user} {device}"));
                }
                say_line(format_args!("{} devices changed", all.len()));
            }
            Self::Explain { user, device, server } => {
                let path = ["devices", &*user, &*device, "admission"];
                say_judged(&server.client()?.get(&path).await?);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn admission(client: &AdminClient) -> Result<api::Admission> {
    client.get(&["admission"]).await
}

/// A device and what would be decided of it, in a line.
fn say_judged(judged: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (device, decision) = (&judged["device"], &judged["decision"]);
    let rule = decision["rule"].as_str();
    let why = rule.map_or("no rule fits".to_owned(), |rule| format!("by the rule {rule}"));
    let reason = text(&decision["reason"]);
    let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
    say_line(format_args!(
        "{} {}: {} ({why}){reason}",
        text(&device["user"]),
        text(&device["device"]),
        text(&decision["outcome"])
    ));
    for open in decision["undecided"].as_array().cloned().unwrap_or_default() {
        say_line(format_args!(
            "  the rule {} waits for {}",
            text(&open["rule"]),
            text(&open["lacks"])
        ));
    }
}
