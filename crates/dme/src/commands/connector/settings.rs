//! `dme connector show`, `set`, `drain` and `resume`: what administrators want of one connector.

use super::configure::say_standing;
use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use anyhow::{Result, anyhow};
use clap::Args;
use dme_console::api;
use dme_model::Function;
use dme_server::connectors::{ConnectorSettings, EdgeLease, Scope, Tier};
use std::collections::BTreeSet;

/// What is to be set; the rest stays.
#[derive(Args)]
pub struct Change {
    /// Whom it may serve: "everyone", "group:NAME", or users with commas between them.
    #[arg(long, value_parser = scope)]
    scope: Option<Scope>,
    /// Whose logins it may check, said as a scope; those of its scope if not said. "everyone" where
    /// connectors have one directory and are to stand in for each other there.
    #[arg(long, value_parser = scope)]
    logins: Option<Scope>,
    /// "primary" serves by right, "failover" only when no primary can.
    #[arg(long, value_parser = tier)]
    tier: Option<Tier>,
    /// The functions that are switched off, with commas between them; "none" for none.
    #[arg(long, value_parser = functions)]
    off: Option<Functions>,
    /// Calls at once on it.
    #[arg(long)]
    parallel_calls: Option<u32>,
    /// Calls that may wait.
    #[arg(long)]
    queued_calls: Option<u32>,
    /// Whether it may serve phones near it by a front of its own: "off", or for how long without
    /// having heard from the server, such as "7d".
    #[arg(long)]
    edge: Option<EdgeLease>,
    /// Forget all that was set by command first: the server's configuration holds again.
    #[arg(long)]
    reset: bool,
}

#[derive(Clone)]
struct Functions(BTreeSet<Function>);

fn scope(text: &str) -> Result<Scope> {
    match text.split_once(':') {
        _ if text == "everyone" => Ok(Scope::Everyone),
        Some(("group", group)) if !group.trim().is_empty() => {
            Ok(Scope::Group(group.trim().to_owned()))
        }
        Some(_) => Err(anyhow!("say everyone, group:NAME, or users with commas between them")),
        None if text.split(',').all(|user| user.contains('@')) => {
            Ok(Scope::Users(text.split(',').map(|user| user.trim().into()).collect()))
        }
        None => Err(anyhow!(
            "{text:?} names no user, who is written as ann@example.org; a group is \
                             written as group:{text}"
        )),
    }
}

fn tier(text: &str) -> Result<Tier> {
    [Tier::Primary, Tier::Failover]
        .into_iter()
        .find(|tier| tier.to_string() == text)
        .ok_or_else(|| anyhow!("a tier is primary or failover"))
}

fn functions(text: &str) -> Result<Functions> {
    if text == "none" {
        return Ok(Functions(BTreeSet::new()));
    }
    let one = |name: &str| {
        let known = || Function::ALL.map(Function::as_str).join(", ");
        let function = Function::named(name.trim());
        function.ok_or_else(|| anyhow!("there is no function {name:?}; there are {}", known()))
    };
    Ok(Functions(text.split(',').map(one).collect::<Result<_>>()?))
}

impl Change {
    fn settings(self) -> ConnectorSettings {
        ConnectorSettings {
            scope: self.scope,
            logins: self.logins,
            tier: self.tier,
            off: self.off.map(|Functions(functions)| functions),
            parallel_calls: self.parallel_calls,
            queued_calls: self.queued_calls,
            drain: None,
            edge: self.edge,
        }
    }
}

pub async fn show(server: &AdminOptions, name: &str, json: bool) -> Result<()> {
    let settings: api::Settings = server.client()?.get(&["connectors", name, "settings"]).await?;
    if json {
        return say_json(&settings);
    }
    say(&settings);
    Ok(())
}

pub async fn set(server: &AdminOptions, name: &str, change: Change) -> Result<()> {
    let change = api::SettingsChange { reset: change.reset, settings: change.settings() };
    put(server, name, change).await
}

pub async fn drain(server: &AdminOptions, name: &str, drain: bool) -> Result<()> {
    let settings = ConnectorSettings { drain: Some(drain), ..ConnectorSettings::default() };
    put(server, name, api::SettingsChange { reset: false, settings }).await
}

/// Sends one connector elsewhere, or all that are linked.
pub async fn send_elsewhere(
    server: &AdminOptions,
    name: Option<&str>,
    servers: Vec<String>,
) -> Result<()> {
    let client = server.client()?;
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => {
            let all: Vec<api::Connector> = client.get(&["connectors"]).await?;
            let remote =
                |one: &api::Connector| one.link.as_ref().is_some_and(|link| link.peer.is_some());
            all.into_iter().filter(remote).map(|one| one.name).collect()
        }
    };
    if names.is_empty() {
        say_line("no connector is linked");
    }
    let to = api::Elsewhere { servers };
    let mut failed = Ok(());
    for name in names {
        let moving: Result<api::Moving> = client.post(&["connectors", &*name, "move"], &to).await;
        match moving {
            Ok(api::Moving { connector, servers }) => {
                let servers = servers.join(", ");
                say_line(format_args!("{connector} was told to go to {servers}"));
            }
            // The others are sent all the same.
            Err(error) => failed = Err(error.context(name)),
        }
    }
    failed
}

async fn put(server: &AdminOptions, name: &str, change: api::SettingsChange) -> Result<()> {
    let path = ["connectors", name, "settings"];
    let settings: api::Settings = server.client()?.post(&path, &change).await?;
    say(&settings);
    Ok(())
}

/// What holds, and where each comes from.
fn say(settings: &api::Settings) {
    let api::Settings { name, version, configured, set, effective, .. } = settings;
    let api::Settings { wrong_scope, configuration, .. } = settings;
    say_line(format_args!("{name}, changed {version} times by command"));
    let row = |what: &str, value: String, set: bool, configured: bool| {
        let from = match (set, configured) {
            (true, _) => "by command",
            (false, true) => "in the configuration",
            (false, false) => "default",
        };
        say_line(format_args!("  {what}: {value} ({from})"));
    };
    let scope = |scope: &Option<Scope>| match scope {
        None | Some(Scope::Everyone) => "everyone".to_owned(),
        Some(Scope::Group(group)) => format!("the group {group}"),
        Some(Scope::Users(users)) => {
            users.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
    };
    row("scope", scope(&effective.scope), set.scope.is_some(), configured.scope.is_some());
    if let Some(wrong) = wrong_scope {
        say_line(format_args!("    {wrong}"));
    }
    if effective.logins != effective.scope {
        let (by_set, by_file) = (set.logins.is_some(), configured.logins.is_some());
        row("logins", scope(&effective.logins), by_set, by_file);
    }
    let tier = effective.tier.unwrap_or_default().to_string();
    row("tier", tier, set.tier.is_some(), configured.tier.is_some());
    let off: Vec<&str> = effective.off.iter().flatten().map(|one| one.as_str()).collect();
    let off = if off.is_empty() { "nothing".to_owned() } else { off.join(", ") };
    row("switched off", off, set.off.is_some(), configured.off.is_some());
    let number = |number: Option<u32>| number.unwrap_or_default().to_string();
    let (by_set, by_file) = (set.parallel_calls.is_some(), configured.parallel_calls.is_some());
    row("calls at once", number(effective.parallel_calls), by_set, by_file);
    let (by_set, by_file) = (set.queued_calls.is_some(), configured.queued_calls.is_some());
    row("calls that may wait", number(effective.queued_calls), by_set, by_file);
    let edge = effective.edge.unwrap_or_default();
    if edge != EdgeLease::Off {
        row("edge", format!("lease {edge}"), set.edge.is_some(), configured.edge.is_some());
    }
    if let Some(configuration) = configuration {
        say_standing(configuration);
    }
    let drain = if effective.drain == Some(true) { "drains" } else { "serves" };
    row("duty", drain.to_owned(), set.drain.is_some(), configured.drain.is_some());
}
