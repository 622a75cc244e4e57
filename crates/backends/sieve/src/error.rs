//! What goes wrong, and how it is told to those above.

use dme_dial::ServerError;
use dme_mailbox::{Error, ErrorKind};
use dme_model::OutOfRange;
use std::time::Duration;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The server's address cannot be used.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A value that makes no sense.
    #[error(transparent)]
    Range(#[from] OutOfRange),
    /// A domain that is none.
    #[error("sieve.domains: {0:?} is no mail domain, such as \"example.org\"")]
    Domain(String),
}

/// What goes wrong in a conversation with a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// The line could not be made or broke.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The server ended the session.
    #[error("the server closed the connection: {0}")]
    Closed(String),
    /// The server was silent for too long, or the caller's deadline passed.
    #[error("no answer in time")]
    Timeout,
    /// The answer is not ManageSieve, or beyond all limits.
    #[error("nonsense from the server: {0}")]
    Nonsense(&'static str),
    /// The server said no.
    #[error("the server said: {text}")]
    No {
        /// The response code, upper case, such as `QUOTA/MAXSIZE` (RFC 5804 §1.3).
        code: Option<String>,
        /// Its words.
        text: String,
    },
    /// The server does not accept the credentials.
    #[error("the server refused the login: {0}")]
    Login(String),
    /// The server lacks what is needed.
    #[error("the server has no {0}")]
    Lacks(&'static str),
}

impl WireError {
    /// In the words of those above; `what` says what was tried.
    pub(crate) fn told(self, what: &str) -> Error {
        let context = format!("sieve: {what}: {self}");
        let kind = match self {
            Self::Io(_) | Self::Closed(_) => ErrorKind::Unavailable,
            Self::Timeout => ErrorKind::Timeout,
            Self::Nonsense(_) => ErrorKind::Protocol,
            Self::Login(_) => ErrorKind::Auth,
            Self::Lacks(_) => ErrorKind::Unsupported,
            Self::No { code, .. } => match code.as_deref().unwrap_or_default() {
                code if code.starts_with("QUOTA") => ErrorKind::QuotaExceeded,
                "NONEXISTENT" => ErrorKind::NotFound,
                "TRYLATER" => ErrorKind::Busy { after: Duration::from_secs(5) },
                _ => ErrorKind::Protocol,
            },
        };
        Error::new(kind, context)
    }
}
