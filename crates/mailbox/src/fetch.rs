//! The content of items.

use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use dme_model::{Item, ItemId};
use serde::{Deserialize, Serialize};

/// One item of a fetch.
#[derive(Clone, PartialEq, Debug)]
pub struct Fetched {
    /// Which.
    pub id: ItemId,
    /// What became of it.
    pub outcome: FetchOutcome,
}

/// What became of one item.
#[derive(Clone, PartialEq, Debug)]
pub enum FetchOutcome {
    /// Here it is.
    Item(Item),
    /// It is no longer in the collection.
    Gone,
    /// It is there, but cannot be read or converted; the reason names no content (rule S5).
    Unconvertible(String),
}

/// From this byte, so many bytes; cut at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ByteRange {
    /// The first byte, from 0.
    pub start: u64,
    /// How many.
    pub length: u64,
}

impl ByteRange {
    /// The range of this content, without copying.
    ///
    /// # Errors
    /// `Invalid` where it begins beyond the end.
    pub fn cut(&self, content: &Bytes) -> Result<Bytes> {
        let size = content.len() as u64;
        if self.start > size {
            let context = format!("byte {} of a part of {size}", self.start);
            return Err(Error::new(ErrorKind::Invalid, context));
        }
        let end = self.start.saturating_add(self.length).min(size);
        // Both are at most the length of a slice.
        Ok(content.slice(self.start as usize..end as usize))
    }
}

/// The decoded content of a part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartContent {
    /// Its media type, lower case, without parameters.
    pub media_type: String,
    /// Its file name, where it has one.
    pub name: Option<String>,
    /// The size of the whole, also where a range was asked for.
    pub full_size: u64,
    /// The content, or the range of it.
    pub data: Bytes,
}
