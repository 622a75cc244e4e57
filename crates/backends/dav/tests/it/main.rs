//! The backend against real servers: Radicale, Xandikos and Cyrus; and against a server made for
//! the faults that these do not show.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

mod conformance;
mod discovery;
mod fake;
mod faults;
mod listing;
mod scheduling;
mod servers;
mod sharing;
mod standing;
mod world;
