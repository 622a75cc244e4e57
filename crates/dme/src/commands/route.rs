//! `dme route`: who serves whom, why, and what would become of them.

use super::when;
use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::Result;
use clap::Subcommand;
use dme_console::api;
use serde_json::json;
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Which connector serves a user, since when and why; who would be next, and what speaks
    /// against the others.
    Explain {
        /// A login, in any form a phone may send.
        user: String,
        /// mail, calendar, contacts, tasks or notes, all of them if not given; or authentication,
        /// directory or search, of which the user's realm decides.
        function: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// What would happen if connectors went down: who would check passwords, who would move where,
    /// who would be served by nobody, and why. Nothing is changed.
    Simulate {
        /// A connector's name; may be given several times.
        #[arg(long, required = true)]
        down: Vec<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Have connectors asked anew whose mailboxes they have. Never needed: routes are found anew by
    /// themselves.
    Flush {
        /// Of this user only.
        user: Option<String>,
        #[command(flatten)]
        server: AdminOptions,
    },
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Explain { user, function, json, server } => {
                explain(&server, &user, function.as_deref(), json).await?;
            }
            Self::Simulate { down, json, server } => simulate(&server, down, json).await?,
            Self::Flush { user, server } => {
                let path = match &user {
                    Some(user) => vec!["routes", &**user, "flush"],
                    None => vec!["flush"],
                };
                let _: serde_json::Value = server.client()?.post(&path, &json!({})).await?;
                say_line("flushed");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn explain(
    server: &AdminOptions,
    user: &str,
    function: Option<&str>,
    json: bool,
) -> Result<()> {
    let path: Vec<&str> = ["routes", user].into_iter().chain(function).collect();
    let routes: Vec<api::Route> = server.client()?.get(&path).await?;
    if json {
        return say_json(&routes);
    }
    for route in &routes {
        say(route);
    }
    Ok(())
}

fn say(route: &api::Route) {
    let since = route.since.map(|since| format!(", since {}", when(since))).unwrap_or_default();
    let (function, why) = (&route.function, &route.why);
    match &route.serving {
        Some(serving) => say_line(format_args!("{function}: {serving}: {why}{since}")),
        None => say_line(format_args!("{function}: nobody: {why}")),
    }
    if let Some(home) = route.home.as_ref().filter(|home| Some(*home) != route.serving.as_ref()) {
        say_line(format_args!("  at home at {home}"));
    }
    if let Some(next) = &route.next {
        say_line(format_args!("  next would be {next}"));
    }
    for candidate in &route.candidates {
        // Only who is served by another waits for a turn.
        let waits = route.serving.as_ref().is_some_and(|one| *one != candidate.connector);
        let turn_in = if waits { candidate.turn_in } else { 0 };
        let verdict = match (candidate.objections.is_empty(), turn_in) {
            (true, 0) => "can serve".to_owned(),
            (true, wait) => format!("can serve; it is back, and takes this user over in {wait} s"),
            (false, _) => candidate.objections.join("; "),
        };
        let api::Candidate { connector, tier, outstanding, parallel, .. } = candidate;
        say_line(format_args!(
            "  {connector} ({tier}, {outstanding} calls of {parallel}): {verdict}"
        ));
    }
}

async fn simulate(server: &AdminOptions, down: Vec<String>, json: bool) -> Result<()> {
    let body = api::Simulation { down };
    let simulated: api::Simulated = server.client()?.post(&["simulate"], &body).await?;
    if json {
        return say_json(&simulated);
    }
    let api::Simulated { moved, logins } = &simulated;
    if moved.is_empty() && logins.is_empty() {
        say_line("nobody would notice");
    }
    for api::LoginsMoved { realm, from, to, trouble } in logins {
        let names = |all: &[String]| match all.is_empty() {
            true => "nobody".to_owned(),
            false => all.join(", "),
        };
        let (from, to) = (names(from), names(to));
        say_line(format_args!("logins of {realm} and its directory: from {from} to {to}"));
        if let Some(trouble) = trouble {
            say_line(format_args!("  because {trouble}"));
        }
    }
    let mut ways = BTreeMap::<_, Vec<&str>>::new();
    for one in moved {
        let to = match (&one.to, one.known) {
            (Some(name), _) => name.as_str(),
            (None, true) => "nobody",
            (None, false) => "whom is not known",
        };
        ways.entry((&one.from, to, &one.function, reasons(one))).or_default().push(&one.user);
    }
    for ((from, to, function, reasons), users) in ways {
        let count = match users.len() {
            1 => "1 user".to_owned(),
            count => format!("{count} users"),
        };
        say_line(format_args!("{function} of {count}: from {from} to {to}"));
        for user in users {
            say_line(format_args!("  {user}"));
        }
        for reason in reasons {
            say_line(format_args!("  because {reason}"));
        }
    }
    Ok(())
}

/// Why nobody would serve somebody, or why it is not known who would.
fn reasons(moved: &api::Moved) -> Vec<String> {
    let against = moved
        .against
        .iter()
        .map(|one| format!("of {}: {}", one.connector, one.objections.join("; ")));
    let reasons: Vec<String> = moved.why.iter().cloned().chain(against).collect();
    match moved.to {
        None if reasons.is_empty() => vec!["no other connector has this function".to_owned()],
        _ => reasons,
    }
}
