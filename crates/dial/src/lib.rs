//! The way to a mail system's server: its address, TLS, who logs in and how long it is waited
//! for. What IMAP, SMTP, ManageSieve and DAV have in common; what is said on the way is each
//! protocol's own.

mod dialer;
mod dns;
mod doubt;
mod finding;
mod login;
mod prompt;
mod server;
mod timeouts;

pub use dialer::{Dialer, Io, Stream, plain_line};
pub use dns::{DnsError, Found, find_service};
pub use doubt::{Doubt, opens_until};
pub use finding::{Finding, advised};
pub use login::{Auth, Login, LoginName, TokenMechanism, login_name, plain_initial};
pub use server::{ServerConfig, ServerError, TlsMode};
pub use timeouts::TimeoutConfig;
