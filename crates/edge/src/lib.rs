//! An edge: the front of phones near a connector, on a store of its own that is kept in step with the
//! server's. While the line is down it goes on by itself, on its lease.
//!
//! ```text
//! phone ─EAS─▶ the server's front, run here ─▶ the connector's own mailboxes and directory
//!                     │
//!                 own store ◀─ what the server decided ─ link ─ what was done here ─▶ server
//! ```
//!
//! It decides nothing that the server has not: a device that is not known here is quarantined, and
//! who may in is asked of the connector's own directory, by the server's groups.

mod config;
mod edge;
mod memory;
mod obey;
mod role;
mod settings;
mod tell;

pub use config::EdgeConfig;
pub use edge::{Edge, EdgeError};
pub use role::EdgeRunning;
