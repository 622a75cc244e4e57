//! Content transfer encodings (RFC 2045 §6), decoded leniently: what is not valid is passed over
//! in base64 and kept as it stands in quoted-printable.

use std::borrow::Cow;

/// How a part's content is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Encoding {
    /// 7bit, 8bit, binary and what nobody knows: as it stands.
    #[default]
    Identity,
    QuotedPrintable,
    Base64,
    /// `x-uuencode` and its other names.
    Uuencode,
}

impl Encoding {
    /// From the value of `Content-Transfer-Encoding`.
    pub(crate) fn parse(value: &[u8]) -> Self {
        let value = value.trim_ascii();
        let word = value.split(|b| b" \t;(\"".contains(b)).find(|word| !word.is_empty());
        match word.unwrap_or_default().to_ascii_lowercase().as_slice() {
            b"base64" => Self::Base64,
            b"quoted-printable" => Self::QuotedPrintable,
            b"x-uuencode" | b"x-uue" | b"uuencode" => Self::Uuencode,
            _ => Self::Identity,
        }
    }

    /// The content, decoded.
    pub(crate) fn decode(self, content: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Identity => Cow::Borrowed(content),
            Self::QuotedPrintable => Cow::Owned(quoted_printable(content)),
            Self::Base64 => Cow::Owned(base64(content)),
            Self::Uuencode => Cow::Owned(uuencode(content)),
        }
    }

    /// The size once decoded, without decoding: exact for base64 in lines of one length.
    pub(crate) fn decoded_size(self, content: &[u8]) -> u64 {
        let size = match self {
            Self::Identity => content.len(),
            Self::QuotedPrintable => quoted_printable_size(content),
            Self::Uuencode => content.len() / 4 * 3,
            Self::Base64 => base64_size(content),
        };
        size as u64
    }
}

const INVALID: u8 = 0xFF;

static BASE64: [u8; 256] = {
    let mut table = [INVALID; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        table[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    // The URL-safe alphabet (RFC 4648 §5), which some clients use by mistake.
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// Decodes base64; line ends and stray characters are passed over, several padded runs in a row
/// are joined.
pub fn base64(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() / 4 * 3 + 3);
    let (mut word, mut count) = (0u32, 0u8);
    let flush = |out: &mut Vec<u8>, word: u32, count: u8| match count {
        2 => out.push((word >> 4) as u8),
        3 => out.extend_from_slice(&[(word >> 10) as u8, (word >> 2) as u8]),
        _ => {}
    };
    let mut rest = content;
    loop {
        if count == 0 {
            while let [a, b, c, d, tail @ ..] = rest {
                let (a, b) = (BASE64[*a as usize], BASE64[*b as usize]);
                let (c, d) = (BASE64[*c as usize], BASE64[*d as usize]);
                if (a | b | c | d) & 0x80 != 0 {
                    break;
                }
                let bits =
                    u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
                out.extend_from_slice(&bits.to_be_bytes()[1..]);
                rest = tail;
            }
        }
        let Some((&byte, tail)) = rest.split_first() else { break };
        rest = tail;
        match BASE64[byte as usize] {
            INVALID if byte == b'=' => {
                flush(&mut out, word, count);
                (word, count) = (0, 0);
            }
            INVALID => {}
            value => {
                word = word << 6 | u32::from(value);
                count += 1;
                if count == 4 {
                    out.extend_from_slice(&word.to_be_bytes()[1..]);
                    (word, count) = (0, 0);
                }
            }
        }
    }
    flush(&mut out, word, count);
    out
}

fn base64_size(content: &[u8]) -> usize {
    let content = content.trim_ascii();
    let Some(line) = memchr::memchr(b'\n', content).map(|at| at + 1) else {
        return (content.len() * 3 / 4).saturating_sub(padding(content));
    };
    let ends = if content.get(line.wrapping_sub(2)) == Some(&b'\r') { 2 } else { 1 };
    let whole_lines = content.len() / line;
    let characters = content.len().saturating_sub(whole_lines * ends);
    (characters * 3 / 4).saturating_sub(padding(content))
}

fn padding(content: &[u8]) -> usize {
    content.iter().rev().take(2).filter(|b| **b == b'=').count()
}

/// Decodes quoted-printable; a `=` that encodes nothing stays.
pub fn quoted_printable(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = memchr::memchr(b'=', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        match escape(rest) {
            Escape::Byte(byte) => {
                out.push(byte);
                rest = &rest[2..];
            }
            Escape::SoftBreak(len) => rest = &rest[len..],
            Escape::None => out.push(b'='),
        }
    }
    out.extend_from_slice(rest);
    out
}

fn quoted_printable_size(content: &[u8]) -> usize {
    let mut saved = 0;
    for at in memchr::memchr_iter(b'=', content) {
        saved += match escape(&content[at + 1..]) {
            Escape::Byte(_) => 2,
            Escape::SoftBreak(len) => len + 1,
            Escape::None => 0,
        };
    }
    content.len() - saved.min(content.len())
}

enum Escape {
    Byte(u8),
    /// So many bytes to the end of the line.
    SoftBreak(usize),
    None,
}

fn escape(after: &[u8]) -> Escape {
    if let [high, low, ..] = after
        && let (Some(high), Some(low)) = (hex(*high), hex(*low))
    {
        return Escape::Byte(high << 4 | low);
    }
    // White space may have been added on the way (RFC 2045 §6.7 rule 3).
    let blanks = after.iter().take(80).take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
    match after.get(blanks) {
        Some(b'\n') => Escape::SoftBreak(blanks + 1),
        None => Escape::SoftBreak(blanks),
        _ => Escape::None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Decodes uuencode, with or without its `begin` and `end` lines.
pub(crate) fn uuencode(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() / 4 * 3);
    for line in content.split(|b| *b == b'\n') {
        let line = line.trim_ascii_end();
        let Some((&length, data)) = line.split_first() else { continue };
        if line.starts_with(b"begin ") || line == b"end" {
            continue;
        }
        let length = usize::from(length.wrapping_sub(32) & 0x3F);
        let mut bytes = Vec::with_capacity(data.len());
        for group in data.chunks(4) {
            let bits = group.iter().chain(&[b' '; 3]).take(4);
            let bits = bits.fold(0u32, |bits, b| bits << 6 | u32::from(b.wrapping_sub(32) & 0x3F));
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
        }
        bytes.truncate(length);
        out.append(&mut bytes);
    }
    out
}

#[cfg(test)]
mod tests;
