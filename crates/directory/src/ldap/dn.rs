//! Distinguished names, compared as a directory compares them (RFC 4514, RFC 4518 as far as it
//! goes without the schema: letter case and blanks do not count).
//!
//! The same group is written in one place `CN=Sales Staff, OU=Groups` and in another
//! `cn=sales staff,ou=groups`, or with `\,` here and `\2C` there. [`normalise`] gives both the same
//! text, which is then the group's id.

/// The one way of writing a DN. What is not a DN is returned trimmed and in lower case.
pub(super) fn normalise(dn: &str) -> String {
    let mut names = Vec::new();
    for name in split(dn, |c| c == ',' || c == ';') {
        let mut pairs: Vec<String> = split(name, |c| c == '+').into_iter().map(pair).collect();
        pairs.sort_unstable();
        names.push(pairs.join("+"));
    }
    names.join(",")
}

/// Splits where an unescaped, unquoted character says so.
fn split(text: &str, is_end: impl Fn(char) -> bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped, mut quoted) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if !quoted && is_end(c) => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// One attribute type and value.
fn pair(text: &str) -> String {
    let kind = split(text, |c| c == '=').into_iter().next().unwrap_or_default();
    match text.get(kind.len() + 1..) {
        Some(value) => format!("{}={}", escape(&plain(kind)), escape(&plain(value))),
        None => escape(&plain(text)),
    }
}

/// The value without escapes and quotes, blanks folded, in lower case.
fn plain(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.trim_start_matches(' ').as_bytes();
    // An escaped blank at the end counts; one that is not escaped does not.
    let mut keep = 0;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'\\', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = tail;
                keep = bytes.len();
            }
            (b'\\', [c, tail @ ..]) => {
                bytes.push(*c);
                rest = tail;
                keep = bytes.len();
            }
            (b'"', _) => {}
            (b' ', _) => bytes.push(b' '),
            _ => {
                bytes.push(byte);
                keep = bytes.len();
            }
        }
    }
    bytes.truncate(keep);
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    let mut folded = String::with_capacity(text.len());
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.to_ascii_lowercase().wrapping_sub(b'a').wrapping_add(10),
    }
}

/// The value with the escapes it needs.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for (at, c) in value.char_indices() {
        if matches!(c, '\\' | ',' | ';' | '+' | '"' | '=' | '<' | '>') || (at == 0 && c == '#') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_name_written_otherwise_is_the_same() {
        for (one, other) in [
            ("CN=Sales Staff, OU=Groups,DC=Example", "cn=sales  staff,ou=groups,dc=example"),
            (r"cn=Smith\, Ann,ou=x", r"cn=smith\2c ann,ou=x"),
            (r#"cn="Smith, Ann",ou=x"#, r"cn=smith\, ann,ou=x"),
            ("cn=a+uid=b,ou=x", "UID=b + CN=a,ou=x"),
            (r"cn=J\C3\BCrgen,ou=x", "cn=JÜRGEN,ou=x"),
            ("cn=a;ou=x", "cn=a , ou=x"),
            (r"cn=a\+b,ou=x", r"cn=a\2Bb,ou=x"),
            (r"cn=\#a,ou=x", r"cn=\23a,ou=x"),
        ] {
            assert_eq!(normalise(one), normalise(other), "{one} {other}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [
            ("cn=a,ou=x", "cn=a,ou=y"),
            (r"cn=a\,ou=x", "cn=a,ou=x"),
            (r"cn=a\+cn=b", "cn=a+cn=b"),
            ("cn=ab", "cn=a b"),
            (r"cn=a\\,ou=x", r"cn=a\,ou=x"),
        ] {
            assert_ne!(normalise(one), normalise(other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(
            dn in r#"([a-cA-C ,=+;#"\\ü0-9]|\\[0-9a-f]{2}){0,24}"#,
        ) {
            let once = normalise(&dn);
            prop_assert_eq!(normalise(&once), once);
        }
    }
}
