//! Mail systems that speak IMAP (RFC 3501, RFC 9051) and take mail by SMTP (RFC 6409).
//!
//! [`ImapMailSystem`] implements the mailbox traits on a pool of sessions per user. It keeps no
//! state that a replacement would need: change tokens hold the server's own terms (UIDVALIDITY,
//! HIGHESTMODSEQ), item ids are UIDs, collection ids are mailbox names. What the server offers is
//! used (QRESYNC, CONDSTORE, NOTIFY, MOVE, ESEARCH, SPECIAL-USE); nothing beyond IMAP4rev1 is
//! needed.

mod append;
mod changes;
mod check;
mod config;
mod date;
mod dial;
mod error;
mod fetch;
mod folders;
mod items;
mod large;
mod login;
mod mailbox;
mod marks;
mod pool;
mod roles;
mod search;
mod session;
mod smtp;
mod submit;
mod token;
mod watch;
mod wire;

pub use config::{ImapConfig, PoolConfig, SmtpAuth, SmtpConfig};
pub use dme_dial::{Auth, Finding, LoginName, ServerConfig, TimeoutConfig, TlsMode};
pub use error::ConfigError;
pub use mailbox::ImapMailSystem;
#[doc(hidden)]
pub use wire::fuzz::read_responses;
