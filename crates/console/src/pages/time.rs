//! Moments, as pages tell them and are told them: in UTC.

use super::Visit;
use crate::Refusal;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `2026-11-26 22:51`; a dash where there is none.
pub(crate) fn moment(seconds: Option<i64>) -> String {
    told(seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()), "%Y-%m-%d %H:%M")
}

/// `2026-11-26 22:51:07`, where it matters what was first.
pub(super) fn to_the_second(millis: Option<i64>) -> String {
    told(millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()), "%Y-%m-%d %H:%M:%S")
}

/// `2026-11-26 22:51:07.042`, where it matters how long something took.
pub(super) fn to_the_millisecond(millis: Option<i64>) -> String {
    told(
        millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        "%Y-%m-%d %H:%M:%S%.3f",
    )
}

fn told(at: Option<Timestamp>, format: &str) -> String {
    at.map_or_else(|| "–".to_owned(), |at| at.strftime(format).to_string())
}

/// The seconds of a moment as a field for one gives it, `2026-11-26T22:51` or with seconds.
fn asked_for(text: &str) -> Option<i64> {
    let at: DateTime = text.parse().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// A moment that somebody typed.
#[derive(Default)]
pub(super) struct Typed {
    pub text: String,
    pub seconds: Option<i64>,
}

/// From when until when something is wanted.
#[derive(Default)]
pub(super) struct Times {
    pub from: Typed,
    pub until: Typed,
}

impl Times {
    /// As the fields `from` and `until` say.
    ///
    /// # Errors
    /// Where what is typed is no moment: a log of all times would be taken for one of that time.
    pub fn of(visit: &Visit) -> Result<Self, Refusal> {
        let typed = |name: &str| match visit.wanted(name) {
            None => Ok(Typed::default()),
            Some(text) => match asked_for(&text) {
                Some(seconds) => Ok(Typed { text, seconds: Some(seconds) }),
                None => Err(Refusal::wrong("no-moment", &text)),
            },
        };
        Ok(Self { from: typed("from")?, until: typed("until")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_as_fine_as_the_question_needs() {
        let at = 1_795_733_467_042;
        assert_eq!(moment(Some(at / 1000)), "2026-11-26 22:51");
        assert_eq!(to_the_second(Some(at)), "2026-11-26 22:51:07");
        assert_eq!(to_the_millisecond(Some(at)), "2026-11-26 22:51:07.042");
        assert_eq!(to_the_millisecond(None), "–");
    }

    #[test]
    fn a_field_for_a_moment_gives_minutes_or_seconds() {
        assert_eq!(asked_for("2026-11-26T22:51"), Some(1_795_733_460));
        assert_eq!(asked_for("2026-11-26T22:51:07"), Some(1_795_733_467));
        assert_eq!(asked_for("2026-11-26 22:51:07"), Some(1_795_733_467), "as pages tell it");
        assert_eq!(asked_for("yesterday"), None);
    }

    #[test]
    fn moments_are_typed_in_utc_with_or_without_a_time() {
        assert_eq!(asked_for("2026-11-27T15:20").unwrap(), 1_795_792_800);
        assert_eq!(asked_for("2026-11-27").unwrap(), 1_795_737_600);
        assert!(asked_for("yesterday").is_none() && asked_for("2026-13-01").is_none());
    }
}
