//! The local-files mail system against the promises, against other programs, and after crashes.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in what it calls")]

mod conformance;
mod crash;
mod damage;
mod dovecot;
mod sending;
mod vdir;
mod vdir_crash;
mod vdir_others;
mod world;
