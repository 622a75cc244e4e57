//! Values of properties: escaped texts, lists and structures (RFC 6350 §3.4, RFC 2426 §4).

use std::fmt::Write;

/// The text of an escaped value.
pub(super) fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c) => out.push(c),
                None => out.push('\\'),
            },
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// The text of a value of vCard 2.1, in which the backslash is a letter unless it stands before a
/// separator.
pub(super) fn unescape_old(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if matches!(chars.peek(), Some(';' | ',' | ':' | '\\')) => {
                out.extend(chars.next());
            }
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// A text as a value.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

/// A URI as a value: what separates in texts stands in it as it is. Programs that escape it all the
/// same are understood, so a backslash of its own must be.
pub(super) fn escape_uri(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

/// A text as a value of vCard 2.1.
pub(super) fn escape_old(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;")
}

/// A text from outside as it can stand in a card: lines ended by LF, no other control characters,
/// no space around it.
pub(super) fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let sound = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(sound).collect::<String>().trim().to_owned()
}

/// The same, in one line.
pub(super) fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// A text in quoted-printable, in one line.
pub(super) fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.replace('\n', "\r\n").bytes() {
        if (byte.is_ascii_graphic() && byte != b'=') || byte == b' ' {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "={byte:02X}");
        }
    }
    out
}

/// Quoted-printable in lines, as vCard 2.1 has it; never broken within an escape.
pub(super) fn softly_broken(encoded: &str, eol: &str) -> String {
    let mut out = String::with_capacity(encoded.len() + encoded.len() / 20);
    let mut width = 0;
    for c in encoded.chars() {
        if width >= 60 && (c == '=' || width >= 64) {
            out.push('=');
            out.push_str(eol);
            width = 0;
        }
        out.push(c);
        width += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_the_same_text_again() {
        for text in ["", "plain", "a,b;c\\d\ne", "\\n", "ends with \\"] {
            assert_eq!(unescape(&escape(text)), text);
        }
        assert_eq!(unescape(r"http\://x"), "http://x", "as Apple writes");
        assert_eq!(unescape_old(r"C:\new\;x"), r"C:\new;x");
    }

    #[test]
    fn a_text_from_outside_has_no_control_characters() {
        assert_eq!(clean(" a\r\nb\u{0}\u{7} "), "a\nb");
        assert_eq!(clean("a \u{7}"), "a", "clean is clean");
        assert_eq!(clean_line("a\r\nb"), "a b");
    }
}
