//! What an administrator sets for one CalDAV and CardDAV system. Every field has a documented
//! default but the URL.

use crate::error::ConfigError;
use crate::href::{Origin, Path};
use dme_dial::{LoginName, ServerConfig, TimeoutConfig, TlsMode};
use dme_model::{ByteSize, Role, Secret, Span, within};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// One system for calendars, tasks and notes (CalDAV) and contacts (CardDAV).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DavConfig {
    /// Where it is, `https://dav.example.org/`. What the user has there is found from it (RFC
    /// 6764 §6): at the URL itself where it has a path, else by `/.well-known/caldav`.
    pub url: String,
    /// In the place of the URL: the mail domain whose DNS says where it is (RFC 6764 §3 and §4),
    /// `example.org`.
    pub domain: Option<String>,
    /// Servers that are asked for that, `192.0.2.53:53`; those of `/etc/resolv.conf` where empty.
    pub nameservers: Vec<SocketAddr>,
    /// Whether calendars, tasks and notes are taken from it.
    pub calendars: bool,
    /// Whether contacts are taken from it.
    pub contacts: bool,
    /// A file with the certificates (PEM) of the authorities to trust, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Allows `http://` to a host that is not loopback. Passwords then cross the network readable
    /// by all on the way.
    pub allow_plain: bool,
    /// How users are logged in.
    pub auth: Auth,
    /// What of the user is the login name.
    pub login: LoginName,
    /// The path of a user's principal, where it cannot be found from the URL (with a master
    /// account). `{login}` stands for the login name.
    pub principal: Option<String>,
    /// Realms (the part of a user after `@`) whose data is here. Empty: every user is taken to be
    /// here, or, with a master account, whoever has a principal.
    pub realms: Vec<String>,
    /// Default collections by name, where the server marks none or the wrong ones.
    #[serde(deserialize_with = "folders")]
    pub folders: BTreeMap<Role, String>,
    /// How often the server is asked for changes while a phone waits. No server tells by itself.
    pub poll: Span,
    /// The largest item read or written.
    pub max_item_size: ByteSize,
    /// Connections kept and used.
    pub pool: PoolConfig,
    /// How long to wait for the server.
    pub timeouts: TimeoutConfig,
}

/// A purpose that a collection can have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Purpose {
    Calendar,
    Contacts,
    Tasks,
    Notes,
}

impl From<Purpose> for Role {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Calendar => Self::Calendar,
            Purpose::Contacts => Self::Contacts,
            Purpose::Tasks => Self::Tasks,
            Purpose::Notes => Self::Notes,
        }
    }
}

fn folders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Role, String>, D::Error> {
    let named = BTreeMap::<Purpose, String>::deserialize(deserializer)?;
    Ok(named.into_iter().map(|(purpose, name)| (purpose.into(), name)).collect())
}

impl Default for DavConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            domain: None,
            nameservers: Vec::new(),
            calendars: true,
            contacts: true,
            ca_file: None,
            allow_plain: false,
            auth: Auth::default(),
            login: LoginName::default(),
            principal: None,
            realms: Vec::new(),
            folders: BTreeMap::new(),
            poll: Span(Duration::from_secs(30)),
            max_item_size: ByteSize(10 << 20),
            pool: PoolConfig::default(),
            timeouts: TimeoutConfig::default(),
        }
    }
}

/// How users are logged in.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Auth {
    /// With the password the phone sent (Basic, RFC 7617).
    #[default]
    Password,
    /// With one account that may read and write everybody's data. Needs `principal`.
    Master {
        /// The master account's name.
        user: String,
        /// Its password.
        secret: Secret,
    },
    /// With an OAuth token of the user's (RFC 6750).
    Bearer,
}

/// Connections to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// At most so many requests at once for one user.
    pub per_user: usize,
    /// At most so many requests at once in all.
    pub total: usize,
    /// An unused connection is closed after this time.
    pub idle: Span,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { per_user: 4, total: 200, idle: Span(Duration::from_secs(30)) }
    }
}

impl DavConfig {
    /// Whether it can work at all.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub fn check(&self) -> Result<(), ConfigError> {
        match (self.url.is_empty(), &self.domain) {
            (true, None) => return Err(ConfigError::Nowhere),
            (false, Some(_)) => return Err(ConfigError::TwoPlaces),
            (false, None) => self.check_place("dav")?,
            (true, Some(_)) => {}
        }
        if !self.calendars && !self.contacts {
            return Err(ConfigError::Nothing);
        }
        match (&self.principal, &self.auth) {
            (None, Auth::Master { .. }) => return Err(ConfigError::NoPrincipal),
            (Some(principal), _)
                if !principal.contains("{login}") || Path::new(principal).is_none() =>
            {
                return Err(ConfigError::Principal(principal.clone()));
            }
            _ => {}
        }
        let pool = &self.pool;
        let (least, hour) = (Span::millis(10), Span::seconds(3_600));
        within("dav.poll", self.poll, least..=hour)?;
        let sizes = ByteSize(64 << 10)..=ByteSize(64 << 20);
        within("dav.max_item_size", self.max_item_size, sizes)?;
        within("dav.pool.per_user", pool.per_user, 1..=1_000)?;
        within("dav.pool.total", pool.total, 1..=100_000)?;
        within("dav.pool.idle", pool.idle, Span::seconds(1)..=hour)?;
        Ok(self.timeouts.check("dav")?)
    }

    /// Whether the URL is one to which a password may go. `at` is the table of the configuration,
    /// for errors.
    pub(crate) fn check_place(&self, at: &'static str) -> Result<(), ConfigError> {
        let (origin, _) = self.place(at)?;
        if !origin.tls {
            let host = origin.bare_host().to_owned();
            self.server(&origin).check(at).map_err(|_| ConfigError::PlainText { at, host })?;
        }
        Ok(())
    }

    /// The way to the server.
    pub(crate) fn server(&self, origin: &Origin) -> ServerConfig {
        ServerConfig {
            host: origin.bare_host().to_owned(),
            port: Some(origin.port),
            tls: if origin.tls { TlsMode::Implicit } else { TlsMode::None },
            ca_file: self.ca_file.clone(),
            allow_plain: self.allow_plain,
        }
    }

    /// The server, and the path that was given.
    pub(crate) fn place(&self, at: &'static str) -> Result<(Origin, Path), ConfigError> {
        if self.url.is_empty() {
            return Err(ConfigError::NoUrl(at));
        }
        Origin::split(&self.url)
            .and_then(|(origin, path)| Some((origin, Path::new(path)?)))
            .ok_or_else(|| ConfigError::Url { at, url: self.url.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DavConfig, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn little_needs_to_be_written() {
        let config = read("url = 'https://dav.example.org/'").unwrap();
        config.check().unwrap();
        assert_eq!((config.auth, config.login), (Auth::Password, LoginName::User));
        assert!(config.calendars && config.contacts);
    }

    #[test]
    fn what_cannot_work_is_told_with_what_would() {
        let master = "auth.master = { user = 'm', secret = 's' }";
        for (text, told) in [
            ("", "neither dav.url nor dav.domain is set"),
            ("url = 'https://a/'\ndomain = 'a'", "both set"),
            ("url = 'dav.example.org'", "\"dav.example.org\" is not a URL"),
            ("url = 'https://ann:pw@dav.example.org/'", "is not a URL"),
            ("url = 'http://dav.example.org/'", "use https"),
            ("url = 'https://a/'\ncalendars = false\ncontacts = false", "nothing is taken"),
            (&format!("url = 'https://a/'\n{master}"), "dav.principal is not set"),
            (&format!("url = 'https://a/'\nprincipal = '/p/'\n{master}"), "{login}"),
            ("url = 'https://a/'\npoll = '0s'", "dav.poll is 0s"),
            ("url = 'https://a/'\npool.per_user = 0", "dav.pool.per_user is 0"),
            ("url = 'https://a/'\nmax_item_size = '1GiB'", "dav.max_item_size is 1GiB"),
        ] {
            let said = read(text).unwrap().check().unwrap_err().to_string();
            assert!(said.contains(told), "{text}: {said}");
        }
        read("url = 'http://127.0.0.1:5232'").unwrap().check().unwrap();
        read("domain = 'example.org'\nnameservers = ['[::1]:53']").unwrap().check().unwrap();
        read("url = 'http://dav'\nallow_plain = true").unwrap().check().unwrap();
    }

    #[test]
    fn unknown_keys_are_refused_at_every_depth() {
        for text in [
            "hots = 'a'",
            "pool.hots = 1",
            "folders.hots = 'a'",
            "timeouts.hots = '1s'",
            "auth.master = { user = 'a', secret = 'b', hots = 'c' }",
        ] {
            assert!(read(text).unwrap_err().contains("hots"), "{text}");
        }
    }
}
