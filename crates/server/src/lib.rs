//! The server: the phones' front, the way to the connectors, and what ties them.
//!
//! ```text
//! listener ─▶ front (EAS) ─▶ sync engine ─▶ router ─▶ link or in-process connector
//!                │   parks at watch            │
//!                └── admission (gate, devices, policy)
//! ```

pub mod client_address;
pub mod listener;
pub mod metrics;
pub mod tls;
pub mod watch;
