//! A script cut into its tokens (RFC 5228 §8.1). Whatever the bytes, every one is in a token or
//! white space, and none is looked at twice.

use std::ops::Range;

/// A token and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `# …` without the line's end, or `/* … */`.
    Comment,
    /// An identifier.
    Word,
    /// `:identifier`
    Tag,
    /// `"…"`
    Quoted,
    /// `text:` and its lines up to the one of a single dot.
    Multiline,
    /// `{`
    Open,
    /// `}`
    Close,
    /// `;`
    Semicolon,
    /// Numbers, brackets, commas, and what Sieve does not know.
    Other,
}

impl Token {
    /// Whether it is this identifier; case does not matter.
    pub(crate) fn is_word(&self, script: &[u8], word: &str) -> bool {
        let text = script.get(self.range.clone()).unwrap_or_default();
        self.kind == Kind::Word && text.eq_ignore_ascii_case(word.as_bytes())
    }

    /// A string's text; none where it is none.
    pub(crate) fn string(&self, script: &[u8]) -> Option<String> {
        let text = script.get(self.range.clone())?;
        let bytes = match self.kind {
            Kind::Quoted => unquoted(text),
            Kind::Multiline => unstuffed(text),
            _ => return None,
        };
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The script's tokens, in order.
pub(crate) fn tokens(script: &[u8]) -> impl Iterator<Item = Token> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = script.get(at..)?;
        at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = script.get(at..).filter(|rest| !rest.is_empty())?;
        let (kind, length) = token(rest);
        let range = at..at + length;
        at = range.end;
        Some(Token { kind, range })
    })
}

/// The kind and length of the token that `rest` begins with; at least one byte.
fn token(rest: &[u8]) -> (Kind, usize) {
    match rest {
        [b'#', ..] => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default();
            (Kind::Comment, line.strip_suffix(b"\r").unwrap_or(line).len())
        }
        [b'/', b'*', within @ ..] => {
            let end = within.windows(2).position(|pair| pair == b"*/");
            (Kind::Comment, end.map_or(rest.len(), |end| end + 4))
        }
        [b'"', within @ ..] => {
            let mut escaped = false;
            let end = within.iter().position(|byte| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            (Kind::Quoted, end.map_or(rest.len(), |end| end + 2))
        }
        [b'{', ..] => (Kind::Open, 1),
        [b'}', ..] => (Kind::Close, 1),
        [b';', ..] => (Kind::Semicolon, 1),
        [b':', within @ ..] => (Kind::Tag, 1 + identifier(within)),
        [byte, ..] if byte.is_ascii_alphabetic() || *byte == b'_' => {
            let length = identifier(rest);
            let (word, after) = rest.split_at_checked(length).unwrap_or((rest, b""));
            match (word.eq_ignore_ascii_case(b"text"), after) {
                (true, [b':', lines @ ..]) => (Kind::Multiline, length + 1 + multiline(lines)),
                _ => (Kind::Word, length),
            }
        }
        _ => (Kind::Other, 1),
    }
}

fn identifier(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// The length of what follows `text:`: the rest of its line, and lines up to a single dot.
fn multiline(bytes: &[u8]) -> usize {
    let mut length = 0;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if number > 0 && text == b"." {
            return length + 1;
        }
        length += line.len();
    }
    length
}

fn unquoted(text: &[u8]) -> Vec<u8> {
    let within = text.strip_prefix(b"\"").unwrap_or(text);
    let within = within.strip_suffix(b"\"").unwrap_or(within);
    let mut out = Vec::with_capacity(within.len());
    let mut bytes = within.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            byte => out.push(*byte),
        }
    }
    out
}

fn unstuffed(text: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').skip(1).collect();
    if lines.last() == Some(&&b"."[..]) {
        lines.pop();
    }
    let plain = lines.iter().map(|line| match line {
        [b'.', rest @ ..] if rest.starts_with(b".") => rest,
        line => line,
    });
    plain.collect::<Vec<_>>().concat()
}
