//! The property of the whole: whatever happens, phone and mail system agree in the end, and nothing
//! was lost, duplicated or sent twice (rules S2, S3, R7).
//!
//! [`lives`] plays the engine's own random lives (`dme_sync::property`) on a real mail system behind
//! a real link. They are seeded: a failure names its seed, and `DME_PROPERTY_SEED` plays that one
//! alone, or a range such as `100..200`.

pub mod chance;
pub mod imap;
mod line;
pub mod lives;
