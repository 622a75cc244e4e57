//! The ids that phones are given for items and attachments.
//!
//! They are text that a phone only repeats: a folder's number, an item's id in the mail system's
//! terms, an attachment's part, with colons between. An item's own id may hold colons.

use dme_model::{ItemId, PartId};
use std::fmt;
use std::str::FromStr;

/// The longest `ServerId` (MS-ASCMD 2.2.3.166).
const MAX_SERVER_ID: usize = 64;

/// The longest reference read.
const MAX_REFERENCE: usize = 1_024;

/// What is wrong with an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an id that this server gives")]
pub struct InvalidId;

/// An item's id for phones, `<folder number>:<item id>`: `ServerId` and, where an item is found by
/// searching, `LongId`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerId {
    /// The number phones know the folder by, from 1.
    pub folder: u32,
    /// The item in the mail system's terms.
    pub item: ItemId,
}

/// An attachment's id for phones, `<folder number>:<item id>:<part>` (MS-ASAIRS 2.2.2.24).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileReference {
    /// The item it belongs to.
    pub item: ServerId,
    /// Which part of it.
    pub part: PartId,
}

impl ServerId {
    /// The id of an item.
    pub fn new(folder: u32, item: ItemId) -> Self {
        Self { folder, item }
    }

    /// Whether it is short enough to be a `ServerId`, which has 64 characters at the most.
    pub fn fits(&self) -> bool {
        self.to_string().len() <= MAX_SERVER_ID
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.folder, self.item)
    }
}

impl FromStr for ServerId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() > MAX_REFERENCE {
            return Err(InvalidId);
        }
        let (folder, item) = text.split_once(':').ok_or(InvalidId)?;
        if item.is_empty() || item.chars().any(char::is_control) {
            return Err(InvalidId);
        }
        Ok(Self { folder: parse_folder(folder)?, item: ItemId::new(item) })
    }
}

/// Reads a folder's number as a phone sends it back (`CollectionId`).
///
/// # Errors
/// Where it is not one, or not in the spelling it was given in.
pub fn parse_folder(text: &str) -> Result<u32, InvalidId> {
    let number: u32 = text.parse().map_err(|_| InvalidId)?;
    // `+1` and `01` are not what was given out.
    if number == 0 || number.to_string() != text {
        return Err(InvalidId);
    }
    Ok(number)
}

impl fmt::Display for FileReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.item, self.part)
    }
}

impl FromStr for FileReference {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (item, part) = text.rsplit_once(':').ok_or(InvalidId)?;
        // Numbers in mails, digests in events.
        let named = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'.');
        if part.is_empty() || !part.bytes().all(named) {
            return Err(InvalidId);
        }
        Ok(Self { item: item.parse()?, part: PartId::new(part) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_never_given_out_is_refused() {
        for text in ["", "1", "1:", ":7", "0:7", "+1:7", "01:7", "x:7", "4294967296:7", "1:\n"] {
            assert_eq!(text.parse::<ServerId>(), Err(InvalidId), "{text}");
        }
        for text in ["", "1:7", "1:7:", "1:7:x", "1:7:../a", "1::2"] {
            assert_eq!(text.parse::<FileReference>(), Err(InvalidId), "{text}");
        }
        assert_eq!(format!("1:{}", "9".repeat(MAX_REFERENCE)).parse::<ServerId>(), Err(InvalidId));
    }

    #[test]
    fn parts_of_mails_and_of_events_are_read_as_they_are_written() {
        for part in ["2", "1.3.2", "9f86d081884c7d659a2feaa0"] {
            let item = ServerId::new(5, ItemId::new("a:b.ics"));
            let reference = FileReference { item, part: PartId::new(part) };
            assert_eq!(reference.to_string().parse(), Ok(reference), "{part}");
        }
    }

    #[test]
    fn an_id_fits_up_to_64_characters() {
        assert!(ServerId::new(12, ItemId::new("x".repeat(61))).fits());
        assert!(!ServerId::new(12, ItemId::new("x".repeat(62))).fits());
    }

    proptest! {
        #[test]
        fn ids_are_read_as_they_are_written(
            folder in 1u32..,
            item in "[!-~]{1,60}",
            part in "[0-9]{1,3}(\\.[0-9]{1,3}){0,4}",
        ) {
            let item = ServerId::new(folder, ItemId::new(item));
            prop_assert_eq!(item.to_string().parse(), Ok(item.clone()));
            let reference = FileReference { item, part: PartId::new(part) };
            prop_assert_eq!(reference.to_string().parse(), Ok(reference));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = text.parse::<ServerId>();
            let _ = text.parse::<FileReference>();
        }
    }
}
