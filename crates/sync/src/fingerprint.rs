//! Telling a repetition from something new.

/// 128 bits of FNV-1a (RFC 9923) over the parts, as hexadecimal digits; where one part ends and
/// the next begins counts. Stable over releases and machines. It tells a phone's own requests
/// apart; nothing is gained by forging it.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> String {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let mut eat = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    };
    for part in parts {
        eat(part);
        eat(&(part.len() as u64).to_be_bytes());
    }
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_changes_because_the_store_holds_it() {
        assert_eq!(fingerprint(&[b"change", b"7"]), "376b873c4cf95cf141d789071e7fac1f");
    }

    #[test]
    fn where_the_parts_end_counts() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_ne!(fingerprint(&[b"ab"]), fingerprint(&[b"ab", b""]));
    }
}
