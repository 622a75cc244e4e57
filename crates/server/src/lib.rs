//! The server: the phones' front, the way to the connectors, and what ties them.
//!
//! ```text
//! listener ─▶ front (EAS) ─▶ sync engine ─▶ router ─▶ link or in-process connector
//!                │   parks at watch            │
//!                └── admission (gate, devices, policy)
//! ```

pub mod admissions;
pub mod bearers;
pub mod behaviours;
pub mod books;
pub mod client_address;
pub mod client_certificate;
mod clock;
pub mod config;
pub mod connector_orders;
pub mod connectors;
pub mod database;
pub mod devices;
pub mod disk;
pub mod door;
pub mod edges;
pub mod elsewhere;
pub mod emergency;
pub mod front;
pub mod guesses;
mod home_zone;
pub mod host;
pub mod inventory;
mod jitter;
pub mod lease;
pub mod listener;
mod meeting_word;
pub mod membership;
pub mod metrics;
pub mod notices;
pub mod orders;
pub mod outbox;
pub mod own;
pub mod pace;
pub mod parking;
pub mod policies;
pub mod policy;
pub mod private_files;
pub mod providers;
pub mod quarantine;
pub mod realm;
pub mod records;
pub mod role;
pub mod router;
pub mod seal;
pub mod second_factor;
mod self_made;
pub mod send_limit;
pub mod site;
pub mod tls;
pub mod watch;
pub mod wipes;
