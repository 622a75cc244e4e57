//! Joins encoded words (RFC 2047) before they are decoded: many clients cut them within a
//! character, so that each alone is no text.

use crate::transfer;
use mail_builder::encoders::base64::Base64Encoder;
use memchr::memmem;
use std::borrow::Cow;

/// The longest encoded word taken for one; the standard allows 75.
const MAX_WORD: usize = 4096;
/// How many sequences that look like the begin of a word but are none may stand in a value; each
/// costs a search of what follows.
const MAX_FALSE: usize = 32;

struct Word<'a> {
    charset: &'a [u8],
    encoding: u8,
    text: &'a [u8],
    len: usize,
}

/// The word at the begin of the bytes, which is `=?`.
fn word(bytes: &[u8]) -> Option<Word<'_>> {
    let bytes = &bytes[..bytes.len().min(MAX_WORD)];
    let after = bytes.strip_prefix(b"=?")?;
    let charset_end = memchr::memchr2(b'?', b'\n', after)?;
    let (charset, after) = after.split_at(charset_end);
    let (encoding, text) = match after {
        [b'?', encoding @ (b'b' | b'B' | b'q' | b'Q'), b'?', text @ ..] => (*encoding, text),
        _ => return None,
    };
    let end = memmem::find(text, b"?=")?;
    let text = &text[..end];
    let valid = charset.len() >= 2 && !text.contains(&b'\n');
    let len = 2 + charset.len() + 3 + end + 2;
    valid.then_some(Word { charset, encoding: encoding.to_ascii_lowercase(), text, len })
}

impl Word<'_> {
    fn decode(&self, into: &mut Vec<u8>) {
        if self.encoding == b'b' {
            into.extend(transfer::base64(self.text));
        } else {
            let spaces: Vec<u8> =
                self.text.iter().map(|&b| if b == b'_' { b' ' } else { b }).collect();
            into.extend(transfer::quoted_printable(&spaces));
        }
    }
}

/// The value with neighbouring words of one charset made one word.
pub(crate) fn join(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memmem::find(value, b"=?") else { return Cow::Borrowed(value) };
    let mut out = Vec::with_capacity(value.len() + 16);
    out.extend_from_slice(&value[..first]);
    let mut rest = &value[first..];
    let mut false_starts = 0;
    while let Some(at) = memmem::find(rest, b"=?") {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let Some(start) = word(rest) else {
            false_starts += 1;
            out.extend_from_slice(if false_starts > MAX_FALSE { b"=" } else { b"=?" });
            rest = &rest[2..];
            continue;
        };
        let mut len = start.len;
        let mut content = Vec::new();
        // The words that follow, parted by white space only.
        loop {
            let after = &rest[len..];
            let next = after.trim_ascii_start();
            let gap = after.len() - next.len();
            match word(next) {
                Some(more) if gap > 0 && more.charset.eq_ignore_ascii_case(start.charset) => {
                    if content.is_empty() {
                        start.decode(&mut content);
                    }
                    more.decode(&mut content);
                    len += gap + more.len;
                }
                _ => break,
            }
        }
        if content.is_empty() {
            out.extend_from_slice(&rest[..len]);
        } else {
            out.extend_from_slice(b"=?");
            out.extend_from_slice(start.charset);
            out.extend_from_slice(b"?B?");
            Base64Encoder::new().encode_into(&content, &mut out);
            out.extend_from_slice(b"?=");
        }
        rest = &rest[len..];
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}
