//! `dme terms`: the terms of use that users accept before they add devices by their own page.

use super::when;
use crate::admin::AdminOptions;
use crate::ask::{say, say_each, say_line};
use anyhow::{Context, Result};
use clap::Subcommand;
use dme_console::api;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Every version, the newest first.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Publish a new version, which everybody is to accept; with an empty file nobody is any more.
    Publish {
        /// The text, in UTF-8 and without any markup.
        file: PathBuf,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Who accepted a version, when and from where.
    Accepted {
        /// Which.
        version: i64,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::List { json, server } => {
                let all: Vec<api::Terms> = server.client()?.get(&["terms"]).await?;
                say_each(&all, json, "there are no terms of use", |one| {
                    let api::Terms { version, text, published, publisher } = one;
                    let published = when(*published);
                    say_line(format_args!("version {version}, {published}, by {publisher}"));
                    match text.as_str() {
                        "" => say_line("  nothing is to be accepted"),
                        text => text.lines().for_each(|line| say(&format!("  {line}\n"))),
                    }
                })?;
            }
            Self::Publish { file, server } => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                let new = api::NewTerms { text };
                let made: api::Terms = server.client()?.post(&["terms"], &new).await?;
                say_line(format_args!("version {} is published", made.version));
            }
            Self::Accepted { version, json, server } => {
                let path = ["terms", &*version.to_string(), "accepted"];
                let all: Vec<api::Acceptance> = server.client()?.get(&path).await?;
                say_each(&all, json, "nobody accepted it yet", |one| {
                    let api::Acceptance { user, accepted, client, .. } = one;
                    say_line(format_args!("{user} {} from {client}", when(*accepted)));
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
