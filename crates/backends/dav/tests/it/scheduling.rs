//! Meetings on a server that tells attendees and organisers by itself (RFC 6638): Cyrus.

use crate::world::{OnCyrus, open};
use dme_mailbox::{
    BusyQuery, CalendarMessage, Edit, FetchOutcome, ItemFilter, Mailbox, NewItem, SubmissionKey,
};
use dme_model::{
    Address, Answer, Attendee, BodyView, BusyStatus, CollectionId, Event, EventField, EventPatch,
    Item, ItemEdit, ItemId, ItemPatch, LocalTime, Participation, Role, ZoneId,
};
use futures_util::TryStreamExt as _;
use std::sync::Arc;

/// 2027-01-04T10:00:00.
const START: LocalTime = LocalTime::from_seconds(1_799_056_800);

async fn calendar(mailbox: &Arc<dyn Mailbox>) -> CollectionId {
    let all = mailbox.collections().await.unwrap();
    all.into_iter().find(|it| it.role == Some(Role::Calendar)).unwrap().id
}

async fn only_event(mailbox: &Arc<dyn Mailbox>, calendar: &CollectionId) -> (ItemId, Event) {
    let items = mailbox.list(calendar, &ItemFilter::default()).await.unwrap().items;
    let items: Vec<ItemId> = items.iter().collect();
    let fetched = mailbox.fetch(calendar, &items, &BodyView::default()).await.unwrap();
    let fetched: Vec<_> = fetched.try_collect().await.unwrap();
    let [one] = &fetched[..] else { panic!("{fetched:?}") };
    match &one.outcome {
        FetchOutcome::Item(Item::Event(event)) => (one.id.clone(), (**event).clone()),
        other => panic!("{other:?}"),
    }
}

/// A meeting of one's, with another.
fn invitation(organiser: &str, attendee: &str) -> NewItem {
    let address = |name: &str| Address { name: None, email: format!("{name}@example.org") };
    let invited = Attendee {
        address: address(attendee),
        kind: dme_model::AttendeeKind::Required,
        participation: Participation::NeedsAction,
        proposal: None,
    };
    let value = Event {
        title: "Meeting".to_owned(),
        start: START,
        end: START.plus_seconds(3_600),
        zone: Some(ZoneId::utc()),
        organizer: Some(address(organiser)),
        own: true,
        attendees: vec![invited],
        response_requested: true,
        ..Event::default()
    };
    let fields = [
        EventField::Title,
        EventField::Time,
        EventField::Organizer,
        EventField::Attendees,
        EventField::ResponseRequested,
    ];
    let patch = ItemPatch::Event(Box::new(EventPatch::of(fields, value)));
    NewItem { key: SubmissionKey("invite".into()), patch }
}

fn answer(participation: Participation) -> Answer {
    Answer { participation, instance: None, comment: None, proposal: None, send: true }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_goes_out_by_the_server_and_the_answer_comes_back() {
    let world = OnCyrus::start();
    let (ann, bob) = (world.user(), world.user());
    let organiser = open(world.server.url(), &ann).await;
    let attendee = open(world.server.url(), &bob).await;
    let (anns, bobs) = (calendar(&organiser).await, calendar(&attendee).await);

    let new = invitation(&ann, &bob);
    let made = organiser.create_item(&anns, &new).await.unwrap();
    assert!(made.notices.is_empty(), "the server tells by itself");

    let (item, event) = only_event(&attendee, &bobs).await;
    let says = |method: &str, partstat: &str, uid: &str| CalendarMessage {
        calendar: format!(
            "BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
             ORGANIZER:mailto:{ann}@example.org\r\n\
             ATTENDEE;PARTSTAT={partstat}:mailto:{bob}@example.org\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n"
        ),
        from: String::new(),
    };
    let (invitation, yes) =
        (says("REQUEST", "NEEDS-ACTION", &event.uid), says("REPLY", "ACCEPTED", &event.uid));
    let (to_ann, to_bob) = ([format!("{ann}@example.org")], [format!("{bob}@example.org")]);
    assert!(organiser.tells(&invitation, &to_bob).await.unwrap());
    assert!(!attendee.tells(&yes, &to_ann).await.unwrap(), "it was not answered yet");
    assert_eq!((event.title.as_str(), event.own), ("Meeting", false));
    assert_eq!(event.participation, Participation::NeedsAction);
    let key = SubmissionKey("answer".into());
    let answered =
        attendee.respond(&bobs, &item, &key, &answer(Participation::Accepted)).await.unwrap();
    assert!(answered.notices.is_empty(), "the server tells by itself");

    assert!(attendee.tells(&yes, &to_ann).await.unwrap());
    let (_, event) = only_event(&organiser, &anns).await;
    assert_eq!(event.attendees[0].participation, Participation::Accepted);

    // Each may ask the server when the other is busy.
    let query = BusyQuery {
        addresses: vec![format!("{bob}@example.org"), "nobody@elsewhere.example".to_owned()],
        start: START.plus_seconds(-7_200).as_utc(),
        end: START.plus_seconds(7_200).as_utc(),
    };
    let busy = organiser.busy(&query).await.unwrap();
    let periods = busy[0].periods.as_ref().unwrap();
    assert_eq!(
        (periods[0].start, periods[0].end),
        (START.as_utc(), START.plus_seconds(3_600).as_utc())
    );
    assert_eq!(periods[0].status, BusyStatus::Busy);
    assert_eq!(busy[1].periods, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_and_answers_at_the_same_time_both_stand() {
    let world = OnCyrus::start();
    let (ann, bob) = (world.user(), world.user());
    let organiser = open(world.server.url(), &ann).await;
    let attendee = open(world.server.url(), &bob).await;
    let (anns, bobs) = (calendar(&organiser).await, calendar(&attendee).await);
    let made = organiser.create_item(&anns, &invitation(&ann, &bob)).await.unwrap();
    let (item, _) = only_event(&attendee, &bobs).await;

    // Bob cannot make up his mind while Ann describes what it is about.
    let answers = async {
        for round in 0..20 {
            let one =
                if round % 2 == 0 { Participation::Tentative } else { Participation::Declined };
            let key = SubmissionKey(format!("answer {round}"));
            attendee.respond(&bobs, &item, &key, &answer(one)).await.unwrap();
        }
        let key = SubmissionKey("answer".to_owned());
        attendee.respond(&bobs, &item, &key, &answer(Participation::Accepted)).await.unwrap();
    };
    let edits = async {
        for round in 0..20 {
            let value = Event { title: format!("Talk {round}"), ..Event::default() };
            let patch = EventPatch::of([EventField::Title], value);
            let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(patch)));
            let edit = Edit { key: SubmissionKey(format!("edit {round}")), edit };
            organiser.change_item(&anns, &made.item, &edit).await.unwrap();
        }
    };
    tokio::join!(answers, edits);
    let (_, event) = only_event(&organiser, &anns).await;
    assert_eq!(event.attendees[0].participation, Participation::Accepted);
    assert_eq!(event.title, "Talk 19");
}
