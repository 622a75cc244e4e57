//! Names of folders and keywords as ASCII: modified UTF-7 (RFC 3501 §5.1.3), and escapes for what
//! has a meaning of its own in Maildir++.
//!
//! Maildir++ parts the levels of a folder's name by dots and cannot hold a slash. Those, and the
//! backslash itself, are written `\2e`, `\2f`, `\5c`, which is what Dovecot's `listescape` plugin
//! reads and writes; without the plugin Dovecot shows them like that.

use dme_mailbox::{Error, ErrorKind, Result};

/// The longest name of a folder's directory, in bytes; file systems take no longer one.
pub(crate) const MAX_DIRECTORY_NAME: usize = 255;

/// Whether the name can be that of one directory, and of no other place.
pub(crate) fn is_sound(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_DIRECTORY_NAME
        && !name.starts_with('.')
        && !name.chars().any(|c| c == '/' || c.is_control())
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Encodes what `plain` does not let stand as it is in runs of modified base64.
fn to_utf7(text: &str, plain: impl Fn(char) -> bool) -> String {
    let mut encoded = String::new();
    let mut run = Vec::new();
    for character in text.chars() {
        if character == '&' {
            end_run(&mut run, &mut encoded);
            encoded.push_str("&-");
        } else if plain(character) {
            end_run(&mut run, &mut encoded);
            encoded.push(character);
        } else {
            run.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
    }
    end_run(&mut run, &mut encoded);
    encoded
}

fn end_run(run: &mut Vec<u16>, encoded: &mut String) {
    if run.is_empty() {
        return;
    }
    encoded.push('&');
    let (mut bits, mut count) = (0_u32, 0);
    for unit in run.drain(..) {
        bits = bits << 16 | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            push_sextet(bits >> count, encoded);
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        push_sextet(bits << (6 - count), encoded);
    }
    encoded.push('-');
}

fn push_sextet(bits: u32, encoded: &mut String) {
    encoded.push(char::from(BASE64[(bits & 63) as usize]));
}

/// None where the text is not modified UTF-7.
fn from_utf7(text: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some((plain, run)) = rest.split_once('&') {
        decoded.push_str(plain);
        let (run, after) = run.split_once('-')?;
        rest = after;
        if run.is_empty() {
            decoded.push('&');
            continue;
        }
        let (mut bits, mut count, mut units) = (0_u32, 0, Vec::new());
        for byte in run.bytes() {
            let sextet = BASE64.iter().position(|known| *known == byte)?;
            bits = (bits << 6 | sextet as u32) & 0x3F_FFFF;
            count += 6;
            if count >= 16 {
                count -= 16;
                units.push((bits >> count & 0xFFFF) as u16);
            }
        }
        decoded.push_str(&String::from_utf16(&units).ok()?);
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// One level of a folder's name as Maildir++ writes it.
///
/// # Errors
/// `Invalid` where it is empty, too long or holds control characters.
pub(crate) fn to_directory(name: &str) -> Result<String> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::new(ErrorKind::Invalid, "not a name for a folder"));
    }
    let mut escaped = String::new();
    for (place, character) in to_utf7(name, |c| c.is_ascii()).char_indices() {
        match character {
            '.' => escaped.push_str("\\2e"),
            '/' => escaped.push_str("\\2f"),
            '\\' => escaped.push_str("\\5c"),
            '~' if place == 0 => escaped.push_str("\\7e"),
            other => escaped.push(other),
        }
    }
    if escaped.len() >= MAX_DIRECTORY_NAME {
        return Err(Error::new(ErrorKind::Invalid, "the folder's name is too long"));
    }
    Ok(escaped)
}

/// One level of a folder's name as people read it. What was not written by these rules is shown as
/// it is, so that no two levels read the same.
pub(crate) fn from_directory(level: &str) -> String {
    let name = from_utf7(&unescape(level));
    let ours = name.filter(|name| to_directory(name).is_ok_and(|written| written == level));
    ours.unwrap_or_else(|| level.to_owned())
}

fn unescape(level: &str) -> String {
    let mut unescaped = String::new();
    let mut rest = level;
    while let Some((before, after)) = rest.split_once('\\') {
        unescaped.push_str(before);
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(|code| code.is_ascii_graphic()) {
            Some(code) => {
                unescaped.push(char::from(code));
                rest = &after[2..];
            }
            None => {
                unescaped.push('\\');
                rest = after;
            }
        }
    }
    unescaped.push_str(rest);
    unescaped
}

/// A category as an IMAP keyword, which must be an atom (RFC 9051 §9).
pub(crate) fn to_keyword(category: &str) -> String {
    to_utf7(category, |c| c.is_ascii_graphic() && !"(){%*\"\\]".contains(c))
}

/// A category from an IMAP keyword; any keyword that is not written by the rule is itself.
pub(crate) fn from_keyword(keyword: &str) -> String {
    let ours = from_utf7(keyword).filter(|category| to_keyword(category) == keyword);
    ours.unwrap_or_else(|| keyword.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_dovecot_writes_them() {
        for (name, directory) in [
            ("Sent", "Sent"),
            ("Übergrößen", "&ANw-bergr&APYA3w-en"),
            ("Fish & Chips", "Fish &- Chips"),
            ("项目资料", "&mHl27o1EZZk-"),
            ("😀", "&2D3eAA-"),
            ("a.b/c\\d", "a\\2eb\\2fc\\5cd"),
            ("~home~", "\\7ehome~"),
            ("ä&ö", "&AOQ-&-&APY-"),
        ] {
            assert_eq!(to_directory(name).unwrap(), directory);
            assert_eq!(from_directory(directory), name);
        }
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        for name in ["", "a\nb", "\0", &"x".repeat(255), &"ü".repeat(100)] {
            assert_eq!(to_directory(name).unwrap_err().kind, ErrorKind::Invalid, "{name:?}");
        }
    }

    #[test]
    fn what_others_wrote_is_shown_as_it_is() {
        for directory in ["a&b", "&!!-", "a\\", "a\\zz", "&2D0-", "\\é", "&AGE-", "\\61"] {
            assert_eq!(from_directory(directory), directory);
        }
    }

    #[test]
    fn keywords_are_atoms_and_come_back() {
        for category in ["Work", "Rot & Grün", "重要", "(a) \"b\" %*\\]", "&", " ", "a]b"] {
            let keyword = to_keyword(category);
            assert!(keyword.bytes().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b)));
            assert_eq!(from_keyword(&keyword), category);
        }
        for keyword in ["R&D", "&AGE-", "$label1"] {
            assert_eq!(from_keyword(keyword), keyword);
        }
    }
}
