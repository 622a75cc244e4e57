//! Commands.

use bytes::Bytes;

/// What a server may tell in answer to an ordinary command, in bytes.
const USUAL: usize = 16 << 20;

/// One command without its tag, as text and literals.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) pieces: Vec<Piece>,
    /// What the server may tell in answer, in bytes; one that tells more is given up.
    pub(crate) allowed: usize,
}

/// A stretch of a command.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Sent as it is.
    Text(String),
    /// Sent as a literal (RFC 9051 §4.3).
    Literal(Bytes),
}

impl Command {
    /// A command of plain text; arguments from outside come by [`Command::string`].
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Text(text.into())], allowed: USUAL }
    }

    /// Lets the server tell so many bytes in answer instead of the usual number.
    pub(crate) fn allowing(mut self, bytes: usize) -> Self {
        self.allowed = bytes;
        self
    }

    /// More plain text.
    pub(crate) fn text(mut self, text: &str) -> Self {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
        self
    }

    /// A space and a string: quoted where that is allowed, else a literal.
    pub(crate) fn string(self, text: &str) -> Self {
        let quotable = text.len() <= 1000 && text.bytes().all(|b| (b' '..=b'~').contains(&b));
        if quotable {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            self.text(&format!(" \"{escaped}\""))
        } else {
            self.literal(Bytes::copy_from_slice(text.as_bytes()))
        }
    }

    /// A space and a mailbox name.
    pub(crate) fn mailbox(self, name: &str) -> Self {
        self.string(&super::name::encode(name))
    }

    /// A space and a literal.
    pub(crate) fn literal(self, data: Bytes) -> Self {
        let mut this = self.text(" ");
        this.pieces.push(Piece::Literal(data));
        this
    }

    /// Whether it has a literal.
    pub(crate) fn has_literal(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Literal(_)))
    }
}

impl From<&str> for Command {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Command {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_or_sent_as_literals() {
        let command = Command::new("LOGIN").string(r#"a "b" \c"#).string("ü");
        let text = r#"LOGIN "a \"b\" \\c" "#.to_owned();
        let literal = Bytes::from_static("ü".as_bytes());
        assert!(command.pieces == [Piece::Text(text), Piece::Literal(literal)]);
    }

    #[test]
    fn a_line_break_cannot_end_a_command() {
        assert!(Command::new("SELECT").string("a\r\nx LOGOUT").has_literal());
    }
}
