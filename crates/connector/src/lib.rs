//! The connector: which backends it runs, by its configuration, and its link to the server.

pub mod config;
mod role;
mod tokens;

pub use role::{Offered, Running, StartError, enroll, reach, services, start};
