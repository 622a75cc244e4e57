//! A server and connectors over real TLS on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may panic, also in what it calls"
)]

mod addresses;
mod calls;
mod content;
mod countersigning;
mod edge;
mod enrolment;
mod fixtures;
mod life;
mod line;
mod rotation;
mod strangers;
mod thin;
mod thin_line;
mod upkeep;
mod windows;
