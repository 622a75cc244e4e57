//! Meetings: what others are told, what is answered, what arrives.

use crate::world::*;
use dme_mime::{Envelope, compose};
use dme_model::*;
use dme_pim::calendar::{self, ByServer, Outcome, TakenIn, Writing};

pub fn bob() -> Writing {
    Writing { owner: vec!["bob@x.example".into()], name: Some("Bob".into()), ..writing("bob") }
}

fn asked(emails: &[&str]) -> Vec<Attendee> {
    emails
        .iter()
        .map(|email| Attendee {
            address: Address { name: None, email: (*email).into() },
            kind: AttendeeKind::Required,
            participation: Participation::NeedsAction,
            proposal: None,
        })
        .collect()
}

pub fn meeting() -> Event {
    Event {
        title: "Plan".into(),
        start: at("2026-12-01T10:00:00"),
        end: at("2026-12-01T11:00:00"),
        zone: Some(ZoneId::from("Europe/Berlin")),
        attendees: asked(&["bob@x.example", "cem@y.example"]),
        ..Event::default()
    }
}

pub fn make(event: &Event) -> calendar::Applied {
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::whole(event.clone()))));
    calendar::apply(None, &edit, &writing("make")).unwrap()
}

fn change(object: &[u8], key: &str, edit: &ItemEdit) -> calendar::Applied {
    calendar::apply(Some(object), edit, &writing(key)).unwrap()
}

/// What a mail is, to whom, and the calendar data in it.
pub struct Sent {
    pub method: String,
    pub to: Vec<String>,
    pub subject: String,
    pub calendar: String,
}

pub fn sent(notice: &Notice) -> Sent {
    let (message, view) = (notice.message.clone(), view(BodyKind::Plain));
    let mail = dme_mime::read(message, Envelope::default(), &view, dme_pim::invitation).unwrap();
    let part = mail.attachments.iter().find(|one| one.name == "invite.ics").unwrap();
    let part = dme_mime::part(&notice.message, &part.part, None).unwrap();
    let calendar = String::from_utf8(part.data.to_vec()).unwrap();
    let method = calendar.lines().find_map(|line| line.strip_prefix("METHOD:")).unwrap().to_owned();
    let marked = format!("method=\"{method}\"");
    let text = String::from_utf8_lossy(&notice.message).into_owned();
    assert!(text.contains(&marked) || text.contains(&format!("method={method}")), "{text}");
    Sent {
        method,
        to: mail.to.iter().map(|one| one.email.clone()).collect(),
        subject: mail.subject,
        calendar,
    }
}

pub fn answer(participation: Participation) -> Answer {
    Answer { participation, instance: None, comment: None, proposal: None, send: true }
}

pub fn take(existing: Option<&[u8]>, calendar: &str, from: &str, writing: &Writing) -> TakenIn {
    calendar::take_in(existing, calendar.as_bytes(), from, Occasion::Arrival, writing).unwrap()
}

pub fn read_as(object: &[u8], writing: &Writing) -> Event {
    match calendar::read(object, &writing.owner, &writing.zone, &view(BodyKind::Plain)).unwrap() {
        Item::Event(event) => *event,
        other => panic!("{other:?}"),
    }
}

fn partstat(object: &[u8], email: &str) -> Participation {
    let event = event(object);
    event.attendees.iter().find(|one| one.address.email == email).unwrap().participation
}

#[test]
fn who_is_asked_gets_an_invitation_once() {
    let made = make(&meeting());
    assert_eq!(made.notices.len(), 1);
    let first = sent(&made.notices[0]);
    assert_eq!((first.method.as_str(), first.subject.as_str()), ("REQUEST", "Plan"));
    assert_eq!(first.to, ["bob@x.example", "cem@y.example"]);
    for line in [
        "ORGANIZER;CN=Ann:mailto:ann@x.example",
        "DTSTART;TZID=Europe/Berlin:20261201T100000",
        "BEGIN:VTIMEZONE",
        "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@x.example",
    ] {
        let unfolded = first.calendar.replace("\r\n ", "");
        assert!(unfolded.contains(line), "{line}: {unfolded}");
    }
    assert!(!first.calendar.contains("X-DME"), "{}", first.calendar);
    // The same act again: nothing changes, the same is told.
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::whole(meeting()))));
    let again = change(&made.object, "make", &edit);
    assert_eq!((&again.object, &again.notices), (&made.object, &made.notices));
    // The same content by another act concerns nobody.
    assert!(change(&made.object, "other", &edit).notices.is_empty());
}

#[test]
fn nothing_is_sent_where_the_server_schedules_or_the_meeting_is_over() {
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::whole(meeting()))));
    let schedules = Writing { schedules: true, ..writing("make") };
    let late = Writing { now: at("2027-01-01").as_utc(), ..writing("make") };
    for writing in [schedules, late] {
        let made = calendar::apply(None, &edit, &writing).unwrap();
        assert!(made.notices.is_empty());
    }
}

/// What the server makes of an object: what it says to each of these.
fn noted(object: &[u8], said: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::from_utf8(object.to_vec()).unwrap().replace("\r\n ", "");
    for (who, parameter) in said {
        text = text.replace(&format!(":mailto:{who}"), &format!(";{parameter}:mailto:{who}"));
    }
    text.into_bytes()
}

#[test]
fn whom_the_server_does_not_reach_is_told_by_mail() {
    let server = |key: &str| Writing { schedules: true, ..writing(key) };
    let (bob, cem) = ("bob@x.example", "cem@y.example");
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::whole(meeting()))));
    let made = calendar::apply(None, &edit, &server("make")).unwrap();
    assert!(made.by_server);
    let told = |applied: &calendar::Applied| -> Vec<(String, Vec<String>)> {
        applied.notices.iter().map(sent).map(|one| (one.method, one.to)).collect()
    };
    for (status, mailed) in [
        ("SCHEDULE-STATUS=1.1", false),
        ("SCHEDULE-STATUS=2.0", false),
        ("SCHEDULE-AGENT=SERVER;SCHEDULE-STATUS=1.2", false),
        ("SCHEDULE-STATUS=3.7", true),
        ("SCHEDULE-STATUS=\"2.0,5.1\"", true),
        ("SCHEDULE-STATUS=5.1", true),
        ("SCHEDULE-AGENT=CLIENT", true),
        ("SCHEDULE-AGENT=NONE", false),
    ] {
        let there = noted(&made.object, &[(bob, status), (cem, "SCHEDULE-STATUS=2.0")]);
        let to_bob = |method: &str| match mailed {
            true => vec![(method.to_owned(), vec![bob.to_owned()])],
            false => Vec::new(),
        };
        // The same act on what the server made of it, as often as may be.
        let again = calendar::apply(Some(&there), &edit, &server("make")).unwrap();
        assert_eq!((told(&again), &again.object), (to_bob("REQUEST"), &there), "{status}");
        assert!(again.notices.iter().all(|one| !sent(one).calendar.contains("SCHEDULE-")));
        // Who is not asked any more.
        let shown = event(&there);
        let alone = Event { attendees: Vec::new(), ..shown.clone() };
        let left = calendar::apply(Some(&there), &edit_to(&shown, alone), &server("out")).unwrap();
        assert_eq!(told(&left), to_bob("CANCEL"), "{status}");
        // The server calls off what is deleted, and must not hear of it before.
        let gone = calendar::apply(Some(&there), &ItemEdit::Cancel, &server("off")).unwrap();
        assert_eq!((told(&gone), &gone.object), (to_bob("CANCEL"), &there), "{status}");
        let gone_again = calendar::apply(Some(&there), &ItemEdit::Cancel, &server("off")).unwrap();
        assert_eq!(gone_again.notices, gone.notices, "{status}");
    }
}

#[test]
fn guests_are_asked_to_a_time_with_a_zone() {
    let floating = Event { zone: None, attendees: Vec::new(), ..meeting() };
    let weekly =
        Recurrence { end: RecurrenceEnd::Count(4), ..Recurrence::every(Frequency::Weekly) };
    let series = Event { recurrence: Some(weekly), ..floating.clone() };
    let asking = Event { attendees: asked(&["bob@x.example"]), ..Event::default() };
    let guests = EventPatch::of([EventField::Attendees], asking);
    let whole = ItemEdit::Patch(ItemPatch::Event(Box::new(guests.clone())));
    let second = ItemEdit::Instance {
        original: at("2026-12-08T10:00:00").as_utc(),
        patch: Box::new(guests),
    };
    for (event, edit, start) in [
        (&floating, &whole, "20261201"),
        (&series, &whole, "20261201"),
        (&series, &second, "20261208"),
    ] {
        let made = make(event);
        assert!(made.notices.is_empty());
        let changed = change(&made.object, "guests", edit);
        let invitation = sent(&changed.notices[0]).calendar;
        let line = format!("DTSTART;TZID=Europe/Berlin:{start}T100000\r\n");
        assert!(invitation.contains(&line), "{invitation}");
        assert!(invitation.contains("BEGIN:VTIMEZONE"), "{invitation}");
    }
    // A time that nobody else is told stays as it is.
    let alone = make(&floating);
    let moved = Event { end: at("2026-12-01T12:00:00"), ..floating.clone() };
    let moved = text(change(&alone.object, "move", &edit_to(&floating, moved)));
    assert!(moved.contains("DTEND:20261201T120000\r\n"), "{moved}");
}

#[test]
fn a_meeting_without_a_zone_is_left_as_it_is() {
    // A program that writes no zone, or one whose zone was lost on the way.
    let weekly = [
        "ORGANIZER:mailto:ann@x.example",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.example",
        "SEQUENCE:3",
        "DTSTART;TZ=\"\":20261201T090000",
        "DTEND;TZID=Europe/Berlin:20261201T093000",
        "RRULE:FREQ=WEEKLY;UNTIL=20270331T080000Z",
        "EXDATE;TZID=Europe/Berlin:20261208T090000",
    ];
    let object = object(&weekly);
    let shown = event(&object);
    assert_eq!(shown.zone, None);
    let same = EventPatch::whole(shown.clone());
    let same = change(object.as_bytes(), "same", &ItemEdit::Patch(ItemPatch::Event(same.into())));
    assert_eq!((text(same.clone()), same.notices), (object.clone(), vec![]));
    // Nor is the time told anew with what is changed beside it.
    let mut whole = EventPatch::whole(shown);
    whole.value.reminder = Some(10);
    let changed = change(object.as_bytes(), "r", &ItemEdit::Patch(ItemPatch::Event(whole.into())));
    assert!(changed.notices.is_empty());
    let changed = text(changed);
    assert!(weekly.iter().all(|line| changed.contains(line)), "{changed}");
}

#[test]
fn a_change_is_told_to_those_whom_it_concerns() {
    let made = make(&meeting());
    let shown = event(&made.object);
    type Change = fn(&mut Event);
    type Expected = &'static [(&'static str, &'static [&'static str])];
    let table: Vec<(Change, Expected)> = vec![
        (|e| e.reminder = Some(5), &[]),
        (|e| e.categories = vec!["A".into()], &[]),
        (|e| e.busy = BusyStatus::Free, &[]),
        (|e| e.title = "Plans".into(), &[("REQUEST", &["bob@x.example", "cem@y.example"])]),
        (
            |e| e.end = at("2026-12-01T12:00:00"),
            &[("REQUEST", &["bob@x.example", "cem@y.example"])],
        ),
        (|e| e.attendees = asked(&["bob@x.example"]), &[("CANCEL", &["cem@y.example"])]),
        (
            |e| e.attendees = asked(&["bob@x.example", "cem@y.example", "dan@z.example"]),
            &[("REQUEST", &["dan@z.example"])],
        ),
        (
            |e| {
                e.attendees = asked(&["bob@x.example", "dan@z.example"]);
                e.place = Some("Room".into());
            },
            &[("REQUEST", &["bob@x.example", "dan@z.example"]), ("CANCEL", &["cem@y.example"])],
        ),
        (|e| e.status = EventStatus::Cancelled, &[("CANCEL", &["bob@x.example", "cem@y.example"])]),
    ];
    for (number, (edit, expected)) in table.into_iter().enumerate() {
        let mut after = shown.clone();
        edit(&mut after);
        let edit = edit_to(&shown, after);
        let changed = change(&made.object, "change", &edit);
        let told: Vec<Sent> = changed.notices.iter().map(sent).collect();
        let told: Vec<(&str, Vec<&str>)> = told
            .iter()
            .map(|one| (one.method.as_str(), one.to.iter().map(String::as_str).collect()))
            .collect();
        let expected: Vec<(&str, Vec<&str>)> =
            expected.iter().map(|(method, to)| (*method, to.to_vec())).collect();
        assert_eq!(told, expected, "change {number}");
        let again = change(&changed.object, "change", &edit);
        assert_eq!((&again.notices, &again.object), (&changed.notices, &changed.object));
    }
}

#[test]
fn a_new_time_is_counted_and_asks_everyone_anew() {
    let made = make(&meeting());
    let object = text(made).replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED");
    let shown = event(&object);
    let moved = Event { end: at("2026-12-01T12:00:00"), ..shown.clone() };
    let changed = text(change(object.as_bytes(), "k", &edit_to(&shown, moved)));
    assert!(changed.contains("SEQUENCE:1\r\n"), "{changed}");
    assert!(!changed.contains("PARTSTAT=ACCEPTED"), "{changed}");
    let titled = Event { title: "x".into(), ..shown.clone() };
    let changed = text(change(object.as_bytes(), "k", &edit_to(&shown, titled)));
    assert!(changed.contains("SEQUENCE:0\r\n") && changed.contains("PARTSTAT=ACCEPTED"));
}

#[test]
fn a_deleted_meeting_is_called_off() {
    let made = make(&meeting());
    let cancelled = change(&made.object, "delete", &ItemEdit::Cancel);
    let told = sent(&cancelled.notices[0]);
    assert_eq!((told.method.as_str(), told.to.len()), ("CANCEL", 2));
    assert!(told.calendar.contains("STATUS:CANCELLED") && told.calendar.contains("SEQUENCE:1"));
    // An attendee who deletes their copy tells nobody.
    let copy = calendar::apply(Some(&made.object), &ItemEdit::Cancel, &bob()).unwrap();
    assert_eq!((copy.object, copy.notices), (made.object, Vec::new()));
}

#[test]
fn an_invitation_becomes_an_event_that_is_not_answered() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let taken = take(None, &invitation, OWNER, &bob());
    assert_eq!(taken.outcome, Outcome::Created);
    let object = taken.object.unwrap();
    let event = read_as(&object, &bob());
    assert_eq!((event.own, event.participation), (false, Participation::NeedsAction));
    assert_eq!((event.busy, event.response_requested), (BusyStatus::Tentative, true));
    assert!(!String::from_utf8(object.clone()).unwrap().contains("METHOD"));
    assert_eq!(calendar::message_uid(invitation.as_bytes()).unwrap(), event.uid);
    // The same once more changes nothing.
    let again = take(Some(&object), &invitation, OWNER, &bob());
    assert_eq!((again.outcome, again.object), (Outcome::Known, None));
    // One's own comes back to oneself.
    let own = take(None, &invitation, OWNER, &writing("k"));
    assert_eq!(own.outcome, Outcome::NotConcerned);
}

#[test]
fn an_invitation_without_a_begin_is_refused_and_spoils_no_event() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let without: String =
        invitation.split_inclusive('\n').filter(|line| !line.starts_with("DTSTART;TZID")).collect();
    for existing in [None, Some(&*copy)] {
        let taken = calendar::take_in(
            existing,
            without.as_bytes(),
            OWNER,
            Occasion::Arrival,
            &Writing { key: "other".into(), ..bob() },
        );
        assert!(matches!(taken, Err(dme_pim::Error::Unconvertible(_))), "{taken:?}");
    }
}

#[test]
fn an_invitation_to_what_is_over_makes_no_event() {
    let day = std::time::Duration::from_secs(86_400);
    let after = |event: &Event, days: u32| {
        let invitation = sent(&make(event).notices[0]).calendar;
        let now = event.end.as_utc().plus(day * days);
        let taken = take(None, &invitation, OWNER, &Writing { now, ..bob() });
        assert_eq!(taken.object.is_some(), taken.outcome == Outcome::Created);
        taken.outcome
    };
    assert_eq!(after(&meeting(), 1), Outcome::NotConcerned);
    let daily = |end| Event {
        recurrence: Some(Recurrence { end, ..Recurrence::every(Frequency::Daily) }),
        ..meeting()
    };
    assert_eq!(after(&daily(RecurrenceEnd::Count(5)), 1), Outcome::Created);
    assert_eq!(after(&daily(RecurrenceEnd::Count(5)), 9), Outcome::NotConcerned);
    assert_eq!(after(&daily(RecurrenceEnd::Never), 9), Outcome::Created);
    // The organiser hears an answer all the same.
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let late = Writing { now: meeting().end.as_utc().plus(day), ..bob() };
    let answered =
        calendar::take_in(None, invitation.as_bytes(), OWNER, Occasion::Answer, &late).unwrap();
    let copy = answered.object.unwrap();
    let told = calendar::respond(&copy, &answer(Participation::Accepted), &late).unwrap().notices;
    assert_eq!(sent(&told[0]).to, [OWNER]);
}

#[test]
fn an_answer_said_again_to_the_event_made_anew_has_the_name_it_had() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let no = answer(Participation::Declined);
    let first = calendar::respond(&copy, &no, &bob()).unwrap();
    let later = Writing { now: NOW.plus(std::time::Duration::from_secs(60)), ..bob() };
    let again = calendar::respond(&copy, &no, &later).unwrap();
    assert_eq!(first.notices[0].name, again.notices[0].name);
    let other = Writing { key: "other".into(), ..later };
    let other = calendar::respond(&copy, &no, &other).unwrap();
    assert_ne!(first.notices[0].name, other.notices[0].name);
}

#[test]
fn an_answer_reaches_the_organiser_once() {
    let made = make(&meeting());
    let invitation = sent(&made.notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let comment = Some(Text::plain("With pleasure"));
    let yes = Answer { comment, ..answer(Participation::Accepted) };
    let answered = calendar::respond(&copy, &yes, &bob()).unwrap();
    let event = read_as(&answered.object, &bob());
    assert_eq!((event.participation, event.replied), (Participation::Accepted, Some(NOW)));
    assert_eq!(event.busy, BusyStatus::Busy);
    let reply = sent(&answered.notices[0]);
    assert_eq!((reply.method.as_str(), reply.subject.as_str()), ("REPLY", "Accepted: Plan"));
    assert_eq!(reply.to, [OWNER]);
    assert!(reply.calendar.contains("COMMENT:With pleasure"));
    assert_eq!(reply.calendar.matches("ATTENDEE").count(), 1);
    // The organiser notes it, once.
    let noted = take(Some(&made.object), &reply.calendar, "bob@x.example", &writing("k"));
    assert_eq!((noted.outcome, noted.notices.len()), (Outcome::Answered, 0));
    let noted = noted.object.unwrap();
    assert_eq!(partstat(&noted, "bob@x.example"), Participation::Accepted);
    assert_eq!(partstat(&noted, "cem@y.example"), Participation::NeedsAction);
    let again = take(Some(&noted), &reply.calendar, "bob@x.example", &writing("k"));
    assert_eq!(again.outcome, Outcome::Known);
    // The same act again tells the same; another act that says the same tells nothing.
    let repeated = calendar::respond(&answered.object, &yes, &bob()).unwrap();
    assert_eq!((&repeated.object, &repeated.notices), (&answered.object, &answered.notices));
    let other = Writing { key: "other".into(), ..bob() };
    let other = calendar::respond(&answered.object, &yes, &other).unwrap();
    assert_eq!((other.object, other.notices), (answered.object.clone(), Vec::new()));
    // Another answer, and back: told each time.
    let later = |hours: u64, key: &str| Writing {
        now: NOW.plus(std::time::Duration::from_secs(hours * 3600)),
        key: key.into(),
        ..bob()
    };
    let no = answer(Participation::Declined);
    let declined = calendar::respond(&answered.object, &no, &later(1, "no")).unwrap();
    let again = calendar::respond(&declined.object, &yes, &later(2, "bob")).unwrap();
    assert_ne!(again.notices[0].name, answered.notices[0].name);
    // An older answer that arrives late does not undo a newer one.
    let newer = sent(&declined.notices[0]).calendar;
    let noted = take(Some(&made.object), &newer, "bob@x.example", &writing("k")).object.unwrap();
    let late = take(Some(&noted), &reply.calendar, "bob@x.example", &writing("k"));
    assert_eq!(late.outcome, Outcome::Known);
}

#[test]
fn an_answer_is_told_by_the_server_where_it_schedules_and_not_at_all_where_unwanted() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let quiet = Answer { send: false, ..answer(Participation::Accepted) };
    let schedules = Writing { schedules: true, ..bob() };
    for (answer, writing) in [(quiet, bob()), (answer(Participation::Accepted), schedules.clone())]
    {
        let answered = calendar::respond(&copy, &answer, &writing).unwrap();
        assert!(answered.notices.is_empty());
        assert_eq!(read_as(&answered.object, &bob()).participation, Participation::Accepted);
    }
    // A proposal no server tells.
    let proposal = Proposal { start: NOW, end: NOW };
    let rather = Answer { proposal: Some(proposal), ..answer(Participation::Tentative) };
    let answered = calendar::respond(&copy, &rather, &schedules).unwrap();
    assert_eq!(sent(&answered.notices[0]).method, "COUNTER");
    // What is written with an answer it need not pass on.
    let words = Some(Text::plain("I shall be late"));
    let late = Answer { comment: words, ..answer(Participation::Accepted) };
    let answered = calendar::respond(&copy, &late, &schedules).unwrap();
    let reply = sent(&answered.notices[0]);
    assert_eq!(reply.method, "REPLY");
    assert!(reply.calendar.contains("COMMENT:I shall be late"), "{}", reply.calendar);
    // Whether it reached the organiser, the server says in the event.
    let yes = answer(Participation::Accepted);
    let answered = calendar::respond(&copy, &yes, &schedules).unwrap();
    assert!(answered.by_server && answered.notices.is_empty());
    for (status, mails) in [
        ("SCHEDULE-STATUS=2.0", 0),
        ("SCHEDULE-STATUS=5.1", 1),
        ("SCHEDULE-AGENT=CLIENT", 1),
        ("SCHEDULE-AGENT=NONE", 0),
    ] {
        let there = noted(&answered.object, &[(OWNER, status)]);
        let again = calendar::respond(&there, &yes, &schedules).unwrap();
        assert_eq!((again.notices.len(), again.object), (mails, there), "{status}");
    }
}

#[test]
fn a_proposal_is_kept_with_who_made_it_until_the_time_changes() {
    let made = make(&meeting());
    let invitation = sent(&made.notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let proposal = Proposal {
        start: at("2026-12-01T13:00:00").as_utc(),
        end: at("2026-12-01T14:00:00").as_utc(),
    };
    let rather = Answer { proposal: Some(proposal), ..answer(Participation::Tentative) };
    let counter = sent(&calendar::respond(&copy, &rather, &bob()).unwrap().notices[0]);
    assert_eq!(counter.subject, "New time proposed: Plan");
    let noted = take(Some(&made.object), &counter.calendar, "bob@x.example", &writing("k"));
    assert_eq!(noted.outcome, Outcome::Proposed);
    let noted = noted.object.unwrap();
    let shown = event(&noted);
    assert_eq!(shown.attendees[0].proposal, Some(proposal));
    assert_eq!((shown.start, shown.end), (meeting().start, meeting().end));
    let moved = Event { end: at("2026-12-01T12:00:00"), ..shown.clone() };
    let moved = change(&noted, "move", &edit_to(&shown, moved));
    assert_eq!(event(&moved.object).attendees[0].proposal, None);
}

#[test]
fn of_two_answers_in_one_second_the_later_one_counts() {
    let made = make(&meeting());
    let invitation = sent(&made.notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let said = |answer: &Answer| {
        sent(&calendar::respond(&copy, answer, &bob()).unwrap().notices[0]).calendar
    };
    let proposal = Some(Proposal { start: NOW, end: NOW.plus(std::time::Duration::from_secs(60)) });
    let rather = said(&Answer { proposal, ..answer(Participation::Tentative) });
    let no = said(&answer(Participation::Declined));
    let noted = take(Some(&made.object), &rather, "bob@x.example", &writing("k")).object.unwrap();
    let declined = take(Some(&noted), &no, "bob@x.example", &writing("k"));
    assert_eq!(declined.outcome, Outcome::Answered);
    let declined = declined.object.unwrap();
    assert_eq!(partstat(&declined, "bob@x.example"), Participation::Declined);
    assert_eq!(event(&declined).attendees[0].proposal, None);
    let again = take(Some(&declined), &no, "bob@x.example", &writing("k"));
    assert_eq!(again.outcome, Outcome::Known);
}

#[test]
fn only_who_has_a_say_is_heard() {
    let made = make(&meeting());
    let invitation = sent(&made.notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let reply = calendar::respond(&copy, &answer(Participation::Accepted), &bob()).unwrap();
    let reply = sent(&reply.notices[0]).calendar;
    // Mallory answers for Bob; for herself, though nobody asked her.
    let forged = take(Some(&made.object), &reply, "mallory@z.example", &writing("k"));
    assert_eq!((forged.outcome, forged.object), (Outcome::Refused, None));
    let herself = reply.replace("bob@x.example", "mallory@z.example");
    let crashed = take(Some(&made.object), &herself, "mallory@z.example", &writing("k"));
    assert_eq!((crashed.outcome, crashed.object), (Outcome::Refused, None));
    // To say that she sends for him is not to be allowed to; where the organiser's event says so,
    // she is.
    let sends = "ATTENDEE;SENT-BY=\"mailto:mallory@z.example\"";
    let claimed = reply.replace("ATTENDEE", sends);
    let taken = take(Some(&made.object), &claimed, "mallory@z.example", &writing("k"));
    assert_eq!((taken.outcome, taken.object), (Outcome::Refused, None));
    let stored = String::from_utf8(made.object.clone()).unwrap().replace("ATTENDEE", sends);
    let taken = take(Some(stored.as_bytes()), &claimed, "mallory@z.example", &writing("k"));
    assert_eq!(taken.outcome, Outcome::Answered);
    // She changes, or calls off, a meeting that is not hers.
    let newer = invitation.replace("SEQUENCE:0", "SEQUENCE:9");
    let taken_over = newer.replace(OWNER, "mallory@z.example");
    let called_off = newer.replace("METHOD:REQUEST", "METHOD:CANCEL");
    for message in [&newer, &taken_over, &called_off] {
        let taken = take(Some(&copy), message, "mallory@z.example", &bob());
        assert_eq!((taken.outcome, taken.object), (Outcome::Refused, None), "{message}");
    }
    // An attendee's copy takes no answers, the organiser's no invitations.
    assert_eq!(take(Some(&copy), &reply, "bob@x.example", &bob()).outcome, Outcome::NotConcerned);
    let to_self = take(Some(&made.object), &newer, OWNER, &writing("k"));
    assert_eq!(to_self.outcome, Outcome::NotConcerned);
}

#[test]
fn the_organisers_update_keeps_what_is_the_users_own() {
    let made = make(&meeting());
    let invitation = sent(&made.notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let copy = calendar::respond(&copy, &answer(Participation::Accepted), &bob()).unwrap().object;
    let shown = read_as(&copy, &bob());
    let own = Event { reminder: Some(30), categories: vec!["Mine".into()], ..shown.clone() };
    let copy = calendar::apply(Some(&copy), &edit_to(&shown, own), &bob()).unwrap();
    assert!(copy.notices.is_empty(), "an attendee tells nobody");
    // Another title: the answer stands.
    let later = Writing { now: NOW.plus(std::time::Duration::from_secs(60)), ..writing("t") };
    let shown = event(&made.object);
    let titled = Event { title: "Plans".into(), ..shown.clone() };
    let titled = calendar::apply(Some(&made.object), &edit_to(&shown, titled), &later).unwrap();
    let update = sent(&titled.notices[0]).calendar;
    let updated = take(Some(&copy.object), &update, OWNER, &bob());
    assert_eq!(updated.outcome, Outcome::Updated);
    let updated = updated.object.unwrap();
    let event_ = read_as(&updated, &bob());
    assert_eq!((event_.title.as_str(), event_.reminder), ("Plans", Some(30)));
    assert_eq!(
        (&event_.categories[..], event_.participation),
        (&["Mine".to_owned()][..], Participation::Accepted)
    );
    // Another time: it is asked anew.
    let shown = event(&titled.object);
    let moved = Event { end: at("2026-12-01T13:00:00"), ..shown.clone() };
    let moved = calendar::apply(
        Some(&titled.object),
        &edit_to(&shown, moved),
        &Writing { key: "m".into(), ..later },
    )
    .unwrap();
    let update = sent(&moved.notices[0]).calendar;
    let moved = take(Some(&updated), &update, OWNER, &bob()).object.unwrap();
    let event_ = read_as(&moved, &bob());
    assert_eq!((event_.participation, event_.reminder), (Participation::NeedsAction, Some(30)));
    // The older update comes late.
    assert_eq!(take(Some(&moved), &invitation, OWNER, &bob()).outcome, Outcome::Known);
}

#[test]
fn a_cancelled_meeting_stays_and_is_marked() {
    let made = make(&meeting());
    let invitation = sent(&made.notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let cancel = sent(&change(&made.object, "c", &ItemEdit::Cancel).notices[0]).calendar;
    let cancelled = take(Some(&copy), &cancel, OWNER, &bob());
    assert_eq!(cancelled.outcome, Outcome::Cancelled);
    let cancelled = cancelled.object.unwrap();
    assert_eq!(read_as(&cancelled, &bob()).status, EventStatus::Cancelled);
    assert_eq!(take(Some(&cancelled), &cancel, OWNER, &bob()).outcome, Outcome::Known);
    assert_eq!(take(None, &cancel, OWNER, &bob()).outcome, Outcome::NotConcerned);
}

#[test]
fn one_instance_is_told_answered_and_called_off_by_itself() {
    let series = Event {
        recurrence: Some(Recurrence {
            end: RecurrenceEnd::Count(4),
            ..Recurrence::every(Frequency::Weekly)
        }),
        ..meeting()
    };
    let made = make(&series);
    let invitation = sent(&made.notices[0]).calendar;
    assert!(invitation.contains("RRULE:FREQ=WEEKLY;COUNT=4"));
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let second = at("2026-12-08T09:00:00").as_utc();
    // Bob does not come on the second.
    let no = Answer { instance: Some(second), ..answer(Participation::Declined) };
    let declined = calendar::respond(&copy, &no, &bob()).unwrap();
    let reply = sent(&declined.notices[0]).calendar;
    assert!(reply.contains("RECURRENCE-ID;TZID=Europe/Berlin:20261208T100000"), "{reply}");
    let noted = take(Some(&made.object), &reply, "bob@x.example", &writing("k"));
    assert_eq!(noted.outcome, Outcome::Answered);
    let shown = event(noted.object.as_ref().unwrap());
    assert_eq!(shown.attendees[0].participation, Participation::NeedsAction, "of the series");
    let InstanceChange::Changed(changed) = &shown.exceptions[0].change else { panic!() };
    assert_eq!(changed.value.attendees[0].participation, Participation::Declined);
    // The organiser moves the third.
    let third = at("2026-12-15T09:00:00").as_utc();
    let time = Event {
        start: at("2026-12-15T15:00:00"),
        end: at("2026-12-15T16:00:00"),
        zone: series.zone.clone(),
        ..Event::default()
    };
    let edit = ItemEdit::Instance {
        original: third,
        patch: Box::new(EventPatch::of([EventField::Time], time)),
    };
    let moved = change(&made.object, "move", &edit);
    let request = sent(&moved.notices[0]);
    assert_eq!(request.calendar.matches("BEGIN:VEVENT").count(), 1);
    let updated = take(Some(&declined.object), &request.calendar, OWNER, &bob());
    assert_eq!(updated.outcome, Outcome::Updated);
    let updated = updated.object.unwrap();
    assert_eq!(read_as(&updated, &bob()).exceptions.len(), 2);
    let again = take(Some(&updated), &request.calendar, OWNER, &bob());
    assert_eq!(again.outcome, Outcome::Known);
    // And calls the fourth off.
    let fourth = ItemEdit::DropInstance { original: at("2026-12-22T09:00:00").as_utc() };
    let dropped = change(&moved.object, "drop", &fourth);
    let cancel = sent(&dropped.notices[0]);
    assert_eq!((cancel.method.as_str(), cancel.to.len()), ("CANCEL", 2));
    assert!(cancel.calendar.contains("RECURRENCE-ID"), "{}", cancel.calendar);
    let cancelled = take(Some(&updated), &cancel.calendar, OWNER, &bob());
    assert_eq!(cancelled.outcome, Outcome::Cancelled);
    let shown = read_as(&cancelled.object.unwrap(), &bob());
    assert_eq!((shown.status, shown.exceptions.len()), (EventStatus::Confirmed, 3));
    let again = change(&dropped.object, "drop", &fourth);
    assert_eq!(again.notices, dropped.notices);
}

#[test]
fn who_lost_the_meeting_gets_it_again() {
    let made = make(&meeting());
    let refresh = sent(&made.notices[0]).calendar.replace("METHOD:REQUEST", "METHOD:REFRESH");
    let asked = take(Some(&made.object), &refresh, "bob@x.example", &writing("k"));
    assert_eq!((asked.outcome, asked.object), (Outcome::Asked, None));
    assert_eq!(sent(&asked.notices[0]).to, ["bob@x.example"]);
    // The same question has the same answer, another one another.
    let again = take(Some(&made.object), &refresh, "bob@x.example", &writing("k"));
    assert_eq!(again.notices, asked.notices);
    let other = take(Some(&made.object), &refresh, "bob@x.example", &writing("k2"));
    assert_ne!(other.notices[0].name, asked.notices[0].name);
    let days = |days: u64| std::time::Duration::from_secs(days * 86_400);
    let late = Writing { now: NOW.plus(days(4)), ..writing("k") };
    let server = Writing { schedules: true, ..writing("k") };
    for (from, writing, outcome) in [
        ("eve@z.example", &writing("k"), Outcome::Refused),
        ("bob@x.example", &late, Outcome::Known),
        ("bob@x.example", &server, Outcome::Known),
    ] {
        let taken = take(Some(&made.object), &refresh, from, writing);
        assert_eq!((taken.outcome, taken.notices.len()), (outcome, 0), "{from}");
    }
}

#[test]
fn what_only_we_say_is_not_taken_from_others() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let sly =
        invitation.replace("SUMMARY", "X-DME-SENDER:mallory@z.example\r\nX-DME-ACT:1\r\nSUMMARY");
    let copy = take(None, &sly, OWNER, &bob()).object.unwrap();
    assert!(!String::from_utf8(copy).unwrap().contains("X-DME"));
}

#[test]
fn others_calendars_send_for_the_organiser() {
    // Some services send in their own name, and so do their updates.
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let service = "noreply@calendar.example";
    let copy = take(None, &invitation, service, &bob()).object.unwrap();
    let newer = invitation.replace("SEQUENCE:0", "SEQUENCE:1");
    assert_eq!(take(Some(&copy), &newer, service, &bob()).outcome, Outcome::Updated);
    assert_eq!(take(Some(&copy), &newer, OWNER, &bob()).outcome, Outcome::Updated);
    assert_eq!(take(Some(&copy), &newer, "eve@z.example", &bob()).outcome, Outcome::Refused);
    let delegate = invitation.replace("ORGANIZER;", "ORGANIZER;SENT-BY=\"mailto:sec@x.example\";");
    let copy = take(None, &delegate, OWNER, &bob()).object.unwrap();
    let newer = delegate.replace("SEQUENCE:0", "SEQUENCE:1");
    assert_eq!(take(Some(&copy), &newer, "sec@x.example", &bob()).outcome, Outcome::Updated);
}

#[test]
fn the_user_can_answer_what_came_to_a_list() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let zoe = Writing { owner: vec!["zoe@x.example".into()], name: None, ..writing("z") };
    let copy = take(None, &invitation, OWNER, &zoe).object.unwrap();
    let answered = calendar::respond(&copy, &answer(Participation::Accepted), &zoe).unwrap();
    assert_eq!(read_as(&answered.object, &zoe).participation, Participation::Accepted);
    assert!(sent(&answered.notices[0]).calendar.contains("mailto:zoe@x.example"));
    let own = make(&meeting());
    calendar::respond(&own.object, &answer(Participation::Accepted), &writing("k")).unwrap_err();
}

#[test]
fn a_notice_is_a_mail_that_is_sent_as_it_is() {
    let made = make(&meeting());
    let raw = &made.notices[0].message;
    let from = Address { name: None, email: OWNER.into() };
    let finish = compose::Finish { from, now: NOW, seed: "s".into() };
    let done = compose::finish(raw, &finish).unwrap();
    assert_eq!(done.recipients, ["bob@x.example", "cem@y.example"]);
}

#[test]
fn what_is_mailed_of_an_object_with_other_line_ends_has_those_of_the_standard() {
    let invitation = sent(&make(&meeting()).notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let copy = String::from_utf8(copy).unwrap().replace("\r\n", "\n");
    let yes = answer(Participation::Accepted);
    let answered = calendar::respond(copy.as_bytes(), &yes, &bob()).unwrap();
    let reply = sent(&answered.notices[0]).calendar;
    assert_eq!(reply.matches('\n').count(), reply.matches("\r\n").count(), "{reply}");
    let again = calendar::respond(&answered.object, &yes, &bob()).unwrap();
    assert_eq!(again.notices, answered.notices);
}

#[test]
fn a_mail_is_spared_where_the_server_tells_the_same() {
    let server = Writing { schedules: true, ..writing("key") };
    let his_server = Writing { schedules: true, ..bob() };
    let made = make(&meeting());
    let invitation = sent(&made.notices[0]).calendar;
    let called_off = invitation.replace("METHOD:REQUEST", "METHOD:CANCEL");
    let copy = take(None, &invitation, "ann@x.example", &bob()).object.unwrap();
    let said = |participation| {
        let answered = calendar::respond(&copy, &answer(participation), &bob()).unwrap();
        (sent(&answered.notices[0]).calendar, answered.object)
    };
    let (yes, accepted) = said(Participation::Accepted);
    let (no, _) = said(Participation::Declined);
    let agent = |object: &[u8], line: &str, agent: &str| {
        let text = String::from_utf8(object.to_vec()).unwrap().replace("\r\n ", "");
        text.replace(line, &format!("{line};SCHEDULE-AGENT={agent}")).into_bytes()
    };
    let by_hand = agent(&made.object, "ATTENDEE", "CLIENT");
    let said_by_server = agent(&made.object, "ATTENDEE", "SERVER");
    let answered_by_hand = agent(&accepted, "ORGANIZER", "NONE");
    let lost = noted(&made.object, &[("bob@x.example", "SCHEDULE-STATUS=5.1")]);
    let reached = noted(&made.object, &[("bob@x.example", "SCHEDULE-STATUS=\"1.1,2.0\"")]);
    let unheard = noted(&accepted, &[(OWNER, "SCHEDULE-STATUS=3.7")]);
    let with_words = yes.replace("END:VEVENT", "COMMENT:I shall be late\r\nEND:VEVENT");
    let counter = yes.replace("METHOD:REPLY", "METHOD:COUNTER");
    let forwarded = ["bob@x.example", "dora@z.example"].as_slice();
    let (guests, ann) = (["bob@x.example", "Cem@y.example"].as_slice(), ["ann@x.example"]);
    let (ann, object) = (ann.as_slice(), Some(made.object.as_slice()));

    for (case, existing, message, to, writing, spared) in [
        ("an invitation", object, &invitation, guests, &server, ByServer::Told),
        ("one not written yet", None, &invitation, guests, &server, ByServer::NotYet),
        ("a cancellation", object, &called_off, guests, &server, ByServer::Told),
        ("of what is deleted", None, &called_off, guests, &server, ByServer::Told),
        ("to who is not asked", object, &invitation, forwarded, &server, ByServer::Untold),
        ("of another's meeting", object, &invitation, guests, &his_server, ByServer::Untold),
        ("by the client", Some(&by_hand[..]), &invitation, guests, &server, ByServer::Untold),
        ("by the server", Some(&said_by_server[..]), &invitation, guests, &server, ByServer::Told),
        ("who was not reached", Some(&lost[..]), &invitation, guests, &server, ByServer::Untold),
        ("who was reached", Some(&reached[..]), &invitation, guests, &server, ByServer::Told),
        ("with words", Some(&accepted[..]), &with_words, ann, &his_server, ByServer::Untold),
        ("an organiser lost", Some(&unheard[..]), &yes, ann, &his_server, ByServer::Untold),
        ("where nobody schedules", object, &invitation, guests, &writing("key"), ByServer::Untold),
        ("an answer", Some(&accepted[..]), &yes, ann, &his_server, ByServer::Told),
        ("another than there", Some(&accepted[..]), &no, ann, &his_server, ByServer::Untold),
        ("not given there", Some(&copy[..]), &yes, ann, &his_server, ByServer::Untold),
        ("a refusal that is gone", None, &no, ann, &his_server, ByServer::Told),
        ("a yes to nothing", None, &yes, ann, &his_server, ByServer::Untold),
        ("to somebody else", Some(&accepted[..]), &yes, guests, &his_server, ByServer::Untold),
        ("by hand", Some(&answered_by_hand[..]), &yes, ann, &his_server, ByServer::Untold),
        ("another's answer", Some(&accepted[..]), &yes, ann, &server, ByServer::Untold),
        ("a proposal", Some(&accepted[..]), &counter, ann, &his_server, ByServer::Untold),
        ("nothing", object, &"no calendar".to_owned(), guests, &server, ByServer::Untold),
    ] {
        let to: Vec<String> = to.iter().map(|one| (*one).to_owned()).collect();
        let told = calendar::told_by_server(existing, message.as_bytes(), &to, writing);
        assert_eq!(told, spared, "{case}");
    }
}

#[test]
fn a_day_of_a_series_of_days_is_answered_by_its_midnight_in_utc() {
    let series = Event {
        start: at("2026-12-01"),
        end: at("2026-12-02"),
        all_day: true,
        zone: None,
        recurrence: Some(Recurrence::every(Frequency::Weekly)),
        ..meeting()
    };
    let invitation = sent(&make(&series).notices[0]).calendar;
    let copy = take(None, &invitation, OWNER, &bob()).object.unwrap();
    let of =
        |day: &str| Answer { instance: Some(at(day).as_utc()), ..answer(Participation::Declined) };
    let declined = calendar::respond(&copy, &of("2026-12-08"), &bob()).unwrap();
    let reply = sent(&declined.notices[0]).calendar;
    assert!(reply.contains("RECURRENCE-ID;VALUE=DATE:20261208"), "{reply}");
    let error = calendar::respond(&copy, &of("2026-12-07"), &bob()).unwrap_err();
    assert_eq!(error, dme_pim::Error::NoSuchInstance);
}

#[test]
fn who_is_asked_to_one_instance_gets_that_alone_again() {
    let weekly =
        Recurrence { end: RecurrenceEnd::Count(4), ..Recurrence::every(Frequency::Weekly) };
    let made = make(&Event { recurrence: Some(weekly), ..meeting() });
    let guests = asked(&["bob@x.example", "cem@y.example", "dora@z.example"]);
    let value = Event { attendees: guests, ..Event::default() };
    let edit = ItemEdit::Instance {
        original: at("2026-12-08T09:00:00").as_utc(),
        patch: Box::new(EventPatch::of([EventField::Attendees], value)),
    };
    let changed = change(&made.object, "dora", &edit);
    let refresh = sent(&made.notices[0]).calendar.replace("METHOD:REQUEST", "METHOD:REFRESH");
    for (from, rules, instances) in [("bob@x.example", 1, 1), ("dora@z.example", 0, 1)] {
        let asked = take(Some(&changed.object), &refresh, from, &writing("k"));
        assert_eq!((asked.outcome, asked.notices.len()), (Outcome::Asked, 1), "{from}");
        let told = sent(&asked.notices[0]);
        assert_eq!(told.to, [from]);
        let count = |what: &str| told.calendar.matches(what).count();
        assert_eq!(
            (count("RRULE:FREQ=WEEKLY"), count("RECURRENCE-ID")),
            (rules, instances),
            "{from}"
        );
    }
}
