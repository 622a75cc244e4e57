//! Settings that may be switched off: a value, or the word that means none.

use dme_model::{ByteSize, Span};
use serde::de::{Deserialize as _, Deserializer, Error, Visitor};
use std::fmt;
use std::str::FromStr;

/// A small number, or `"never"`.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u8>, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = Option<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number up to 255, or \"never\"")
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
            let unexpected = serde::de::Unexpected::Unsigned(value);
            value.try_into().map(Some).map_err(|_| E::invalid_value(unexpected, &self))
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
            let unexpected = serde::de::Unexpected::Signed(value);
            value.try_into().map(Some).map_err(|_| E::invalid_value(unexpected, &self))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            let unexpected = serde::de::Unexpected::Str(text);
            if text == "never" { Ok(None) } else { Err(E::invalid_value(unexpected, &self)) }
        }
    }

    from.deserialize_any(Number)
}

/// A span of time, or `"never"`.
pub(super) fn span<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Span>, D::Error> {
    text(from, "never")
}

/// A size, or `"unlimited"`.
pub(super) fn size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ByteSize>, D::Error> {
    text(from, "unlimited")
}

fn text<'de, T, D>(from: D, none: &str) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(from)?;
    if text == none {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| D::Error::custom(format!("{error}, or \"{none}\"")))
}
