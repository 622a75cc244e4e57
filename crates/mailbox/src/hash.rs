//! A hash that is the same in every release and process, for the tokens, keys and names that a
//! backend makes and that outlive both. Not for secrets.

/// FNV-1a, 64 bits, with a final mix so that all bits depend on all input.
pub fn stable(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        for byte in part.iter().chain(&(part.len() as u64).to_le_bytes()) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// 32 hexadecimal digits that stand for a text.
pub fn name_of(text: &str) -> String {
    let text: &[&[u8]] = &[text.as_bytes()];
    format!("{:016x}{:016x}", stable(1, text), stable(2, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_changes() {
        assert_eq!(name_of("phone/SendMail/7"), "d0bdb89c0626df281942d8709a43415c");
        assert_eq!(stable(0, &[]), 0xecba_3df2_c338_3c52);
        assert_ne!(stable(0, &[b"ab", b"c"]), stable(0, &[b"a", b"bc"]));
    }
}
