//! A connector's services on real servers.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod address_list;
mod services;
