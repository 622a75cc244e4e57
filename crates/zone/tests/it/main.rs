//! The crate as others use it.

#![expect(clippy::unwrap_used, reason = "what is read was written here, or the test fails")]

mod all_zones;
