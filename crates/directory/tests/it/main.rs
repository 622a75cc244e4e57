//! The directory against real OpenLDAP servers.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod gate;
mod large;
mod ldap;
mod people;
mod secure;
mod world;
