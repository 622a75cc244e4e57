//! What of the corpus, and of events that we write, other libraries read: the same instances, with
//! the same ends and titles.

use crate::corpus;
use crate::python::python;
use crate::world::*;
use dme_model::*;
use dme_pim::calendar;
use dme_pim::recurrence::{Series, instances_from};
use dme_zone::Zone;

/// Between these instances are compared: 2026 and 2027.
const FROM: &str = "2026-01-01T00:00:00";
const TO: &str = "2028-01-01T00:00:00";

/// Between objects, and between the lines of one.
const NEXT_OBJECT: char = '\u{1e}';

/// An instance: begin, end and title.
type Told = Vec<String>;

/// As a day, a floating time or one in UTC.
fn time(local: LocalTime, event: &Event) -> String {
    let (moment, form) = match &event.zone {
        _ if event.all_day => (local.as_utc(), "%Y%m%d"),
        None => (local.as_utc(), "%Y%m%dT%H%M%S"),
        Some(id) => (Zone::of(id).unwrap().to_utc(local), "%Y%m%dT%H%M%SZ"),
    };
    let moment = jiff::Timestamp::from_second(moment.as_seconds()).unwrap();
    moment.strftime(form).to_string()
}

fn told(event: &Event) -> String {
    let (start, end) = (time(event.start, event), time(event.end, event));
    format!("{start} {end} {}", event.title)
}

/// The instances of an event that begin between the times.
fn instances(event: &Event) -> Told {
    let (from, to) = (at(FROM), at(TO));
    let starts: Vec<LocalTime> = match Series::of(event) {
        // An instance may have been moved into the time from before it.
        Some(series) => {
            series.instances().take_while(|start| *start < to.plus_seconds(86_400 * 60)).collect()
        }
        None => vec![event.start],
    };
    let mut all = vec![];
    for start in starts {
        let length = event.end.as_seconds() - event.start.as_seconds();
        let mut instance =
            Event { start, end: start.plus_seconds(length), exceptions: vec![], ..event.clone() };
        let exception = event.exceptions.iter().find(|one| one.original == start);
        match exception.map(|exception| &exception.change) {
            Some(InstanceChange::Deleted) => continue,
            Some(InstanceChange::Changed(patch)) => patch.apply(&mut instance),
            None => {
                if let Some(patch) = event.irregular.change_at(start) {
                    patch.apply(&mut instance);
                }
            }
        }
        if instance.start >= from && instance.start < to {
            all.push(told(&instance));
        }
    }
    all.sort();
    all
}

/// What Python's `icalendar` reads and `recurring-ical-events` expands, an object each.
fn of_icalendar(objects: &[String]) -> Vec<Told> {
    let script = r#"
import sys
from datetime import datetime, timedelta, timezone
import icalendar, recurring_ical_events
def text(at):
    if not isinstance(at, datetime):
        return at.strftime("%Y%m%d")
    if at.tzinfo is None:
        return at.strftime("%Y%m%dT%H%M%S")
    return at.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
def tell(source):
    calendar = icalendar.Calendar.from_ical(source)
    uid = [str(event["UID"]) for event in calendar.walk("VEVENT")][0]
    for event in recurring_ical_events.of(calendar).between((2026, 1, 1), (2028, 1, 1)):
        if str(event["UID"]) == uid:
            title = str(event.get("SUMMARY", "")).replace("\n", " ")
            print(text(event["DTSTART"].dt), text(event["DTEND"].dt), title)
for source in sys.stdin.buffer.read().split(b"\x1e"):
    try:
        tell(source)
    except Exception as error:
        print("refused:", repr(error))
    print("\x1e")
"#;
    read_output(python(script, &objects.join(&NEXT_OBJECT.to_string())))
}

fn read_output(output: String) -> Vec<Told> {
    let objects = output.strip_suffix("\u{1e}\n").unwrap().split("\u{1e}\n");
    objects
        .map(|object| {
            let mut lines: Told = object.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        })
        .collect()
}

/// What `vobject` reads: of the event itself, not of changed instances, the title, and the first
/// times at which it begins.
fn of_vobject(objects: &[String]) -> Vec<Told> {
    let script = r#"
import sys
from datetime import datetime, timezone
from itertools import islice
import vobject
def text(at, whole_days):
    if whole_days:
        return at.strftime("%Y%m%d")
    if at.tzinfo is None:
        return at.strftime("%Y%m%dT%H%M%S")
    return at.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
def tell(source):
    events = vobject.readOne(source).contents["vevent"]
    event = [one for one in events if "recurrence-id" not in one.contents][0]
    start = event.dtstart.value
    whole_days = not isinstance(start, datetime)
    dates = event.getrruleset(addRDate=True)
    for at in [start] if dates is None else islice(dates, 30):
        print(text(at, whole_days), event.summary.value if "summary" in event.contents else "")
for source in sys.stdin.buffer.read().decode().split("\x1e"):
    try:
        tell(source)
    except Exception as error:
        print("refused:", repr(error))
    print("\x1e")
"#;
    read_output(python(script, &objects.join(&NEXT_OBJECT.to_string())))
}

/// The same of ours.
fn starts(event: &Event) -> Told {
    let is_deleted = |start: &LocalTime| {
        let deleted =
            |one: &Exception| one.original == *start && one.change == InstanceChange::Deleted;
        event.exceptions.iter().any(deleted)
    };
    let all: Vec<LocalTime> = match Series::of(event) {
        Some(series) => series.instances().filter(|start| !is_deleted(start)).take(30).collect(),
        None => vec![event.start],
    };
    let told = all.into_iter().map(|start| format!("{} {}", time(start, event), event.title));
    let mut told: Told = told.collect();
    told.sort();
    told
}

/// Compares what is told of events, each with its object; only those named may differ, and do.
fn compare(
    events: Vec<(String, String, Event)>,
    ours: impl Fn(&Event) -> Told,
    theirs: impl Fn(&[String]) -> Vec<Told>,
    different: &[(&str, &str)],
) {
    let objects: Vec<String> = events.iter().map(|(_, object, _)| object.clone()).collect();
    let theirs = theirs(&objects);
    assert_eq!(theirs.len(), objects.len());
    let mut found = vec![];
    for ((name, _, event), theirs) in events.iter().zip(theirs) {
        let ours = ours(event);
        if ours != theirs {
            let only =
                |one: &Told, other: &Told| one.iter().find(|it| !other.contains(it)).cloned();
            found.push((name.as_str(), only(&ours, &theirs), only(&theirs, &ours)));
        }
    }
    let names: Vec<&str> = found.iter().map(|(name, _, _)| *name).collect();
    let expected: Vec<&str> = different.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected, "{found:#?}");
}

/// Series that we write, in zones of every kind, each with an instance less and one moved.
fn written() -> Vec<(String, String, Event)> {
    let zones = [
        "Europe/Berlin",
        "Europe/Dublin",
        "America/New_York",
        "America/Santiago",
        "America/Nuuk",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Kolkata",
        "Etc/UTC",
        "<+01>-1<+02>,M3.5.0/2,M9.2.0/3",
    ];
    let weekly = Recurrence::every(Frequency::Weekly);
    let last_workday = Recurrence {
        by_day: Weekday::ALL[1..6].iter().map(|day| NthDay { day: *day, nth: None }).collect(),
        by_set_position: vec![-1],
        end: RecurrenceEnd::Count(20),
        ..Recurrence::every(Frequency::Monthly)
    };
    let daily = Recurrence {
        interval: 3,
        end: RecurrenceEnd::Until(at("2026-09-30T21:00:00")),
        ..Recurrence::every(Frequency::Daily)
    };
    let of_zone = |zone: Option<&str>, all_day: bool| {
        let rules = [("weekly", &weekly), ("last_workday", &last_workday), ("daily", &daily)];
        rules.map(|(rule_name, rule)| {
            let (start, time) = match all_day {
                true => (at("2026-01-30"), 86_400),
                false => (at("2026-01-30T09:00:00"), 3_600),
            };
            let mut event = Event {
                title: rule_name.into(),
                start,
                end: start.plus_seconds(time),
                zone: zone.map(ZoneId::from),
                all_day,
                recurrence: Some(rule.clone()),
                ..Event::default()
            };
            let mut some = instances_from(start, rule, start).skip(3);
            let (gone, moved) = (some.next().unwrap(), some.next().unwrap());
            let mut patch = Event { title: "moved".into(), ..event.clone() };
            (patch.start, patch.end) =
                (moved.plus_seconds(86_400), moved.plus_seconds(86_400 + time));
            let fields = [EventField::Title, EventField::Time];
            let changed = InstanceChange::Changed(Box::new(EventPatch::of(fields, patch)));
            event.exceptions = vec![
                Exception { original: gone, change: InstanceChange::Deleted },
                Exception { original: moved, change: changed },
            ];
            let edit =
                ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::whole(event.clone()))));
            let object = text(calendar::apply(None, &edit, &writing("key")).unwrap());
            (format!("{rule_name} in {}", zone.unwrap_or("no zone")), object, event)
        })
    };
    let timed = zones.iter().flat_map(|zone| of_zone(Some(zone), false));
    timed.chain(of_zone(None, false)).chain(of_zone(None, true)).collect()
}

#[test]
fn what_we_write_icalendar_reads_as_we_do() {
    // It knows IANA's zones itself, in the release that is installed with it, which may not have what
    // Morocco decided for 2026 yet. Definitions are read by vobject below.
    let events = written().into_iter().filter(|(name, _, _)| !name.ends_with("Casablanca"));
    compare(events.collect(), instances, of_icalendar, &[]);
}

#[test]
fn what_we_write_vobject_reads_as_we_do() {
    compare(written(), starts, of_vobject, &[]);
}

#[test]
fn the_corpus_has_the_same_instances_for_icalendar() {
    let different = [
        ("domino-repeats-by-dates", "refused: periods as dates"),
        ("exrule-from-korganizer", "it takes nothing out by a rule; vobject, below, does"),
        ("hebrew-rule", "a day without an end lasts none there; RFC 5545 §3.6.1 says one"),
        ("hourly-rule", "of several times a day the first is shown"),
        ("outlook-allday-in-zone", "Outlook's whole days in a zone are whole days for us"),
        ("rule-with-added-dates", "at another time of day one is not shown"),
        ("thisandfuture", "of RANGE=THISANDFUTURE it knows the first instance alone"),
        ("two-rules", "refused: a second rule"),
        ("tzid-without-definition", "refused: a time in an unknown zone"),
        ("yearly-by-week", "a day without an end, as above"),
    ];
    compare(corpus::events().collect(), instances, of_icalendar, &different);
}

#[test]
fn the_corpus_has_the_same_times_for_vobject() {
    let different = [
        ("broken-folding", "refused"),
        ("domino-repeats-by-dates", "no phone can be told of dates, so that the first is shown"),
        ("hebrew-rule", "refused: an unknown part of a rule"),
        ("hourly-rule", "of several times a day the first is shown"),
        ("outlook-allday-in-zone", "Outlook's whole days in a zone are whole days for us"),
        ("override-only", "refused: an instance without its series"),
        ("rule-with-added-dates", "at another time of day one is not shown"),
        ("tzid-without-definition", "refused: a name with a colon"),
        ("vcalendar-1-0", "it undoes vCalendar's quoted-printable"),
    ];
    compare(corpus::events().collect(), starts, of_vobject, &different);
}
