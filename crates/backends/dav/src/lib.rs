//! Mail systems that speak CalDAV (RFC 4791) and CardDAV (RFC 6352).
mod client;
mod config;
mod error;
mod href;
mod multistatus;
mod tls;
mod xml;
pub use config::*;
pub use error::ConfigError;
