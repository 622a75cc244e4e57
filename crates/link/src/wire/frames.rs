//! What release 0.1 wrote on the wire, byte for byte, is in `tests/frames/v1`, one file a record.
//! Today's reader must find the same in it, and today's writer must still write all of it: a server
//! and a connector one release apart work together (rule L6).
//!
//! A message that is new gets its file by `DME_RECORD_FRAMES=v1 cargo test -p dme-link frames`,
//! which writes none that is there.

use super::body::pieces;
use super::call::{Answer, Head, Piece};
use super::mailbox::*;
use super::record::{Assembler, Limits, Record};
use super::{directory, mailbox};
use bytes::Bytes;
use dme_directory::{
    Card, Details, DirectoryEntry, Everyone, Group, GroupId, GroupSnapshot, PeopleFound,
    PeopleSearch, Person, PhotoLimits, Standing, Verdict,
};
use dme_mailbox::*;
use dme_model::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow::{Borrowed, Owned};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

mod link;

use link::{
    calls_about_the_connector, calls_about_the_record_of_acts, calls_of_an_edge, first_words,
};

/// Compares each message with its file, and counts them.
#[derive(Default)]
struct Frames {
    seen: BTreeSet<String>,
}

fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/frames/v1")
}

impl Frames {
    /// A message with what stands beside it.
    fn frame<T: Serialize + DeserializeOwned>(&mut self, name: &str, message: &T, blob: &str) {
        let name = format!("{}.frame", name.replace('/', "-"));
        let blob = Bytes::copy_from_slice(blob.as_bytes());
        let written: Vec<u8> =
            pieces(message, [blob.clone()]).unwrap().into_iter().flatten().collect();
        let path = dir().join(&name);
        if !path.exists() && std::env::var("DME_RECORD_FRAMES").as_deref() == Ok("v1") {
            std::fs::write(&path, &written).unwrap();
        }
        let recorded = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (recorded, written) = (record(&recorded), record(&written));
        assert_eq!(recorded.blob, blob, "{name}");
        // Read by today's reader, it means what today's message means.
        let read: T = recorded.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(value(&read), value(message), "{name} is read as something else");
        // Whoever reads what was recorded finds all of it in what is written today.
        let (then, now) = (recorded.parse().unwrap(), written.parse().unwrap());
        assert!(holds(&now, &then), "{name} lacks something:\nthen {then}\nnow  {now}");
        assert!(self.seen.insert(name.clone()), "{name} twice");
    }

    fn call<A: DeserializeOwned + super::call::Call>(&mut self, args: A, answer: A::Answer)
    where
        A::Answer: Serialize + DeserializeOwned,
    {
        self.asked(args, "");
        self.frame(&format!("{}.answer", A::NAME), &Answer::<_, Value>::Ok(answer), "");
    }

    fn asked<A: DeserializeOwned + super::call::Call>(&mut self, args: A, blob: &str) {
        let account = match A::NAME.split_once('/') {
            Some(("directory" | "connector" | "edge", _)) => None,
            _ => Some(Owned(account())),
        };
        let request = Owned(RequestId::from("r-1"));
        let head = Head { request, left_ms: 15_000, clock: None, account, args };
        self.frame(&format!("{}.request", A::NAME), &head, blob);
    }
}

#[test]
fn the_first_words_are_those_of_0_1() {
    first_words(&mut Frames::default());
}

#[test]
fn the_calls_of_a_mailbox_are_those_of_0_1() {
    calls_of_a_mailbox(&mut Frames::default());
}

#[test]
fn the_calls_of_a_directory_are_those_of_0_1() {
    calls_of_a_directory(&mut Frames::default());
}

#[test]
fn the_calls_about_the_record_of_acts_are_those_of_0_1() {
    calls_about_the_record_of_acts(&mut Frames::default());
}

#[test]
fn the_calls_about_the_connector_are_those_of_0_1() {
    calls_about_the_connector(&mut Frames::default());
}

#[test]
fn the_calls_of_an_edge_are_those_recorded() {
    calls_of_an_edge(&mut Frames::default());
}

#[test]
fn no_recorded_frame_is_forgotten_and_no_call_goes_unrecorded() {
    let mut frames = Frames::default();
    first_words(&mut frames);
    calls_of_a_mailbox(&mut frames);
    calls_of_a_directory(&mut frames);
    calls_about_the_record_of_acts(&mut frames);
    calls_about_the_connector(&mut frames);
    calls_of_an_edge(&mut frames);
    let files = std::fs::read_dir(dir()).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), frames.seen);
    for source in [
        include_str!("mailbox.rs"),
        include_str!("directory.rs"),
        include_str!("edge.rs"),
        include_str!("countersign.rs"),
        include_str!("upkeep.rs"),
    ] {
        let texts = source.split('"').skip(1).step_by(2);
        for call in texts.filter(|text| text.contains('/')) {
            let name = format!("{}.request.frame", call.replace('/', "-"));
            assert!(frames.seen.contains(&name), "{call} has no frame");
        }
    }
    let messages = control_messages(include_str!("control.rs"));
    assert!(messages.contains("renewal_refused") && messages.len() > 10, "{messages:?}");
    for message in messages {
        let name = format!("control.{message}.frame");
        assert!(frames.seen.contains(&name), "{message} has no frame");
    }
}

/// The names on the wire of all variants in a source: what stands four spaces in and begins with a
/// capital.
fn control_messages(source: &str) -> BTreeSet<String> {
    let variants = source.lines().filter_map(|line| line.strip_prefix("    "));
    let variants = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let name = |line: &str| {
        let mut name = String::new();
        for c in line.chars().take_while(char::is_ascii_alphanumeric) {
            if c.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        }
        name
    };
    variants.map(name).collect()
}

fn record(bytes: &[u8]) -> Record {
    let mut assembler = Assembler::new(Limits::CALL);
    assembler.push(Bytes::copy_from_slice(bytes));
    let record = assembler.next().unwrap().unwrap();
    assert!(assembler.is_empty());
    record
}

fn value(message: &impl Serialize) -> Value {
    serde_json::to_value(message).unwrap()
}

/// Whether all that stands in one stands in the other too.
fn holds(all: &Value, part: &Value) -> bool {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => {
            part.iter().all(|(key, part)| all.get(key).is_some_and(|all| holds(all, part)))
        }
        (Value::Array(all), Value::Array(part)) => {
            all.len() == part.len() && all.iter().zip(part).all(|(all, part)| holds(all, part))
        }
        (all, part) => all == part,
    }
}

fn account() -> Account {
    Account {
        user: "ann@example.org".into(),
        address: "ann@example.org".into(),
        display_name: Some("Ann Ödegård".into()),
        credentials: Credentials::Password(Secret::new("pässword")),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

fn inbox() -> CollectionId {
    "INBOX".into()
}

fn key() -> SubmissionKey {
    SubmissionKey("d1-c7".into())
}

fn flags() -> Flags {
    let categories = ["Red".to_owned()].into();
    Flags { seen: true, followup: Followup::Active, categories, ..Flags::default() }
}

fn view() -> BodyView {
    let preference = BodyPreference {
        kind: BodyKind::Html,
        truncation: Some(4_096),
        all_or_none: true,
        preview: Some(80),
    };
    BodyView {
        preferences: vec![preference],
        mime: MimeSupport::Smime,
        part_preference: Some(preference),
    }
}

fn event() -> Event {
    let bob = Address { name: Some("Bob".into()), email: "bob@example.org".into() };
    Event {
        uid: "e-1".into(),
        title: "Lunch".into(),
        start: LocalTime::from_seconds(1_700_000_000),
        end: LocalTime::from_seconds(1_700_003_600),
        zone: Some(ZoneId::from("Africa/Johannesburg")),
        place: Some(Place::from("Canteen")),
        busy: BusyStatus::OutOfOffice,
        attendees: vec![Attendee {
            address: bob.clone(),
            kind: AttendeeKind::Optional,
            participation: Participation::Declined,
            proposal: Some(Proposal { start: at(0), end: at(60) }),
        }],
        organizer: Some(bob),
        reminder: Some(15),
        ..Event::default()
    }
}

fn fetched() -> Fetched {
    let body = |data: &'static str| Body {
        kind: BodyKind::Plain,
        data: Bytes::from_static(data.as_bytes()),
        truncated: true,
        full_size: 90_000,
    };
    let ann = Address { name: None, email: "ann@example.org".into() };
    let mail = Mail {
        from: vec![ann],
        subject: "Grüße".into(),
        received: at(0),
        flags: flags(),
        size: 90_000,
        conversation: Some(ConversationId([7; 16])),
        body: Some(body("the body")),
        body_part: Some(body("the part")),
        attachments: vec![Attachment {
            part: "2".into(),
            name: "plan.pdf".into(),
            media_type: "application/pdf".into(),
            size: 80_000,
            kind: AttachmentKind::File,
            content_id: None,
            content_location: None,
            inline: false,
        }],
        ..Mail::default()
    };
    Fetched { id: "7".into(), outcome: FetchOutcome::Item(Item::Mail(Box::new(mail))) }
}

fn calls_of_a_mailbox(frames: &mut Frames) {
    let item = || ItemId::from("7");
    let mark = || Some(ContentMark("m1".into()));
    let token = || ChangeToken("imap1:9".into());
    let items: ItemSet = ["1", "2", "3", "9"].map(ItemId::from).into_iter().collect();
    frames.call(Owns {}, true);
    let collection = Collection {
        id: inbox(),
        parent: Some("root".into()),
        name: "Inbox".into(),
        class: Class::Mail,
        role: Some(Role::Inbox),
        access: Access::ReadOnly,
        owner: Owner::User,
    };
    let owner = Owner::Other { name: Some("Bob".into()) };
    let shared = Collection { id: "calendar:/bob/".into(), owner, ..collection.clone() };
    let answer = Answer::<_, Value>::Ok(vec![shared]);
    frames.frame("mailbox-collections.shared.answer", &answer, "");
    frames.call(Collections {}, vec![collection]);
    let name = Borrowed("Plans");
    frames.call(
        CreateCollection { parent: Some(Owned(inbox())), name, class: Class::Tasks },
        "new".into(),
    );
    let (collection, parent, name) = (Owned(inbox()), None, Borrowed("Plans"));
    frames.call(UpdateCollection { collection, parent, name }, "new".into());
    frames.call(DeleteCollection { collection: Owned(inbox()) }, ());
    let filter = ItemFilter { since: Some(at(0)), incomplete: true };
    frames.call(
        List { collection: Owned(inbox()), filter: Owned(filter) },
        Listing { items: items.clone(), token: token() },
    );
    let changes = Changes {
        upserted: vec![
            ItemState::mail(item(), at(0), flags()),
            ItemState { id: "8".into(), now: StateNow::Other(mark()) },
        ],
        removed: items.clone(),
        present: Some(items),
        token: token(),
    };
    frames.call(ChangesSince { collection: Owned(inbox()), since: Owned(token()) }, changes);
    frames.call(Changed { since: Owned(vec![(inbox(), token())]) }, vec![inbox()]);

    let asked =
        Fetch { collection: Owned(inbox()), items: Owned(vec![item()]), view: Owned(view()) };
    frames.asked(asked, "");
    frames.frame("mailbox/fetch.begin", &Answer::<(), Value>::Ok(()), "");
    let (head, blobs) = WireFetched::take_apart(fetched());
    let blob = String::from_utf8(blobs.concat()).unwrap();
    frames.frame("mailbox/fetch.mail", &Piece::<_, Value>::Item(head), &blob);
    let others = [
        ("event", FetchOutcome::Item(Item::Event(Box::new(event())))),
        ("gone", FetchOutcome::Gone),
        ("unconvertible", FetchOutcome::Unconvertible("no MIME".into())),
    ];
    for (name, outcome) in others {
        let (head, _) = WireFetched::take_apart(Fetched { id: item(), outcome });
        frames.frame(&format!("mailbox/fetch.{name}"), &Piece::<_, Value>::Item(head), "");
    }
    frames.frame("mailbox/fetch.end", &Piece::<(), Value>::End, "");
    let busy = Error::new(ErrorKind::Busy { after: Duration::from_secs(3) }, "too many sessions");
    frames.frame("error.piece", &Piece::<(), Error>::Error(busy.clone()), "");
    frames.frame("error.answer", &Answer::<(), Error>::Error(busy), "");
    for kind in [ErrorKind::Auth, ErrorKind::InvalidToken, ErrorKind::Unavailable] {
        let error = Error::new(kind, "why");
        frames.frame(&format!("error.{}", error.name()), &error, "");
    }
    let unbegun = Error::new(ErrorKind::Timeout, "why").before_anything();
    frames.frame("error.unbegun", &unbegun, "");

    let range = Some(ByteRange { start: 0, length: 100 });
    let part = Some(Owned(PartId::from("2")));
    frames.asked(FetchPart { collection: Owned(inbox()), item: Owned(item()), part, range }, "");
    let part = WirePart {
        media_type: "application/pdf".into(),
        name: Some("plan.pdf".into()),
        full_size: 80_000,
    };
    frames.frame("mailbox/fetch_part.answer", &Answer::<_, Value>::Ok(part), "%PDF");
    let patch = FlagPatch { seen: Some(false), ..FlagPatch::default() };
    let refused = value(&Error::new(ErrorKind::NotFound, "gone"));
    frames.call(
        SetFlags { collection: Owned(inbox()), patches: Owned(vec![(item(), patch)]) },
        vec![(item(), Ok(())), ("8".into(), Err(refused))],
    );
    frames.call(
        MoveItems { from: Owned(inbox()), to: Owned("Trash".into()), items: Owned(vec![item()]) },
        vec![(item(), Ok(Some("9".into())))],
    );
    frames.call(DeleteItems { collection: Owned(inbox()), items: Owned(vec![item()]) }, ());
    let subcollections = Subcollections::Delete;
    frames.call(EmptyCollection { collection: Owned(inbox()), subcollections }, ());

    let draft = Draft { key: key(), message: Bytes::new(), replaces: Some(item()) };
    frames.asked(SaveDraft { collection: Owned(inbox()), draft: Owned(draft) }, "Subject: d");
    frames.frame("mailbox/save_draft.answer", &Answer::<_, Value>::Ok(item()), "");
    frames.asked(Deliver { collection: Owned(inbox()) }, "Subject: d");
    frames.frame("mailbox/deliver.answer", &Answer::<_, Value>::Ok(item()), "");
    let submission = Submission {
        key: key(),
        uncertain: true,
        taken: false,
        message: Bytes::new(),
        reference: Some(Reference {
            collection: inbox(),
            item: item(),
            verb: Verb::Forward,
            replace_mime: true,
        }),
        save_in_sent: true,
        draft: Some((inbox(), item())),
    };
    frames.asked(Submit { submission: Owned(submission) }, "Subject: s");
    let submitted = Submitted {
        message_id: "<1@example.org>".into(),
        refused: vec!["bob@example.org".into()],
        warnings: vec!["no copy".into()],
        unfinished: true,
    };
    frames.frame("mailbox/submit.answer", &Answer::<_, Value>::Ok(submitted), "");
    let query = SearchQuery {
        collections: vec![inbox()],
        deep: true,
        words: vec!["plan".into()],
        since: Some(at(0)),
        before: Some(at(60)),
        conversation: Some(ConversationId([7; 16])),
        offset: 10,
        limit: 20,
    };
    let hit = || Hit { collection: inbox(), item: item() };
    frames
        .call(mailbox::Search { query: Owned(query) }, SearchPage { hits: vec![hit()], total: 1 });
    frames.asked(Watch { collections: Owned(vec![inbox()]) }, "");
    for (name, event) in [
        ("ready", WatchEvent::Ready),
        ("changed", WatchEvent::Changed(inbox())),
        ("hierarchy", WatchEvent::Hierarchy),
    ] {
        frames.frame(&format!("mailbox/watch.{name}"), &Piece::<_, Value>::Item(event), "");
    }
    let identity = dme_mailbox::Identity {
        addresses: vec!["ann@example.org".into()],
        display_name: Some("Ann".into()),
        max_message_size: Some(1 << 20),
    };
    frames.call(IdentityOf {}, identity);

    let notice = Notice { name: "act".into(), message: Bytes::from_static(b"Subject: n") };
    let written = || Written {
        item: item(),
        mark: mark(),
        notices: vec![notice.clone()],
        attached: vec![Some("2".into()), None],
    };
    let patch = || Patch::whole(event());
    let new = NewItem { key: key(), patch: ItemPatch::Event(Box::new(patch())) };
    frames.call(CreateItem { collection: Owned(inbox()), item: Owned(new) }, written());
    let edit = ItemEdit::Instance { original: at(0), patch: Box::new(patch()) };
    let edit = Owned(Edit { key: key(), edit });
    frames.call(ChangeItem { collection: Owned(inbox()), item: Owned(item()), edit }, written());
    let answer = dme_model::Answer {
        participation: Participation::Tentative,
        instance: Some(at(0)),
        comment: None,
        proposal: Some(Proposal { start: at(0), end: at(60) }),
        send: true,
    };
    let (item_asked, key, answer) = (Owned(item()), Owned(key()), Owned(answer));
    frames.call(Respond { collection: Owned(inbox()), item: item_asked, key, answer }, written());
    let message =
        || CalendarMessage { calendar: "BEGIN:VCALENDAR".into(), from: "bob@example.org".into() };
    let taken_in = TakenIn { collection: inbox(), item: item(), notices: Vec::new() };
    let occasion = Occasion::default();
    frames.call(TakeIn { message: Owned(message()), occasion }, Some(taken_in));
    let to = Owned(vec!["bob@example.org".to_owned()]);
    frames.call(Tells { message: Owned(message()), to }, true);
    frames.call(
        CalendarMessageOf { collection: Owned(inbox()), item: Owned(item()) },
        Some(message()),
    );
    let query = BusyQuery { addresses: vec!["bob@example.org".into()], start: at(0), end: at(60) };
    let status = BusyStatus::Tentative;
    let periods = Some(vec![BusyPeriod { start: at(0), end: at(60), status }]);
    let time = BusyTime { address: "bob@example.org".into(), periods };
    frames.call(Busy { query: Owned(query) }, vec![time]);
    frames.call(VacationOf {}, Vacation::default());
    frames.call(SetVacation { vacation: Owned(Vacation::default()) }, ());
}

fn calls_of_a_directory(frames: &mut Frames) {
    let user = || UserId::from("ann@example.org");
    let person = || Person {
        user: user(),
        address: "ann@example.org".into(),
        display_name: Some("Ann".into()),
        groups: vec![GroupId("g1".into())],
        standing: Standing::Active,
    };
    let (asked, password) = (Owned(user()), Owned(Secret::new("pässword")));
    frames.call(
        directory::Authenticate { user: asked, password },
        Verdict::Accepted(Box::new(person())),
    );
    for (name, verdict) in [("wrong", Verdict::WrongPassword), ("unknown", Verdict::Unknown)] {
        frames.frame(&format!("directory/authenticate.{name}"), &verdict, "");
    }
    frames.call(directory::Find { user: Owned(user()) }, Some(person()));
    let entry = || DirectoryEntry {
        user: Some(user()),
        address: "ann@example.org".into(),
        card: Card { title: Some("Engineer".into()), ..Card::default() },
        ..DirectoryEntry::default()
    };
    let group = Group {
        id: GroupId("g1".into()),
        name: "staff".into(),
        parents: vec![GroupId("g2".into())],
    };
    frames.call(directory::Groups {}, GroupSnapshot { groups: vec![group], as_of: at(0) });
    let photos = Some(PhotoLimits { bytes: 10_000, count: 5 });
    let search = PeopleSearch {
        asking: user(),
        text: "ann".into(),
        first: 10,
        limit: 20,
        details: Details { photos, certificates: true },
    };
    frames.call(
        directory::Search { search: Owned(search) },
        PeopleFound { entries: vec![entry()], total: 17 },
    );
    frames.call(
        directory::ListEveryone { asking: Owned(user()), limit: 100 },
        Everyone { entries: vec![entry()], complete: true },
    );
}
