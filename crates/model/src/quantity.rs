//! Spans of time and sizes as people write them in configuration: `30s`, `10MiB`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// A span of time: a whole number and a unit, `250ms`, `30s`, `5m`, `12h` or `7d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Span(pub Duration);

/// A size in bytes: a whole number and a unit, `512B`, `64KiB`, `10MiB` or `1GiB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ByteSize(pub u64);

/// Why a quantity could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuantityError {
    text: String,
    wanted: &'static str,
}

/// A setting's value that is beyond what makes sense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutOfRange {
    key: String,
    value: String,
    allowed: String,
}

/// Whether a setting's value is one of those allowed, both ends included.
///
/// # Errors
/// The key, the value and what is allowed, in words.
pub fn within<T: PartialOrd + fmt::Display>(
    key: &str,
    value: T,
    allowed: std::ops::RangeInclusive<T>,
) -> Result<(), OutOfRange> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(OutOfRange {
        key: key.to_owned(),
        value: value.to_string(),
        allowed: format!("{} to {}", allowed.start(), allowed.end()),
    })
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: {} are allowed", self.key, self.value, self.allowed)
    }
}

impl std::error::Error for OutOfRange {}

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }
}

const SPANS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

fn read(text: &str, units: &[(&str, u64)], wanted: &'static str) -> Result<u64, QuantityError> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = units.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| *factor);
    number
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .ok_or_else(|| QuantityError { text: text.to_owned(), wanted })
}

fn write(
    f: &mut fmt::Formatter<'_>,
    value: u64,
    largest_first: impl Iterator<Item = (&'static str, u64)>,
    zero: &str,
) -> fmt::Result {
    for (unit, factor) in largest_first {
        if value > 0 && value.is_multiple_of(factor) {
            return write!(f, "{}{unit}", value / factor);
        }
    }
    f.write_str(zero)
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text, &SPANS, "a whole number and one of ms, s, m, h, d, such as \"30s\"")
            .map(|millis| Self(Duration::from_millis(millis)))
    }
}

impl FromStr for ByteSize {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text, &SIZES, "a whole number and one of B, KiB, MiB, GiB, such as \"10MiB\"")
            .map(Self)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        write(f, millis, SPANS.into_iter().rev(), "0s")
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, SIZES.into_iter(), "0B")
    }
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} should be {}", self.text, self.wanted)
    }
}

impl std::error::Error for QuantityError {}

macro_rules! through_text {
    ($($name:ty),*) => {$(
        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = QuantityError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )*};
}

through_text!(Span, ByteSize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["250ms", "30s", "5m", "12h", "7d", "0s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        for text in ["512B", "64KiB", "10MiB", "1GiB", "0B", "1000B"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_value_beyond_its_range_is_named_with_what_is_allowed() {
        assert_eq!(within("limits.window", 512, 1..=512), Ok(()));
        let error = within("limits.window", 0, 1..=512).unwrap_err().to_string();
        assert_eq!(error, "limits.window is 0: 1 to 512 are allowed");
        let spans = Span::millis(100)..=Span::seconds(120);
        let error = within("times.body", Span::seconds(3600), spans).unwrap_err().to_string();
        assert_eq!(error, "times.body is 1h: 100ms to 2m are allowed");
    }

    #[test]
    fn what_is_not_a_quantity_is_refused_with_an_example() {
        for text in ["", "5", "s", "-5s", "1.5h", "5 parsecs", "99999999999999999999s"] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains("such as \"30s\""), "{error}");
        }
    }
}
