//! Events, tasks, notes and contacts ↔ iCalendar (RFC 5545) and vCard (RFC 6350). No I/O.
//!
//! Reading makes a neutral item of an object; writing applies a patch to the object, so that what
//! the neutral item has no place for survives.

pub mod calendar;
pub mod contact;
mod content_line;
mod error;
mod itip;
pub mod sample;
mod uid;

pub use dme_recurrence as recurrence;
pub use error::Error;
pub use itip::invitation::read as invitation;
