//! Names for new objects.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The `UID` of an object that the act with this key makes: the same for the same key, so that an
/// act which is repeated makes no second object. In the shape of a UUID of version 8 (RFC 9562
/// §5.8), which every server and client takes.
pub(crate) fn of(key: &str) -> String {
    let hash = Sha256::digest(key.as_bytes());
    let mut bytes: [u8; 16] = std::array::from_fn(|at| hash.get(at).copied().unwrap_or_default());
    bytes[6] = (bytes[6] & 0x0F) | 0x80;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    let mut uid = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            uid.push('-');
        }
        // Writing to a string does not fail.
        let _ = write!(uid, "{byte:02x}");
    }
    uid
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_key_names_one_object() {
        assert_eq!(super::of("ann 1"), super::of("ann 1"));
        assert_ne!(super::of("ann 1"), super::of("ann 2"));
        let uid = super::of("ann 1");
        assert_eq!(uid.len(), 36);
        assert_eq!(uid.chars().nth(14), Some('8'));
    }
}
