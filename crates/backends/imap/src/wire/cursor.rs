//! Reads the grammar's small pieces out of one response (RFC 9051 §9).

use crate::error::WireError;
use bytes::Bytes;

/// How deep lists may be nested.
const MAX_DEPTH: usize = 100;

/// A place in a response.
pub(super) struct Cursor<'a> {
    raw: &'a Bytes,
    at: usize,
}

fn nonsense(what: &str) -> WireError {
    WireError::Nonsense(what.to_owned())
}

impl<'a> Cursor<'a> {
    pub(super) fn new(raw: &'a Bytes) -> Self {
        Self { raw, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.raw.get(self.at..).unwrap_or_default()
    }

    /// What is left of the line, as text.
    pub(super) fn line(&mut self) -> String {
        let rest = self.rest();
        let text = rest.strip_suffix(b"\r\n").unwrap_or(rest);
        self.at = self.raw.len();
        String::from_utf8_lossy(text).into_owned()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.raw.get(self.at).copied()
    }

    /// Passes over the byte if it is there.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), WireError> {
        if self.eat(byte) { Ok(()) } else { Err(nonsense("a response is not as IMAP writes it")) }
    }

    fn while_bytes(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| wanted(**byte)).count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// An atom, or what servers take for one; may be empty.
    pub(super) fn atom(&mut self) -> String {
        let bytes = self.while_bytes(|b| b > b' ' && !b"(){\"".contains(&b));
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// A flag, `\Seen` or a keyword.
    pub(super) fn flag(&mut self) -> String {
        let bytes = self.while_bytes(|b| b > b' ' && !b"()\"".contains(&b));
        String::from_utf8_lossy(bytes).into_owned()
    }

    pub(super) fn number(&mut self) -> Result<u64, WireError> {
        let digits = self.while_bytes(|b| b.is_ascii_digit());
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| nonsense("a number is missing or too large"))
    }

    pub(super) fn number32(&mut self) -> Result<u32, WireError> {
        u32::try_from(self.number()?).map_err(|_| nonsense("a number is too large"))
    }

    /// A quoted string or literal.
    pub(super) fn string(&mut self) -> Result<Bytes, WireError> {
        self.eat(b'~');
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(),
            _ => Err(nonsense("a string is missing")),
        }
    }

    /// A string, or none for `NIL`.
    pub(super) fn nstring(&mut self) -> Result<Option<Bytes>, WireError> {
        match self.peek() {
            Some(b'"' | b'{' | b'~') => self.string().map(Some),
            _ if self.atom().eq_ignore_ascii_case("NIL") => Ok(None),
            _ => Err(nonsense("neither a string nor NIL")),
        }
    }

    /// A string or an atom.
    pub(super) fn astring(&mut self) -> Result<Bytes, WireError> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => {
                let start = self.at;
                self.while_bytes(|b| b > b' ' && !b"(){\"".contains(&b));
                Ok(self.raw.slice(start..self.at))
            }
        }
    }

    fn quoted(&mut self) -> Result<Bytes, WireError> {
        self.expect(b'"')?;
        let start = self.at;
        let plain = self.while_bytes(|b| b != b'"' && b != b'\\');
        if self.eat(b'"') {
            return Ok(self.raw.slice(start..start + plain.len()));
        }
        let mut text = plain.to_vec();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return Ok(text.into()),
                b'\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                _ => text.push(byte),
            }
        }
        Err(nonsense("a quoted string does not end"))
    }

    fn literal(&mut self) -> Result<Bytes, WireError> {
        self.expect(b'{')?;
        let length = usize::try_from(self.number()?).map_err(|_| nonsense("a huge literal"))?;
        self.eat(b'+');
        self.expect(b'}')?;
        self.expect(b'\r')?;
        self.expect(b'\n')?;
        let end = self.at.checked_add(length).filter(|end| *end <= self.raw.len());
        let end = end.ok_or_else(|| nonsense("a literal is cut off"))?;
        let data = self.raw.slice(self.at..end);
        self.at = end;
        Ok(data)
    }

    /// Passes over any value: atom, number, string or list.
    pub(super) fn skip_value(&mut self) -> Result<(), WireError> {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'(') => {
                    self.at += 1;
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(nonsense("lists nested too deep"));
                    }
                }
                Some(b')') if depth > 0 => {
                    self.at += 1;
                    depth -= 1;
                }
                Some(b' ') if depth > 0 => self.at += 1,
                Some(b'"' | b'{' | b'~') => {
                    self.string()?;
                }
                Some(b) if b > b' ' && b != b')' => {
                    self.while_bytes(|b| b > b' ' && !b"(){\"".contains(&b));
                }
                _ => return Err(nonsense("a value is missing")),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// `(a b c)`, each read by `item`.
    pub(super) fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        self.expect(b'(')?;
        while !self.eat(b')') {
            let before = self.at;
            item(self)?;
            self.eat(b' ');
            if self.at == before {
                return Err(nonsense("a list does not end"));
            }
        }
        Ok(())
    }

    /// The name of a FETCH item with its section and origin: `BODY[1.2]<0>`.
    pub(super) fn fetch_item(&mut self) -> Result<String, WireError> {
        let start = self.at;
        self.while_bytes(|b| b > b' ' && !b"()[\"{".contains(&b));
        if self.peek() == Some(b'[') {
            self.while_bytes(|b| b != b']' && b >= b' ');
            self.expect(b']')?;
            self.while_bytes(|b| b == b'<' || b == b'>' || b.is_ascii_digit());
        }
        let name = self.raw.get(start..self.at).unwrap_or_default();
        Ok(String::from_utf8_lossy(name).to_ascii_uppercase())
    }
}
