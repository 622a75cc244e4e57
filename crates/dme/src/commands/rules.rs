//! `dme admission` and `dme behaviour`: rules about devices, as JSON files.

use super::read_json;
use crate::admin::{AdminClient, AdminOptions};
use crate::ask::{say_json, say_line};
use anyhow::Result;
use clap::Subcommand;
use dme_console::api;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Admission {
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

#[derive(Subcommand)]
pub enum Behaviour {
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
}

impl Admission {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Show { server } => say_json(&admission(&server.client()?).await?)?,
            Self::Load { file, server } => {
                let change: api::Admission = read_json(&file, "dme admission show")?;
                let revised: api::Revised = server.client()?.post(&["admission"], &change).await?;
                say_line(format_args!("the rules are at revision {}", revised.revision));
            }
            Self::Preview { file, server } => {
                let change: api::Admission = read_json(&file, "dme admission show")?;
                let path = ["admission", "preview"];
                let judged: Vec<Value> = server.client()?.post(&path, &change.rules).await?;
                judged.iter().for_each(say_judged);
                say_line(format_args!("{} devices would change", judged.len()));
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

impl Behaviour {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Show { suggested, server } => {
                let client = server.client()?;
                let mut held: api::BehaviourBook = client.get(&["behaviour"]).await?;
                if suggested {
                    held.rules = client.get(&["behaviour", "suggested"]).await?;
                }
                say_json(&held)?;
            }
            Self::Load { file, server } => {
                let change: api::BehaviourBook = read_json(&file, "dme behaviour show")?;
                let revised: api::Revised = server.client()?.post(&["behaviour"], &change).await?;
                say_line(format_args!("the rules are at revision {}", revised.revision));
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
