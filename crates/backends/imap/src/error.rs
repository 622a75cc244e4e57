//! What goes wrong on the wire, and how it is told to those above.

use dme_dial::ServerError;
use dme_mailbox::{Error, ErrorKind};
use dme_model::OutOfRange;
use std::time::Duration;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A server's address cannot be used.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A value that makes no sense.
    #[error(transparent)]
    Range(#[from] OutOfRange),
}

/// What goes wrong in a conversation with a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// The line could not be made or broke.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The server ended the session.
    #[error("the server closed the connection{0}")]
    Closed(String),
    /// The server was silent for too long, or the caller's deadline passed.
    #[error("no answer in time")]
    Timeout,
    /// The answer is not IMAP, or beyond all limits.
    #[error("nonsense from the server: {0}")]
    Nonsense(String),
    /// More was told in answer to a command than it can be worth.
    #[error("the server told more than {0} bytes in answer to one command")]
    Flood(usize),
    /// The server said no.
    #[error("the server said: {text}")]
    No {
        /// The response code in brackets, upper case, such as `TRYCREATE`.
        code: Option<String>,
        /// Its words.
        text: String,
    },
    /// The server did not understand.
    #[error("the server did not understand: {0}")]
    Bad(String),
    /// The server does not accept the credentials.
    #[error("the server refused the login: {0}")]
    Login(String),
    /// Our side gave up before anything was asked.
    #[error(transparent)]
    Local(Error),
}

impl WireError {
    /// Whether a new session may do better: the old one is dead.
    pub(crate) fn is_lost_session(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Closed(_))
    }

    /// In the words of those above; `what` says what was tried.
    pub(crate) fn told(self, what: &str) -> Error {
        let context = format!("imap: {what}: {self}");
        let kind = match self {
            Self::Local(error) => return error,
            Self::Io(_) | Self::Closed(_) => ErrorKind::Unavailable,
            Self::Timeout => ErrorKind::Timeout,
            Self::Nonsense(_) | Self::Flood(_) | Self::Bad(_) => ErrorKind::Protocol,
            Self::Login(_) => ErrorKind::Auth,
            Self::No { code, text } => kind_of_no(code.as_deref(), &text),
        };
        Error::new(kind, context)
    }
}

/// What a NO means: by its response code (RFC 5530, RFC 7889, RFC 9208), else by its words.
pub(crate) fn kind_of_no(code: Option<&str>, text: &str) -> ErrorKind {
    let code = code.unwrap_or_default();
    let name = code.split(' ').next().unwrap_or_default();
    match name {
        "NONEXISTENT" | "TRYCREATE" => ErrorKind::NotFound,
        "ALREADYEXISTS" => ErrorKind::AlreadyExists,
        "OVERQUOTA" => ErrorKind::QuotaExceeded,
        "NOPERM" | "READ-ONLY" | "HASCHILDREN" => ErrorKind::Forbidden,
        "CANNOT" => ErrorKind::Invalid,
        "TOOBIG" | "APPENDLIMIT" => ErrorKind::MessageTooLarge,
        "AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED" => ErrorKind::Auth,
        "UNAVAILABLE" | "SERVERBUG" | "CONTACTADMIN" | "CORRUPTION" => ErrorKind::Unavailable,
        "INUSE" | "LIMIT" => ErrorKind::Busy { after: Duration::from_secs(5) },
        _ => {
            // Older servers say it in words only.
            let text = text.to_ascii_lowercase();
            let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
            if says(&["doesn't exist", "does not exist", "nonexistent", "not found", "unknown"]) {
                ErrorKind::NotFound
            } else if says(&["already exists"]) {
                ErrorKind::AlreadyExists
            } else if says(&["quota"]) {
                ErrorKind::QuotaExceeded
            } else if says(&["permission", "denied", "read-only", "not allowed"]) {
                ErrorKind::Forbidden
            } else if says(&["invalid", "illegal"]) {
                ErrorKind::Invalid
            } else {
                ErrorKind::Unavailable
            }
        }
    }
}
