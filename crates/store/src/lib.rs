//! Where the server keeps what it must not forget: the devices' sync states, the devices
//! themselves, the connectors. The only crate that knows SQL.
//!
//! One [`SqliteStore`] is one database file. Each family of tables has its statements in one
//! file. All statements number their parameters `$1…$n` in the order in which they appear and use
//! no more than every database has, so that another can be put beside SQLite.

mod devices;
mod error;
mod migrations;
mod sqlite;
mod states;
mod users;

pub use devices::{Admission, Device, Policy, PolicyKey, Sighting, Wipe, WipeKind};
pub use error::{Error, Result};
pub use sqlite::SqliteStore;
