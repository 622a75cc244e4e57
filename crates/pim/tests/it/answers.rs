//! What an event keeps of the user's answers, and what then counts as the same said again.

use crate::meetings::{answer, bob, make, meeting, read_as, sent, take};
use crate::world::*;
use dme_model::*;
use dme_pim::calendar::{self, Writing};

/// Bob's copy of Ann's meeting.
fn copy(event: &Event) -> Vec<u8> {
    let invitation = sent(&make(event).notices[0]).calendar;
    take(None, &invitation, OWNER, &bob()).object.unwrap()
}

#[test]
fn an_answer_to_one_instance_is_kept_by_the_series_alone() {
    let weekly =
        Recurrence { end: RecurrenceEnd::Count(4), ..Recurrence::every(Frequency::Weekly) };
    let event = Event { recurrence: Some(weekly), ..meeting() };
    let mut copy = copy(&event);
    for number in 0..2 {
        // In winter Berlin is an hour ahead.
        let instance = event.start.plus_seconds(number * 7 * 86_400 - 3600).as_utc();
        let no = Answer { instance: Some(instance), ..answer(Participation::Declined) };
        copy = calendar::respond(&copy, &no, &bob()).unwrap().object;
        // One for each, and none in an override of what was answered to another.
        let kept = String::from_utf8_lossy(&copy).matches("X-DME-ANSWER").count();
        assert_eq!(kept as i64, number + 1);
    }
}

#[test]
fn what_another_program_said_otherwise_since_is_said_anew() {
    let yes = answer(Participation::Accepted);
    let first = calendar::respond(&copy(&meeting()), &yes, &bob()).unwrap();
    let text = String::from_utf8(first.object).unwrap();
    let elsewhere = text.replace("PARTSTAT=ACCEPTED", "PARTSTAT=DECLINED");
    assert_ne!(elsewhere, text);
    let later = Writing { now: NOW.plus(std::time::Duration::from_secs(60)), ..bob() };
    let again = calendar::respond(elsewhere.as_bytes(), &yes, &later).unwrap();
    assert_eq!(read_as(&again.object, &bob()).participation, Participation::Accepted);
    assert_ne!(again.notices[0].name, first.notices[0].name, "the organiser hears of it");
    // That said again changes nothing.
    let repeated = calendar::respond(&again.object, &yes, &later).unwrap();
    assert_eq!((repeated.object, repeated.notices), (again.object, again.notices));
}
