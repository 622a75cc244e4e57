//! Moments as vCard writes them (RFC 6350 §4.3.5).

use dme_model::{Timestamp, civil};

/// The moment in UTC: `20261126T152700Z`.
pub(super) fn utc(moment: Timestamp) -> String {
    let (year, month, day) = civil::date(moment.as_days());
    let second = moment.as_seconds().rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc() {
        assert_eq!(utc(Timestamp::from_seconds(0)), "19700101T000000Z");
        assert_eq!(utc(Timestamp::from_seconds(1_790_000_000)), "20260921T141320Z");
        assert_eq!(utc(Timestamp::from_seconds(-1)), "19691231T235959Z");
    }
}
