//! Free and busy times.

use crate::world::*;
use dme_model::*;
use dme_pim::calendar::{self, Busy};

fn within(text: &str, from: &str, to: &str) -> Vec<Busy> {
    let zone = ZoneId::from("Europe/Berlin");
    let moment = |text: &str| at(text).as_utc();
    calendar::busy_within(text.as_bytes(), &owner(), &zone, moment(from), moment(to)).unwrap()
}

fn starts(periods: &[Busy]) -> Vec<String> {
    let hours = |at: Timestamp| {
        let seconds = at.as_seconds();
        format!("{}d{:02}h", (seconds - 1_796_083_200).div_euclid(86_400), seconds / 3600 % 24)
    };
    periods.iter().map(|one| format!("{}-{}", hours(one.start), hours(one.end))).collect()
}

#[test]
fn a_series_takes_the_time_of_its_instances_as_they_are() {
    let text = object(&[
        "DTSTART;TZID=Europe/Berlin:20261201T090000",
        "DTEND;TZID=Europe/Berlin:20261201T100000",
        "RRULE:FREQ=DAILY",
        "EXDATE;TZID=Europe/Berlin:20261202T090000",
        "RDATE;TZID=Europe/Berlin:20261201T150000",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:u@x",
        "RECURRENCE-ID;TZID=Europe/Berlin:20261203T090000",
        "DTSTART;TZID=Europe/Berlin:20261203T120000",
        "DTEND;TZID=Europe/Berlin:20261203T140000",
        "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
    ]);
    let periods = within(&text, "2026-12-01T08:30:00", "2026-12-04T08:00:00");
    assert_eq!(starts(&periods), ["0d08h-0d09h", "0d14h-0d15h", "2d11h-2d13h"]);
    assert_eq!(periods[2].status, BusyStatus::OutOfOffice);
    assert_eq!(within(&text, "2036-01-01", "2036-01-02").len(), 1, "years later too");
}

#[test]
fn what_takes_no_time_is_not_told() {
    let times = ["DTSTART:20261201T090000Z", "DTEND:20261201T100000Z"];
    let others = ["ORGANIZER:mailto:bob@x.example"];
    for (lines, expected) in [
        (&["TRANSP:TRANSPARENT"][..], None),
        (&["STATUS:CANCELLED"], None),
        (&["STATUS:TENTATIVE"], Some(BusyStatus::Tentative)),
        (&[others[0], "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@x.example"], None),
        (&[others[0], "ATTENDEE:mailto:ann@x.example"], Some(BusyStatus::Tentative)),
        (&[others[0], "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@x.example"], Some(BusyStatus::Busy)),
        (&[], Some(BusyStatus::Busy)),
    ] {
        let text = object(&[&times[..], lines].concat());
        let periods = within(&text, "2026-12-01", "2026-12-02");
        assert_eq!(periods.first().map(|one| one.status), expected, "{lines:?}");
    }
    let moment = object(&["DTSTART:20261201T090000Z"]);
    assert_eq!(within(&moment, "2026-12-01", "2026-12-02"), []);
}

#[test]
fn whole_days_are_the_users_own() {
    let text = object(&["DTSTART;VALUE=DATE:20261201"]);
    assert_eq!(starts(&within(&text, "2026-12-01", "2026-12-03")), ["-1d23h-0d23h"]);
}

#[test]
fn an_absurd_series_is_told_in_part() {
    let text = object(&["DTSTART:19700101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"]);
    assert_eq!(within(&text, "1960-01-01", "2100-01-01").len(), calendar::MAX_BUSY);
}
