//! BODYSTRUCTURE: the parts of a message without their content (RFC 9051 §7.5.2).

use super::cursor::Cursor;
use crate::error::WireError;

/// Parts may not be nested deeper.
const MAX_DEPTH: usize = 50;

/// One part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Structure {
    /// Parts in a row.
    Multipart {
        /// What they are.
        parts: Vec<Structure>,
        /// The `boundary` parameter.
        boundary: Option<String>,
    },
    /// A part with content.
    Single {
        /// `text/plain`, lower case.
        media_type: String,
        /// The transfer encoding, lower case.
        encoding: String,
        /// The size as it is transferred, in bytes.
        size: u64,
        /// Marked as an attachment.
        attached: bool,
    },
}

impl Structure {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        Self::read_at(cursor, 0)
    }

    fn read_at(cursor: &mut Cursor<'_>, depth: usize) -> Result<Self, WireError> {
        if depth > MAX_DEPTH {
            return Err(WireError::Nonsense("parts nested too deep".to_owned()));
        }
        cursor.expect(b'(')?;
        if cursor.peek() == Some(b'(') {
            let mut parts = Vec::new();
            while cursor.peek() == Some(b'(') {
                parts.push(Self::read_at(cursor, depth + 1)?);
                cursor.eat(b' ');
            }
            cursor.nstring()?;
            let mut boundary = None;
            if cursor.eat(b' ') {
                boundary = parameter(cursor, "boundary")?;
            }
            rest(cursor)?;
            return Ok(Self::Multipart { parts, boundary });
        }
        let mut word = || -> Result<String, WireError> {
            let text = cursor.nstring()?.unwrap_or_default();
            cursor.eat(b' ');
            Ok(String::from_utf8_lossy(&text).to_ascii_lowercase())
        };
        let (kind, subkind) = (word()?, word()?);
        cursor.skip_value()?; // parameters
        for _ in 0..2 {
            cursor.eat(b' ');
            cursor.nstring()?; // id, description
        }
        cursor.eat(b' ');
        let encoding = cursor.nstring()?.unwrap_or_default();
        cursor.eat(b' ');
        let size = cursor.number()?;
        let mut attached = false;
        while cursor.eat(b' ') {
            // Lines, MD5, an enclosed message's own structure, disposition, language, location.
            // Of these, only a disposition is a list that begins with a word.
            if cursor.rest().get(..12).is_some_and(|s| s.eq_ignore_ascii_case(b"(\"attachment\""))
                || cursor
                    .rest()
                    .get(..13)
                    .is_some_and(|s| s.eq_ignore_ascii_case(b"(\"attachment\""))
            {
                attached = true;
            }
            cursor.skip_value()?;
        }
        cursor.expect(b')')?;
        Ok(Self::Single {
            media_type: format!("{kind}/{subkind}"),
            encoding: String::from_utf8_lossy(&encoding).to_ascii_lowercase(),
            size,
            attached,
        })
    }
}

/// Reads `("name" "value" ...)` or NIL; gives the value of one name.
fn parameter(cursor: &mut Cursor<'_>, wanted: &str) -> Result<Option<String>, WireError> {
    if cursor.peek() != Some(b'(') {
        cursor.skip_value()?;
        return Ok(None);
    }
    let mut found = None;
    cursor.list(|cursor| {
        let name = cursor.nstring()?.unwrap_or_default();
        cursor.eat(b' ');
        let value = cursor.nstring()?.unwrap_or_default();
        if name.eq_ignore_ascii_case(wanted.as_bytes()) {
            found = Some(String::from_utf8_lossy(&value).into_owned());
        }
        Ok(())
    })?;
    Ok(found)
}

/// The rest of a list, unread.
fn rest(cursor: &mut Cursor<'_>) -> Result<(), WireError> {
    while cursor.eat(b' ') {
        cursor.skip_value()?;
    }
    cursor.expect(b')')
}
