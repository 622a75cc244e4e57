//! `dme check`: tests a configuration before anybody depends on it.

mod clock;
mod connector;
mod files;
mod reach;
mod report;
mod server;

use super::{connector_file, server_file};
use crate::ask::password;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use dme_connector::config::{ConnectorConfig, DirectoryConfig, MailConfig};
use dme_connector::{AddressListConfig, Offered};
use dme_dav::{DavConfig, DavMailSystem};
use dme_directory::{DirectoryService, FileDirectory, LdapDirectory, Severity, Verdict};
use dme_edge::EdgeConfig;
use dme_imap::ImapMailSystem;
use dme_link::{Check, CredentialsNeeded};
use dme_mailbox::{Account, CallContext, Credentials};
use dme_model::{RequestId, Secret, UserId};
use dme_sieve::SieveVacations;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long one step may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How long one part of those may take that are tried at once.
const PART: Duration = Duration::from_secs(40);

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

pub async fn run(options: Options) -> Result<ExitCode> {
    let mut report = Report::default();
    let default = match options.role {
        Role::Server => "/etc/dme/server.toml",
        Role::Connector => "/etc/dme/connector.toml",
    };
    let path = options.config.clone().unwrap_or_else(|| default.into());
    let (server, embedded, connector, edge) = match options.role {
        Role::Server => {
            let file = server_file(&path)?;
            (Some(file.server), file.embedded, None, None)
        }
        Role::Connector => {
            let file = connector_file(&path)?;
            (None, None, Some(file.connector), file.edge)
        }
    };
    let embedded = embedded.as_ref().map(Offered::from);
    let offered = connector.as_ref().map(Offered::from).or(embedded).unwrap_or_default();
    report.good("configuration", "read, no unknown keys");
    // What the role itself would refuse at its start is no good here either.
    for problem in server.iter().flat_map(dme_server::config::ServerConfig::problems) {
        report.bad("configuration", problem);
    }
    if let Some(Err(problem)) = connector.as_ref().map(|connector| connector.check()) {
        report.bad("configuration", problem);
    }
    for problem in edge.iter().flat_map(EdgeConfig::problems) {
        report.bad("configuration", problem);
    }
    let waits = connector.is_some() && !offered.is_something();
    if edge.is_some() && !waits && (offered.mail.is_none() || offered.people.is_none()) {
        report.bad("configuration", "[edge] needs [mail] and [people] in the same connector");
    }
    if waits {
        report.unknown(
            "services",
            "none are set here: the server says what this connector serves, by `dme connector \
             configure`",
        );
    }
    let serves = offered.is_something();
    let services = serves.then(|| dme_connector::services(&offered)).transpose();
    if let Err(problem) = &services {
        report.bad("configuration", problem);
    }
    let (services, refused) = (services.as_ref().ok().and_then(Option::as_ref), services.is_err());
    if !options.offline {
        clock::alone(&mut report);
        if let Some(server) = &server {
            server::check(&mut report, server);
            server::database(&mut report, server).await;
            server::providers(&mut report, server).await;
            clock::unknown(&mut report);
        }
        if let Some(connector) = &connector {
            connector::check(&mut report, connector).await;
        }
        let needs = services
            .and_then(|services| services.mailboxes.as_ref())
            .map(|mailboxes| mailboxes.needs);
        if let Some(server) = &server {
            server::credentials(&mut report, server, needs);
        }
        let uses_tokens = needs == Some(CredentialsNeeded::Bearer);
        let secret = match &options.user {
            Some(user) if services.is_some() => {
                let what = if uses_tokens { "access token" } else { "password" };
                password(options.password_file.as_deref(), &format!("{what} of {user}"))
                    .inspect_err(|error| match options.password_file {
                        // A script that names a file means it to be tried.
                        Some(_) => report.bad(what, format_args!("not tried: {error:#}")),
                        None => report.unknown(what, format_args!("not tried: {error:#}")),
                    })
                    .ok()
            }
            _ => None,
        };
        if options.user.is_none() && !refused {
            reach::mail(&mut report, &offered).await;
            reach::dav(&mut report, &offered).await;
        }
        if let Some(people) = offered.people.filter(|_| !refused) {
            // A token is the mail system's to judge.
            let secret = secret.as_ref().filter(|_| !uses_tokens);
            check_people(&mut report, people, options.user.as_deref(), secret).await?;
        }
        if let Some(mail) = offered.mail.filter(|_| !refused) {
            let user = options.user.as_deref();
            check_mail(&mut report, &offered, mail, user, secret.clone()).await;
        }
        if let Some(list) = offered.address_list.filter(|_| !refused) {
            check_list(&mut report, list).await;
            if let Some(directory) = services.and_then(|services| services.directory.as_ref())
                && let Err(said) = list.check_groups(&**directory).await
            {
                report.bad("address list", said);
            }
        }
        if let Some(dav) = offered.dav.filter(|_| !refused) {
            check_dav(&mut report, dav, options.user.as_deref(), secret).await;
        }
    }
    if report.failures > 0 {
        bail!("{} of the checks failed", report.failures);
    }
    Ok(ExitCode::SUCCESS)
}

/// Tries all that can be tried without a user and without asking anybody: what a connector does for
/// its server. The parts are tried at once: where one hangs, the others still say what they found.
pub async fn without_user(connector: &ConnectorConfig, offered: &Offered<'_>) -> Vec<Check> {
    let mut report = Report::silent();
    clock::alone(&mut report);
    let server = part("server", async |report: &mut Report| {
        connector::check(report, connector).await;
    });
    let mail = part("mail", async |report: &mut Report| {
        reach::mail(report, offered).await;
        if let Some(mail @ MailConfig::Files(_)) = offered.mail {
            check_mail(report, offered, mail, None, None).await;
        }
    });
    let dav = part("dav", async |report: &mut Report| reach::dav(report, offered).await);
    let people = part("people", async |report: &mut Report| {
        let Some(people) = offered.people else { return };
        if let Err(error) = check_people(report, people, None, None).await {
            report.bad("people", error);
        }
    });
    let list = part("address list", async |report: &mut Report| {
        if let Some(list) = offered.address_list {
            check_list(report, list).await;
        }
    });
    let (server, mail, dav, people, list) = tokio::join!(server, mail, dav, people, list);
    [report.kept(), server, mail, dav, people, list].concat()
}

/// One part, with what it found where it does not end in time.
async fn part(step: &str, work: impl AsyncFnOnce(&mut Report)) -> Vec<Check> {
    let mut report = Report::silent();
    if tokio::time::timeout(PART, work(&mut report)).await.is_err() {
        report.bad(step, format_args!("it did not end within {} s", PART.as_secs()));
    }
    report.kept()
}

async fn check_list(report: &mut Report, list: &AddressListConfig) {
    match list.check(LIMIT).await {
        Ok(said) => report.good("address list", said),
        Err(said) => report.bad("address list", said),
    }
}

async fn check_people(
    report: &mut Report,
    people: &DirectoryConfig,
    user: Option<&str>,
    secret: Option<&Secret>,
) -> Result<()> {
    let user = user.map(UserId::from);
    let login = user.as_ref().zip(secret);
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
                try_password(report, &directory, login).await;
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
                    Severity::Warning => report.warn("people", said),
                    Severity::Fine => report.good("people", said),
                }
            }
            try_password(report, &directory, login).await;
        }
    }
    Ok(())
}

/// Logs in as the user, as a phone's login would be checked.
async fn try_password(
    report: &mut Report,
    directory: &dyn DirectoryService,
    login: Option<(&UserId, &Secret)>,
) {
    let Some((user, secret)) = login else { return };
    match directory.authenticate(user, secret).await {
        Ok(Verdict::Accepted(person)) => {
            report.good("person", format_args!("{}: the password is accepted", person.user));
        }
        Ok(Verdict::WrongPassword) => report.bad(
            "person",
            format_args!("the directory refuses the password of {user}; phones will be told 401"),
        ),
        Ok(Verdict::Unknown) => report.bad(
            "person",
            format_args!("the directory does not know {user}; phones will be told 401"),
        ),
        Ok(Verdict::Barred(standing)) => report.bad(
            "person",
            format_args!("the directory does not let {user} in: {}", standing.as_str()),
        ),
        Err(error) => report.bad("person", error),
    }
}

async fn check_mail(
    report: &mut Report,
    offered: &Offered<'_>,
    mail: &MailConfig,
    user: Option<&str>,
    secret: Option<Secret>,
) {
    match mail {
        MailConfig::Files(config) => files::check(report, config, offered.people, user).await,
        MailConfig::Imap(config) => {
            let Some(user) = user else {
                return report.unknown("mail", "no login tried: name a user with --user");
            };
            let credentials = match (&config.auth, secret) {
                (dme_imap::Auth::Master { .. }, _) => Credentials::None,
                (dme_imap::Auth::Password, Some(secret)) => Credentials::Password(secret),
                (dme_imap::Auth::Bearer, Some(secret)) => Credentials::Bearer(secret),
                (_, None) => {
                    return report.unknown("mail", "not tried: there is nothing to log in with");
                }
            };
            let system = match ImapMailSystem::new((**config).clone()) {
                Ok(system) => system,
                Err(error) => return report.bad("mail", error),
            };
            let (account, context) = call_of(user, credentials);
            report.found(system.check(&account, &context).await);
            if let Some(sieve) = offered.sieve {
                match SieveVacations::new(sieve.clone(), config.auth.clone(), config.login) {
                    Ok(vacations) => report.found(vacations.check(&account, &context).await),
                    Err(error) => report.bad("sieve", error),
                }
            }
        }
    }
}

async fn check_dav(
    report: &mut Report,
    dav: &DavConfig,
    user: Option<&str>,
    secret: Option<Secret>,
) {
    let Some(user) = user else {
        return report.unknown("dav", "no login tried: name a user with --user");
    };
    let credentials = match (&dav.auth, secret) {
        (dme_dav::Auth::Master { .. }, _) => Credentials::None,
        (dme_dav::Auth::Password, Some(secret)) => Credentials::Password(secret),
        (dme_dav::Auth::Bearer, Some(secret)) => Credentials::Bearer(secret),
        (_, None) => return report.unknown("dav", "not tried: there is nothing to log in with"),
    };
    let system = match DavMailSystem::new(dav.clone()) {
        Ok(system) => system,
        Err(error) => return report.bad("dav", error),
    };
    let (account, context) = call_of(user, credentials);
    report.found(system.check(&account, &context).await);
}

/// A call on a mail system in the user's name.
fn call_of(user: &str, credentials: Credentials) -> (Account, CallContext) {
    let account = Account {
        user: UserId::from(user),
        address: user.to_owned(),
        display_name: None,
        credentials,
    };
    (account, CallContext::new(RequestId::from("check"), LIMIT))
}
