//! What can go wrong between a phone and its server.

use dme_eas::query::Command;
use std::time::Duration;

/// The result of anything a phone does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, and what the server said. Never holds a password or a message's content.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none a phone can use.
    #[error("address {0:?} is not an http or https one")]
    Address(String),
    /// A certificate, or the list of trusted ones, cannot be read.
    #[error("trusted certificates: {0}")]
    Trust(String),
    /// The name has no address.
    #[error("host {host} has no address: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: std::io::Error,
    },
    /// Nothing answers there.
    #[error("no connection to {host}:{port}: {source}")]
    Connect {
        /// The name.
        host: String,
        /// The port.
        port: u16,
        /// What the network said.
        source: std::io::Error,
    },
    /// TLS could not be agreed on, or the certificate is not trusted.
    #[error("no TLS with {host}: {source}")]
    Tls {
        /// The name.
        host: String,
        /// What TLS said.
        source: std::io::Error,
    },
    /// It took too long.
    #[error("no {what} within {} s", .after.as_secs_f32())]
    Timeout {
        /// Of what.
        what: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The connection broke in the middle of an exchange.
    #[error("connection lost: {0}")]
    Broken(String),
    /// The answer is larger than this phone takes.
    #[error("answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The answer was thrown away, as a test wanted.
    #[error("answer was dropped on purpose")]
    AnswerDropped,
    /// User name or password are wrong (401).
    #[error("the server refuses this user name or password (401)")]
    Unauthorized,
    /// Another HTTP status than a phone can work with.
    #[error("{what} was answered with HTTP {status}{}", retry(.retry_after))]
    Http {
        /// The command, or another request.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The answer's body is not WBXML.
    #[error("answer to {0:?} is not WBXML: {1}")]
    Wbxml(Command, dme_wbxml::DecodeError),
    /// The answer's body is not what the command's answer must be.
    #[error("answer to {0:?} is not understood: {1}")]
    Answer(Command, dme_eas::Error),
    /// The request cannot be made.
    #[error("request cannot be made: {0}")]
    Request(dme_eas::Error),
    /// An answer without a body where there must be one.
    #[error("answer to {0:?} has no body")]
    NoBody(Command),
    /// A multipart answer is malformed.
    #[error("multipart answer: {0}")]
    Multipart(#[from] dme_eas::multipart::MultipartError),
    /// An Autodiscover document is malformed.
    #[error("autodiscover: {0}")]
    Autodiscover(#[from] dme_eas::autodiscover::AutodiscoverError),
    /// Autodiscover has no ActiveSync address for the user.
    #[error("autodiscover finds no ActiveSync address: {0}")]
    NotDiscovered(String),
    /// The server said no.
    #[error("{step}: the server says status {status}")]
    Refused {
        /// What was tried.
        step: &'static str,
        /// The status of the command's answer.
        status: u16,
    },
    /// The server wants the device wiped; a real phone would do it.
    #[error("the server orders this device to be wiped ({0:?})")]
    Wiped(dme_eas::provision::Wipe),
    /// The server asks for the same again and again.
    #[error("{0} was tried {1} times without getting further")]
    GoesRound(&'static str, u32),
    /// The phone knows no such folder.
    #[error("no folder {0:?} on this phone")]
    NoFolder(String),
}

fn retry(after: &Option<Duration>) -> String {
    after.map(|after| format!(", retry after {} s", after.as_secs())).unwrap_or_default()
}
