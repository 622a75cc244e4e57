//! From settings to services, and to a running link.

use crate::address_book::{AddressBook, AddressBookConfig};
use crate::address_list::{AddressList, AddressListConfig};
use crate::config::{ConnectorConfig, DirectoryConfig, EmbeddedConfig, MailConfig};
use crate::fit::{check, dav_needs, mail_needs, together};
use crate::link::WrongLink;
use crate::tally::{CountedDirectory, CountedSystem, CountedVacations, Counter, Tally};
use crate::tokens::TokenDirectory;
use crate::upkeep::{Keeper, Surroundings};
use dme_dav::{DavConfig, DavMailSystem};
use dme_directory::{DirectoryService, FileDirectory, LdapDirectory};
use dme_files::FilesMailSystem;
use dme_imap::ImapMailSystem;
use dme_link::{
    Code, Connector, ConnectorConfig as Link, ConnectorStatus, CredentialsNeeded, Enrolled,
    Identities, Mailboxes, Proxy, Reached, Services, Token,
};
use dme_mailbox::{Joined, MailSystem, VacationService};
use dme_model::Class;
use dme_sieve::{SieveConfig, SieveVacations};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Why a connector cannot start. Each says which setting to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The mail system's settings are wrong.
    #[error("mail: {0}")]
    Mail(String),
    /// The ManageSieve server's settings are wrong.
    #[error("{0}")]
    Sieve(String),
    /// A ManageSieve server without the mail system whose users it serves.
    #[error(
        "[sieve] needs [mail.imap] in the same connector: users log in there as they do to their \
         mail"
    )]
    SieveOfNobody,
    /// The settings of the calendar and contacts system are wrong.
    #[error("{0}")]
    Dav(String),
    /// The mail system wants a password and the other a token, or the other way round.
    #[error(
        "mail and dav.auth do not fit together: one wants the user's password, the other an access \
         token, and a phone has but one of them; use a master account for one"
    )]
    TwoSecrets,
    /// Nobody can say whether a token for calendars and contacts is good.
    #[error(
        "dav.auth = \"bearer\" needs mail.imap.auth = \"bearer\" in the same connector: a phone shows \
         its user's token as the password, and only that mail system can say whether it is good"
    )]
    TokensUnjudged,
    /// The directory's settings are wrong.
    #[error("people: {0}")]
    Directory(String),
    /// An address list of nobody's directory.
    #[error(
        "[address_list] needs [people] in the same connector: it is shown to the users of that \
         directory's realm"
    )]
    AddressListOfNobody,
    /// The settings of the address list make no sense.
    #[error("{0}")]
    AddressList(String),
    /// An address list as a folder, of no directory or for nobody's phone.
    #[error(
        "[address_book] needs [mail] and [people] in the same connector: it is a folder in its users' \
         accounts, with the people of that directory"
    )]
    AddressBookOfNobody,
    /// The settings of the address list's folder make no sense.
    #[error("{0}")]
    AddressBook(String),
    /// The settings of the link make no sense.
    #[error(transparent)]
    Settings(#[from] WrongLink),
    /// It serves nothing.
    #[error("none of [mail], [dav] and [people] is set: the connector would serve nothing")]
    Nothing,
    /// A mail system that takes tokens is alone.
    #[error(
        "mail.imap.auth = \"bearer\" needs [people] in the same connector: a phone shows its user's \
         token as the password, and only this mail system can say whether it is good"
    )]
    TokensOfNobody,
    /// The link's identity is missing or damaged.
    #[error("the connector's identity cannot be used")]
    Identity(#[source] dme_link::Error),
}

/// What a connector is set to serve.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offered<'a> {
    /// The mail system.
    pub mail: Option<&'a MailConfig>,
    /// Its ManageSieve server.
    pub sieve: Option<&'a SieveConfig>,
    /// The calendars, contacts, tasks and notes of its users.
    pub dav: Option<&'a DavConfig>,
    /// The directory.
    pub people: Option<&'a DirectoryConfig>,
    /// The address book that is searched in its place.
    pub address_list: Option<&'a AddressListConfig>,
    /// The folder with everybody in it.
    pub address_book: Option<&'a AddressBookConfig>,
}

impl<'a> From<&'a ConnectorConfig> for Offered<'a> {
    fn from(config: &'a ConnectorConfig) -> Self {
        Self {
            mail: config.mail.as_ref(),
            sieve: config.sieve.as_ref(),
            dav: config.dav.as_deref(),
            people: config.directory_service.as_ref(),
            address_list: config.address_list.as_ref(),
            address_book: config.address_book.as_ref(),
        }
    }
}

impl<'a> From<&'a EmbeddedConfig> for Offered<'a> {
    fn from(config: &'a EmbeddedConfig) -> Self {
        Self {
            mail: config.mail.as_ref(),
            sieve: config.sieve.as_ref(),
            dav: config.dav.as_deref(),
            people: config.directory_service.as_ref(),
            address_list: config.address_list.as_ref(),
            address_book: config.address_book.as_ref(),
        }
    }
}

impl Offered<'_> {
    /// Whether there is anything.
    pub fn is_something(&self) -> bool {
        self.mail.is_some()
            || self.sieve.is_some()
            || self.dav.is_some()
            || self.people.is_some()
            || self.address_list.is_some()
            || self.address_book.is_some()
    }
}

/// The services these settings mean.
///
/// # Errors
/// When a setting is wrong; nothing is contacted yet.
pub fn services(offered: &Offered<'_>) -> Result<Services, StartError> {
    // After this nothing is without what it has to have beside it.
    check(offered)?;
    let tally = Arc::new(Tally::default());
    let vacations = vacations(offered)?.map(|service| {
        let counter = Counter::new("sieve", tally.clone());
        Arc::new(CountedVacations::new(service, counter)) as Arc<dyn VacationService>
    });
    let mut tokens = None;
    let mail: Option<Mailboxes> = match offered.mail {
        Some(mail @ MailConfig::Imap(config)) => {
            let system = ImapMailSystem::new((**config).clone())
                .map_err(|error| StartError::Mail(error.to_string()))?;
            let system = Arc::new(system);
            if config.auth == dme_imap::Auth::Bearer {
                tokens = Some(system.clone());
            }
            Some(counted(Mailboxes::of_mail(system, mail_needs(mail)), "imap", &tally))
        }
        Some(MailConfig::Files(config)) => {
            let system = Arc::new(FilesMailSystem::new(config.clone()));
            Some(counted(Mailboxes::of_all(system, CredentialsNeeded::None), "files", &tally))
        }
        None => None,
    };
    let directory = address_list(offered.address_list, directory(offered.people, &tally)?)?;
    let dav = dav(offered.dav)?.map(|mailboxes| counted(mailboxes, "dav", &tally));
    let mail = match (mail, dav, address_book(offered, directory.as_ref())?) {
        (mail, None, None) if vacations.is_none() => mail,
        (Some(mail), dav, book) => Some(joined(mail, dav, book, vacations)?),
        (None, dav, _) => dav,
    };
    let realms = offered.people.map(DirectoryConfig::realm).into_iter().collect();
    let directory = match (directory, tokens) {
        (Some(people), Some(mail)) => Some(Arc::new(TokenDirectory::new(people, mail)) as _),
        (directory, _) => directory,
    };
    Ok(Services { mailboxes: mail, directory, realms, counts: Some(tally) })
}

/// A mail system whose calls are counted.
fn counted(mailboxes: Mailboxes, backend: &'static str, tally: &Arc<Tally>) -> Mailboxes {
    let Mailboxes { system, needs, classes } = mailboxes;
    let counter = Counter::new(backend, tally.clone());
    let system = Arc::new(CountedSystem::new(system, &classes, counter));
    Mailboxes { system, needs, classes }
}

/// What keeps out-of-office messages beside the mail system.
fn vacations(offered: &Offered<'_>) -> Result<Option<Arc<dyn VacationService>>, StartError> {
    let (Some(sieve), Some(MailConfig::Imap(imap))) = (offered.sieve, offered.mail) else {
        return Ok(None);
    };
    let vacations = SieveVacations::new(sieve.clone(), imap.auth.clone(), imap.login)
        .map_err(|error| StartError::Sieve(error.to_string()))?;
    Ok(Some(Arc::new(vacations)))
}

/// What keeps calendars and contacts beside the mail system.
fn dav(config: Option<&DavConfig>) -> Result<Option<Mailboxes>, StartError> {
    let Some(config) = config else { return Ok(None) };
    let system =
        DavMailSystem::new(config.clone()).map_err(|error| StartError::Dav(error.to_string()))?;
    let needs = dav_needs(config);
    let classes = [Class::Calendar, Class::Contacts, Class::Tasks, Class::Notes].into();
    Ok(Some(Mailboxes { system: Arc::new(system), needs, classes }))
}

/// The directory.
fn directory(
    config: Option<&DirectoryConfig>,
    tally: &Arc<Tally>,
) -> Result<Option<Arc<dyn DirectoryService>>, StartError> {
    let (directory, backend): (Arc<dyn DirectoryService>, _) = match config {
        Some(DirectoryConfig::Ldap(config)) => {
            let directory = LdapDirectory::new((**config).clone())
                .map_err(|error| StartError::Directory(error.to_string()))?;
            (Arc::new(directory), "ldap")
        }
        Some(DirectoryConfig::File(config)) => {
            let directory = FileDirectory::open(config.clone())
                .map_err(|error| StartError::Directory(error.to_string()))?;
            (Arc::new(directory), "file")
        }
        None => return Ok(None),
    };
    let counter = Counter::new(backend, tally.clone());
    Ok(Some(Arc::new(CountedDirectory::new(directory, counter))))
}

/// The directory with the address list of its users.
fn address_list(
    config: Option<&AddressListConfig>,
    directory: Option<Arc<dyn DirectoryService>>,
) -> Result<Option<Arc<dyn DirectoryService>>, StartError> {
    let (Some(config), Some(people)) = (config, &directory) else { return Ok(directory) };
    let list = AddressList::new(config, people.clone()).map_err(StartError::AddressList)?;
    Ok(Some(Arc::new(list)))
}

/// The folder with everybody in the directory.
fn address_book(
    offered: &Offered<'_>,
    directory: Option<&Arc<dyn DirectoryService>>,
) -> Result<Option<Arc<dyn MailSystem>>, StartError> {
    let (Some(config), Some(directory), Some(people)) =
        (offered.address_book, directory, offered.people)
    else {
        return Ok(None);
    };
    let book = AddressBook::new(config, directory.clone(), people.realm())
        .map_err(StartError::AddressBook)?;
    Ok(Some(Arc::new(book)))
}

/// A mail system with what stands beside it.
fn joined(
    mut mail: Mailboxes,
    dav: Option<Mailboxes>,
    book: Option<Arc<dyn MailSystem>>,
    vacations: Option<Arc<dyn VacationService>>,
) -> Result<Mailboxes, StartError> {
    let mut others = Vec::new();
    if let Some(dav) = dav {
        mail.needs = together(mail.needs, dav.needs)?;
        mail.classes.extend(dav.classes);
        others.push(("dav", dav.system));
    }
    others.extend(book.map(|book| ("book", book)));
    mail.system = Arc::new(Joined::new(mail.system, others).with_vacations(vacations));
    Ok(mail)
}

/// Makes this connector's key and has the server certify it.
///
/// # Errors
/// When the token is not accepted, or there is an identity already.
pub async fn enroll(token: &Token, config: &ConnectorConfig) -> dme_link::Result<Enrolled> {
    let (dir, servers) = (&config.directory, &config.servers);
    dme_link::enroll(token, dir, servers, proxy(config).as_ref()).await
}

/// Has this connector known to the server again, by a code, under the name that it had.
///
/// # Errors
/// When the code is not accepted, or no server can be reached.
pub async fn enroll_again(code: &Code, config: &ConnectorConfig) -> dme_link::Result<Enrolled> {
    let (dir, servers) = (&config.directory, &config.servers);
    dme_link::enroll_again(code, dir, servers, proxy(config).as_ref()).await
}

/// Tries the way to the server without making a link.
///
/// # Errors
/// When there is no identity, or it is damaged.
pub async fn reach(config: &ConnectorConfig) -> dme_link::Result<Vec<Reached>> {
    let link = Link {
        proxy: proxy(config),
        servers: config.servers.clone(),
        ..Link::new(&config.directory)
    };
    dme_link::reach(&Link { dial_limit: config.link.dial.0, ..link }).await
}

/// A connector that runs.
pub struct Running {
    status: watch::Receiver<ConnectorStatus>,
    stop: CancellationToken,
    task: JoinHandle<dme_link::Result<()>>,
}

/// Begins to dial and to serve.
///
/// # Errors
/// When the settings or the identity are wrong. A server that cannot be reached is no error: it
/// is tried until it can.
pub fn start(
    config: &ConnectorConfig,
    surroundings: Arc<dyn Surroundings>,
) -> Result<Running, StartError> {
    config.check()?;
    // Without an identity nothing is made beside it.
    Identities::open(&config.directory).map_err(StartError::Identity)?;
    let (keeper, services) = Keeper::open(config, surroundings)?;
    let link = link(config)?;
    let connector = Connector::new(link, services).map_err(StartError::Identity)?;
    let connector = connector.with_upkeep(Arc::new(keeper));
    let (status, stop) = (connector.status(), CancellationToken::new());
    let stopping = stop.clone();
    let task = tokio::spawn(connector.run(async move { stopping.cancelled().await }));
    Ok(Running { status, stop, task })
}

/// The way out, where there is no direct one.
fn proxy(config: &ConnectorConfig) -> Option<Proxy> {
    config.proxy.as_ref().map(|proxy| Proxy {
        address: proxy.address.clone(),
        login: proxy.user.clone().zip(proxy.password.clone()),
    })
}

fn link(config: &ConnectorConfig) -> Result<Link, WrongLink> {
    Ok(Link {
        servers: config.servers.clone(),
        proxy: proxy(config),
        keepalive: config.link.keep_alive(),
        windows: config.link.windows()?,
        thrift: config.link.thrift()?,
        dial_limit: config.link.dial.0,
        drain_limit: config.link.drain.0,
        ..Link::new(&config.directory)
    })
}

impl Running {
    /// What it is doing, as it changes.
    pub fn status(&self) -> watch::Receiver<ConnectorStatus> {
        self.status.clone()
    }

    /// Lets what runs end, then ends the link.
    ///
    /// # Errors
    /// When the identity could not be written any more.
    pub async fn stop(self) -> dme_link::Result<()> {
        self.stop.cancel();
        self.task.await.unwrap_or(Ok(()))
    }

    /// Waits until it ends by itself, which is always an error's doing.
    ///
    /// # Errors
    /// That error.
    pub async fn ended(&mut self) -> dme_link::Result<()> {
        (&mut self.task).await.unwrap_or(Ok(()))
    }
}
