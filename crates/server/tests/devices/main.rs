//! What administrators decide of devices, as simulated phones meet it: on a server with its
//! connector and its directory in the same process.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[cfg(test)]
mod policy;
mod world;
