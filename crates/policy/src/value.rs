//! Values of settings: which there can be, how strong they are, within which bounds they lie.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The value of a setting. In JSON `true`, `6`, `"none"` for no limit, a word, or a list of texts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A number in the setting's unit.
    Number(u32),
    /// A number that is not limited.
    NoLimit,
    /// One of the setting's words.
    Choice(String),
    /// A list.
    Texts(Vec<String>),
}

/// How no limit is written.
const NO_LIMIT: &str = "none";
/// The longest list, and the longest text in it.
const MOST_TEXTS: usize = 1000;
const LONGEST_TEXT: usize = 255;

/// What values a setting has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Kind {
    /// On or off.
    Switch {
        /// What holds where nobody says.
        unset: bool,
    },
    /// A number.
    Number {
        /// The least the protocol carries.
        least: u32,
        /// The most it carries.
        most: u32,
        /// In what.
        unit: &'static str,
        /// Whether there may be no limit, which then holds where nobody says; else the least does.
        unlimited: Unlimited,
    },
    /// One of these words, the mildest first.
    Choice {
        /// The words.
        #[schemars(with = "Vec<String>")]
        words: &'static [&'static str],
        /// What holds where nobody says.
        unset: &'static str,
    },
    /// A list of texts, empty where nobody says.
    Texts,
}

/// What no limit means among the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unlimited {
    /// There is no such value.
    Impossible,
    /// It is below every number: any length of password.
    Lowest,
    /// It is above every number: any size.
    Highest,
}

/// Within which values a level lets those below choose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Bounds {
    /// Numbers from the least to the most, each only where it is there.
    Range {
        /// At least this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        least: Option<u32>,
        /// At most this; then there is a limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        most: Option<u32>,
    },
    /// Any of these words.
    OneOf(Vec<String>),
}

impl Kind {
    /// What holds where nobody says.
    pub fn unset(self) -> Value {
        match self {
            Self::Switch { unset } => Value::Switch(unset),
            Self::Number { least, unlimited: Unlimited::Impossible, .. } => Value::Number(least),
            Self::Number { .. } => Value::NoLimit,
            Self::Choice { unset, .. } => Value::Choice(unset.to_owned()),
            Self::Texts => Value::Texts(Vec::new()),
        }
    }

    /// Whether a value is one of this kind.
    pub fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Switch { .. }, Value::Switch(_)) => true,
            (Self::Number { least, most, .. }, Value::Number(number)) => {
                (least..=most).contains(number)
            }
            (Self::Number { unlimited, .. }, Value::NoLimit) => unlimited != Unlimited::Impossible,
            (Self::Choice { words, .. }, Value::Choice(word)) => words.contains(&word.as_str()),
            (Self::Texts, Value::Texts(texts)) => {
                let fits = |text: &String| !text.is_empty() && text.chars().count() <= LONGEST_TEXT;
                texts.len() <= MOST_TEXTS && texts.iter().all(fits)
            }
            _ => false,
        }
    }

    /// What is allowed, in words.
    pub fn allowed(self) -> String {
        match self {
            Self::Switch { .. } => "true or false".to_owned(),
            Self::Number { least, most, unit, unlimited } => {
                let most = if most == u32::MAX { "any number".into() } else { most.to_string() };
                let or_none = if unlimited == Unlimited::Impossible { "" } else { ", or \"none\"" };
                let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
                format!("{least} to {most}{unit}{or_none}")
            }
            Self::Choice { words, .. } => format!("one of: {}", words.join(", ")),
            Self::Texts => format!(
                "a list of at most {MOST_TEXTS} texts of 1 to {LONGEST_TEXT} characters each"
            ),
        }
    }

    /// A value as it is typed: `true`, `on`, `6`, `none`, a word, or texts parted by commas. None
    /// where it is none of this kind.
    pub fn parse(self, text: &str) -> Option<Value> {
        let text = text.trim();
        let value = match self {
            Self::Switch { .. } => match text {
                "true" | "on" | "yes" => Value::Switch(true),
                "false" | "off" | "no" => Value::Switch(false),
                _ => return None,
            },
            Self::Number { .. } if text == NO_LIMIT => Value::NoLimit,
            Self::Number { .. } => Value::Number(text.parse().ok()?),
            Self::Choice { .. } => Value::Choice(text.to_owned()),
            Self::Texts => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Texts(parts.map(str::to_owned).collect())
            }
        };
        self.admits(&value).then_some(value)
    }

    /// Whether bounds can be set: they have an order or words, and admit something.
    pub fn admits_bounds(self, bounds: &Bounds) -> bool {
        match (self, bounds) {
            (Self::Number { least, most, .. }, Bounds::Range { least: from, most: to }) => {
                let fits = |end: &Option<u32>| end.is_none_or(|end| (least..=most).contains(&end));
                let some = from.is_some() || to.is_some();
                let ordered = from.zip(*to).is_none_or(|(from, to)| from <= to);
                some && ordered && fits(from) && fits(to)
            }
            (Self::Choice { words, .. }, Bounds::OneOf(some)) => {
                !some.is_empty() && some.iter().all(|word| words.contains(&word.as_str()))
            }
            _ => false,
        }
    }

    /// The order of two numbers of this kind, no limit included; none for other values.
    pub fn compare(self, one: &Value, other: &Value) -> Option<Ordering> {
        let Self::Number { unlimited, .. } = self else { return None };
        let place = |value: &Value| match (value, unlimited) {
            (Value::Number(number), _) => Some((1, *number)),
            (Value::NoLimit, Unlimited::Lowest) => Some((0, 0)),
            (Value::NoLimit, Unlimited::Highest) => Some((2, 0)),
            _ => None,
        };
        Some(place(one)?.cmp(&place(other)?))
    }
}

impl Bounds {
    /// The value itself where it lies within, else the nearest that does.
    pub fn nearest(&self, kind: Kind, value: &Value) -> Value {
        match self {
            Self::Range { least, most } => {
                let mut nearest = value.clone();
                if let Some(least) = least.map(Value::Number)
                    && kind.compare(&nearest, &least) == Some(Ordering::Less)
                {
                    nearest = least;
                }
                if let Some(most) = most.map(Value::Number)
                    && kind.compare(&nearest, &most) == Some(Ordering::Greater)
                {
                    nearest = most;
                }
                nearest
            }
            Self::OneOf(some) => match value {
                Value::Choice(word) if !some.contains(word) => {
                    some.first().map_or_else(|| value.clone(), |word| Value::Choice(word.clone()))
                }
                _ => value.clone(),
            },
        }
    }

    /// Whether a value lies within.
    pub fn admit(&self, kind: Kind, value: &Value) -> bool {
        self.nearest(kind, value) == *value
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range { least: Some(least), most: Some(most) } => write!(f, "{least} to {most}"),
            Self::Range { least: Some(least), most: None } => write!(f, "at least {least}"),
            Self::Range { least: None, most: Some(most) } => write!(f, "at most {most}"),
            Self::Range { least: None, most: None } => f.write_str("anything"),
            Self::OneOf(words) => write!(f, "one of: {}", words.join(", ")),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(on) => write!(f, "{on}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::NoLimit => f.write_str(NO_LIMIT),
            Self::Choice(word) => f.write_str(word),
            Self::Texts(texts) if texts.is_empty() => f.write_str("(empty)"),
            Self::Texts(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Switch(on) => to.serialize_bool(*on),
            Self::Number(number) => to.serialize_u32(*number),
            Self::NoLimit => to.serialize_str(NO_LIMIT),
            Self::Choice(word) => to.serialize_str(word),
            Self::Texts(texts) => texts.serialize(to),
        }
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "True or false, a number, \"none\" for no limit, a word, or texts",
            "anyOf": [
                { "type": "boolean" },
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
            ],
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, a number, \"none\", a word, or a list of texts")
            }

            fn visit_bool<E: Error>(self, on: bool) -> Result<Value, E> {
                Ok(Value::Switch(on))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
                let number = u32::try_from(number);
                number.map(Value::Number).map_err(|_| E::custom("a number above 4294967295"))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
                let number = u64::try_from(number).map_err(|_| E::custom("a number below 0"))?;
                self.visit_u64(number)
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Value, E> {
                Ok(match word {
                    NO_LIMIT => Value::NoLimit,
                    word => Value::Choice(word.to_owned()),
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = all.next_element()? {
                    texts.push(text);
                }
                Ok(Value::Texts(texts))
            }
        }

        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_json_as_people_write_them() {
        for (json, value) in [
            ("true", Value::Switch(true)),
            ("6", Value::Number(6)),
            ("\"none\"", Value::NoLimit),
            ("\"hands-free\"", Value::Choice("hands-free".into())),
            ("[\"a\",\"b\"]", Value::Texts(vec!["a".into(), "b".into()])),
        ] {
            assert_eq!(serde_json::from_str::<Value>(json).unwrap(), value);
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
        for (wrong, told) in [("-1", "below 0"), ("5000000000", "above"), ("{}", "a list of texts")]
        {
            let said = serde_json::from_str::<Value>(wrong).unwrap_err().to_string();
            assert!(said.contains(told), "{wrong}: {said}");
        }
    }

    #[test]
    fn no_limit_is_outside_of_a_bound_that_limits() {
        let length = Kind::Number { least: 1, most: 16, unit: "", unlimited: Unlimited::Lowest };
        let least = Bounds::Range { least: Some(6), most: None };
        assert_eq!(least.nearest(length, &Value::NoLimit), Value::Number(6));
        assert!(Bounds::Range { least: None, most: Some(8) }.admit(length, &Value::NoLimit));
        let size = Kind::Number { least: 1, most: 99, unit: "", unlimited: Unlimited::Highest };
        let most = Bounds::Range { least: None, most: Some(8) };
        assert_eq!(most.nearest(size, &Value::NoLimit), Value::Number(8));
        assert!(Bounds::Range { least: Some(6), most: None }.admit(size, &Value::NoLimit));
    }
}
