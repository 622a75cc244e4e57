//! Free and busy times as ResolveRecipients tells them: one digit for each half hour
//! (`MergedFreeBusy`, MS-ASCMD 2.2.3.107).

use dme_model::{BusyStatus, Timestamp};

/// The length of one digit's time, in milliseconds.
const HALF_HOUR: i64 = 30 * 60 * 1000;

/// The most digits told: 32 KB.
const MAX_DIGITS: i64 = 32_768;

/// The digit of times of which nothing is known.
pub const NO_DATA: u8 = 4;

/// A time and how it shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy {
    /// Begin.
    pub start: Timestamp,
    /// End, exclusive.
    pub end: Timestamp,
    /// How it shows.
    pub status: BusyStatus,
}

/// The digits from `start` to `end`: 0 free, 1 tentative, 2 busy, 3 away. Of several in one half hour
/// the highest is told. Who works elsewhere is free.
pub fn half_hours(
    start: Timestamp,
    end: Timestamp,
    times: impl IntoIterator<Item = Busy>,
) -> String {
    let mut digits = vec![0; count(start, end)];
    for Busy { start: from, end: to, status } in times {
        let digit = match status {
            BusyStatus::Free | BusyStatus::WorkingElsewhere => 0,
            BusyStatus::Tentative => 1,
            BusyStatus::Busy => 2,
            BusyStatus::OutOfOffice => 3,
        };
        let since = |moment: Timestamp| moment.as_millis().saturating_sub(start.as_millis());
        let first = usize::try_from(since(from).max(0) / HALF_HOUR).unwrap_or(usize::MAX);
        let behind = since(to).saturating_add(HALF_HOUR - 1).div_euclid(HALF_HOUR).max(0);
        let touched = usize::try_from(behind).unwrap_or(usize::MAX).saturating_sub(first);
        for place in digits.iter_mut().skip(first).take(touched) {
            *place = digit.max(*place);
        }
    }
    digits.into_iter().map(|digit: u8| char::from(b'0' + digit)).collect()
}

/// The digits of a person of whom nothing is known.
pub fn no_data(start: Timestamp, end: Timestamp) -> String {
    char::from(b'0' + NO_DATA).to_string().repeat(count(start, end))
}

/// How many half hours there are, the last one begun counted whole.
fn count(start: Timestamp, end: Timestamp) -> usize {
    let span = end.as_millis().saturating_sub(start.as_millis()).max(0);
    let halves = span.saturating_add(HALF_HOUR - 1) / HALF_HOUR;
    usize::try_from(halves.min(MAX_DIGITS)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(1_796_112_000 + minutes * 60)
    }

    fn busy(from: i64, to: i64, status: BusyStatus) -> Busy {
        Busy { start: at(from), end: at(to), status }
    }

    #[test]
    fn each_half_hour_has_the_highest_digit_of_what_is_in_it() {
        for (times, expected) in [
            (vec![], "00000"),
            // The document's own.
            (
                vec![
                    busy(0, 30, BusyStatus::OutOfOffice),
                    busy(30, 90, BusyStatus::Busy),
                    busy(120, 150, BusyStatus::Tentative),
                ],
                "32201",
            ),
            (vec![busy(40, 50, BusyStatus::Busy)], "02000"),
            (vec![busy(29, 31, BusyStatus::Busy)], "22000"),
            (vec![busy(0, 60, BusyStatus::Busy), busy(30, 60, BusyStatus::Tentative)], "22000"),
            (vec![busy(-90, 10, BusyStatus::Busy), busy(140, 900, BusyStatus::Busy)], "20002"),
            (vec![busy(-90, 0, BusyStatus::Busy), busy(150, 900, BusyStatus::Busy)], "00000"),
            (vec![busy(60, 60, BusyStatus::Busy), busy(90, 60, BusyStatus::Busy)], "00000"),
            (vec![busy(0, 150, BusyStatus::WorkingElsewhere)], "00000"),
        ] {
            assert_eq!(half_hours(at(0), at(150), times.clone()), expected, "{times:?}");
        }
        assert_eq!(no_data(at(0), at(61)), "444");
        assert_eq!(half_hours(at(10), at(0), []), "");
    }

    proptest! {
        #[test]
        fn no_time_panics_and_there_are_never_too_many(
            start in any::<i64>(), end in any::<i64>(), from in any::<i64>(), to in any::<i64>(),
        ) {
            let time = Busy {
                start: Timestamp::from_millis(from),
                end: Timestamp::from_millis(to),
                status: BusyStatus::Busy,
            };
            let (start, end) = (Timestamp::from_millis(start), Timestamp::from_millis(end));
            prop_assert!(half_hours(start, end, [time]).len() <= 32_768);
        }
    }
}
