//! From settings to services: the backends a connector runs, and how they stand together.

use crate::address_book::{AddressBook, AddressBookConfig};
use crate::address_list::{AddressList, AddressListConfig};
use crate::config::{ConnectorConfig, DirectoryConfig, EmbeddedConfig, MailConfig};
use crate::fit::{check, dav_needs, mail_needs, together};
use crate::role::StartError;
use crate::tally::{CountedDirectory, CountedSystem, CountedVacations, Counter, Tally};
use crate::tokens::TokenDirectory;
use dme_dav::{DavConfig, DavMailSystem};
use dme_directory::{DirectoryService, FileDirectory, LdapDirectory};
use dme_files::FilesMailSystem;
use dme_imap::ImapMailSystem;
use dme_link::{CredentialsNeeded, Mailboxes, Services};
use dme_mailbox::{Joined, MailSystem, VacationService};
use dme_model::Class;
use dme_sieve::{SieveConfig, SieveVacations};
use std::sync::Arc;

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
