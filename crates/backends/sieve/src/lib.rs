//! Out-of-office messages by Sieve (RFC 5228, vacation RFC 5230) on a server that takes scripts by
//! ManageSieve (RFC 5804). What the user's own script does is left as it is.
//!
//! The message is a script of ours, `dme-vacation`, that answers and then includes the user's own
//! (RFC 6609). Where the server cannot include, the rule is a marked block in the user's script,
//! which is taken out again byte for byte. Either holds, in a comment, what was set and what the
//! user's own script is, so that any connector can go on where another stopped. `script` knows
//! what stands in scripts, `plan` what is to be done with them, `session` how to do it.

mod check;
mod config;
mod error;
mod plan;
mod script;
mod session;
mod vacations;
mod wire;

pub use config::SieveConfig;
pub use error::ConfigError;
#[doc(hidden)]
pub use script::fuzz::read_script;
pub use vacations::SieveVacations;
#[doc(hidden)]
pub use wire::fuzz::read_responses;
