//! What of a series its one rule does not say: further rules, rules that take instances out, added
//! dates (RFC 8984 §4.3; RFC 5545 §3.8.5; RFC 2445 §4.8.5.2), and what differs from some instance on
//! (RFC 5545 §3.2.13).

use crate::{EventField, EventPatch, LocalTime, Recurrence};
use serde::{Deserialize, Serialize};

/// What belongs to a series beside its rule.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Irregular {
    /// Further rules: their instances are the series' too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Recurrence>,
    /// Rules whose instances do not take place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Recurrence>,
    /// Instances that are by no rule, at the time of day of the others, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<LocalTime>,
    /// What differs from some instance on, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub onward: Vec<Onward>,
}

/// What differs in an instance and in each later one, up to the next of these. An exception of a
/// single instance is in its place there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Onward {
    /// When the first of these would have begun by the rule, on the series' clock.
    pub from: LocalTime,
    /// What differs, as in an exception of that one. Later ones are moved by as much as it is.
    pub patch: EventPatch,
}

impl Irregular {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
            && self.excluded.is_empty()
            && self.added.is_empty()
            && self.onward.is_empty()
    }

    /// The same of a series that begins so many seconds later, without what differs from some instance
    /// on.
    #[must_use]
    pub fn begun_later(&self, seconds: i64) -> Self {
        let added = self.added.iter().map(|date| date.plus_seconds(seconds)).collect();
        let (rules, excluded) = (self.rules.clone(), self.excluded.clone());
        Self { rules, excluded, added, onward: Vec::new() }
    }

    /// What differs from the rule in an instance that has no exception of its own.
    pub fn change_at(&self, original: LocalTime) -> Option<EventPatch> {
        let onward = self.onward.iter().rev().find(|onward| onward.from <= original)?;
        (!onward.patch.is_empty()).then(|| onward.at(original))
    }
}

impl Onward {
    fn at(&self, original: LocalTime) -> EventPatch {
        let mut patch = EventPatch::only(self.patch.fields.iter().copied(), &self.patch.value);
        if patch.fields.contains(&EventField::Time) {
            let later = original.as_seconds().saturating_sub(self.from.as_seconds());
            patch.value.start = patch.value.start.plus_seconds(later);
            patch.value.end = patch.value.end.plus_seconds(later);
        }
        patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    #[test]
    fn later_instances_differ_as_the_first_does_and_move_by_as_much() {
        let hours = |hours: i64| LocalTime::from_seconds(hours * 3600);
        let onward = |from: i64, title: &str, start: i64| {
            let value = Event {
                title: title.into(),
                start: hours(start),
                end: hours(start + 2),
                ..Event::default()
            };
            let patch = EventPatch::of([EventField::Title, EventField::Time], value);
            Onward { from: hours(from), patch }
        };
        let irregular = Irregular {
            onward: vec![onward(24, "a", 25), onward(72, "b", 71)],
            ..Irregular::default()
        };
        let at = |original: i64| {
            let patch = irregular.change_at(hours(original))?;
            Some((patch.value.title, patch.value.start, patch.value.end))
        };
        assert_eq!(at(0), None);
        assert_eq!(at(24), Some(("a".into(), hours(25), hours(27))));
        assert_eq!(at(48), Some(("a".into(), hours(49), hours(51))));
        assert_eq!(at(96), Some(("b".into(), hours(95), hours(97))));
    }
}
