//! Birthdays and anniversaries: days on a card, moments on the wire (MS-ASCNTC 2.2.2.4, 2.2.2.7).

use crate::error::{Error, Result};
use crate::fields::Fields;
use dme_model::{Date, LocalTime, Timestamp};
use dme_wbxml::Element;
use dme_zone::Zone;

/// The year that stands for none: iOS's own sign, a leap year before all living.
const NO_YEAR: u16 = 1604;

const DAY: i64 = 86_400;

/// Just before noon UTC, where the day is the same for a phone that reads it on UTC's clock and for
/// one that reads it on its own, from Hawaii to New Zealand's winter.
pub(super) fn format(day: Date) -> String {
    let year = day.year.unwrap_or(NO_YEAR);
    format!("{year:04}-{:02}-{:02}T11:59:00.000Z", day.month, day.day)
}

/// The day that a phone means; none where it is emptied.
pub(super) fn read(element: &Element, home: &Zone) -> Result<Option<Date>> {
    if element.text_value()?.trim().is_empty() {
        return Ok(None);
    }
    let days = day_of(element.moment_value()?, home);
    let date = jiff::Timestamp::from_second(LocalTime::from_days(days).as_seconds())
        .map(|moment| jiff::tz::TimeZone::UTC.to_datetime(moment).date());
    let wrong = Error::Value { element: element.tag, expected: "a day in the years 1 to 9999" };
    let date = date.map_err(|_| wrong.clone())?;
    let year = u16::try_from(date.year()).ok().filter(|year| (1..=9999).contains(year));
    let year = year.ok_or(wrong)?;
    Ok(Some(Date {
        year: Some(year).filter(|year| *year != NO_YEAR),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    }))
}

/// The day whose midnight it is on UTC's clock or on the user's; else the one whose midnight is
/// nearest on UTC's, with noon belonging to its own day.
fn day_of(moment: Timestamp, home: &Zone) -> i64 {
    let seconds = moment.as_seconds();
    let local = home.to_local(moment);
    if seconds.rem_euclid(DAY) == 0 {
        seconds.div_euclid(DAY)
    } else if local.as_seconds().rem_euclid(DAY) == 0 {
        local.as_days()
    } else {
        seconds.saturating_add(DAY / 2 - 1).div_euclid(DAY)
    }
}
