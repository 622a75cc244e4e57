//! Elements of DER (X.690), of which signed data and stores of keys are made.

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
/// `[0]`, made of others.
pub(super) const FIRST: u8 = 0xa0;

/// The name of plain data (PKCS #7): content of CMS, and of PKCS #12.
pub(super) const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

/// The name of something.
pub(super) fn object(id: &[u8]) -> Vec<u8> {
    element(OBJECT, &[id])
}

/// An element of DER (X.690 §8.1): tag, length, content.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut all = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => all.push(short),
        _ => {
            let digits: Vec<u8> =
                length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            all.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
            all.extend(digits);
        }
    }
    all.extend(parts.concat());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_say_how_long_they_are() {
        assert_eq!(element(OCTETS, &[b"ab", b"c"]), [4, 3, b'a', b'b', b'c']);
        assert_eq!(element(OCTETS, &[&[0; 200]])[..4], [4, 0x81, 200, 0]);
        assert_eq!(element(OCTETS, &[&[0; 70_000]])[..5], [4, 0x83, 1, 0x11, 0x70]);
    }
}
