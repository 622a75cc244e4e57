//! `dme connector`.

mod configure;
mod orders;
mod settings;
mod surroundings;

use super::server::terminated;
use super::{connector_file, when};
use crate::admin::AdminOptions;
use crate::ask::{say_json, say_line};
use crate::log;
use anyhow::{Context, Result};
use clap::Subcommand;
use dme_console::api;
use dme_edge::Edge;
use dme_link::{Code, EdgeService, Token};
use dme_model::Span;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Subcommand)]
pub enum Command {
    /// Run a connector.
    Run {
        /// The configuration file; `dme sample connector` prints a commented one.
        #[arg(long, default_value = "/etc/dme/connector.toml")]
        config: PathBuf,
    },
    /// Make this connector's key and have the server certify it. Once, before the first run; and
    /// with a code where the server does not know this connector any more.
    Enroll {
        /// The token that `dme connector token` printed on the server.
        #[arg(required_unless_present = "code")]
        token: Option<String>,
        /// The code that `dme connector code` printed on the server.
        #[arg(long, conflicts_with = "token")]
        code: Option<String>,
        /// The connector's configuration file.
        #[arg(long, default_value = "/etc/dme/connector.toml")]
        config: PathBuf,
    },
    /// On the server: make a token for a new connector. It is shown once.
    Token {
        /// The connector's name.
        name: String,
        /// The connector may serve at once, without `dme connector unlock`.
        #[arg(long)]
        approved: bool,
        /// How long the token is good.
        #[arg(long, default_value = "1h")]
        valid: Span,
        /// Make none, but take back those of this name that were not used yet.
        #[arg(long, conflicts_with_all = ["approved", "valid"])]
        revoke: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: make a code, short enough to be read out, by which a connector comes back under
    /// its name that the server does not know any more. It is shown once.
    Code {
        /// The connector's name or id.
        name: String,
        /// How long the code is good; an hour at most.
        #[arg(long, default_value = "15m")]
        valid: Span,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: list the tokens and codes, without what they say.
    Tokens {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: list the connectors.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: let a connector serve, once its fingerprint was compared.
    Unlock {
        /// Its name or id.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: stop a connector from serving until it is unlocked.
    Lock {
        /// Its name or id.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: what is set of a connector, and where.
    Show {
        /// Its name.
        name: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: say whom a connector may serve, with what and how much. At once, and before
    /// what the server's configuration says of it.
    Set {
        /// Its name.
        name: String,
        #[command(flatten)]
        change: settings::Change,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: say what a connector serves. Its secrets are sealed to it here, and are not
    /// readable on the server afterwards.
    Configure {
        /// Its name or id.
        name: String,
        /// A file with the tables of a connector's configuration that say what it serves.
        #[arg(required_unless_present = "remove")]
        file: Option<PathBuf>,
        /// Take back what is wanted of it: it serves on by what it has.
        #[arg(long, conflicts_with = "file")]
        remove: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: have a connector try out all that it depends on, and get one file about it
    /// without secrets and without anything of users'.
    Diagnose {
        /// Its name or id.
        name: String,
        /// The file; standard output if not given.
        #[arg(long)]
        output: Option<PathBuf>,
        /// Do not wait: it does so at its next contact, however late, and `--last` shows it then.
        #[arg(long, conflicts_with_all = ["output", "last"])]
        later: bool,
        /// What it found out last when it was to do so later.
        #[arg(long)]
        last: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: have a connector take a new key, at once or at its next contact. Its old one is
    /// good for nothing once it has linked with the new one.
    Rotate {
        /// Its name or id.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: what waits for a connector's next contact, as it will be done.
    Orders {
        /// Its name or id.
        name: String,
        /// Call off the order of this name.
        #[arg(long)]
        call_off: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: give a connector nothing new, so that it can be maintained. Its users go to
    /// others where there are any.
    Drain {
        /// Its name.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: let a connector that drains serve again. Its users come back within a minute, one
    /// after the other.
    Resume {
        /// Its name.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: have connectors that are linked make their next link at other addresses of the
    /// server. What runs on the old one ends first.
    Move {
        /// Its name or id.
        #[arg(required_unless_present = "all")]
        name: Option<String>,
        /// All that are linked.
        #[arg(long, conflicts_with = "name")]
        all: bool,
        /// Addresses, `host:port`, in the order to try them; then those that it knows.
        #[arg(long, required = true, num_args = 1..)]
        to: Vec<String>,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// On the server: never accept this connector's key again.
    Remove {
        /// Its name or id.
        name: String,
        #[command(flatten)]
        server: AdminOptions,
    },
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Run { config } => return run(&config).await,
            Self::Enroll { token, code: None, config } => {
                enroll(&token.unwrap_or_default(), &config).await?;
            }
            Self::Enroll { code: Some(code), config, .. } => enroll_again(&code, &config).await?,
            Self::Code { name, valid, server } => {
                let new = api::NewCode { valid_seconds: valid.0.as_secs() };
                let path = ["connectors", &*name, "code"];
                let issued: api::IssuedCode = server.client()?.post(&path, &new).await?;
                say_line(issued.code);
            }
            Self::Token { name, revoke: true, server, .. } => {
                let path = ["tokens", &*name, "revoke"];
                let gone: Vec<api::Token> = server.client()?.post(&path, &json!({})).await?;
                say_line(format_args!("{} of {name} revoked", gone.len()));
            }
            Self::Tokens { json, server } => tokens(&server, json).await?,
            Self::Token { name, approved, valid, server, .. } => {
                let new = api::NewToken { name, approved, valid_seconds: valid.0.as_secs() };
                let issued: api::IssuedToken = server.client()?.post(&["tokens"], &new).await?;
                say_line(issued.token);
            }
            Self::List { json, server } => list(&server, json).await?,
            Self::Configure { name, file: Some(file), server, .. } => {
                return configure::configure(&server, &name, &file).await;
            }
            Self::Configure { name, file: None, server, .. } => {
                configure::withdraw(&server, &name).await?;
            }
            Self::Diagnose { name, later: true, server, .. } => {
                orders::order(&server, &name, "diagnose").await?;
            }
            Self::Diagnose { name, output, last, server, .. } => {
                configure::diagnose(&server, &name, output.as_deref(), last).await?;
            }
            Self::Rotate { name, server } => orders::order(&server, &name, "rotate").await?,
            Self::Orders { name, call_off, json, server } => {
                orders::show(&server, &name, call_off.as_deref(), json).await?;
            }
            Self::Show { name, json, server } => settings::show(&server, &name, json).await?,
            Self::Set { name, change, server } => settings::set(&server, &name, change).await?,
            Self::Drain { name, server } => settings::drain(&server, &name, true).await?,
            Self::Resume { name, server } => settings::drain(&server, &name, false).await?,
            Self::Move { name, to, server, .. } => {
                settings::send_elsewhere(&server, name.as_deref(), to).await?;
            }
            Self::Unlock { name, server } => change(&server, &name, "unlock").await?,
            Self::Lock { name, server } => change(&server, &name, "lock").await?,
            Self::Remove { name, server } => change(&server, &name, "remove").await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn run(path: &Path) -> Result<ExitCode> {
    let file = connector_file(path)?;
    let log = log::begin_and_keep(&file.log);
    let surroundings = surroundings::Process::new(path, &file, log);
    let edge = match file.edge {
        Some(config) => Some(Edge::open(config, &file.connector.directory).await?),
        None => None,
    };
    let near = edge.clone().map(|edge| edge as Arc<dyn EdgeService>);
    let mut running = dme_connector::start(&file.connector, Arc::new(surroundings), near)?;
    let edge = edge.map(|edge| edge.start(running.services(), running.status()));
    let mut status = running.status();
    tokio::spawn(async move {
        while status.changed().await.is_ok() {
            let now = status.borrow_and_update().clone();
            tracing::debug!(status = ?now, "connector");
        }
    });
    let ended = tokio::select! {
        ended = running.ended() => Some(ended),
        signal = terminated() => { signal?; None }
    };
    match ended {
        Some(ended) => ended?,
        None => {
            tracing::info!("going down: running calls are answered");
            // Its phones' last answers are given before anything else ends.
            if let Some(edge) = edge {
                edge.stop().await;
            }
            running.stop().await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn enroll(token: &str, path: &Path) -> Result<()> {
    let config = connector_file(path)?.connector;
    let token: Token = token.parse().context("the token")?;
    let enrolled = dme_connector::enroll(&token, &config).await?;
    say_line(format_args!("enrolled as {} ({})", enrolled.name, enrolled.id));
    say_line(format_args!("fingerprint {}", enrolled.fingerprint.grouped()));
    if enrolled.locked {
        say_line(format_args!(
            "locked: on the server, compare the fingerprint in `dme connector list` with this one, \
             then `dme connector unlock {}`",
            enrolled.name
        ));
    }
    Ok(())
}

async fn enroll_again(code: &str, path: &Path) -> Result<()> {
    let config = connector_file(path)?.connector;
    let code: Code = code.parse().context("the code")?;
    let enrolled = dme_connector::enroll_again(&code, &config).await?;
    say_line(format_args!("known again as {} ({})", enrolled.name, enrolled.id));
    say_line(format_args!("fingerprint {}", enrolled.fingerprint.grouped()));
    if enrolled.locked {
        say_line(format_args!(
            "locked, as it was: on the server, `dme connector unlock {}`",
            enrolled.name
        ));
    }
    say_line("restart the connector where it runs, so that it links with its new key");
    Ok(())
}

async fn list(server: &AdminOptions, json: bool) -> Result<()> {
    let connectors: Vec<api::Connector> = server.client()?.get(&["connectors"]).await?;
    if json {
        return say_json(&connectors);
    }
    if connectors.is_empty() {
        say_line("no connectors; `dme connector token NAME` makes a token for one");
    }
    for connector in connectors {
        say_line(format_args!("{} ({}): {}", connector.name, connector.id, stands(&connector)));
        for fingerprint in &connector.fingerprints {
            say_line(format_args!("  fingerprint {fingerprint}"));
        }
        if let Some(wrong) = &connector.wrong_scope {
            say_line(format_args!("  serves nobody by its scope: {wrong}"));
        }
        if let Some(until) = connector.away_until {
            say_line(format_args!("  hung up by itself, to be back {}", when(until)));
        }
        match (&connector.link, connector.last_seen) {
            (Some(link), _) => say_link(link),
            (None, Some(seen)) => say_line(format_args!("  not linked; last seen {}", when(seen))),
            (None, None) => say_line("  never linked"),
        }
        orders::say(&connector.waiting, "  ");
        for backend in &connector.backends {
            say_backend(backend);
        }
    }
    Ok(())
}

async fn tokens(server: &AdminOptions, json: bool) -> Result<()> {
    let tokens: Vec<api::Token> = server.client()?.get(&["tokens"]).await?;
    if json {
        return say_json(&tokens);
    }
    if tokens.is_empty() {
        say_line("no tokens; `dme connector token NAME` makes one");
    }
    for token in tokens {
        let approved = match token {
            api::Token { code: true, .. } => ", a code to come back with",
            api::Token { approved: true, .. } => ", approved",
            api::Token { .. } => "",
        };
        let (name, state, expires) = (&token.name, &token.state, when(token.expires));
        say_line(format_args!("{name}: {state}{approved}, good until {expires}"));
    }
    Ok(())
}

/// What a connector can do, since when and why.
fn stands(connector: &api::Connector) -> String {
    let api::Connector { standing, reason, since, users, .. } = connector;
    let since = since.map_or_else(String::new, |since| format!(" since {}", when(since)));
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let users = match users {
        0 => String::new(),
        1 => "; serves 1 user".to_owned(),
        users => format!("; serves {users} users"),
    };
    format!("{standing}{since}{reason}{users}")
}

fn say_backend(backend: &api::Backend) {
    let api::Backend { function, backend, calls, failed, mean_us, failing_since, .. } = backend;
    let (millis, tenth) = (mean_us / 1_000, mean_us % 1_000 / 100);
    let failed: Vec<_> = failed.iter().map(|(error, count)| format!("{count} {error}")).collect();
    let failed = match failed.as_slice() {
        [] => String::new(),
        failed => format!(", failed: {}", failed.join(", ")),
    };
    let fails = match failing_since {
        Some(since) => format!("; most fail since {}", when(*since)),
        None => String::new(),
    };
    say_line(format_args!(
        "  {function} by {backend}: {calls} calls of {millis}.{tenth} ms{failed}{fails}"
    ));
}

fn say_link(link: &api::Link) {
    let peer = link.peer.as_deref().unwrap_or("this process");
    let trip = link.round_trip_us.map_or_else(String::new, |us| format!(", round trip {us} us"));
    let (since, software) = (when(link.since), &link.software);
    let lost = match link.segments.zip(link.segments_again) {
        Some((sent, again)) if sent > 0 => {
            let thousandths = again.saturating_mul(1_000) / sent;
            let (percent, tenth) = (thousandths / 10, thousandths % 10);
            format!(", {percent}.{tenth} % of {sent} segments sent again")
        }
        _ => String::new(),
    };
    say_line(format_args!("  linked since {since} from {peer}, release {software}{trip}{lost}"));
    if let Some((made, ends)) = link.certificate_made.zip(link.certificate_ends) {
        say_line(format_args!("  certificate of {}, good until {}", when(made), when(ends)));
    }
    if !link.realms.is_empty() {
        say_line(format_args!("  directory of {}", link.realms.join(", ")));
    }
    let functions = match link.functions.as_slice() {
        [] => "serves nothing yet".to_owned(),
        functions => functions.join(", "),
    };
    say_line(format_args!(
        "  {functions}; {} calls running, {} waiting, {} watches{}",
        link.outstanding,
        link.queued,
        link.watches,
        if link.draining { ", draining" } else { "" }
    ));
    if let Some(api::Used { bytes, budget }) = link.used {
        let over = if bytes >= budget { "; over its budget, the link goes on" } else { "" };
        let (used, budget) = (bytes / MEGABYTE, budget / MEGABYTE);
        say_line(format_args!("  {used} of {budget} MB used this month{over}"));
    }
    if link.peer.is_some() {
        let lanes = link.traffic.wire.iter().map(|(lane, flow)| carried(lane, flow));
        let kinds = link.traffic.records.iter().map(|(kind, flow)| carried(kind, flow));
        say_line(format_args!("  bytes in/out: {}", lanes.collect::<Vec<_>>().join(", ")));
        say_line(format_args!("  of them {}", kinds.collect::<Vec<_>>().join(", ")));
    }
}

/// As carriers count.
const MEGABYTE: u64 = 1_000_000;

fn carried(what: &str, flow: &api::Flow) -> String {
    format!("{what} {}/{}", flow.received, flow.sent)
}

async fn change(server: &AdminOptions, name: &str, action: &str) -> Result<()> {
    let path = ["connectors", name, action];
    let connector: api::Connector = server.client()?.post(&path, &json!({})).await?;
    say_line(format_args!("{} is now {}", connector.name, connector.state));
    Ok(())
}
