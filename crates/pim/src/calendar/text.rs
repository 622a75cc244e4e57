//! Values of type TEXT and lists of them (RFC 5545 §3.3.11).

use crate::content_line::parts;

/// The text that a value stands for. Escapes of old programs are read too.
pub(crate) fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(c @ (',' | ';' | ':' | '"' | '\\')) => out.push(c),
            // No escape: a path of Windows, for one.
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    out
}

/// The value that stands for a text. Line breaks of each kind become `\n`, other control
/// characters go.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            ',' => out.push_str("\\,"),
            ';' => out.push_str("\\;"),
            '\n' => out.push_str("\\n"),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push_str("\\n"),
            '\t' => out.push('\t'),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The texts of a list parted by commas.
pub(crate) fn list(value: &str) -> Vec<String> {
    parts(value, ',').into_iter().map(unescape).collect()
}

/// A text that is shown in one line.
pub(crate) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_escaping() {
        for text in ["", "a,b;c\\d\ne", "C:\\new, \\\\", "Zürich – 東京", "\\n"] {
            assert_eq!(unescape(&escape(text)), text);
        }
        assert_eq!(escape("a\r\nb\rc\u{7}"), "a\\nb\\nc");
    }

    #[test]
    fn old_programs_escape_too_much_or_too_little() {
        assert_eq!(unescape("a\\:b\\\"c\\Nd C:\\temp\\"), "a:b\"c\nd C:\\temp\\");
        assert_eq!(list("a\\,b,c,,d"), ["a,b", "c", "", "d"]);
    }
}
