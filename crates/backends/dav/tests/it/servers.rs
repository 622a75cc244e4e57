//! What shows only on real servers: logins, what other clients do, what they keep.

use crate::world::{
    OnCyrus, OnRadicale, PASSWORD, account, ask, config, context, event, make_calendar, object,
    open,
};
use dme_dav::{Auth, DavConfig, DavMailSystem};
use dme_mailbox::{
    Account, BusyQuery, Credentials, Edit, ErrorKind, FetchOutcome, Fetched, ItemFilter,
    MailSystem, NewItem, SubmissionKey, WatchEvent,
};
use dme_model::{
    Address, Attendee, AttendeeKind, BodyView, Class, CollectionId, Event, EventField, EventPatch,
    ItemEdit, ItemId, ItemPatch, LocalTime, Participation, Role, Secret, Timestamp, ZoneId,
};
use dme_testkit::radicale::Radicale;
use futures_util::{StreamExt as _, TryStreamExt as _};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn radicale_seen_by_two_clients() {
    let world = OnRadicale::start();
    let user = world.user();
    let port = world.server.port;
    let mailbox = open(world.server.url(), &user).await;

    // Each class has its own, and the first is the default.
    let collections = mailbox.collections().await.unwrap();
    let mut roles: Vec<_> = collections.iter().map(|it| (it.class, it.role)).collect();
    roles.sort();
    assert_eq!(
        roles,
        [
            (Class::Calendar, Some(Role::Calendar)),
            (Class::Contacts, Some(Role::Contacts)),
            (Class::Tasks, Some(Role::Tasks)),
            (Class::Notes, Some(Role::Notes)),
        ]
    );
    // One that another client made later does not take its place, nor is it hidden.
    let made = mailbox.create_collection(None, "Aaa", Class::Calendar).await.unwrap();
    let again = mailbox.create_collection(None, "Aaa", Class::Calendar).await;
    assert_eq!(again.unwrap_err().kind, ErrorKind::AlreadyExists);
    let collections = mailbox.collections().await.unwrap();
    let made = collections.iter().find(|it| it.id == made).unwrap();
    assert_eq!(made.role, None);

    // What another client wrote keeps what we have no word for.
    let path = format!("/{user}/events/theirs.ics");
    let theirs = event("theirs", "20261126T090000Z");
    assert_eq!(ask(port, &user, "PUT", &path, &theirs).0, 201);
    let calendar = CollectionId::new(format!("calendar:/{user}/events/"));
    let value = Event { title: "Ours".to_owned(), ..Event::default() };
    let patch = ItemPatch::Event(Box::new(EventPatch::of([EventField::Title], value)));
    let edit = Edit { key: SubmissionKey("edit".into()), edit: ItemEdit::Patch(patch) };
    mailbox.change_item(&calendar, &ItemId::from("theirs.ics"), &edit).await.unwrap();
    let (_, now) = ask(port, &user, "GET", &path, "");
    assert!(now.contains("SUMMARY:Ours") && now.contains("X-OTHER;X-P=1:kept"), "{now}");

    // Without scheduling the server tells of nobody; the user's own time is in the calendars.
    let own = format!("{user}@example.org");
    let day = 1_795_651_200;
    let query = BusyQuery {
        addresses: vec![own, "other@example.org".to_owned()],
        start: Timestamp::from_seconds(day),
        end: Timestamp::from_seconds(day + 86_400),
    };
    let busy = mailbox.busy(&query).await.unwrap();
    let periods = busy[0].periods.as_ref().unwrap();
    assert_eq!((periods.len(), periods[0].start), (1, Timestamp::from_seconds(day + 9 * 3_600)));
    assert_eq!(busy[1].periods, None);

    // Deleted long ago, it is not told to one who lists for the first time.
    assert_eq!(ask(port, &user, "DELETE", &path, "").0, 200);
    let listing = mailbox.list(&calendar, &ItemFilter::default()).await.unwrap();
    assert!(listing.items.is_empty());

    // A new calendar of another client is told to a watch.
    let mut watch = mailbox.watch(&[calendar]).await.unwrap();
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
    make_calendar(port, &user, &format!("/{user}/later/"), "VEVENT");
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Hierarchy)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_without_a_zone_are_on_the_users_clock() {
    let world = OnRadicale::start();
    let user = world.user();
    let port = world.server.port;
    let path = format!("/{user}/events/");
    let system = DavMailSystem::new(config(world.server.url())).unwrap();
    let context = context().on_clock(ZoneId::from("Asia/Kolkata"));
    let mailbox = system.open(&account(&user), &context).await.unwrap();
    let calendar = CollectionId::new(format!("calendar:{path}"));

    // When the user is not free.
    let floating = event("floating", "20261126T090000");
    assert_eq!(ask(port, &user, "PUT", &format!("{path}f.ics"), &floating).0, 201);
    let day = Timestamp::from_seconds(1_795_651_200);
    let query = BusyQuery {
        addresses: vec![format!("{user}@example.org")],
        start: day,
        end: Timestamp::from_seconds(day.as_seconds() + 86_400),
    };
    let busy = mailbox.busy(&query).await.unwrap();
    let starts = busy[0].periods.as_ref().unwrap()[0].start;
    assert_eq!(starts.as_seconds() - day.as_seconds(), (9 * 60 - 330) * 60);

    // Whether it is over: in New York on the next day of UTC.
    let late = event("late", "20261126T200000");
    assert_eq!(ask(port, &user, "PUT", &format!("{path}late.ics"), &late).0, 201);
    let western = self::context().on_clock(ZoneId::from("America/New_York"));
    let western = system.open(&account(&user), &western).await.unwrap();
    let filter = ItemFilter { since: Some(query.end), ..ItemFilter::default() };
    let listed: Vec<_> = western.list(&calendar, &filter).await.unwrap().items.iter().collect();
    let fetched = western.fetch(&calendar, &listed, &BodyView::default()).await.unwrap();
    let fetched: Vec<Fetched> = fetched.try_collect().await.unwrap();
    let admitted = |it: &&Fetched| match &it.outcome {
        FetchOutcome::Item(item) => filter.admits(item),
        _ => false,
    };
    let admitted: Vec<_> = fetched.iter().filter(admitted).map(|it| it.id.as_str()).collect();
    assert_eq!(admitted, ["late.ics"]);

    // And what others are told of a meeting.
    let value = Event {
        title: "Meeting".to_owned(),
        start: LocalTime::from_seconds(1_799_056_800),
        end: LocalTime::from_seconds(1_799_060_400),
        own: true,
        attendees: vec![Attendee {
            address: Address { name: None, email: "bob@example.org".to_owned() },
            kind: AttendeeKind::Required,
            participation: Participation::NeedsAction,
            proposal: None,
        }],
        ..Event::default()
    };
    let fields = [EventField::Title, EventField::Time, EventField::Attendees];
    let patch = ItemPatch::Event(Box::new(EventPatch::of(fields, value)));
    let new = NewItem { key: SubmissionKey("meet".into()), patch };
    let made = mailbox.create_item(&calendar, &new).await.unwrap();
    let (_, object) = ask(port, &user, "GET", &format!("{path}{}", made.item), "");
    assert!(object.contains("DTSTART;TZID=Asia/Kolkata:20270104T100000"), "{object}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_as_such() {
    let world = OnRadicale::start();
    let user = world.user();
    let system = DavMailSystem::new(config(world.server.url())).unwrap();
    let mut wrong = account(&user);
    wrong.credentials = Credentials::Password(Secret::new("wrong"));
    // Also where the right one was used before.
    system.open(&account(&user), &context()).await.unwrap().collections().await.unwrap();
    let refused = system.open(&wrong, &context()).await.unwrap().collections().await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Auth);
    let found = system.check(&wrong, &context()).await;
    assert!(found[0].outcome.as_ref().unwrap_err().contains("check the password"), "{found:?}");
    let found = system.check(&account(&user), &context()).await;
    assert!(found.iter().all(|finding| finding.outcome.is_ok()), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_account_acts_for_a_user_and_knows_who_is_there() {
    let world = OnRadicale::start();
    let user = world.user();
    let config = DavConfig {
        auth: Auth::Master {
            user: dme_testkit::radicale::ADMIN.to_owned(),
            secret: Secret::new(PASSWORD),
        },
        principal: Some("/{login}/".to_owned()),
        ..config(world.server.url())
    };
    let system = DavMailSystem::new(config).unwrap();
    let as_user = |name: &str| Account { credentials: Credentials::None, ..account(name) };
    assert!(system.owns(&as_user(&user), &context()).await.unwrap());
    assert!(!system.owns(&as_user("nobody"), &context()).await.unwrap());
    let mailbox = system.open(&as_user(&user), &context()).await.unwrap();
    let collections = mailbox.collections().await.unwrap();
    assert_eq!(collections.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_of_several_classes_is_not_deleted_for_one_of_them() {
    let world = OnCyrus::start();
    let user = world.user();
    let mailbox = open(world.server.url(), &user).await;
    let collections = mailbox.collections().await.unwrap();
    let default = collections.iter().find(|it| it.role == Some(Role::Calendar)).unwrap();
    let path = format!("/dav/calendars/user/{user}/Default/");
    assert_eq!(default.id, CollectionId::new(format!("calendar:{path}")));
    let task = object("VTODO", "a-task");
    let port = world.server.http_port;
    assert_eq!(ask(port, &user, "PUT", &format!("{path}a.ics"), &task).0, 201);
    let refused = mailbox.delete_collection(&default.id).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Forbidden);
    let tasks = CollectionId::new(format!("tasks:{path}"));
    assert_eq!(mailbox.list(&tasks, &ItemFilter::default()).await.unwrap().items.len(), 1);
    assert!(mailbox.list(&default.id, &ItemFilter::default()).await.unwrap().items.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_only_a_server_that_is_trusted_gets_a_password() {
    let server = Radicale::start_with_tls(&[("ann", PASSWORD)]).unwrap();
    let trusting = DavConfig { ca_file: Some(server.ca_file()), ..config(server.url()) };
    let (trusting, doubting) =
        (DavMailSystem::new(trusting), DavMailSystem::new(config(server.url())));
    let ask = async |system: DavMailSystem| {
        let mailbox = system.open(&account("ann"), &context()).await.unwrap();
        mailbox.collections().await
    };
    assert!(ask(trusting.unwrap()).await.unwrap().is_empty());
    let refused = ask(doubting.unwrap()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    assert!(refused.context.contains("certificate"), "{}", refused.context);
}
