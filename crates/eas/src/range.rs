//! `Range`: from which to which, both included: of a file's bytes in ItemOperations, of results in
//! Search and Find (MS-ASCMD 2.2.3.143).

use crate::error::{Error, Result};
use dme_wbxml::Element;
use std::fmt;

/// From which to which, both included; the last is never before the first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Range {
    first: u32,
    last: u32,
}

impl Range {
    /// None where the last is before the first.
    pub fn new(first: u32, last: u32) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The first, counted from 0.
    pub fn first(self) -> u32 {
        self.first
    }

    /// The last, included.
    pub fn last(self) -> u32 {
        self.last
    }

    /// How many.
    pub fn count(self) -> u64 {
        u64::from(self.last).saturating_sub(u64::from(self.first)).saturating_add(1)
    }

    /// Reads `0-99`.
    pub(crate) fn from_element(element: &Element) -> Result<Self> {
        let wrong = Error::Value { element: element.tag, expected: "a range such as 0-99" };
        let (first, last) =
            element.as_text().unwrap_or_default().split_once('-').ok_or(wrong.clone())?;
        let number = |text: &str| {
            let digits = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let range = number(first.trim()).zip(number(last.trim()));
        range.and_then(|(first, last)| Self::new(first, last)).ok_or(wrong)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_wbxml::pages::item_operations as i;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        let read = |text: &str| Range::from_element(&Element::text(i::RANGE, text));
        for (text, first, last) in [("0-99", 0, 99), ("5-5", 5, 5), ("0-999999999", 0, 999_999_999)]
        {
            let range = read(text).unwrap();
            assert_eq!(
                (range.first(), range.last(), range.to_string()),
                (first, last, text.into())
            );
        }
        for text in ["", "-", "1", "9-1", "-1-5", "0-", "+1-2", "0-9999999999", "a-b", "1-2-3"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_count_includes_both_ends() {
        assert_eq!(Range::new(0, 99).unwrap().count(), 100);
        assert_eq!(Range::new(0, u32::MAX).unwrap().count(), 1 << 32);
        assert_eq!(Range::new(1, 0), None);
    }
}
