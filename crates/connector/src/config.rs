//! A connector's settings. The commented sample is `docs/connector.toml`.

use crate::address_book::AddressBookConfig;
use crate::address_list::AddressListConfig;
use dme_dav::DavConfig;
use dme_directory::{FileConfig, LdapConfig};
use dme_files::FilesConfig;
use dme_imap::ImapConfig;
use dme_model::{OutOfRange, Realm, Secret, Span, within};
use dme_sieve::SieveConfig;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Everything the connector role is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// Where the connector keeps its key and certificate; made by `dme connector enroll`.
    pub directory: PathBuf,
    /// The server's addresses, `host:port`, in the order to try them; those of the token where
    /// empty.
    #[serde(default)]
    pub servers: Vec<String>,
    /// The way out, where there is no direct one.
    #[serde(default)]
    pub proxy: Option<ProxyConfig>,
    /// How the link is kept.
    #[serde(default)]
    pub link: LinkConfig,
    /// The mail system it serves.
    #[serde(default)]
    pub mail: Option<MailConfig>,
    /// The mail system's ManageSieve server, for out-of-office messages.
    #[serde(default)]
    pub sieve: Option<SieveConfig>,
    /// Where calendars, contacts, tasks and notes are.
    #[serde(default)]
    pub dav: Option<Box<DavConfig>>,
    /// The directory it serves.
    #[serde(default, rename = "people")]
    pub directory_service: Option<DirectoryConfig>,
    /// The address book that phones search in the place of that directory.
    #[serde(default)]
    pub address_list: Option<AddressListConfig>,
    /// The folder on phones with everybody whom they find.
    #[serde(default)]
    pub address_book: Option<AddressBookConfig>,
}

impl ConnectorConfig {
    /// Whether the settings of the link make sense; within these the server follows them.
    ///
    /// # Errors
    /// In words, naming the setting and what is allowed.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let second = Span::seconds(1);
        within("link.keepalive", self.link.keepalive, second..=Span::seconds(900))?;
        within("link.keepalive_timeout", self.link.keepalive_timeout, second..=Span::seconds(120))?;
        within("link.dial", self.link.dial, second..=Span::seconds(600))?;
        within("link.drain", self.link.drain, Span::seconds(0)..=Span::seconds(3_600))
    }
}

/// What a connector serves, without its link: for the one in the server's own process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// The mail system it serves.
    #[serde(default)]
    pub mail: Option<MailConfig>,
    /// The mail system's ManageSieve server, for out-of-office messages.
    #[serde(default)]
    pub sieve: Option<SieveConfig>,
    /// Where calendars, contacts, tasks and notes are.
    #[serde(default)]
    pub dav: Option<Box<DavConfig>>,
    /// The directory it serves.
    #[serde(default, rename = "people")]
    pub directory_service: Option<DirectoryConfig>,
    /// The address book that phones search in the place of that directory.
    #[serde(default)]
    pub address_list: Option<AddressListConfig>,
    /// The folder on phones with everybody whom they find.
    #[serde(default)]
    pub address_book: Option<AddressBookConfig>,
}

/// A forward proxy that is asked by HTTP `CONNECT`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyConfig {
    /// `host:port`.
    pub address: String,
    /// The name for it, where it asks for one.
    #[serde(default)]
    pub user: Option<String>,
    /// The password for it.
    #[serde(default)]
    pub password: Option<Secret>,
}

/// How the link is kept.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkConfig {
    /// Silence after which the other end is asked for a sign of life.
    pub keepalive: Span,
    /// How long it may take to give one before the link counts as lost.
    pub keepalive_timeout: Span,
    /// How long dialling one address may take.
    pub dial: Span,
    /// How long running calls may take to end at shutdown.
    pub drain: Span,
}

impl Default for LinkConfig {
    fn default() -> Self {
        let seconds = |seconds| Span(Duration::from_secs(seconds));
        Self {
            keepalive: seconds(15),
            keepalive_timeout: seconds(10),
            dial: seconds(30),
            drain: seconds(15),
        }
    }
}

/// A mail system.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailConfig {
    /// IMAP, with SMTP submission.
    Imap(Box<ImapConfig>),
    /// Maildir++ on local disk.
    Files(FilesConfig),
}

/// A directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DirectoryConfig {
    /// OpenLDAP, Active Directory and others.
    Ldap(Box<LdapConfig>),
    /// A file.
    File(FileConfig),
}

impl DirectoryConfig {
    /// The realm it is the source of.
    pub fn realm(&self) -> Realm {
        let realm = match self {
            Self::Ldap(config) => &config.realm,
            Self::File(config) => &config.realm,
        };
        Realm::named(realm)
    }
}
