//! `dme policy group`: groups of devices, made, moved and taken away one at a time.

use crate::admin::AdminOptions;
use anyhow::Result;
use clap::{Args, Subcommand};
use dme_console::api;
use serde::Serialize;

#[derive(Subcommand)]
pub enum Command {
    /// Make a group, as the strongest of all. It has the devices that fit all that is said of them.
    Make {
        /// Its name.
        name: String,
        #[command(flatten)]
        members: Members,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Make a group stronger by one place.
    Raise(Named),
    /// Take a group away, with what it says.
    Remove(Named),
}

/// A group that is there.
#[derive(Args)]
pub struct Named {
    /// Its name.
    name: String,
    #[command(flatten)]
    server: AdminOptions,
}

/// Which devices are in a group. Each may be given several times, and one of its values must fit.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub struct Members {
    /// Whose users are in this directory group, at any depth.
    #[arg(long)]
    directory_group: Vec<String>,
    /// Whose user is this one; here and in what follows `*` stands for anything.
    #[arg(long)]
    user: Vec<String>,
    /// Whose client calls itself so, such as `Apple-iPhone*`.
    #[arg(long)]
    agent: Vec<String>,
    /// With this operating system, such as `iOS 18*`.
    #[arg(long)]
    os: Vec<String>,
    /// Of this model, such as `Pixel*`.
    #[arg(long)]
    model: Vec<String>,
    /// Of this kind, such as `iPhone`.
    #[arg(long)]
    device_type: Vec<String>,
    /// That speak this version of the protocol.
    #[arg(long)]
    protocol: Vec<String>,
}

impl Command {
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Make { name, members, server } => {
                let revision = revision(&server).await?;
                let new = api::NewGroup {
                    name,
                    group: typed(&members.directory_group),
                    user: typed(&members.user),
                    agent: typed(&members.agent),
                    os: typed(&members.os),
                    model: typed(&members.model),
                    device_type: typed(&members.device_type),
                    protocol: typed(&members.protocol),
                    revision,
                };
                change(&server, &["policy", "groups"], &new).await
            }
            Self::Raise(named) => named.change("raise").await,
            Self::Remove(named) => named.change("remove").await,
        }
    }
}

impl Named {
    async fn change(self, act: &str) -> Result<()> {
        let named = api::GroupNamed { name: self.name, revision: revision(&self.server).await? };
        change(&self.server, &["policy", "groups", act], &named).await
    }
}

/// The revision that is there: whoever is faster than this command is told so.
async fn revision(server: &AdminOptions) -> Result<u64> {
    let held: api::PolicyLevels = server.client()?.get(&["policy"]).await?;
    Ok(held.revision)
}

async fn change(server: &AdminOptions, path: &[&str], body: &impl Serialize) -> Result<()> {
    super::say_revised(&server.client()?.post(path, body).await?);
    Ok(())
}

/// Patterns as a form has them: each with a semicolon behind it, as one may have commas.
fn typed(patterns: &[String]) -> Option<String> {
    let all: String = patterns.iter().map(|pattern| format!("{pattern};")).collect();
    (!all.is_empty()).then_some(all)
}
