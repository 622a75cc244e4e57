//! The backend against real servers, and against one that misbehaves.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod conformance;
mod failures;
mod large;
mod logins;
mod silence;
mod world;
