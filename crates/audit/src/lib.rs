//! The record of administrators' acts, which nobody can change unseen (rule O4).
//!
//! Each [`Row`] holds an entry, the hash of the row before it, and its own hash over both. Whoever
//! changes, removes or moves a row breaks the chain there. Who makes the whole chain anew from that
//! row on, or cuts its end off, is found by the **countersignatures**: connectors sign the newest
//! row's number and hash, the [`Head`], with the keys of their links, and sign no head that does not
//! follow the one they signed before.
//!
//! Nothing here does I/O or reads a clock.

mod base64_text;
mod countersignature;
mod encoding;
mod entry;
mod hash;
mod verify;
mod witness;

pub use countersignature::{Countersignature, Head, Signer};
pub use entry::{Act, Change, Entry, Means, Outcome, Step, Who};
pub use hash::{Hash, NoHash, Row, digest, link};
pub use verify::{Fault, Report, Verifier};
pub use witness::{Contradiction, Memory, judge};
