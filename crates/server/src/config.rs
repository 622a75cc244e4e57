//! The server's settings. Every one has a default or says what is missing; unknown keys are errors.
//! The commented sample in `docs/server.toml` names each with its default.

mod check;
mod console;
mod never;
mod own;
mod records;
mod tokens;

pub use check::{MOST_ADDRESSES, link_address};

use check::Problems;
pub use console::{ConsoleConfig, OpenIdConfig, REDIRECT, SecondFactorMode};
pub use own::{CertificatesConfig, DeviceCertificates, DevicePasswords, MyConfig};
pub use records::{RecordsConfig, WebhookConfig};
pub use tokens::TokensConfig;

use crate::connectors::ConnectorSettings;
use crate::database::Database;
use dme_directory::{AccessGroups, GateConfig};
use dme_model::{ByteSize, Realm, Secret, Span};
use dme_store::PostgresConfig;
use ipnet::IpNet;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything the server role is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where the server keeps its database, its authority's key and the administration token.
    pub directory: PathBuf,
    /// Which database it has.
    #[serde(default)]
    pub store: StoreConfig,
    /// The phones' listener.
    pub phones: PhonesConfig,
    /// The administration listener.
    #[serde(default)]
    pub admin: AdminConfig,
    /// How administrators sign in to the console.
    #[serde(default)]
    pub console: ConsoleConfig,
    /// The listener for connectors.
    #[serde(default)]
    pub links: LinksConfig,
    /// The realms, at least one; the first is that of logins that name none.
    pub realms: Vec<RealmConfig>,
    /// What holds for single connectors, by name.
    #[serde(default)]
    pub connectors: BTreeMap<String, ConnectorSettings>,
    /// How logins are remembered and limited.
    #[serde(default)]
    pub logins: GateConfig,
    /// What becomes of devices.
    #[serde(default)]
    pub devices: DevicesConfig,
    /// What becomes of messages that cannot be sent now.
    #[serde(default)]
    pub sending: SendingConfig,
    /// The page on which users see to their own devices.
    #[serde(default)]
    pub my: MyConfig,
    /// The certificates that are made for phones, where a realm has such.
    #[serde(default)]
    pub certificates: CertificatesConfig,
    /// What phones must be set to.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// What is kept of what happened.
    #[serde(default)]
    pub records: RecordsConfig,
    /// Who is told of events, by name.
    #[serde(default)]
    pub webhooks: BTreeMap<String, WebhookConfig>,
    /// Limits on what is accepted.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Times.
    #[serde(default)]
    pub times: TimesConfig,
}

/// The database: SQLite, unless an address in PostgreSQL is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The file of SQLite's database; `dme.db` in the server's directory where absent.
    pub path: Option<PathBuf>,
    /// `postgres://USER@HOST/DATABASE`. A password may stand in it.
    pub url: Option<Secret>,
    /// PostgreSQL's password for the user.
    pub password: Option<Secret>,
    /// PEM file of authorities that PostgreSQL's certificate may be of, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Connections to PostgreSQL at most.
    pub connections: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { path: None, url: None, password: None, ca_file: None, connections: 16 }
    }
}

impl ServerConfig {
    /// Whether any realm's phones show certificates.
    pub fn has_device_certificates(&self) -> bool {
        self.realms.iter().any(|realm| realm.device_certificates != DeviceCertificates::Off)
    }

    /// Where the database is, by these settings.
    pub fn database(&self) -> Database {
        let StoreConfig { path, url, password, ca_file, connections } = self.store.clone();
        match url {
            Some(url) => Database::Postgres(PostgresConfig { url, password, ca_file, connections }),
            None => Database::Sqlite(path.unwrap_or_else(|| self.directory.join("dme.db"))),
        }
    }
}

/// The phones' listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhonesConfig {
    /// Address and port to listen on.
    #[serde(default = "phones_listen")]
    pub listen: SocketAddr,
    /// The name phones use, told by autodiscover: `mail.example.org`, with a port if not 443.
    pub host: String,
    /// PEM file of the certificate chain. Without it, and without `plain_http`, a certificate
    /// is made by the server's own authority.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// PEM file of the certificate's private key; the certificate's file where absent.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// No TLS here: a proxy before the server ends it. Only together with `proxies`.
    #[serde(default)]
    pub plain_http: bool,
    /// The proxies whose word about the phone's address counts.
    #[serde(default)]
    pub proxies: Vec<IpNet>,
    /// Whether these proxies begin each connection with a PROXY header (version 1 or 2).
    #[serde(default)]
    pub proxy_protocol: bool,
    /// The header in which these proxies hand on the certificate that a phone showed them
    /// (RFC 9440), such as `Client-Cert`.
    #[serde(default)]
    pub certificate_header: Option<String>,
    /// The time zone of users, by its IANA name; that of the host where absent.
    #[serde(default)]
    pub time_zone: Option<String>,
}

fn phones_listen() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 443))
}

/// The administration listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Address and port to listen on. Plain HTTP: keep it on loopback.
    pub listen: SocketAddr,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8480)) }
    }
}

/// The listener for connectors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinksConfig {
    /// Address and port to listen on; connectors dial it. None where there are only in-process
    /// connectors.
    pub listen: Option<SocketAddr>,
    /// `host:port` as connectors reach it, or several of them in the order to try them; written into
    /// their tokens, and told to them whenever they link. The phones' host with the listener's port
    /// where absent.
    pub address: Addresses,
    /// Calls under way at once on one connector.
    pub parallel_calls: usize,
    /// Those of one user among them, at most half.
    pub calls_per_user: usize,
    /// Calls waiting for a place beyond that; further ones are answered "busy".
    pub queued_calls: usize,
    /// Fetches of items under way at once on one connector, beside the calls.
    pub parallel_fetches: usize,
    /// Mailboxes watched at once on one connector.
    pub watches: usize,
    /// Connections at once whose owner is not known yet; beyond, the oldest is closed.
    pub handshakes: usize,
    /// How long a link's certificate lives; it renews itself at two thirds.
    pub certificate_life: Span,
}

impl Default for LinksConfig {
    fn default() -> Self {
        Self {
            listen: None,
            address: Addresses::default(),
            parallel_calls: 25,
            calls_per_user: 8,
            queued_calls: 200,
            parallel_fetches: 25,
            watches: 100_000,
            handshakes: 512,
            certificate_life: seconds(30 * 86_400),
        }
    }
}

/// Connectors by name: one text, or a list of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConnectorNames(pub Vec<String>);

impl<'de> Deserialize<'de> for ConnectorNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_several(deserializer, "a connector's name, or a list of names").map(Self)
    }
}

/// Addresses of this server, `host:port`: one text, or a list of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Addresses(pub Vec<String>);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_several(deserializer, "an address, or a list of addresses").map(Self)
    }
}

fn one_or_several<'de, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<Vec<String>, D::Error> {
    struct Texts(&'static str);
    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(text) = texts.next_element()? {
                all.push(text);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(Texts(expected))
}

/// One realm: the part of a login after `@`, and who checks its passwords.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealmConfig {
    /// Its name, as in `ann@example.org`.
    pub name: Realm,
    /// Other names that mean it: `EXAMPLE` of `EXAMPLE\ann`, former domains.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Domains in which its people have other names, which its directory knows: suffixes of user
    /// principal names, mail domains.
    #[serde(default)]
    pub suffixes: Vec<String>,
    /// The connectors that authenticate it, by name, the first before the next; where absent the
    /// in-process one, else the only one that says its directory is of this realm.
    #[serde(default)]
    pub connector: ConnectorNames,
    /// The groups that give rights.
    pub access: AccessGroups,
    /// Whether phones may show, or must, a password made for them alone.
    #[serde(default)]
    pub device_passwords: DevicePasswords,
    /// Whether phones may show, or must, a certificate made for them alone.
    #[serde(default)]
    pub device_certificates: DeviceCertificates,
    /// Whose access tokens let phones in, beside passwords.
    #[serde(default)]
    pub tokens: Option<TokensConfig>,
}

/// What becomes of a device that is seen for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownDevice {
    /// It may synchronise.
    #[default]
    Allow,
    /// It gets one mail that explains, and nothing else until an administrator decides.
    Quarantine,
    /// It is refused.
    Refuse,
}

/// What becomes of messages while the connector of their sender's mail is away.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SendingConfig {
    /// Whether the server keeps them.
    pub while_away: WhileAway,
    /// How many it keeps for one user.
    pub kept_messages: usize,
    /// How many bytes of them.
    pub kept_size: ByteSize,
}

/// What a phone that sends is told while the connector is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhileAway {
    /// To come again; it keeps the message itself.
    Refuse,
    /// That the message is sent; the server keeps it, and sends it when the connector is back.
    Keep,
}

impl Default for SendingConfig {
    fn default() -> Self {
        Self { while_away: WhileAway::Refuse, kept_messages: 100, kept_size: ByteSize(64 << 20) }
    }
}

/// What becomes of devices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DevicesConfig {
    /// What becomes of a device seen for the first time.
    pub unknown: UnknownDevice,
    /// Devices a user may have.
    pub per_user: u32,
    /// The words of the mail a quarantined phone gets, after the standard ones.
    pub quarantine_note: String,
    /// Who is told by mail of each quarantined device, once; in its owner's name.
    pub administrators: Vec<String>,
    /// Orders to wipe that administrators give in an hour; further ones must be confirmed by another.
    pub wipes_per_hour: u32,
}

impl Default for DevicesConfig {
    fn default() -> Self {
        Self {
            unknown: UnknownDevice::Allow,
            per_user: 20,
            quarantine_note: String::new(),
            administrators: Vec::new(),
            wipes_per_hour: 10,
        }
    }
}

/// Whether phones must take the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyMode {
    /// There is none.
    #[default]
    Off,
    /// It is given to phones that ask.
    Optional,
    /// A phone that has not taken it gets nothing.
    Required,
}

/// What phones must be set to (MS-ASPROV 2.2.2.28).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// Whether phones must take it.
    pub mode: PolicyMode,
    /// A code to unlock the phone is needed.
    pub password: bool,
    /// Its least length, 1 to 16.
    pub password_length: u8,
    /// It must hold letters and digits.
    pub alphanumeric: bool,
    /// Simple codes such as 1234 are allowed.
    pub simple_password: bool,
    /// Wrong codes until the phone wipes itself, 4 to 16, or `"never"`.
    #[serde(deserialize_with = "never::number")]
    pub failed_attempts: Option<u8>,
    /// Idle time until the phone locks itself, at most 9998 s, or `"never"`.
    #[serde(deserialize_with = "never::span")]
    pub lock_after: Option<Span>,
    /// The phone's storage must be encrypted.
    pub encryption: bool,
    /// The camera may be used.
    pub camera: bool,
    /// Attachments may be fetched.
    pub attachments: bool,
    /// The largest attachment to be fetched, or `"unlimited"`.
    #[serde(deserialize_with = "never::size")]
    pub attachment_size: Option<ByteSize>,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            mode: PolicyMode::Off,
            password: true,
            password_length: 6,
            alphanumeric: false,
            simple_password: false,
            failed_attempts: Some(10),
            lock_after: Some(seconds(300)),
            encryption: true,
            camera: true,
            attachments: true,
            attachment_size: None,
        }
    }
}

/// Limits on what is accepted. What is beyond one is refused with the protocol's own status, or
/// HTTP 400, 413, 431, 503.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Connections of phones at once.
    pub connections: usize,
    /// TLS handshakes under way at once; beyond, the oldest is given up for the newest.
    pub handshakes: usize,
    /// Bytes of a request's head.
    pub head: ByteSize,
    /// Header fields of a request.
    pub headers: usize,
    /// Bytes of a body from someone who has not logged in.
    pub body_before_login: ByteSize,
    /// Bytes of a body from someone who has.
    pub body: ByteSize,
    /// Bytes of all bodies above 64 KiB in memory at once; one user may have a quarter of it.
    pub bodies: ByteSize,
    /// Nested elements in WBXML.
    pub wbxml_depth: usize,
    /// Elements in WBXML.
    pub wbxml_elements: usize,
    /// Bytes of one string or opaque value in WBXML; a sent message is one.
    pub wbxml_text: ByteSize,
    /// Collections in one Sync or Ping.
    pub folders: usize,
    /// What a phone may do in one collection in one Sync.
    pub commands: usize,
    /// Folders of a mailbox; further ones are not shown.
    pub mailbox_folders: usize,
    /// Items in one answer, whatever the phone asks for (at most 512).
    pub window: u32,
    /// Bytes of items in one answer; more are announced as available.
    pub answer: ByteSize,
    /// Unreadable items passed over in one answer.
    pub unreadable: usize,
    /// Items of one conversation that are moved as a whole.
    pub conversation: u32,
    /// The largest attachment, and the largest whole mail by ItemOperations, given out.
    pub attachment: ByteSize,
    /// Requests of one device at once; a waiting one counts.
    pub parallel_requests: usize,
    /// Requests of one device in a minute, before it is told to slow down.
    pub requests_per_minute: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections: 200_000,
            handshakes: 256,
            head: ByteSize(16 << 10),
            headers: 64,
            body_before_login: ByteSize(64 << 10),
            body: ByteSize(64 << 20),
            bodies: ByteSize(512 << 20),
            wbxml_depth: 32,
            wbxml_elements: 100_000,
            wbxml_text: ByteSize(48 << 20),
            folders: 300,
            commands: 2_000,
            mailbox_folders: 5_000,
            window: 512,
            answer: ByteSize(16 << 20),
            unreadable: 20,
            conversation: 1_000,
            attachment: ByteSize(64 << 20),
            parallel_requests: 8,
            requests_per_minute: 600,
        }
    }
}

/// Times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimesConfig {
    /// For the PROXY header and the TLS handshake.
    pub handshake: Span,
    /// For a request's head, and the longest a connection idles between requests.
    pub head: Span,
    /// For a request's body; also the longest a phone may take nothing of its answer.
    pub body: Span,
    /// For answering a request, from the end of its body on; after a wait anew.
    pub request: Span,
    /// For all calls to a connector that one request needs; after a wait anew.
    pub call: Span,
    /// The shortest wait a phone may ask for (Ping, Sync).
    pub shortest_wait: Span,
    /// The longest wait a phone may ask for.
    pub longest_wait: Span,
    /// How long a mailbox stays watched after its last phone left.
    pub watch_linger: Span,
    /// How long running requests may take at shutdown.
    pub shutdown: Span,
}

impl Default for TimesConfig {
    fn default() -> Self {
        Self {
            handshake: seconds(10),
            head: seconds(120),
            body: seconds(120),
            request: seconds(120),
            call: seconds(60),
            shortest_wait: seconds(60),
            longest_wait: seconds(59 * 60),
            watch_linger: seconds(120),
            shutdown: seconds(20),
        }
    }
}

const fn seconds(seconds: u64) -> Span {
    Span(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realms_connector_is_one_name_or_several() {
        let read = |text: &str| serde_json::from_str::<ConnectorNames>(text);
        assert_eq!(read(r#""a""#).unwrap().0, ["a"]);
        assert_eq!(read(r#"["a", "b"]"#).unwrap().0, ["a", "b"]);
        assert!(read("1").unwrap_err().to_string().contains("a list of names"));
    }
}
