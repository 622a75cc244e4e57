//! The connector's side: it dials, and then answers calls.

mod acts;
mod addresses;
mod backoff;
mod budget;
mod config;
mod control;
mod dial;
mod directory;
mod door;
mod edge;
mod enroll;
mod gather;
mod identity;
mod mail;
mod reach;
mod run;
mod serve;
mod session;
mod upkeep;
mod windows;
mod witness;

pub use backoff::{BackoffConfig, random, seed_random};
pub use config::{BulkHours, ConnectorConfig, KeepAlive, Proxy, Thrift};
pub use edge::EdgeService;
pub use enroll::{Enrolled, enroll, enroll_again};
pub use identity::Identities;
pub use reach::{Reached, reach};
pub use run::{Connector, ConnectorStatus};
pub use upkeep::Upkeep;
pub use windows::Windows;
