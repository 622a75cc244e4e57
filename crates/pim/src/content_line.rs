//! What the content lines of iCalendar and vCard have in common (RFC 5545 §3.1, RFC 6350 §3.2).

/// How long a written line may be, in bytes without the line end.
pub(crate) const MAX_WIDTH: usize = 75;

/// Writes a line with its end, broken where it is too wide, never within a character.
pub(crate) fn fold(line: &str, line_end: &str, out: &mut Vec<u8>) {
    let mut width = 0;
    for c in line.chars() {
        if width + c.len_utf8() > MAX_WIDTH {
            out.extend_from_slice(line_end.as_bytes());
            out.push(b' ');
            width = 1;
        }
        width += c.len_utf8();
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.extend_from_slice(line_end.as_bytes());
}

/// A value cut at a separator that is not escaped; the pieces stay escaped.
pub(crate) fn parts(value: &str, separator: char) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, c) in value.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == separator {
            out.push(value.get(start..at).unwrap_or_default());
            start = at + c.len_utf8();
        }
    }
    out.push(value.get(start..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_that_are_escaped_do_not_separate() {
        assert_eq!(parts(r"a\;b;c\\;d", ';'), [r"a\;b", r"c\\", "d"]);
        assert_eq!(parts("", ';'), [""]);
    }
}
