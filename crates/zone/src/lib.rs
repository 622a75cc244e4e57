//! Time zones: names, rules, and the clock readings they give. No I/O.
//!
//! A [`Zone`] is found by its IANA name or its rules ([`Zone::of`]), by whatever a calendar calls it
//! ([`Zone::from_tzid`]), by the definition a calendar carries ([`Zone::from_observances`]) or by
//! the structure a phone sends ([`Zone::from_blob`]); each has its way back.

mod blob;
mod matching;
mod name;
mod observance;
mod offset;
mod rules;
mod timeline;
mod windows;
mod yearly;
mod zone;

pub use blob::BLOB_SIZE;
pub use observance::{Observance, ObservanceKind};
pub use zone::Zone;
