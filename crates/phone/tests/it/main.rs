//! The phone against a small server that lives in the test and speaks the other direction of the
//! `eas` crate. It is no model of a real server: it answers what the test tells it to.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in what it calls")]

mod client;
mod phone;
mod probe;
mod server;
