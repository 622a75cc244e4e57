//! Messages that few programs send: what is added to a series, a declined proposal, what is published.

use crate::meetings::{answer, bob, make, meeting, read_as, sent, take};
use crate::world::*;
use dme_model::*;
use dme_pim::calendar::{self, Outcome};

/// The invitation to a weekly meeting of an hour, and Bob's copy, to which he said yes.
fn weekly() -> (String, Vec<u8>) {
    let rule = Recurrence { end: RecurrenceEnd::Count(4), ..Recurrence::every(Frequency::Weekly) };
    let series = Event { recurrence: Some(rule), ..meeting() };
    let invitation = sent(&make(&series).notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let copy = calendar::respond(&copy, &answer(Participation::Accepted), &bob()).unwrap();
    (invitation, copy.object)
}

/// A message about the event of an invitation, of one event with these lines.
fn about(invitation: &str, method: &str, lines: &[&str]) -> String {
    let uid = invitation.lines().find(|line| line.starts_with("UID:")).unwrap();
    let lines = lines.join("\r\n");
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\n{uid}\r\n\
         DTSTAMP:20261126T160000Z\r\nSEQUENCE:1\r\nORGANIZER:mailto:{OWNER}\r\n\
         ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@x.example\r\n{lines}\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// The events in an object, the lines of each unfolded.
fn events(object: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(object).replace("\r\n ", "");
    let events = text.split("BEGIN:VEVENT\r\n").skip(1);
    let lines = |event: &str| -> Vec<String> {
        event.lines().take_while(|line| *line != "END:VEVENT").map(str::to_owned).collect()
    };
    events.map(lines).collect()
}

fn holds(event: &[String], line: &str) -> bool {
    event.iter().any(|there| there == line)
}

#[test]
fn what_is_added_to_a_series_is_a_date_and_says_otherwise_only_what_it_does() {
    let (invitation, copy) = weekly();
    let begin = "DTSTART;TZID=Europe/Berlin:20261210T140000";
    let date = "RDATE;TZID=Europe/Berlin:20261210T140000";
    let cases: [(&[&str], &[&str]); 5] = [
        (&["DTEND;TZID=Europe/Berlin:20261210T150000", "SUMMARY:Plan"], &[]),
        (&["DURATION:PT1H"], &[]),
        (&["DURATION:PT1H", "SUMMARY:The last one"], &["SUMMARY:The last one"]),
        (&["DURATION:PT1H", "LOCATION:Room 9"], &["SUMMARY:Plan", "LOCATION:Room 9"]),
        (&["DURATION:PT3H"], &["SUMMARY:Plan", begin, "DURATION:PT3H"]),
    ];
    for (more, otherwise) in cases {
        let lines: Vec<&str> = std::iter::once(begin).chain(more.iter().copied()).collect();
        let added = about(&invitation, "ADD", &lines);
        let taken = take(Some(&copy), &added, OWNER, &bob());
        assert_eq!(taken.outcome, Outcome::Updated, "{more:?}");
        let object = taken.object.unwrap();
        let events = events(&object);
        let series = &events[0];
        assert!(holds(series, date) && holds(series, "SUMMARY:Plan"), "{series:?}");
        assert_eq!(read_as(&object, &bob()).participation, Participation::Accepted);
        if otherwise.is_empty() {
            assert_eq!(events.len(), 1, "{more:?}: {events:?}");
        } else {
            let [_, one] = &events[..] else { panic!("{more:?}: {events:?}") };
            assert!(holds(one, &date.replace("RDATE", "RECURRENCE-ID")), "{one:?}");
            assert!(otherwise.iter().all(|line| holds(one, line)), "{more:?}: {one:?}");
            assert!(!one.iter().any(|line| line.starts_with("RRULE")), "{one:?}");
            // Bob has said nothing of that day.
            assert!(one.iter().any(|line| line.contains("NEEDS-ACTION;RSVP=TRUE:mailto:bob@")));
            assert!(!one.iter().any(|line| line.starts_with("X-DME")), "{one:?}");
        }
        let again = take(Some(&object), &added, OWNER, &bob());
        assert_eq!((again.outcome, again.object), (Outcome::Known, None), "{more:?}");
    }
}

#[test]
fn only_the_organiser_adds_and_only_to_what_is_there() {
    let (invitation, copy) = weekly();
    let added = about(&invitation, "ADD", &["DTSTART:20261210T130000Z", "DURATION:PT1H"]);
    let by = |existing, from| take(existing, &added, from, &bob()).outcome;
    assert_eq!(by(Some(&*copy), "mallory@z.example"), Outcome::Refused);
    assert_eq!(by(None, OWNER), Outcome::NotConcerned);
    let newer = String::from_utf8(copy.clone()).unwrap().replace("SEQUENCE:0", "SEQUENCE:2");
    assert_eq!(by(Some(newer.as_bytes()), OWNER), Outcome::Known);
}

#[test]
fn who_is_asked_to_some_instances_alone_gets_another_one() {
    let (invitation, _) = weekly();
    let one = ["RECURRENCE-ID:20261208T090000Z", "DTSTART:20261208T090000Z", "SUMMARY:Plan"];
    let asked = about(&invitation, "REQUEST", &one);
    let copy = take(None, &asked, OWNER, &bob()).object.unwrap();
    let added = about(&invitation, "ADD", &["DTSTART:20261210T130000Z", "SUMMARY:Extra"]);
    let object = take(Some(&copy), &added, OWNER, &bob()).object.unwrap();
    let events = events(&object);
    assert!(holds(&events[1], "RECURRENCE-ID:20261210T130000Z"), "{events:?}");
    assert!(!String::from_utf8_lossy(&object).contains("RDATE"), "{events:?}");
    assert_eq!(take(Some(&object), &added, OWNER, &bob()).outcome, Outcome::Known);
}

#[test]
fn a_proposal_that_is_declined_leaves_all_as_it_is() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let proposal = Some(Proposal {
        start: at("2026-12-01T13:00:00").as_utc(),
        end: at("2026-12-01T14:00:00").as_utc(),
    });
    let rather = Answer { proposal, ..answer(Participation::Tentative) };
    let copy = calendar::respond(&copy, &rather, &bob()).unwrap().object;
    let begin = "DTSTART;TZID=Europe/Berlin:20261201T100000";
    let declined = about(&invitation, "DECLINECOUNTER", &[begin]);
    let taken = take(Some(&copy), &declined, OWNER, &bob());
    assert_eq!((taken.outcome, taken.object, taken.notices), (Outcome::Known, None, vec![]));
    assert_eq!(read_as(&copy, &bob()).start, meeting().start);
    assert_eq!(take(None, &declined, OWNER, &bob()).outcome, Outcome::NotConcerned);
}

#[test]
fn what_is_published_changes_the_event_there_is_and_makes_none() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let begin = "DTSTART;TZID=Europe/Berlin:20261201T100000";
    let published = about(&invitation, "PUBLISH", &[begin, "DURATION:PT1H", "SUMMARY:Plans"]);
    let taken = take(Some(&copy), &published, OWNER, &bob());
    assert_eq!(taken.outcome, Outcome::Updated);
    let changed = taken.object.unwrap();
    assert_eq!(read_as(&changed, &bob()).title, "Plans");
    assert_eq!(take(Some(&changed), &published, OWNER, &bob()).outcome, Outcome::Known);
    let forged = take(Some(&copy), &published, "mallory@z.example", &bob());
    assert_eq!((forged.outcome, forged.object), (Outcome::Refused, None));
    // An advertisement or a timetable is no question to the user.
    assert_eq!(take(None, &published, OWNER, &bob()).outcome, Outcome::NotConcerned);
}
