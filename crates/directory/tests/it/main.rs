//! The directory against real OpenLDAP and Samba servers.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod active_directory;
mod domain;
mod domain_groups;
mod domain_people;
mod gate;
mod large;
mod ldap;
mod people;
mod secure;
mod world;
