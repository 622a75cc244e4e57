//! Calendars that others share with a user for writing: they are shown as theirs, and what the user
//! is asked to, answers and does at a time is looked for in the user's own alone.

use crate::fake::{Fake, calendar, calendar_id, multistatus, response, user};
use crate::world::{OnCyrus, PASSWORD, ask, event, open};
use dme_mailbox::{BusyQuery, CalendarMessage, ErrorKind, Mailbox, SubmissionKey};
use dme_model::{
    Access, Answer, Class, Collection, CollectionId, ItemId, Occasion, Owner, Participation, Role,
    Timestamp,
};
use std::sync::{Arc, Mutex};

/// Ann, with whom Bob shares his calendar, in which is what Eve asked both to.
struct Shared {
    world: OnCyrus,
    ann: String,
    bob: String,
    mailbox: Arc<dyn Mailbox>,
    /// Bob's calendar as Ann sees it.
    bobs: CollectionId,
}

impl Shared {
    async fn start() -> Self {
        let world = OnCyrus::start();
        let (ann, bob) = (world.user(), world.user());
        let of_bob = open(world.server.url(), &bob).await;
        // The server makes the calendars of a user who asks for them.
        of_bob.collections().await.unwrap();
        let calendar = (bob.as_str(), "Default");
        world.server.share(calendar, &ann, "lrswipkxtecdn", PASSWORD).unwrap();
        let path = format!("/dav/calendars/user/{bob}/Default/both.ics");
        let both = Self::invitation(&ann, &bob, "");
        assert_eq!(ask(world.server.http_port, &bob, "PUT", &path, &both).0, 201);
        let mailbox = open(world.server.url(), &ann).await;
        let bobs = CollectionId::new(format!("calendar:/dav/calendars/user/{ann}/{bob}.Default/"));
        Self { world, ann, bob, mailbox, bobs }
    }

    /// What Eve, who is outside, asks both to.
    fn invitation(ann: &str, bob: &str, method: &str) -> String {
        let people = format!(
            "{method}ORGANIZER:mailto:eve@elsewhere.example\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{ann}@example.org\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{bob}@example.org\r\nSUMMARY"
        );
        event("both", "20960301T090000Z").replace("SUMMARY", &people)
    }

    async fn folder(&self, id: &CollectionId) -> Collection {
        let all = self.mailbox.collections().await.unwrap();
        all.iter().find(|it| it.id == *id).unwrap_or_else(|| panic!("{all:?}")).clone()
    }

    /// What is in Bob's calendar, as Bob sees it.
    fn there(&self) -> (u16, String) {
        let path = format!("/dav/calendars/user/{}/Default/both.ics", self.bob);
        ask(self.world.server.http_port, &self.bob, "GET", &path, "")
    }
}

fn no() -> Answer {
    Answer {
        participation: Participation::Declined,
        instance: None,
        comment: None,
        proposal: None,
        send: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_shares_for_writing_bears_their_name_and_is_nobodys_default() {
    let shared = Shared::start().await;
    let bobs = shared.folder(&shared.bobs).await;
    assert_eq!(bobs.owner, Owner::Other { name: Some(shared.bob.clone()) });
    assert_eq!((bobs.access, bobs.role, bobs.class), (Access::ReadWrite, None, Class::Calendar));
    assert_eq!(bobs.shown_name(), format!("{} ({})", bobs.name, shared.bob));
    let anns = shared.mailbox.collections().await.unwrap();
    let anns = anns.into_iter().find(|it| it.role == Some(Role::Calendar)).unwrap();
    assert_eq!((&anns.owner, anns.shown_name()), (&Owner::User, anns.name.clone()));

    // Whose it is alone may delete it.
    let deleted = shared.mailbox.delete_collection(&shared.bobs).await;
    assert_eq!(deleted.unwrap_err().kind, ErrorKind::Forbidden);
    assert_eq!(shared.there().0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_declines_leaves_the_copy_of_whoever_shares_a_calendar_alone() {
    let shared = Shared::start().await;
    let (_, before) = shared.there();
    let said = Shared::invitation(&shared.ann, &shared.bob, "");
    let said = said.replace("BEGIN:VEVENT", "METHOD:REQUEST\r\nBEGIN:VEVENT");
    let message = CalendarMessage { calendar: said, from: "eve@elsewhere.example".to_owned() };

    // Ann's own copy is another one, in her own calendar.
    let taken = shared.mailbox.take_in(&message, Occasion::Answer).await.unwrap().unwrap();
    assert_eq!(shared.folder(&taken.collection).await.owner, Owner::User);
    let key = SubmissionKey("no".to_owned());
    let (calendar, item) = (&taken.collection, &taken.item);
    let written = shared.mailbox.respond(calendar, item, &key, &no()).await.unwrap();
    let items = std::slice::from_ref(&written.item);
    shared.mailbox.delete_items(calendar, items).await.unwrap();
    assert_eq!(shared.there(), (200, before.clone()), "Bob still has it as he had it");

    // Nor does she answer it where Bob has it.
    let item = ItemId::from("both.ics");
    let answered = shared.mailbox.respond(&shared.bobs, &item, &key, &no()).await;
    assert_eq!(answered.unwrap_err().kind, ErrorKind::Unsupported);
    assert_eq!(shared.there(), (200, before));
}

/// What a server may say of whose a calendar is, and who that is then.
struct Case {
    /// Properties of the calendar.
    says: &'static str,
    /// Properties of the home it lies in.
    home: &'static str,
    owner: Owner,
}

fn other(name: &str) -> Owner {
    Owner::Other { name: Some(name.to_owned()) }
}

#[tokio::test]
async fn whose_a_calendar_is_is_told_from_whatever_a_server_says_of_it() {
    let bob = "<owner><href>/p/bob/</href></owner>";
    let marked = "<owner><href>/p/ann/</href></owner><S:shared/>";
    for Case { says, home, owner } in [
        Case { says: "", home: "", owner: Owner::User },
        Case { says: "<owner/>", home: "", owner: Owner::User },
        Case { says: "<owner><href>/p/ann/</href></owner>", home: "", owner: Owner::User },
        Case { says: "<owner><href>/p/Ann</href></owner>", home: "", owner: Owner::User },
        Case { says: "<owner><href>/people/7/</href></owner>", home: "", owner: Owner::User },
        Case { says: "<owner><href>mailto:bob@x</href></owner>", home: "", owner: Owner::User },
        Case { says: "<owner><href>/p/ann/</href></owner>", home: bob, owner: Owner::User },
        Case { says: bob, home: "", owner: other("bob") },
        Case { says: "", home: bob, owner: other("bob") },
        Case { says: "<owner><href>/p/zoe/</href></owner>", home: "", owner: other("Zoe Zorn") },
        Case { says: marked, home: "", owner: Owner::Other { name: None } },
    ] {
        let fake = owned(says, home).await;
        let mailbox = fake.open().await;
        let all = mailbox.collections().await.unwrap();
        assert_eq!(all.iter().map(|it| &it.owner).collect::<Vec<_>>(), [&owner], "{says} {home}");
        let own = owner == Owner::User;

        let query = BusyQuery {
            addresses: vec!["ann@example.org".to_owned()],
            // 2096-02-28 and a week on.
            start: Timestamp::from_seconds(3_981_225_600),
            end: Timestamp::from_seconds(3_981_225_600 + 7 * 86_400),
        };
        let busy = mailbox.busy(&query).await.unwrap();
        let periods = busy[0].periods.as_ref().map(Vec::len);
        assert_eq!(periods, Some(usize::from(own)), "{says} {home}");

        let said = Shared::invitation("ann", "bob", "SEQUENCE:1\r\n");
        let said = said.replace("BEGIN:VEVENT", "METHOD:REQUEST\r\nBEGIN:VEVENT");
        let message = CalendarMessage { calendar: said, from: "eve@elsewhere.example".to_owned() };
        let taken = mailbox.take_in(&message, Occasion::Answer).await;
        let key = SubmissionKey("no".to_owned());
        let answered = mailbox.respond(&calendar_id(), &"x.ics".into(), &key, &no()).await;
        if own {
            assert_eq!(taken.unwrap().unwrap().item, ItemId::from("x.ics"), "{says} {home}");
            answered.unwrap();
        } else {
            assert_eq!(taken.unwrap_err().kind, ErrorKind::NotFound, "{says} {home}");
            assert_eq!(answered.unwrap_err().kind, ErrorKind::Unsupported, "{says} {home}");
        }
        assert_eq!(fake.asked("PUT").is_empty(), !own, "{says} {home}");
    }
}

/// A server of one calendar with Ann's invitation, which says this of whose it is.
async fn owned(says: &'static str, home: &'static str) -> Fake {
    let object = Mutex::new(Shared::invitation("ann", "bob", ""));
    Fake::start(move |asked| {
        let mut object = object.lock().unwrap();
        match (asked.method.as_str(), asked.path.as_str()) {
            ("PROPFIND", "/p/ann/") => multistatus(&response(
                "/p/ann/",
                "<C:calendar-home-set><href>/</href></C:calendar-home-set>\
                 <principal-URL><href>/people/7/</href></principal-URL>",
            )),
            ("PROPFIND", "/p/zoe/") => {
                multistatus(&response("/p/zoe/", "<displayname>Zoe Zorn</displayname>"))
            }
            ("PROPFIND", "/") => {
                let (says, mark) = match says.strip_suffix("<S:shared/>") {
                    Some(says) => (says, "<S:shared/>"),
                    None => (says, ""),
                };
                let mark = format!("<C:calendar/>{mark}</resourcetype>");
                let there = calendar(says).replace("<C:calendar/></resourcetype>", &mark);
                let kind = "<resourcetype><collection/></resourcetype>";
                multistatus(&format!("{}{there}", response("/", &format!("{kind}{home}"))))
            }
            ("REPORT", "/c/") => {
                let data =
                    format!("<getetag>1</getetag><C:calendar-data>{object}</C:calendar-data>");
                multistatus(&response("/c/x.ics", &data))
            }
            ("GET", "/c/x.ics") => (200, "ETag: \"1\"\r\n", object.clone()),
            ("PUT", "/c/x.ics") => {
                object.clone_from(&asked.body);
                (204, "", String::new())
            }
            _ => user(asked),
        }
    })
    .await
}
