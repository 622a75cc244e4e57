//! What an administrator sets for one IMAP and SMTP system. Every field has a documented default
//! but the host.

use crate::error::ConfigError;
use dme_dial::{Auth, LoginName, ServerConfig, TimeoutConfig, TlsMode};
use dme_model::{ByteSize, Role, Secret, Span, within};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// One mail system: IMAP for reading, SMTP for sending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImapConfig {
    /// Where IMAP is and how it is spoken to.
    pub server: ServerConfig,
    /// How users are logged in.
    pub auth: Auth,
    /// What of the user is the login name.
    pub login: LoginName,
    /// Realms (the part of a user after `@`) whose mailboxes are here. Empty: every user is
    /// taken to be here, or, with a master user, whoever can be opened.
    pub realms: Vec<String>,
    /// The prefix of personal folders, such as `INBOX.`. Unset: what the server says (RFC 2342).
    pub prefix: Option<String>,
    /// Folders for special roles by name, where the server marks none or the wrong ones.
    #[serde(deserialize_with = "folders")]
    pub folders: BTreeMap<Role, String>,
    /// Sessions kept and used.
    pub pool: PoolConfig,
    /// How long to wait for the server.
    pub timeouts: TimeoutConfig,
    /// How often folders are looked at that the server does not watch (no NOTIFY).
    pub poll: Span,
    /// The largest message read whole; a larger one is shown in part.
    pub max_message_size: ByteSize,
    /// Sending. Unset: nothing can be sent.
    pub smtp: Option<SmtpConfig>,
}

/// A purpose that a mail folder can have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Purpose {
    Inbox,
    Drafts,
    Sent,
    Trash,
    Junk,
    Archive,
}

impl From<Purpose> for Role {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Inbox => Self::Inbox,
            Purpose::Drafts => Self::Drafts,
            Purpose::Sent => Self::Sent,
            Purpose::Trash => Self::Trash,
            Purpose::Junk => Self::Junk,
            Purpose::Archive => Self::Archive,
        }
    }
}

fn folders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Role, String>, D::Error> {
    let named = BTreeMap::<Purpose, String>::deserialize(deserializer)?;
    Ok(named.into_iter().map(|(purpose, name)| (purpose.into(), name)).collect())
}

impl Default for ImapConfig {
    fn default() -> Self {
        Self {
            server: ServerConfig::default(),
            auth: Auth::default(),
            login: LoginName::default(),
            realms: Vec::new(),
            prefix: None,
            folders: BTreeMap::new(),
            pool: PoolConfig::default(),
            timeouts: TimeoutConfig::default(),
            poll: Span(Duration::from_secs(30)),
            max_message_size: ByteSize(64 << 20),
            smtp: None,
        }
    }
}

/// Sessions to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// At most so many at once for one user, watches apart.
    pub per_user: usize,
    /// At most so many in all, watches apart.
    pub total: usize,
    /// An unused session is closed after this time; below the server's own limit (30 minutes,
    /// RFC 9051 §5.4).
    pub idle: Span,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { per_user: 4, total: 1000, idle: Span(Duration::from_secs(300)) }
    }
}

/// The server that takes mail for sending (RFC 6409).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmtpConfig {
    /// Where it is.
    pub server: ServerConfig,
    /// How to log in.
    pub auth: SmtpAuth,
}

/// How to log in for sending.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum SmtpAuth {
    /// As for IMAP: the user's password or token, or the master user.
    #[default]
    Same,
    /// With one account for all.
    Account {
        /// Its name.
        user: String,
        /// Its password.
        secret: Secret,
    },
    /// Not at all: the server trusts this host.
    None,
}

impl ImapConfig {
    /// Whether it can work at all.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.server.check("imap.server")?;
        if let Some(smtp) = &self.smtp {
            smtp.server.check("imap.smtp.server")?;
        }
        let pool = &self.pool;
        within("imap.poll", self.poll, Span::millis(10)..=Span::seconds(3_600))?;
        // No larger message is read, nor does a link carry one.
        let sizes = ByteSize(64 << 10)..=ByteSize(256 << 20);
        within("imap.max_message_size", self.max_message_size, sizes)?;
        within("imap.pool.per_user", pool.per_user, 1..=1_000)?;
        within("imap.pool.total", pool.total, 1..=1_000_000)?;
        within("imap.pool.idle", pool.idle, Span::seconds(1)..=Span::seconds(86_400))?;
        Ok(self.timeouts.check("imap")?)
    }

    pub(crate) fn imap_port(&self) -> u16 {
        self.server.port.unwrap_or(match self.server.tls {
            TlsMode::Implicit => 993,
            TlsMode::Starttls | TlsMode::None => 143,
        })
    }
}

impl SmtpConfig {
    pub(crate) fn port(&self) -> u16 {
        self.server.port.unwrap_or(match self.server.tls {
            TlsMode::Implicit => 465,
            TlsMode::Starttls | TlsMode::None => 587,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ImapConfig, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn little_needs_to_be_written() {
        let config = read("[server]\nhost = 'imap.example.org'\n[smtp.server]\nhost = 'smtp'");
        let config = config.unwrap();
        assert_eq!((config.auth.clone(), config.imap_port()), (Auth::Password, 993));
        let smtp = config.smtp.clone().unwrap();
        assert_eq!((smtp.auth.clone(), smtp.port()), (SmtpAuth::Same, 465));
        config.check().unwrap();
    }

    #[test]
    fn values_that_make_no_sense_are_named_with_what_is_allowed() {
        for (more, told) in [
            ("pool.per_user = 0", "imap.pool.per_user is 0: 1 to 1000 are allowed"),
            ("pool.idle = '0s'", "imap.pool.idle is 0s: 1s to 1d are allowed"),
            ("timeouts.silence = '0s'", "imap.timeouts.silence is 0s"),
            ("max_message_size = '1GiB'", "imap.max_message_size is 1GiB: 64KiB to 256MiB"),
            ("poll = '0s'", "imap.poll is 0s"),
        ] {
            let config = read(&format!("server.host = 'imap'\n{more}")).unwrap();
            let said = config.check().unwrap_err().to_string();
            assert!(said.contains(told), "{more}: {said}");
        }
    }

    #[test]
    fn every_way_to_log_in_can_be_written() {
        for (written, meant) in [
            ("auth = 'password'", Auth::Password),
            ("auth = 'bearer'", Auth::Bearer),
            (
                "auth = { master = { user = 'dme', secret = 's', separator = '*' } }",
                Auth::Master {
                    user: "dme".into(),
                    secret: Secret::new("s"),
                    separator: Some("*".into()),
                },
            ),
        ] {
            assert_eq!(read(written).unwrap().auth, meant, "{written}");
        }
        for (written, meant) in [("same", SmtpAuth::Same), ("none", SmtpAuth::None)] {
            let config = read(&format!("[smtp]\nauth = '{written}'")).unwrap();
            assert_eq!(config.smtp.unwrap().auth, meant, "{written}");
        }
        let account = read("smtp.auth.account = { user = 'dme', secret = 's' }").unwrap();
        assert!(matches!(account.smtp.unwrap().auth, SmtpAuth::Account { .. }));
    }

    #[test]
    fn unknown_keys_are_refused_at_every_depth() {
        for text in [
            "hots = 'a'",
            "server.hots = 'a'",
            "pool.hots = 1",
            "timeouts.hots = '1s'",
            "smtp.hots = 'a'",
            "smtp.server.hots = 'a'",
            "auth = { master = { user = 'a', secret = 'b', hots = 'c' } }",
            "smtp.auth.account = { user = 'a', secret = 'b', hots = 'c' }",
        ] {
            let said = read(text).unwrap_err();
            // What it says beside the key is for the toml crate to word.
            assert!(said.contains("hots"), "{text}: {said}");
        }
        assert!(read("auth = { password = { secret = 'a' } }").is_err());
        assert!(read("folders = { outbox = 'a' }").unwrap_err().contains("outbox"));
    }
}
