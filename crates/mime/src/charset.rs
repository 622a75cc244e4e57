//! Character sets to UTF-8. Never fails: unknown names are guessed, wrong bytes replaced.

use mail_parser::decoders::charsets::map::charset_decoder;
use std::borrow::Cow;

/// The text of bytes in a named charset. Without a name, or with one that is unknown or plainly
/// wrong, it is guessed.
pub fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    let name = charset.unwrap_or_default().trim();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let is = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one));
    if is(&["utf-8", "utf8"]) {
        // Wrong bytes in it are damage, not another charset.
        return String::from_utf8_lossy(bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && is(&["", "us-ascii", "ascii"])
    {
        return Cow::Borrowed(text);
    }
    if is(&["", "us-ascii", "ascii"]) {
        return Cow::Owned(guess(bytes));
    }
    match charset_decoder(name.as_bytes()) {
        Some(decoder) => Cow::Owned(decoder(bytes)),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(guess(bytes)),
        },
    }
}

/// Bytes of which nobody says what they are: UTF-8 if they can be, else Windows-1252, in which
/// every byte means something.
pub(crate) fn guess(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => match charset_decoder(b"windows-1252") {
            Some(decoder) => decoder(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        },
    }
}
