//! Out-of-office messages on Dovecot's Pigeonhole.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod conformance;
mod scripts;
mod server;
mod world;
