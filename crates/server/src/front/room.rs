//! How much still fits into an answer.

use dme_wbxml::{Content, Element};

/// The bytes of items that an answer may still take. What it is full with is still given, so that
/// every answer gets further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Room(u64);

impl Room {
    pub fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    pub fn bytes(self) -> u64 {
        self.0
    }

    pub fn take(&mut self, bytes: u64) {
        self.0 = self.0.saturating_sub(bytes);
    }
}

/// About what an element takes in an answer, in bytes.
pub(super) fn size(element: &Element) -> u64 {
    let content = match &element.content {
        Content::Empty => 0,
        Content::Text(text) => text.len() as u64,
        Content::Opaque(bytes) => bytes.len() as u64,
        Content::Children(children) => children.iter().map(size).sum(),
    };
    content + 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_full_with_the_item_that_reaches_its_limit() {
        let mut room = Room::new(10);
        room.take(9);
        assert!(!room.is_none(), "a byte is left");
        room.take(1000);
        assert!(room.is_none(), "what it is full with is given, and nothing more");
    }
}
