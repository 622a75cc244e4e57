//! Meetings on a server that tells attendees and organisers by itself (RFC 6638): Cyrus.

use crate::world::{OnCyrus, ask, open};
use dme_mailbox::{
    BusyQuery, CalendarMessage, Edit, ErrorKind, FetchOutcome, ItemFilter, Mailbox, NewItem,
    SubmissionKey,
};
use dme_model::{
    Address, Answer, Attendee, BodyView, BusyStatus, CollectionId, Event, EventField, EventPatch,
    EventStatus, Item, ItemEdit, ItemId, ItemPatch, LocalTime, Notice, Participation, Role, Text,
    ZoneId,
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
    let early = says("REQUEST", "NEEDS-ACTION", "not-there-yet");
    let early = organiser.tells(&early, &to_bob).await.unwrap_err();
    assert_eq!(early.kind, ErrorKind::NotFound, "the phone may make it soon");
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

/// The people a notice goes to.
fn to(notice: &Notice) -> String {
    let text = String::from_utf8_lossy(&notice.message).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
    line.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_the_server_is_not_to_tell_is_told_by_mail() {
    let world = OnCyrus::start();
    let (ann, bob) = (world.user(), world.user());
    let organiser = open(world.server.url(), &ann).await;
    let attendee = open(world.server.url(), &bob).await;
    let (anns, bobs) = (calendar(&organiser).await, calendar(&attendee).await);
    let mut new = invitation(&ann, &bob);
    if let ItemPatch::Event(patch) = &mut new.patch {
        let bob = patch.value.attendees[0].clone();
        let address = Address { name: None, email: "eve@elsewhere.example".into() };
        patch.value.attendees.push(Attendee { address, ..bob });
    }
    let made = organiser.create_item(&anns, &new).await.unwrap();
    assert!(made.notices.is_empty(), "the server tells both");

    // Another client of Ann's tells Eve itself.
    let path = format!("/dav/calendars/user/{ann}/Default/{}", made.item);
    let port = world.server.http_port;
    let (_, there) = ask(port, &ann, "GET", &path, "");
    let there = there.replace("\r\n ", "").replace("SCHEDULE-STATUS=1.1", "SCHEDULE-AGENT=CLIENT");
    assert!(there.contains("SCHEDULE-AGENT=CLIENT:mailto:eve@"), "{there}");
    assert_eq!(ask(port, &ann, "PUT", &path, &there).0, 204);

    let value = Event { title: "Talk".to_owned(), ..Event::default() };
    let patch = ItemPatch::Event(Box::new(EventPatch::of([EventField::Title], value)));
    let edits = [("edit", ItemEdit::Patch(patch)), ("off", ItemEdit::Cancel)];
    for (key, edit) in edits {
        let edit = Edit { key: SubmissionKey(key.into()), edit };
        let changed = organiser.change_item(&anns, &made.item, &edit).await.unwrap();
        let told: Vec<String> = changed.notices.iter().map(to).collect();
        assert_eq!(told, ["<eve@elsewhere.example>"], "{key}");
        let again = organiser.change_item(&anns, &made.item, &edit).await.unwrap();
        assert_eq!(again.notices[0].name, changed.notices[0].name, "{key}");
    }
    let (_, event) = only_event(&attendee, &bobs).await;
    assert_eq!(event.title, "Talk");
    assert_eq!(event.status, EventStatus::Confirmed, "the server calls it off when it is deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_with_an_answer_is_mailed() {
    let world = OnCyrus::start();
    let (ann, bob) = (world.user(), world.user());
    let organiser = open(world.server.url(), &ann).await;
    let attendee = open(world.server.url(), &bob).await;
    let (anns, bobs) = (calendar(&organiser).await, calendar(&attendee).await);
    organiser.create_item(&anns, &invitation(&ann, &bob)).await.unwrap();
    let (item, _) = only_event(&attendee, &bobs).await;
    let comment = Some(Text::plain("I shall be late"));
    let yes = Answer { comment, ..answer(Participation::Accepted) };
    let key = SubmissionKey("answer".into());
    let answered = attendee.respond(&bobs, &item, &key, &yes).await.unwrap();
    let told: Vec<String> = answered.notices.iter().map(to).collect();
    assert_eq!(told, [format!("<{ann}@example.org>")]);
    let again = attendee.respond(&bobs, &item, &key, &yes).await.unwrap();
    assert_eq!(again.notices, answered.notices);
    // The server's own answer is there already.
    let (_, event) = only_event(&organiser, &anns).await;
    assert_eq!(event.attendees[0].participation, Participation::Accepted);
}
