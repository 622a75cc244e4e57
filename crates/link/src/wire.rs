//! What crosses the link, byte for byte.
//!
//! After TLS (ALPN [`LINK`]) the connector sends one [`record`] with a [`hello::Hello`] and gets
//! one with a [`hello::Reply`]; with ALPN [`ENROLL`] the same with [`hello::EnrollRequest`], and
//! that is all. After a welcome the connection is HTTP/2 (RFC 9113) with the server as client.
//! A call is `POST /v1/<name>`; request and response bodies are records.
//!
//! | call | request | response |
//! |---|---|---|
//! | most | one record: [`call::Head`], perhaps with a blob | one record: [`call::Answer`] |
//! | `mailbox/fetch`, `mailbox/watch` | the same | [`call::Piece`] records, ended by `end` or `error` |
//! | `control` | [`control::ToConnector`] records, open | [`control::ToServer`] records, open |
//!
//! Every JSON object may grow new fields, which an older reader passes over; every set of
//! variants has a way to pass over those of a newer release (rule L6).

pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod control;
pub(crate) mod countersign;
pub(crate) mod directory;
pub(crate) mod edge;
#[cfg(test)]
mod frames;
pub(crate) mod fuzz;
pub(crate) mod hello;
pub(crate) mod mailbox;
pub(crate) mod packing;
pub(crate) mod record;
pub(crate) mod upkeep;

/// ALPN of a link's connections.
pub(crate) const LINK: &[u8] = b"dme-link/1";
/// ALPN of an enrolment.
pub(crate) const ENROLL: &[u8] = b"dme-enroll/1";

/// The newest version of what crosses the link that this release speaks.
pub(crate) const VERSION: u32 = 1;
/// The oldest it still speaks.
pub(crate) const OLDEST_VERSION: u32 = 1;
