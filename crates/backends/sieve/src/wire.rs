//! ManageSieve on the wire (RFC 5804 §4): what a server says is cut into responses, what is said to
//! it is put together. No I/O.

pub(crate) mod fuzz;

#[cfg(test)]
mod tests;

use bytes::Bytes;

/// The longest response taken, literals included: a script and a little more.
pub(crate) const MAX_RESPONSE: usize = 2 << 20;
/// The most words in one response.
const MAX_TOKENS: usize = 64;
/// The longest string that is sent quoted (RFC 5804 §4); longer ones go as literals.
const MAX_QUOTED: usize = 1024;

/// One line of a server's, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Response {
    /// Part of an answer.
    Data(Vec<Token>),
    /// The answer's end.
    Status(Status),
}

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    /// A quoted string or a literal.
    Text(Bytes),
    /// A bare word or number.
    Word(String),
    /// `(`
    Open,
    /// `)`
    Close,
}

/// How a command went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Status {
    /// Well or not.
    pub kind: StatusKind,
    /// The first word in brackets, upper case.
    pub code: Option<String>,
    /// Words for people; empty where there are none.
    pub text: String,
}

/// The first word of a status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StatusKind {
    /// `OK`
    Ok,
    /// `NO`
    No,
    /// `BYE`: the server ends the session.
    Bye,
}

/// Why bytes are no response.
pub(crate) type Nonsense = &'static str;

impl Token {
    /// A string's text; what is not UTF-8 in it is replaced.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }
}

/// Takes the first response off `buffer`: it, and how many bytes it was. None where it is not whole.
///
/// # Errors
/// When it can never become one.
pub(crate) fn take(buffer: &[u8]) -> Result<Option<(Response, usize)>, Nonsense> {
    let mut at = 0;
    let mut tokens = Vec::new();
    loop {
        if at > MAX_RESPONSE || tokens.len() > MAX_TOKENS {
            return Err("a line without end");
        }
        match piece(buffer.get(at..).unwrap_or_default())? {
            Piece::Unfinished if buffer.len() > MAX_RESPONSE => return Err("a line without end"),
            Piece::Unfinished => return Ok(None),
            Piece::Space => at += 1,
            Piece::Token(token, length) => {
                tokens.push(token);
                at += length;
            }
            Piece::End(length) => return Ok(Some((response(tokens)?, at + length))),
        }
    }
}

enum Piece {
    Unfinished,
    Space,
    Token(Token, usize),
    End(usize),
}

fn piece(rest: &[u8]) -> Result<Piece, Nonsense> {
    Ok(match rest {
        [] | [b'\r'] => Piece::Unfinished,
        [b'\r', b'\n', ..] => Piece::End(2),
        [b'\n', ..] => Piece::End(1),
        [b' ', ..] => Piece::Space,
        [b'(', ..] => Piece::Token(Token::Open, 1),
        [b')', ..] => Piece::Token(Token::Close, 1),
        [b'"', quoted @ ..] => quoted_string(quoted)?,
        [b'{', literal @ ..] => literal_string(literal)?,
        _ => word(rest)?,
    })
}

/// `quoted`, of which the first quotation mark was read.
fn quoted_string(rest: &[u8]) -> Result<Piece, Nonsense> {
    let mut text = Vec::new();
    let mut bytes = rest.iter().enumerate();
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'"' => return Ok(Piece::Token(Token::Text(text.into()), place + 2)),
            b'\\' => match bytes.next() {
                Some((_, escaped)) => text.push(*escaped),
                None => break,
            },
            b'\r' | b'\n' => return Err("a quoted string that does not end"),
            byte => text.push(*byte),
        }
    }
    Ok(Piece::Unfinished)
}

/// `literal-s2c`, of which the brace was read: a number, perhaps `+`, a line's end, the bytes.
fn literal_string(rest: &[u8]) -> Result<Piece, Nonsense> {
    let Some(end) = rest.iter().take(16).position(|byte| *byte == b'\n') else {
        return if rest.len() < 16 { Ok(Piece::Unfinished) } else { Err("a literal of no length") };
    };
    let head = rest.get(..end).and_then(|head| std::str::from_utf8(head).ok()).unwrap_or_default();
    let length = head.trim_end_matches('\r').strip_suffix('}');
    let length = length.map(|digits| digits.strip_suffix('+').unwrap_or(digits));
    let length: usize =
        length.and_then(|digits| digits.parse().ok()).ok_or("a literal of no length")?;
    if length > MAX_RESPONSE {
        return Err("a huge literal");
    }
    let begin = end + 1;
    Ok(match rest.get(begin..begin + length) {
        Some(data) => Piece::Token(Token::Text(Bytes::copy_from_slice(data)), 1 + begin + length),
        None => Piece::Unfinished,
    })
}

fn word(rest: &[u8]) -> Result<Piece, Nonsense> {
    let ends = |byte: &u8| matches!(byte, b' ' | b'(' | b')' | b'"' | b'{' | b'\r' | b'\n');
    match rest.iter().position(ends) {
        Some(0) => Err("a line that is not as ManageSieve writes it"),
        Some(length) => {
            let word = rest.get(..length).unwrap_or_default();
            Ok(Piece::Token(Token::Word(String::from_utf8_lossy(word).into_owned()), length))
        }
        None => Ok(Piece::Unfinished),
    }
}

/// `OK`, `NO` and `BYE` begin a status, all else is data.
fn response(tokens: Vec<Token>) -> Result<Response, Nonsense> {
    let kind = match tokens.first() {
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("OK") => StatusKind::Ok,
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("NO") => StatusKind::No,
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("BYE") => StatusKind::Bye,
        Some(Token::Text(_)) => return Ok(Response::Data(tokens)),
        _ => return Err("a line that is neither data nor a status"),
    };
    let code = match (tokens.get(1), tokens.get(2)) {
        (Some(Token::Open), Some(Token::Word(code))) => Some(code.to_ascii_uppercase()),
        _ => None,
    };
    // What stands in brackets may be strings too.
    let mut depth = 0_usize;
    let mut text = String::new();
    for token in &tokens {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Text(_) if depth == 0 => text = token.text().unwrap_or_default(),
            _ => {}
        }
    }
    // Words for people, and for one line of a log.
    let text = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
    Ok(Response::Status(Status { kind, code, text }))
}

/// One command, ended by CRLF.
#[derive(Clone, Debug)]
pub(crate) struct Command(Vec<u8>);

impl Command {
    /// A command of this name.
    pub(crate) fn new(name: &str) -> Self {
        Self(name.as_bytes().to_vec())
    }

    /// A space and a string: quoted where that is allowed, else a literal that does not wait.
    pub(crate) fn string(mut self, text: &[u8]) -> Self {
        let quotable = text.len() <= MAX_QUOTED
            && text.iter().all(|byte| !matches!(byte, b'\r' | b'\n' | b'\0' | b'"' | b'\\'));
        self.0.push(b' ');
        if quotable {
            self.0.push(b'"');
            self.0.extend_from_slice(text);
            self.0.push(b'"');
        } else {
            self.0.extend_from_slice(format!("{{{}+}}\r\n", text.len()).as_bytes());
            self.0.extend_from_slice(text);
        }
        self
    }

    /// A space and a number.
    pub(crate) fn number(mut self, number: usize) -> Self {
        self.0.extend_from_slice(format!(" {number}").as_bytes());
        self
    }

    /// A string alone, as an answer to a challenge.
    pub(crate) fn answer(text: &str) -> Self {
        let mut with_space = Self(Vec::new()).string(text.as_bytes()).0;
        with_space.remove(0);
        Self(with_space)
    }

    /// The bytes to send.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"\r\n");
        self.0
    }
}
