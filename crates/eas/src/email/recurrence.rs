//! A series' rule, from RFC 5545 `RRULE` text to `Recurrence` (MS-ASEMAIL 2.2.2.59).

use crate::date;
use crate::fields::Children;
use crate::version::ProtocolVersion;
use dme_model::Invitation;
use dme_wbxml::{Element, pages::email as page, pages::email2};
use dme_zone::Zone;

/// All days of the week, as `DayOfWeek` adds them up.
const EVERY_DAY: u8 = 127;

/// The rule; none where there is none, or one that ActiveSync cannot say.
pub(super) fn element(invitation: &Invitation, version: ProtocolVersion) -> Option<Element> {
    let rule = Rule::parse(invitation.recurrence.as_deref()?)?;
    let start = local_date(invitation)?;
    let weekday = 1u8 << start.weekday().to_sunday_zero_offset().unsigned_abs();
    let (day, month) = (start.day().unsigned_abs(), start.month().unsigned_abs());
    let days = if rule.days == 0 { weekday } else { rule.days };

    let kind = match (rule.frequency, rule.days != 0 || rule.month_day == Some(-1)) {
        (Frequency::Daily, false) => Kind::Daily,
        (Frequency::Daily, true) | (Frequency::Weekly, _) => Kind::Weekly,
        (Frequency::Monthly, false) => Kind::Monthly,
        (Frequency::Monthly, true) => Kind::MonthlyByDay,
        (Frequency::Yearly, false) => Kind::Yearly,
        (Frequency::Yearly, true) => Kind::YearlyByDay,
    };
    let mut children = vec![];
    children.put_number(page::TYPE, kind as u8);
    children.put_number(page::INTERVAL, rule.interval);
    children.put_some(page::UNTIL, rule.until);
    children.put_some_number(page::OCCURRENCES, rule.count);
    let of_month = rule.month_day.and_then(|day| u8::try_from(day).ok()).unwrap_or(day);
    let month = rule.month.unwrap_or(month);
    match kind {
        Kind::Daily => {}
        Kind::Weekly => children.put_number(page::DAY_OF_WEEK, days),
        Kind::Monthly => children.put_number(page::DAY_OF_MONTH, of_month),
        Kind::Yearly => {
            children.put_number(page::DAY_OF_MONTH, of_month);
            children.put_number(page::MONTH_OF_YEAR, month);
        }
        Kind::MonthlyByDay | Kind::YearlyByDay => {
            let (week, days) = match rule.month_day {
                Some(-1) => (5, EVERY_DAY),
                _ => (rule.week?, days),
            };
            children.put_number(page::WEEK_OF_MONTH, week);
            children.put_number(page::DAY_OF_WEEK, days);
            if matches!(kind, Kind::YearlyByDay) {
                children.put_number(page::MONTH_OF_YEAR, month);
            }
        }
    }
    if version >= ProtocolVersion::V14_0 && !matches!(kind, Kind::Daily | Kind::Weekly) {
        // Gregorian.
        children.put(email2::CALENDAR_TYPE, "1");
    }
    if version >= ProtocolVersion::V14_1 && matches!(kind, Kind::Weekly) {
        children.put_number(email2::FIRST_DAY_OF_WEEK, rule.week_start);
    }
    Some(Element::parent(page::RECURRENCE, children))
}

/// `Type` (MS-ASEMAIL 2.2.2.80).
#[derive(Clone, Copy)]
enum Kind {
    Daily = 0,
    Weekly = 1,
    Monthly = 2,
    MonthlyByDay = 3,
    Yearly = 5,
    YearlyByDay = 6,
}

#[derive(Clone, Copy)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// As much of an `RRULE` as ActiveSync can say.
struct Rule {
    frequency: Frequency,
    interval: u16,
    until: Option<String>,
    count: Option<u16>,
    /// Days of the week added up: Sunday 1, Monday 2, Tuesday 4 …
    days: u8,
    /// Which of these days in the month: 1 to 4, 5 for the last.
    week: Option<u8>,
    month_day: Option<i8>,
    month: Option<u8>,
    /// Sunday 0, Monday 1 …
    week_start: u8,
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let mut frequency = None;
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            until: None,
            count: None,
            days: 0,
            week: None,
            month_day: None,
            month: None,
            week_start: 1,
        };
        for part in text.trim().split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    frequency = Some(match value.to_ascii_uppercase().as_str() {
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return None,
                    });
                }
                "INTERVAL" => {
                    rule.interval = value.parse().ok().filter(|n| (1..=999).contains(n))?
                }
                "COUNT" => rule.count = Some(value.parse().ok()?),
                "UNTIL" => rule.until = Some(until(value)?),
                "BYDAY" => rule.parse_days(value)?,
                "BYMONTHDAY" => {
                    rule.month_day =
                        Some(value.parse().ok().filter(|n| *n == -1 || (1..=31).contains(n))?);
                }
                "BYMONTH" => {
                    rule.month = Some(value.parse().ok().filter(|n| (1..=12).contains(n))?);
                }
                "BYSETPOS" => rule.week = Some(week(value.parse().ok()?)?),
                "WKST" => rule.week_start = weekday(value)?,
                _ => return None,
            }
        }
        rule.frequency = frequency?;
        Some(rule)
    }

    /// `MO,WE`, `2TU`, `-1FR`.
    fn parse_days(&mut self, value: &str) -> Option<()> {
        for day in value.split(',') {
            let split = day.len().checked_sub(2)?;
            let (position, name) = day.split_at_checked(split)?;
            self.days |= 1 << weekday(name)?;
            if !position.is_empty() {
                let found = week(position.parse().ok()?)?;
                if self.week.is_some_and(|week| week != found) {
                    return None;
                }
                self.week = Some(found);
            }
        }
        Some(())
    }
}

fn week(position: i8) -> Option<u8> {
    match position {
        -1 => Some(5),
        1..=5 => u8::try_from(position).ok(),
        _ => None,
    }
}

fn weekday(name: &str) -> Option<u8> {
    let names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
    let place = names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    u8::try_from(place).ok()
}

/// The compact form; a day alone means its begin.
fn until(value: &str) -> Option<String> {
    let whole = if value.contains('T') { value.to_owned() } else { format!("{value}T000000Z") };
    date::parse(&whole).map(date::format_compact)
}

/// The day the event begins where it takes place.
fn local_date(invitation: &Invitation) -> Option<jiff::civil::Date> {
    let zone = invitation.time_zone.as_deref().and_then(Zone::from_tzid);
    let local = zone.unwrap_or_else(Zone::utc).to_local(invitation.start);
    let shown = jiff::Timestamp::from_second(local.as_seconds()).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(shown).date())
}
