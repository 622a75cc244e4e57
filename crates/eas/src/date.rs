//! Dates and times as text (MS-ASDTYPE 2.3): extended, `2009-07-29T19:25:37.817Z`, in mail and in
//! most commands; compact, `20090729T192537Z`, in calendar elements.

use dme_model::Timestamp;
use jiff::fmt::strtime;

/// Reads either form; fractions of a second and the `Z` may be missing. None where it is neither.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    if text.len() > 32 || !text.is_ascii() {
        return None;
    }
    let format = if text.contains('-') { "%Y-%m-%dT%H:%M:%S%.f" } else { "%Y%m%dT%H%M%S%.f" };
    let moment = strtime::parse(format, text).ok()?.to_datetime().ok()?;
    let moment = jiff::tz::TimeZone::UTC.to_timestamp(moment).ok()?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

/// The extended form. Moments outside of the years 0 to 9999 become the epoch.
pub(crate) fn format(moment: Timestamp) -> String {
    strftime(moment, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// The compact form. Moments outside of the years 0 to 9999 become the epoch.
pub(crate) fn format_compact(moment: Timestamp) -> String {
    strftime(moment, "%Y%m%dT%H%M%SZ")
}

fn strftime(moment: Timestamp, format: &str) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.as_millis())
        .ok()
        .filter(|moment| moment.as_millisecond() >= -62_167_219_200_000)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_written() {
        let moment = Timestamp::from_millis(1_248_895_537_817);
        assert_eq!(format(moment), "2009-07-29T19:25:37.817Z");
        assert_eq!(format_compact(moment), "20090729T192537Z");
        assert_eq!(parse("2009-07-29T19:25:37.817Z"), Some(moment));
        assert_eq!(parse("2009-07-29T19:25:37Z"), Some(Timestamp::from_seconds(1_248_895_537)));
        assert_eq!(parse("20090729T192537Z"), Some(Timestamp::from_seconds(1_248_895_537)));
        assert_eq!(parse("20090729T192537"), Some(Timestamp::from_seconds(1_248_895_537)));
    }

    #[test]
    fn what_is_no_date_is_none_and_no_moment_panics() {
        for text in ["", "Z", "today", "2009-13-01T00:00:00Z", "99999999T999999Z", "2009-07-29"] {
            assert_eq!(parse(text), None, "{text}");
        }
        for millis in [i64::MIN, i64::MAX, -62_167_219_200_001] {
            assert_eq!(format(Timestamp::from_millis(millis)), "1970-01-01T00:00:00.000Z");
        }
    }
}
