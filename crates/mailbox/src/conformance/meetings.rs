//! Meetings: what mails say of them, and what the user answers.

use super::items::{create, home, item};
use super::samples::{MONDAY, new_event};
use super::{Ability, Failure, Outcome, Resident, World, check, list, refused, same, with_role};
use crate::{CalendarMessage, SubmissionKey};
use dme_model::{
    Address, Answer, Attendee, AttendeeKind, Class, EventField, Item, ItemId, ItemPatch, Occasion,
    Participation, Role, Timestamp, civil,
};
use std::time::SystemTime;

pub(super) async fn an_event_of_ones_own_is_not_answered(world: &dyn World) -> Outcome {
    if !world.classes().contains(&Class::Calendar) {
        return Ok(());
    }
    let Resident { mailbox, .. } = world.resident().await;
    let home = home(&*mailbox, Class::Calendar).await?;
    let event = new_event("Mine", MONDAY, MONDAY.plus_seconds(60));
    let made = create(&*mailbox, &home, "one", event).await?;
    let answered = mailbox.respond(&home, &made.item, &SubmissionKey("two".into()), &yes()).await;
    refused!(answered, Invalid, "an answer to nobody");
    let gone = ItemId::from("missing");
    let answered = mailbox.respond(&home, &gone, &SubmissionKey("three".into()), &yes()).await;
    refused!(answered, NotFound, "an answer to what is not there");
    Ok(())
}

fn yes() -> Answer {
    Answer {
        participation: Participation::Accepted,
        instance: None,
        comment: None,
        proposal: None,
        send: true,
    }
}

pub(super) async fn invitations_are_taken_in_once_and_answered(world: &dyn World) -> Outcome {
    if !world.classes().contains(&Class::Calendar) || !world.can(Ability::TakeIn) {
        return Ok(());
    }
    let Resident { mailbox, other, address } = world.resident().await;
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//conformance//EN\r\nMETHOD:REQUEST\r\n\
         BEGIN:VEVENT\r\nUID:meeting@conformance.example\r\nDTSTAMP:20261101T090000Z\r\n\
         DTSTART:20961102T090000Z\r\nDTEND:20961102T100000Z\r\nSUMMARY:Meeting\r\nSEQUENCE:0\r\n\
         ORGANIZER;CN=Zoe:mailto:zoe@elsewhere.example\r\n\
         ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{address}\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let message = CalendarMessage { calendar, from: "zoe@elsewhere.example".into() };
    let Some(hit) = mailbox.take_in(&message, Occasion::Arrival).await? else {
        return Err(Failure("the invitation was not taken in".into()));
    };
    same!(other.take_in(&message, Occasion::Arrival).await?.as_ref(), Some(&hit), "taken in again");
    check!(hit.notices.is_empty(), "an invitation is answered by itself");
    same!(list(&*other, &hit.collection).await?.len(), 1, "events");
    let to = ["eve@elsewhere.example".to_owned()];
    check!(!mailbox.tells(&message, &to).await?, "a calendar tells what others organise");
    let calendar = with_role(&*mailbox, Role::Calendar).await?;
    same!(hit.collection, calendar, "the calendar it is in");
    let key = SubmissionKey("answer".into());
    mailbox.respond(&hit.collection, &hit.item, &key, &yes()).await?;
    let Item::Event(event) = item(&*other, &hit.collection, &hit.item).await? else {
        return Err(Failure("it is no event".into()));
    };
    check!(!event.own, "an invitation is not the user's own");
    same!(event.title, "Meeting", "the title");
    same!(event.participation, Participation::Accepted, "the answer");
    Ok(())
}

/// Now, as iCalendar writes it; of the time only the hour.
fn this_hour() -> String {
    let now = Timestamp::from(SystemTime::now());
    let (year, month, day) = civil::date(now.as_days());
    format!("{year:04}{month:02}{day:02}T{:02}0000Z", now.as_seconds() / 3_600 % 24)
}

pub(super) async fn who_asks_for_a_meeting_anew_gets_it_and_nobody_else(
    world: &dyn World,
) -> Outcome {
    if !world.classes().contains(&Class::Calendar) || !world.can(Ability::TakeIn) {
        return Ok(());
    }
    let Resident { mailbox, .. } = world.resident().await;
    let home = home(&*mailbox, Class::Calendar).await?;
    // Of what is over nobody is told.
    let start = MONDAY.plus_seconds(70 * 365 * 86_400);
    let mut meeting = new_event("Meeting", start, start.plus_seconds(3_600));
    if let ItemPatch::Event(patch) = &mut meeting {
        patch.fields.insert(EventField::Attendees);
        patch.value.attendees = ["eve@elsewhere.example", "zoe@elsewhere.example"]
            .map(|email| Attendee {
                address: Address { name: None, email: email.into() },
                kind: AttendeeKind::Required,
                participation: Participation::NeedsAction,
                proposal: None,
            })
            .into();
    }
    let made = create(&*mailbox, &home, "one", meeting).await?;
    let Item::Event(event) = item(&*mailbox, &home, &made.item).await? else {
        return Err(Failure("it is no event".into()));
    };
    let expected = if world.can(Ability::TellByMail) { 1 } else { 0 };
    same!(made.notices.len(), expected, "the mails to who is asked");
    // One and the same question, also when the hour turns.
    let asked = this_hour();
    let asks = |from: &str| CalendarMessage {
        calendar: format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//conformance//EN\r\nMETHOD:REFRESH\r\n\
             BEGIN:VEVENT\r\nUID:{}\r\nDTSTAMP:{}\r\nATTENDEE:mailto:{from}\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n",
            event.uid, asked,
        ),
        from: from.into(),
    };
    let Some(taken) = mailbox.take_in(&asks("eve@elsewhere.example"), Occasion::Arrival).await?
    else {
        return Err(Failure("the meeting was not found".into()));
    };
    same!(taken.item, made.item, "the meeting");
    same!(taken.notices.len(), expected, "the mails to who asks");
    let told = |notice: &dme_model::Notice, who: &str| {
        String::from_utf8_lossy(&notice.message).lines().any(|line| line == format!("To: <{who}>"))
    };
    check!(taken.notices.iter().all(|one| told(one, "eve@elsewhere.example")), "it is for another");
    let again = mailbox.take_in(&asks("eve@elsewhere.example"), Occasion::Arrival).await?;
    same!(again, Some(taken), "the same question");
    let stranger = mailbox.take_in(&asks("mallory@elsewhere.example"), Occasion::Arrival).await?;
    check!(stranger.is_none_or(|taken| taken.notices.is_empty()), "a stranger is told");
    Ok(())
}

pub(super) async fn an_invitation_to_what_is_over_waits_for_an_answer(
    world: &dyn World,
) -> Outcome {
    if !world.classes().contains(&Class::Calendar) || !world.can(Ability::TakeIn) {
        return Ok(());
    }
    let Resident { mailbox, address, .. } = world.resident().await;
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//conformance//EN\r\nMETHOD:REQUEST\r\n\
         BEGIN:VEVENT\r\nUID:past@conformance.example\r\nDTSTAMP:20200101T090000Z\r\n\
         DTSTART:20200102T090000Z\r\nDTEND:20200102T100000Z\r\nSUMMARY:Past\r\n\
         ORGANIZER:mailto:zoe@elsewhere.example\r\n\
         ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{address}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let message = CalendarMessage { calendar, from: "zoe@elsewhere.example".into() };
    same!(mailbox.take_in(&message, Occasion::Arrival).await?, None, "what arrives too late");
    let Some(taken) = mailbox.take_in(&message, Occasion::Answer).await? else {
        return Err(Failure("what is answered was not taken in".into()));
    };
    let key = SubmissionKey("answer".into());
    mailbox.respond(&taken.collection, &taken.item, &key, &yes()).await?;
    Ok(())
}
