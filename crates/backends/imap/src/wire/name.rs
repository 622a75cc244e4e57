//! Mailbox names: modified UTF-7 (RFC 3501 §5.1.3), and keywords made of any text by the same
//! means.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// A mailbox name as IMAP writes it.
pub(crate) fn encode(name: &str) -> String {
    encode_where(name, |c| (' '..='~').contains(&c))
}

/// A mailbox name as people read it. None where it is not in the one right form: a name that
/// would be written back otherwise could not be used.
pub(crate) fn decode(raw: &str) -> Option<String> {
    let name = decode_any(raw)?;
    (encode(&name) == raw).then_some(name)
}

/// A keyword, which must be an atom (RFC 9051 `flag-keyword`), for any text.
pub(crate) fn encode_keyword(text: &str) -> String {
    encode_where(text, |c| c.is_ascii_graphic() && !"(){%*\"\\]".contains(c))
}

/// The text a keyword stands for; itself where it was not made by [`encode_keyword`].
pub(crate) fn decode_keyword(raw: &str) -> String {
    decode_any(raw).filter(|text| encode_keyword(text) == raw).unwrap_or_else(|| raw.to_owned())
}

fn encode_where(text: &str, plain: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '&' {
            out.push_str("&-");
            rest = rest.get(1..).unwrap_or_default();
        } else if plain(c) {
            out.push(c);
            rest = rest.get(1..).unwrap_or_default();
        } else {
            let end = rest.find(|c| c == '&' || plain(c)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            let utf16: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push('&');
            out.push_str(&BASE64.encode(utf16));
            out.push('-');
            rest = after;
        }
    }
    out
}

fn decode_any(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (run, after) = after.split_once('-')?;
        if run.is_empty() {
            out.push('&');
        } else {
            let bytes = BASE64.decode(run).ok()?;
            let (pairs, odd) = bytes.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            for c in char::decode_utf16(units) {
                out.push(c.ok()?);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_written_as_the_rfc_does() {
        for (name, raw) in [
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("Fish & Chips", "Fish &- Chips"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(encode(name), raw);
            assert_eq!(decode(raw).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_name_in_another_form_is_not_taken() {
        for raw in ["&", "&AGE-", "a&APw", "&APw-&APw-", "&2D0-", "ü"] {
            assert_eq!(decode(raw), None, "{raw}");
        }
    }

    #[test]
    fn a_foreign_keyword_is_shown_as_it_is() {
        assert_eq!(decode_keyword("$label1"), "$label1");
        assert_eq!(decode_keyword("R&D"), "R&D");
        assert_eq!(encode_keyword("Büro wichtig"), "B&APw-ro&ACA-wichtig");
    }

    proptest! {
        #[test]
        fn any_name_comes_back(name in any::<String>()) {
            prop_assert_eq!(decode(&encode(&name)), Some(name.clone()));
            let keyword = encode_keyword(&name);
            let is_atom = keyword.chars().all(|c| c.is_ascii_graphic() && !"(){%*\"\\]".contains(c));
            prop_assert!(is_atom);
            prop_assert_eq!(decode_keyword(&keyword), name);
        }

        #[test]
        fn decoding_never_panics(raw in any::<String>()) {
            let _ = decode(&raw);
        }
    }
}
