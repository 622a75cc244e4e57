//! Hours of the day on a zone's clock, such as those in which a line is cheap.

use dme_model::{LocalTime, Timestamp, ZoneId};
use dme_zone::Zone;
use std::time::Duration;

/// Hours of the day, every day, on the clock of a zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hours {
    /// From and until, in seconds after midnight; where the end is not after the begin it is on the
    /// next day.
    spans: Vec<(i64, i64)>,
    zone: Zone,
}

/// A text that names no hours.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` are no hours; write them as \"22:00-06:00\"")]
pub struct NoHours(String);

const DAY: i64 = 86_400;

impl Hours {
    /// Those that the texts name, `22:00-06:00` each, on the clock of the zone. None named are no
    /// hours at all.
    ///
    /// # Errors
    /// When a text is something else.
    pub fn read<T: AsRef<str>>(texts: &[T], zone: Zone) -> Result<Self, NoHours> {
        let span = |text: &T| {
            let wrong = || NoHours(text.as_ref().to_owned());
            let (from, until) = text.as_ref().split_once('-').ok_or_else(wrong)?;
            let (from, until) = clock(from).zip(clock(until)).ok_or_else(wrong)?;
            if from == until || from == DAY { Err(wrong()) } else { Ok((from, until)) }
        };
        Ok(Self { spans: texts.iter().map(span).collect::<Result<_, _>>()?, zone })
    }

    /// As they are written.
    pub fn texts(&self) -> Vec<String> {
        let clock = |second: i64| format!("{:02}:{:02}", second / 3_600, second % 3_600 / 60);
        self.spans
            .iter()
            .map(|(from, until)| format!("{}-{}", clock(*from), clock(*until)))
            .collect()
    }

    /// The zone whose clock they are on.
    pub fn zone(&self) -> &ZoneId {
        self.zone.id()
    }

    /// How long until they begin: nothing within them, and never where there are none.
    pub fn until_begin(&self, now: Timestamp) -> Duration {
        if !self.left(now).is_zero() {
            return Duration::ZERO;
        }
        // Tomorrow's at the latest, but for days on which the clock jumps over them.
        let begins = (0..=2).flat_map(|day| self.spans.iter().map(move |span| (day, span.0)));
        let waits = begins.filter_map(|(day, from)| self.until(now, day, from));
        waits.min().unwrap_or(Duration::MAX)
    }

    /// How long they still last; nothing outside of them.
    pub fn left(&self, now: Timestamp) -> Duration {
        let local = self.zone.to_local(now);
        let second = local.as_seconds().rem_euclid(DAY);
        let ends = self.spans.iter().filter_map(|&(from, until)| {
            let day = match (from < until, second >= from, second < until) {
                (true, true, true) | (false, false, true) => 0,
                (false, true, _) => 1,
                _ => return None,
            };
            self.until(now, day, until)
        });
        ends.max().unwrap_or_default()
    }

    /// How long until the clock shows this second so many days from today; none where it has.
    fn until(&self, now: Timestamp, day: i64, second: i64) -> Option<Duration> {
        let today = self.zone.to_local(now).as_days();
        let shown = LocalTime::from_days(today.saturating_add(day)).plus_seconds(second);
        let wait = self.zone.to_utc(shown).as_millis().saturating_sub(now.as_millis());
        u64::try_from(wait).ok().filter(|wait| *wait > 0).map(Duration::from_millis)
    }
}

/// Seconds after midnight of `06:30`, with `24:00` for its end.
fn clock(text: &str) -> Option<i64> {
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| digits)
    };
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let seconds = hours * 3_600 + minutes * 60;
    (minutes < 60 && seconds <= DAY).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(texts: &[&str], zone: &str) -> Hours {
        Hours::read(texts, Zone::of(&ZoneId::from(zone)).unwrap()).unwrap()
    }

    /// A moment of 12 January 2026, in UTC.
    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp::from_seconds(1_768_176_000 + hour * 3_600 + minute * 60)
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    #[test]
    fn hours_may_go_over_midnight_and_be_on_the_clock_of_any_zone() {
        let night = &["22:00-06:00"];
        for (texts, zone, now, until_begin, left) in [
            (&night[..], "UTC", at(21, 30), 30, 0),
            (night, "UTC", at(22, 0), 0, 480),
            (night, "UTC", at(23, 0), 0, 420),
            (night, "UTC", at(5, 59), 0, 1),
            (night, "UTC", at(6, 0), 960, 0),
            // Two hours ahead.
            (night, "Africa/Bujumbura", at(19, 30), 30, 0),
            (night, "Africa/Bujumbura", at(20, 30), 0, 450),
            (&["12:00-13:00", "18:00-24:00"], "UTC", at(12, 15), 0, 45),
            (&["12:00-13:00", "18:00-24:00"], "UTC", at(13, 0), 300, 0),
            (&["12:00-13:00", "18:00-24:00"], "UTC", at(23, 59), 0, 1),
            (&["12:00-13:00"], "UTC", at(13, 0), 23 * 60, 0),
        ] {
            let hours = hours(texts, zone);
            assert_eq!(hours.until_begin(now), minutes(until_begin), "{texts:?} {zone} {now:?}");
            assert_eq!(hours.left(now), minutes(left), "{texts:?} {zone} {now:?}");
            assert_eq!(hours.texts(), texts);
            let again = Hours::read(&hours.texts(), Zone::of(hours.zone()).unwrap());
            assert_eq!(again, Ok(hours));
        }
        assert_eq!(hours(&[], "UTC").until_begin(at(0, 0)), Duration::MAX);
    }

    #[test]
    fn where_the_clock_jumps_over_the_begin_it_is_after_the_jump() {
        // In Berlin, 29 March 2026 has no 02:30.
        let midnight = Timestamp::from_seconds(1_774_738_800);
        let hours = hours(&["02:30-04:00"], "Europe/Berlin");
        assert_eq!(hours.until_begin(midnight), minutes(150));
        let begun = midnight.plus(minutes(150));
        assert_eq!(hours.left(begun), minutes(30));
    }

    #[test]
    fn what_names_no_hours_is_refused() {
        for text in [
            "",
            "22",
            "22:00",
            "22:00-",
            "22-6",
            "24:00-06:00",
            "1:00-2:00",
            "10:60-11:00",
            "22:00-24:01",
            "06:00-06:00",
            "a6:00-07:00",
            "+6:00-07:00",
        ] {
            let refused = Hours::read(&[text], Zone::utc()).unwrap_err();
            assert_eq!(refused, NoHours(text.into()));
        }
    }
}
