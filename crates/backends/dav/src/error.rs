//! What goes wrong on the way to the server, and how it is told to those above.

use crate::xml::XmlError;
use dme_dial::ServerError;
use dme_mailbox::{Error, ErrorKind};
use dme_model::OutOfRange;
use std::time::Duration;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither a server nor a domain to find it by.
    #[error(
        "neither dav.url nor dav.domain is set: give the address of the CalDAV and CardDAV server, or \
         the mail domain whose DNS names it"
    )]
    Nowhere,
    /// Both.
    #[error(
        "dav.url and dav.domain are both set: the domain is to find the server by where its URL is not known"
    )]
    TwoPlaces,
    /// No server.
    #[error("{0}.url is not set: give the address of the address book")]
    NoUrl(&'static str),
    /// No address of a server.
    #[error(
        "{at}.url {url:?} is not a URL such as https://dav.example.org/, without a login in it"
    )]
    Url {
        /// Which table of the configuration.
        at: &'static str,
        /// What stands there.
        url: String,
    },
    /// Passwords would be readable on the network.
    #[error(
        "{at}.url begins with http:// but {host} is not this machine: use https://, or set \
         {at}.allow_plain = true if the network is trusted"
    )]
    PlainText {
        /// Which table of the configuration.
        at: &'static str,
        /// The host meant.
        host: String,
    },
    /// It would serve nothing.
    #[error("dav.calendars and dav.contacts are both false: nothing is taken from the server")]
    Nothing,
    /// A master account has no principal of the user's.
    #[error(
        "dav.principal is not set: with a master account it must say where a user's principal is, \
         such as \"/dav/principals/user/{{login}}/\""
    )]
    NoPrincipal,
    /// No path for every user.
    #[error("dav.principal {0:?} must be a path with {{login}} in it")]
    Principal(String),
    /// A value that makes no sense.
    #[error(transparent)]
    Range(#[from] OutOfRange),
    /// There is no way to the server.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// What goes wrong in a conversation with a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// The connection could not be made or broke.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The conversation was cut or was not HTTP.
    #[error("{0}")]
    Http(#[from] hyper::Error),
    /// The server was silent for too long, or the caller's deadline passed.
    #[error("no answer in time")]
    Timeout,
    /// The answer is not what was asked for.
    #[error("{0}")]
    Nonsense(String),
    /// The answer is larger than is taken.
    #[error("the answer is larger than {0} bytes")]
    Flood(u64),
    /// The server sends us to where we do not go with a password.
    #[error("the server redirects to {0}, where credentials are not sent")]
    Redirected(String),
    /// The server said no.
    #[error("{0}")]
    Refused(Refusal),
    /// Our side gave up before anything was asked.
    #[error(transparent)]
    Local(#[from] Error),
}

/// A server's no.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Preconditions that did not hold, by local name (RFC 4918 §16).
    pub(crate) preconditions: Vec<String>,
    /// When to come again.
    pub(crate) after: Option<Duration>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server said {}", self.status)?;
        let reason = http::StatusCode::from_u16(self.status).ok();
        if let Some(reason) = reason.and_then(|status| status.canonical_reason()) {
            write!(f, " ({reason})")?;
        }
        match self.preconditions.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.preconditions.join(", ")),
        }
    }
}

impl From<XmlError> for WireError {
    fn from(error: XmlError) -> Self {
        Self::Nonsense(error.to_string())
    }
}

impl WireError {
    /// The status the server refused with, if it did.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// In the words of those above; `what` says what was tried.
    pub(crate) fn told(self, what: &str) -> Error {
        let context = format!("dav: {what}: {self}");
        let kind = match self {
            Self::Local(error) => return error,
            Self::Io(_) | Self::Http(_) => ErrorKind::Unavailable,
            Self::Timeout => ErrorKind::Timeout,
            Self::Nonsense(_) | Self::Flood(_) | Self::Redirected(_) => ErrorKind::Protocol,
            Self::Refused(refusal) => refusal.kind(),
        };
        Error::new(kind, context)
    }
}

impl Refusal {
    /// What a no means, by its preconditions (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1, RFC 4331 §6),
    /// else by its status.
    pub(crate) fn kind(&self) -> ErrorKind {
        let says = |names: &[&str]| self.preconditions.iter().any(|it| names.contains(&&**it));
        if says(&["quota-not-exceeded", "sufficient-disk-space"]) {
            return ErrorKind::QuotaExceeded;
        }
        if says(&["max-resource-size", "max-attendees-per-instance", "max-instances"]) {
            return ErrorKind::MessageTooLarge;
        }
        if says(&["no-uid-conflict", "resource-must-be-null"]) {
            return ErrorKind::AlreadyExists;
        }
        if says(&[
            "supported-calendar-data",
            "valid-calendar-data",
            "valid-calendar-object-resource",
            "supported-calendar-component",
            "supported-address-data",
            "valid-address-data",
        ]) {
            return ErrorKind::Invalid;
        }
        match self.status {
            401 => ErrorKind::Auth,
            404 | 410 => ErrorKind::NotFound,
            400 | 415 | 422 => ErrorKind::Invalid,
            403 | 405 => ErrorKind::Forbidden,
            409 => ErrorKind::NotFound,
            413 => ErrorKind::MessageTooLarge,
            423 | 429 | 503 => {
                ErrorKind::Busy { after: self.after.unwrap_or(Duration::from_secs(5)) }
            }
            501 => ErrorKind::Unsupported,
            507 => ErrorKind::QuotaExceeded,
            500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Protocol,
        }
    }
}
