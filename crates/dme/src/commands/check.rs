//! `dme check`: tests a configuration before anybody depends on it.

use super::{connector_file, server_file};
use crate::ask::{password, say_line};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use dme_connector::config::{DirectoryConfig, MailConfig};
use dme_directory::{DirectoryService, FileDirectory, LdapDirectory, Severity};
use dme_imap::ImapMailSystem;
use dme_mailbox::{Account, CallContext, Credentials};
use dme_model::{RequestId, UserId};
use dme_server::config::ServerConfig;
use dme_server::tls::ReloadingCertificate;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(30);
/// A clock before this (2026) is wrong.
const NOT_BEFORE: u64 = 1_767_225_600;

/// What to check.
#[derive(Args)]
pub struct Options {
    /// Which role's configuration it is.
    role: Role,
    /// The configuration file; `/etc/dme/ROLE.toml` if not given.
    #[arg(long)]
    config: Option<PathBuf>,
    /// A user to look up and to log in as, `name@realm`.
    #[arg(long)]
    user: Option<String>,
    /// Read the user's password from this file; asked for if not given.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// Only read the configuration; contact nothing.
    #[arg(long)]
    offline: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Role {
    Server,
    Connector,
}

/// What came of each step.
#[derive(Default)]
struct Report {
    failures: usize,
}

impl Report {
    fn good(&self, step: &str, what: impl std::fmt::Display) {
        say_line(format_args!("✓ {step}: {what}"));
    }

    fn bad(&mut self, step: &str, what: impl std::fmt::Display) {
        self.failures += 1;
        say_line(format_args!("✗ {step}: {what}"));
    }
}

pub async fn run(options: Options) -> Result<ExitCode> {
    let mut report = Report::default();
    let default = match options.role {
        Role::Server => "/etc/dme/server.toml",
        Role::Connector => "/etc/dme/connector.toml",
    };
    let path = options.config.clone().unwrap_or_else(|| default.into());
    let (server, mail, people) = match options.role {
        Role::Server => {
            let file = server_file(&path)?;
            let (mail, people) =
                file.embedded.map_or((None, None), |e| (e.mail, e.directory_service));
            (Some(file.server), mail, people)
        }
        Role::Connector => {
            let file = connector_file(&path)?.connector;
            (None, file.mail, file.directory_service)
        }
    };
    report.good("configuration", "read, no unknown keys");
    if options.offline {
        return Ok(ExitCode::SUCCESS);
    }
    clock(&mut report);
    if let Some(server) = &server {
        check_server(&mut report, server);
    }
    if let Some(people) = &people {
        check_people(&mut report, people, &options).await?;
    }
    if let Some(mail) = &mail {
        check_mail(&mut report, mail, &options).await?;
    }
    if report.failures > 0 {
        bail!("{} of the checks failed", report.failures);
    }
    Ok(ExitCode::SUCCESS)
}

fn clock(report: &mut Report) {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = super::when(i64::try_from(seconds).unwrap_or(i64::MAX));
    if seconds < NOT_BEFORE {
        report.bad("clock", format_args!("{now} is in the past; certificates will not hold"));
    } else {
        report.good("clock", now);
    }
}

fn check_server(report: &mut Report, server: &ServerConfig) {
    if let Some(certificate) = &server.phones.certificate {
        let key = server.phones.key.as_ref().unwrap_or(certificate);
        match ReloadingCertificate::read(certificate, key) {
            Ok(_) => report.good("certificate", "readable, and the key fits"),
            Err(error) => report.bad("certificate", error),
        }
    } else if !server.phones.plain_http {
        report.good("certificate", "none set: a self-made one, which phones must be told to trust");
    }
    resolve(report, "phones.host", &server.phones.host, 443);
    port(report, "phones.listen", server.phones.listen);
    port(report, "admin.listen", server.admin.listen);
    if let Some(listen) = server.links.listen {
        port(report, "links.listen", listen);
        if let Some(address) = &server.links.address {
            resolve(report, "links.address", address, 443);
        }
    }
}

fn resolve(report: &mut Report, setting: &str, host: &str, port: u16) {
    let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:{port}") };
    match with_port.to_socket_addrs().map(Iterator::collect::<Vec<_>>) {
        Ok(found) if !found.is_empty() => {
            let found: Vec<String> = found.iter().map(|one| one.ip().to_string()).collect();
            report.good(setting, format_args!("{host} is {}", found.join(", ")));
        }
        Ok(_) => report.bad(setting, format_args!("{host} has no address; add it to DNS")),
        Err(error) => report.bad(setting, format_args!("{host} has no address: {error}")),
    }
}

fn port(report: &mut Report, setting: &str, address: SocketAddr) {
    match std::net::TcpListener::bind(address) {
        Ok(_) => report.good(setting, format_args!("{address} is free")),
        Err(error) => report.bad(
            setting,
            format_args!("{address} cannot be listened on: {error} (is the server running?)"),
        ),
    }
}

async fn check_people(
    report: &mut Report,
    people: &DirectoryConfig,
    options: &Options,
) -> Result<()> {
    let user = options.user.as_deref().map(UserId::from);
    match people {
        DirectoryConfig::File(config) => match FileDirectory::open(config.clone()) {
            Ok(directory) => {
                let groups = directory.groups().await?.groups.len();
                report.good("people", format_args!("the file is right; {groups} groups"));
                if let Some(user) = &user {
                    match directory.find(user).await? {
                        Some(person) => report.good("person", person.address),
                        None => report.bad("person", format_args!("{user} is not in the file")),
                    }
                }
            }
            Err(error) => report.bad("people", error),
        },
        DirectoryConfig::Ldap(config) => {
            let directory = match LdapDirectory::new((**config).clone()) {
                Ok(directory) => directory,
                Err(error) => {
                    report.bad("people", error);
                    return Ok(());
                }
            };
            for finding in directory.check(user.as_ref()).await {
                let advice = finding.advice.map_or_else(String::new, |a| format!("; {a}"));
                let said = format!("{}{advice}", finding.what);
                match finding.severity {
                    Severity::Failure => report.bad("people", said),
                    Severity::Fine | Severity::Warning => report.good("people", said),
                }
            }
        }
    }
    Ok(())
}

async fn check_mail(report: &mut Report, mail: &MailConfig, options: &Options) -> Result<()> {
    match mail {
        MailConfig::Files(config) => match std::fs::metadata(&config.root) {
            Ok(meta) if meta.is_dir() => report.good("mail", config.root.display()),
            Ok(_) => {
                report.bad("mail", format_args!("{} is no directory", config.root.display()));
            }
            Err(error) => report.bad("mail", format_args!("{}: {error}", config.root.display())),
        },
        MailConfig::Imap(config) => {
            let Some(user) = &options.user else {
                report.good("mail", "not tried: name a user with --user");
                return Ok(());
            };
            let credentials = match config.auth {
                dme_imap::Auth::Master { .. } => Credentials::None,
                dme_imap::Auth::Password => Credentials::Password(password(
                    options.password_file.as_deref(),
                    &format!("password of {user}"),
                )?),
                dme_imap::Auth::Bearer => Credentials::Bearer(password(
                    options.password_file.as_deref(),
                    &format!("access token of {user}"),
                )?),
            };
            let system = match ImapMailSystem::new((**config).clone()) {
                Ok(system) => system,
                Err(error) => {
                    report.bad("mail", error);
                    return Ok(());
                }
            };
            let account = Account {
                user: UserId::from(user.as_str()),
                address: user.clone(),
                display_name: None,
                credentials,
            };
            let context = CallContext::new(RequestId::from("check"), LIMIT);
            for finding in system.check(&account, &context).await {
                match finding.outcome {
                    Ok(said) => report.good(finding.step, said),
                    Err(said) => report.bad(finding.step, said),
                }
            }
        }
    }
    Ok(())
}
