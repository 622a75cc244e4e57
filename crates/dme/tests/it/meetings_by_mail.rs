//! Meetings of phones on a calendar server that tells nobody anything (Radicale): each change and
//! each answer goes by mail, once, and is in the other's calendar then.

use crate::account::{NINE, World, change, event, folder, meeting, only, until, whole};
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::folder_sync::FolderType;
use dme_eas::meeting_response::{Answer, Invitation, SendResponse, Status, UserResponse};
use dme_model::{
    Attendee, Event, EventField, Frequency, InstanceChange, LocalTime, Participation, Recurrence,
    RecurrenceEnd, Timestamp,
};
use dme_phone::Phone;

const DAY: i64 = 86_400;

/// Somebody's phone, with their calendar and inbox.
struct Person {
    phone: Phone,
    calendar: String,
    inbox: String,
}

impl Person {
    async fn new(world: &World, name: &str) -> Result<Self> {
        let mut phone = world.phone(name, &format!("{name}1"), ProtocolVersion::V16_1).await?;
        let calendar = folder(&mut phone, "Plans", FolderType::UserCalendar).await?;
        let inbox = phone.inbox()?;
        phone.sync(&inbox).await?;
        Ok(Self { phone, calendar, inbox })
    }

    fn shown(&self) -> Result<(String, Event)> {
        let (id, item) = only(&self.phone, &self.calendar)?;
        Ok((id, event(&item)?.clone()))
    }

    async fn until_shown(&mut self, what: &str, holds: impl Fn(&Event) -> bool) -> Result<()> {
        let calendar = self.calendar.clone();
        until(&mut self.phone, &calendar, what, |phone| {
            only(phone, &calendar).is_ok_and(|(_, item)| event(&item).is_ok_and(&holds))
        })
        .await
        .with_context(|| format!("{:?}", self.shown()))
    }

    /// Waits until so many mails are in the inbox, and no more come with the last.
    async fn until_mails(&mut self, what: &str, count: usize) -> Result<()> {
        let inbox = self.inbox.clone();
        until(&mut self.phone, &inbox, what, |phone| {
            phone.items(&inbox).is_ok_and(|mails| mails.len() >= count)
        })
        .await?;
        let there = self.phone.items(&inbox)?.len();
        ensure!(there == count, "{there} mails instead of {count}: {what}");
        Ok(())
    }

    /// Answers, and says so once more, as phones do whose answer got lost.
    async fn answer(
        &mut self,
        (folder, id): (&str, &str),
        response: UserResponse,
        instance: Option<Timestamp>,
        proposed: Option<(Timestamp, Timestamp)>,
    ) -> Result<()> {
        let (collection_id, request_id) = (folder.to_owned(), id.to_owned());
        let invitation = Invitation::Item { collection_id, request_id };
        let send = Some(SendResponse { proposed, ..SendResponse::default() });
        let answer = Answer { response, invitation, instance, send };
        let first = self.phone.respond(answer.clone()).await?;
        ensure!(first.status == Status::Success, "{first:?}");
        let again = self.phone.respond(answer).await?;
        ensure!(again == first, "{again:?} instead of {first:?}");
        Ok(())
    }

    /// The same of the one event in the calendar.
    async fn answer_event(
        &mut self,
        response: UserResponse,
        instance: Option<Timestamp>,
        proposed: Option<(Timestamp, Timestamp)>,
    ) -> Result<()> {
        let (calendar, (id, _)) = (self.calendar.clone(), self.shown()?);
        self.answer((&calendar, &id), response, instance, proposed).await
    }
}

fn bob(event: &Event) -> Option<&Attendee> {
    event.attendees.iter().find(|one| one.address.email == "bob@example.org")
}

fn bob_says(event: &Event, says: Participation) -> bool {
    bob(event).is_some_and(|bob| bob.participation == says)
}

/// What Bob says of one instance, by its begin on the series' clock.
pub fn bob_says_of(event: &Event, original: LocalTime, says: Participation) -> bool {
    let exception = event.exceptions.iter().find(|one| one.original == original);
    match exception.map(|one| &one.change) {
        Some(InstanceChange::Changed(changed)) => bob_says(&changed.value, says),
        _ => false,
    }
}

/// Four days in a row, with Bob.
pub fn series(title: &str) -> Event {
    let rule = Recurrence { end: RecurrenceEnd::Count(4), ..Recurrence::every(Frequency::Daily) };
    Event { recurrence: Some(rule), ..meeting(title, Some("bob@example.org")) }
}

/// Begin of an instance of that series: on its clock, and as phones name it, in Berlin's winter.
pub fn instance(day: i64) -> (LocalTime, Timestamp) {
    let original = NINE.plus_seconds(day * DAY);
    (original, original.plus_seconds(-3600).as_utc())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_moved_perhaps_attended_proposed_anew_and_declined_by_mail() -> Result<()> {
    let world = World::start()?;
    let (mut ann, mut bob) = (Person::new(&world, "ann").await?, Person::new(&world, "bob").await?);
    let new = meeting("The bridge", Some("bob@example.org"));
    let made = ann.phone.create(&ann.calendar, &whole(new)).await?;
    bob.until_mails("the invitation", 1).await?;
    bob.until_shown("the event", |event| event.participation == Participation::NeedsAction).await?;

    // Bob may come.
    let mail = bob.phone.items(&bob.inbox)?.keys().next().context("no mail")?.clone();
    let inbox = bob.inbox.clone();
    bob.answer((&inbox, &mail), UserResponse::Tentative, None, None).await?;
    bob.until_shown("his answer", |event| event.participation == Participation::Tentative).await?;
    ann.until_mails("Bob's answer", 1).await?;
    ann.until_shown("that he may come", |it| bob_says(it, Participation::Tentative)).await?;

    // She moves it: he is asked anew.
    let (start, end) = (NINE.plus_seconds(7200), NINE.plus_seconds(10_800));
    let (_, there) = ann.shown()?;
    let later = Event { start, end, ..there };
    let moved = change(&ann.phone, later, &[EventField::Time]);
    ann.phone.change(&ann.calendar, &made, &moved).await?;
    bob.phone.sync(&inbox).await?;
    bob.until_mails("the update", 1).await?;
    bob.until_shown("the other time", |event| event.start == start).await?;
    let (_, asked) = bob.shown()?;
    ensure!(asked.participation == Participation::NeedsAction, "{asked:?}");
    ensure!(asked.title == "The bridge" && asked.end == end, "{asked:?}");

    // He proposes another: her event keeps its time and says what he would like.
    let rather = (NINE.plus_seconds(DAY).as_utc(), NINE.plus_seconds(DAY + 3600).as_utc());
    bob.answer_event(UserResponse::Tentative, None, Some(rather)).await?;
    ann.until_mails("the proposal", 2).await?;
    ann.until_shown("the proposal in Ann's event", |event| {
        let proposal = self::bob(event).and_then(|bob| bob.proposal);
        proposal.is_some_and(|proposal| (proposal.start, proposal.end) == rather)
    })
    .await?;
    let (_, kept) = ann.shown()?;
    ensure!(kept.start == start && bob_says(&kept, Participation::Tentative), "{kept:?}");

    // He does not come.
    bob.answer_event(UserResponse::Declined, None, None).await?;
    bob.phone.sync(&bob.calendar).await?;
    ensure!(bob.phone.records(&bob.calendar)?.is_empty(), "what was declined is in the calendar");
    ann.until_mails("that he does not come", 3).await?;
    ann.until_shown("that he declined", |it| bob_says(it, Participation::Declined)).await?;
    bob.until_mails("no further mail", 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_is_answered_by_mail_and_the_series_is_not() -> Result<()> {
    let world = World::start()?;
    let (mut ann, mut bob) = (Person::new(&world, "ann").await?, Person::new(&world, "bob").await?);
    ann.phone.create(&ann.calendar, &whole(series("The tunnel"))).await?;
    bob.until_mails("the invitation", 1).await?;
    bob.until_shown("the series", |event| event.recurrence.is_some()).await?;

    let ((second, no), (third, yes)) = (instance(1), instance(2));
    bob.answer_event(UserResponse::Declined, Some(no), None).await?;
    ann.until_mails("that he does not come once", 1).await?;
    ann.until_shown("the day without Bob", |event| {
        bob_says_of(event, second, Participation::Declined)
    })
    .await?;
    bob.until_shown("the series he is still asked to", |event| event.recurrence.is_some()).await?;

    bob.answer_event(UserResponse::Accepted, Some(yes), None).await?;
    ann.until_mails("that he comes once", 2).await?;
    ann.until_shown("the day with Bob", |event| {
        bob_says_of(event, third, Participation::Accepted)
            && bob_says_of(event, second, Participation::Declined)
            && bob_says(event, Participation::NeedsAction)
    })
    .await
}
