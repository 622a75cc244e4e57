//! The connector's side: it dials, and then answers calls.

mod acts;
mod backoff;
mod config;
mod control;
mod dial;
mod directory;
mod enroll;
mod identity;
mod mail;
mod reach;
mod run;
mod serve;
mod session;
mod upkeep;

pub use backoff::BackoffConfig;
pub use config::{ConnectorConfig, KeepAlive, Proxy};
pub use enroll::{Enrolled, enroll};
pub use identity::Identities;
pub use reach::{Reached, reach};
pub use run::{Connector, ConnectorStatus};
pub use upkeep::Upkeep;
