//! What a mail about a meeting says to people.

use dme_model::{Event, LocalTime, Participation, civil};

/// Subject and text.
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// What the mail is.
#[derive(Clone, Copy)]
pub(crate) enum Said<'a> {
    Invited,
    Updated,
    Cancelled,
    Answered(Participation),
    /// Another time is proposed, told in words.
    Proposed(&'a str),
}

impl Words {
    /// Of an event, or an instance as an event by itself; with what the sender adds.
    pub(crate) fn of(said: Said<'_>, event: &Event, comment: Option<&str>) -> Self {
        let title = if event.title.is_empty() { "Meeting" } else { &event.title };
        let (prefix, opening) = match said {
            Said::Invited => ("", "You are invited to a meeting."),
            Said::Updated => ("Updated: ", "The meeting was changed."),
            Said::Cancelled => ("Cancelled: ", "The meeting does not take place."),
            Said::Answered(Participation::Accepted) => ("Accepted: ", "I will come."),
            Said::Answered(Participation::Declined) => ("Declined: ", "I will not come."),
            Said::Answered(Participation::Tentative | Participation::NeedsAction) => {
                ("Tentative: ", "I may come.")
            }
            Said::Proposed(_) => ("New time proposed: ", "I propose another time."),
        };
        let mut text = String::new();
        if let Some(comment) = comment.map(str::trim).filter(|comment| !comment.is_empty()) {
            text.push_str(comment);
        } else {
            text.push_str(opening);
        }
        text.push_str(&format!("\n\nWhat: {title}\nWhen: {}", when(event)));
        if let Said::Proposed(time) = said {
            text.push_str(&format!("\nRather: {time}"));
        }
        if let Some(place) = event.place.as_ref().filter(|place| !place.name.is_empty()) {
            text.push_str(&format!("\nWhere: {}", place.name));
        }
        if let (Said::Invited | Said::Updated, Some(about)) = (said, &event.text) {
            text.push_str(&format!("\n\n{}", about.text));
        }
        text.push('\n');
        Self { subject: format!("{prefix}{title}"), text }
    }
}

/// When an event takes place.
pub(crate) fn when(event: &Event) -> String {
    let repeats = if event.recurrence.is_some() { ", repeated" } else { "" };
    if event.all_day {
        let last = event.end.plus_seconds(-86_400).max(event.start);
        let until = if last > event.start { format!(" to {}", day(last)) } else { String::new() };
        return format!("{}{until}{repeats}", day(event.start));
    }
    let zone = event.zone.as_ref().map_or("", |zone| zone.as_str());
    let zone = match zone {
        "" => String::new(),
        "Etc/UTC" => " (UTC)".into(),
        zone => format!(" ({})", zone.replace('_', " ")),
    };
    span(event.start, event.end) + &zone + repeats
}

/// Begin and end on one clock.
pub(crate) fn span(start: LocalTime, end: LocalTime) -> String {
    let until =
        if start.as_days() == end.as_days() { String::new() } else { format!("{}, ", day(end)) };
    format!("{}, {} to {until}{}", day(start), time(start), time(end))
}

fn day(at: LocalTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let weekday = usize::try_from(at.as_days().rem_euclid(7)).unwrap_or_default();
    let (year, month, day) = civil::date(at.as_days());
    format!("{} {year:04}-{month:02}-{day:02}", DAYS.get(weekday).unwrap_or(&""))
}

fn time(at: LocalTime) -> String {
    let minutes = at.as_seconds().rem_euclid(86_400) / 60;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
