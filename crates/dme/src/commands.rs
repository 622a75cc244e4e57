//! The command line.

mod admission;
mod audit;
mod behaviour;
mod check;
mod connector;
mod console;
mod device;
mod directory;
mod log;
mod mailbox;
mod members;
mod outbox;
mod policy;
mod probe;
mod route;
pub mod server;
mod statistics;
mod status;
mod terms;
mod token;
mod user;
mod webhook;
mod wipe;

use crate::admin::AdminClient;
use crate::ask::say_line;
use crate::log::LogConfig;
use crate::settings::{Sections, as_written};
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use dme_connector::config::{ConnectorConfig, EmbeddedConfig};
use dme_connector::configuration::secrets_in;
use dme_console::api;
use dme_edge::EdgeConfig;
use dme_model::{Secret, Span, Timestamp};
use dme_server::config::ServerConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;
use toml::Table;

/// One server, many connectors: mail on an organisation's phones over Exchange ActiveSync.
#[derive(Parser)]
#[command(name = "dme", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Server {
        /// The configuration file; `dme sample server` prints a commented one.
        #[arg(long, default_value = "/etc/dme/server.toml")]
        config: PathBuf,
    },
    /// Say whether all is well, and what wants somebody; fails where something goes wrong now.
    Status(status::Options),
    /// Run, enroll and administer connectors.
    Connector {
        #[command(subcommand)]
        command: connector::Command,
    },
    /// Make a link to sign in to the administrators' pages by; keep the account for emergencies.
    Console(console::Options),
    /// See, make and revoke tokens that programs administer by.
    Token {
        #[command(subcommand)]
        command: token::Command,
    },
    /// See and administer users; keep an in-file directory.
    User {
        #[command(subcommand)]
        command: user::Command,
    },
    /// Local files: make mailboxes, and see whose there are.
    Mailbox {
        #[command(subcommand)]
        command: mailbox::Command,
    },
    /// See and administer devices.
    Device {
        #[command(subcommand)]
        command: device::Command,
    },
    /// See and set what phones must be set to: by default, for groups, for a device.
    Policy {
        #[command(subcommand)]
        command: policy::Command,
    },
    /// See and set the rules by which devices may in.
    Admission {
        #[command(subcommand)]
        command: admission::Command,
    },
    /// See and set the rules by which devices that misbehave are slowed down or shut out.
    Behaviour {
        #[command(subcommand)]
        command: behaviour::Command,
    },
    /// See orders to wipe, confirm them, and check their receipts.
    Wipe {
        #[command(subcommand)]
        command: wipe::Command,
    },
    /// See and publish terms of use, and see who accepted them.
    Terms {
        #[command(subcommand)]
        command: terms::Command,
    },
    /// See which connector serves whom, and why.
    Route {
        #[command(subcommand)]
        command: route::Command,
    },
    /// See messages that wait for the connector of their sender's mail.
    Outbox {
        #[command(subcommand)]
        command: outbox::Command,
    },
    /// See what is known of the directories' groups, and read them again.
    Directory {
        #[command(subcommand)]
        command: directory::Command,
    },
    /// See what happened: logins refused, devices, what was synchronised, what failed.
    Log {
        #[command(subcommand)]
        command: log::Command,
    },
    /// See what administrators did, and whether the record of it is still as it was written.
    Audit {
        #[command(subcommand)]
        command: audit::Command,
    },
    /// See what was counted of requests, by hour, day, user, device, connector or command.
    Statistics(statistics::Options),
    /// See who is told of events by HTTP.
    Webhook {
        #[command(subcommand)]
        command: webhook::Command,
    },
    /// Everything in one process with sample mail, and a simulated phone that shows it.
    Demo(crate::demo::Options),
    /// Act as a phone against any ActiveSync server and report each step.
    Probe(probe::Options),
    /// Test a configuration: directory, mail system, certificate, DNS, clock, ports.
    Check(check::Options),
    /// Print a commented sample configuration.
    Sample {
        /// For which role.
        role: Role,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Role {
    Server,
    Connector,
}

/// Runs what the command line says.
pub fn run() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(code) => code,
        Err(error) => {
            crate::ask::complain(&error);
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn run(self) -> Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match self {
                Self::Server { config } => server::run(&config).await,
                Self::Status(options) => status::run(options).await,
                Self::Connector { command } => command.run().await,
                Self::Console(options) => options.run().await,
                Self::Token { command } => command.run().await,
                Self::User { command } => command.run().await,
                Self::Mailbox { command } => command.run().await,
                Self::Device { command } => command.run().await,
                Self::Policy { command } => command.run().await,
                Self::Admission { command } => command.run().await,
                Self::Behaviour { command } => command.run().await,
                Self::Wipe { command } => command.run().await,
                Self::Terms { command } => command.run().await,
                Self::Route { command } => command.run().await,
                Self::Outbox { command } => command.run().await,
                Self::Directory { command } => command.run().await,
                Self::Log { command } => command.run().await,
                Self::Audit { command } => command.run().await,
                Self::Statistics(options) => statistics::run(options).await,
                Self::Webhook { command } => command.run().await,
                Self::Demo(options) => crate::demo::run(options).await,
                Self::Probe(options) => probe::run(options).await,
                Self::Check(options) => check::run(options).await,
                Self::Sample { role } => {
                    crate::ask::say(match role {
                        Role::Server => include_str!("../../../docs/server.toml"),
                        Role::Connector => include_str!("../../../docs/connector.toml"),
                    });
                    Ok(ExitCode::SUCCESS)
                }
            }
        })
    }
}

/// A server's configuration file.
pub struct ServerFile {
    /// The server's own settings.
    pub server: ServerConfig,
    /// The connector in its process, if any.
    pub embedded: Option<EmbeddedConfig>,
    /// How it logs.
    pub log: LogConfig,
}

/// A connector's configuration file.
pub struct ConnectorFile {
    /// The connector's own settings.
    pub connector: ConnectorConfig,
    /// The secrets in them.
    pub secrets: Vec<Secret>,
    /// Where phones near it reach it, if they do.
    pub edge: Option<EdgeConfig>,
    /// How it logs.
    pub log: LogConfig,
    /// All of it as it is written.
    pub written: Table,
}

/// Reads a server's configuration.
pub fn server_file(path: &Path) -> Result<ServerFile> {
    let mut sections = Sections::read(path)?;
    Ok(ServerFile {
        log: sections.take("log")?.unwrap_or_default(),
        embedded: sections.take("embedded")?,
        server: sections.rest()?,
    })
}

/// Reads a connector's configuration.
pub fn connector_file(path: &Path) -> Result<ConnectorFile> {
    let written = as_written(path)?;
    let mut sections = Sections::of(path, written.clone())?;
    Ok(ConnectorFile {
        log: sections.take("log")?.unwrap_or_default(),
        secrets: secrets_in(sections.table()),
        edge: sections.take("edge")?,
        connector: sections.rest()?,
        written,
    })
}

/// What a file holds that another command wrote, which is named where the file holds anything else.
fn read_json<T: DeserializeOwned>(file: &Path, written_by: &str) -> Result<T> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not what `{written_by}` prints", file.display()))
}

/// Changes rules, and says at which revision they are then.
async fn revise(client: &AdminClient, path: &[&str], change: &impl Serialize) -> Result<()> {
    let revised: api::Revised = client.post(path, change).await?;
    say_line(format_args!("the rules are at revision {}", revised.revision));
    Ok(())
}

/// A moment for people, UTC, from milliseconds since the epoch.
pub fn when_millis(millis: i64) -> String {
    Timestamp::from_millis(millis).to_string()
}

/// So long ago, in seconds since the epoch.
pub fn ago(span: Span) -> i64 {
    Timestamp::from(SystemTime::now()).minus(span.0).as_seconds()
}

/// A moment for people, UTC.
pub fn when(seconds: i64) -> String {
    Timestamp::from_seconds(seconds).to_string()
}
