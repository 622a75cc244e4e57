//! What can go wrong with a link, apart from the calls on it: those have the errors of their traits.

use std::io;
use std::path::PathBuf;

/// The result of building or keeping a link.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a link, an enrolment or a certificate could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the identity or authority could not be read or written.
    #[error("{} could not be {action}", path.display())]
    File {
        /// `read`, `written` and the like.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something other than it should.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A certificate or signing request could not be made or is not acceptable.
    #[error("certificate: {0}")]
    Certificate(String),
    /// TLS could not be set up or was refused by the other side.
    #[error("tls: {0}")]
    Tls(String),
    /// The token's text is not a token.
    #[error("not an enrolment token: {0}; copy the whole text beginning with `dme1.`")]
    Token(&'static str),
    /// The text is not a code.
    #[error("not a connector's code: {0}; it looks like 7KQ2M-XPA9R")]
    Code(&'static str),
    /// Nobody said where the server is.
    #[error("it is not known where the server is; name it with `servers` in the configuration")]
    NoServer,
    /// Secrets could not be sealed or opened.
    #[error("{0}")]
    Sealing(String),
    /// The other side cannot be reached.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The other side was reached and said no.
    #[error("refused by the server: {0}")]
    Refused(crate::Refused),
    /// The other side broke the link's protocol.
    #[error("link protocol: {0}")]
    Protocol(String),
    /// The registry of connectors or tokens could not be asked.
    #[error(transparent)]
    Book(#[from] crate::BookError),
    /// This directory has no identity yet.
    #[error("{} holds no identity; enrol this connector with `dme connector enroll`", .0.display())]
    NotEnrolled(PathBuf),
    /// This directory has an identity already.
    #[error("{} holds an identity already; remove the directory to enrol anew", .0.display())]
    AlreadyEnrolled(PathBuf),
}

impl Error {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { action, path: path.into(), source }
    }
}
