//! A phone, from the outside: an ActiveSync client for `dme probe`, the demo, tests and the load
//! generator.
//!
//! [`Client`] sends one request and returns one answer. [`Phone`] keeps what a phone keeps (folders,
//! sync keys, items, the policy key) and does what phones do when a server wants something of them.
//! [`probe`] walks the whole way from the mail address to the first mail and says where it ends.

mod address;
mod client;
mod commands;
mod connection;
mod date;
pub mod discover;
mod error;
mod phone;
pub mod probe;
mod trust;

pub use address::Address;
pub use client::{Account, AfterAnswer, Body, Client, Loss, Patience, QueryForm, Reply};
pub use date::date;
pub use error::{Error, Result};
pub use phone::{Events, FolderState, Keep, Phone, Provisioned, Round, SyncOptions, Woken};
pub use trust::{Tls, Trust};
