//! Answers to invitations while the mail system and the store fail at each of their calls: before
//! it took effect, and after it did, as when the server dies there.

use super::*;
use crate::property::faulty::Faulty;
use crate::{Coming, Limits, MemoryStore, SyncKey};
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::{
    Account, CalendarMessage, CallContext, Credentials, ItemFilter, MailSystem, Mailbox,
};
use dme_model::{RequestId, Role, Timestamp, UserId};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::{TempDir, tempdir, tempdir_in};

const ANN: &str = "ann@x.example";
const BOB: &str = "bob@x.example";

/// What fails, and how.
#[derive(Clone, Copy, Debug)]
enum Fault {
    OfMailbox(Coming),
    OfStore(Coming),
}

/// Ann with a phone, asked by Bob to a meeting; both have their mail and calendars in files.
struct World {
    _root: TempDir,
    ann: Arc<dyn Mailbox>,
    bob: Arc<dyn Mailbox>,
    mailbox: Faulty,
    store: Arc<MemoryStore>,
    engine: Engine,
    device: DeviceKey,
}

async fn open(system: &FilesMailSystem, address: &str) -> Arc<dyn Mailbox> {
    let account = Account {
        user: UserId::from(address),
        address: address.to_owned(),
        display_name: None,
        credentials: Credentials::None,
    };
    let context = CallContext::new(RequestId::from("test"), Duration::from_secs(60));
    system.open(&account, &context).await.unwrap()
}

impl World {
    async fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() { tempdir_in(memory) } else { tempdir() }.unwrap();
        let system = FilesMailSystem::new(FilesConfig::new(root.path()));
        for user in [ANN, BOB] {
            system.create_user(&UserId::from(user), &[]).await.unwrap();
        }
        let (ann, bob) = (open(&system, ANN).await, open(&system, BOB).await);
        let store = Arc::new(MemoryStore::default());
        let engine = Engine::new(store.clone(), Limits::default());
        let device = DeviceKey { user: UserId::from(ANN), device: "phone".into() };
        let mailbox = Faulty::new(ann.clone());
        let world = Self { _root: root, ann, bob, mailbox, store, engine, device };
        world.engine.folder_sync(world.session(), &SyncKey::initial()).await.unwrap();
        world
    }

    fn session(&self) -> Session<'_> {
        let now = Timestamp::from_seconds(1_800_000_000);
        Session { device: &self.device, mailbox: &self.mailbox, now }
    }

    /// Lets the invitation arrive; answers where Ann's phone has it: as a mail, or as an event.
    async fn asked(&self, as_mail: bool) -> (FolderNo, ItemId) {
        let calendar = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:meeting\r\n\
             DTSTAMP:20260101T000000Z\r\nDTSTART:20960301T090000Z\r\nDURATION:PT1H\r\n\
             SUMMARY:Plan\r\nORGANIZER:mailto:{BOB}\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{ANN}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        if as_mail {
            let mail = format!(
                "From: {BOB}\r\nTo: {ANN}\r\nSubject: Plan\r\nMIME-Version: 1.0\r\n\
                 Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n{calendar}"
            );
            let (folder, inbox) = self.folder(Role::Inbox).await;
            return (folder, self.ann.deliver(&inbox, mail.as_bytes()).await.unwrap());
        }
        let message = CalendarMessage { calendar, from: BOB.to_owned() };
        let taken = self.ann.take_in(&message, Occasion::Arrival).await.unwrap().unwrap();
        (self.folder(Role::Calendar).await.0, taken.item)
    }

    async fn folder(&self, role: Role) -> (FolderNo, CollectionId) {
        let known = self.engine.known_folders(self.session()).await.unwrap();
        let no = known.iter().find(|folder| folder.role == Some(role)).unwrap().no;
        let all = self.ann.collections().await.unwrap();
        (no, all.into_iter().find(|it| it.role == Some(role)).unwrap().id)
    }

    async fn count(&self, mailbox: &dyn Mailbox, role: Role) -> usize {
        let all = mailbox.collections().await.unwrap();
        let id = all.into_iter().find(|it| it.role == Some(role)).unwrap().id;
        mailbox.list(&id, &ItemFilter::default()).await.unwrap().items.len()
    }

    fn arm(&self, fault: Fault) {
        match fault {
            Fault::OfMailbox(Coming { ahead, after }) => self.mailbox.fail(ahead, after),
            Fault::OfStore(coming) => self.store.fail(coming),
        }
    }

    /// Ends all failing; says whether anything failed.
    fn heal(&self) -> bool {
        let spared = self.mailbox.is_to_fail();
        self.mailbox.heal();
        !(self.store.heal() || spared)
    }
}

/// Answers with this failure on the way, and again until the phone is told that it is done. Says
/// whether anything failed.
async fn answered(as_mail: bool, participation: Participation, fault: Fault) -> bool {
    let world = World::new().await;
    let (folder, item) = world.asked(as_mail).await;
    let meaning =
        Answer { participation, instance: None, comment: None, proposal: None, send: true };
    let answer = Meant::new(b"the phone's words", meaning);
    let request = RespondRequest { folder, item, answer, notify: true };
    let case = format!("{participation:?}, as mail: {as_mail}, {fault:?}");

    world.arm(fault);
    let first = world.engine.respond(world.session(), &request).await;
    let failed = world.heal();
    assert!(failed || first.is_ok(), "{case}: {first:?}");
    let again = world.engine.respond(world.session(), &request).await;
    let event = again.unwrap_or_else(|error| panic!("{case}: {error}"));
    let declined = participation == Participation::Declined;
    assert_eq!(event.is_none(), declined, "{case}");
    let third = world.engine.respond(world.session(), &request).await;
    assert_eq!(third.unwrap(), event, "{case}");
    if let Ok(first) = first {
        assert_eq!(first, event, "{case}");
    }

    let notices = world.count(&*world.bob, Role::Inbox).await;
    assert_eq!(notices, 1, "{case}: so often Bob is told");
    let events = world.count(&*world.ann, Role::Calendar).await;
    assert_eq!(events, usize::from(!declined), "{case}: events in Ann's calendar");
    let mails = [Role::Inbox, Role::Trash];
    for (role, count) in mails.into_iter().zip([0, usize::from(as_mail)]) {
        assert_eq!(world.count(&*world.ann, role).await, count, "{case}: {role:?}");
    }
    failed
}

#[tokio::test]
async fn whatever_fails_an_answer_is_told_once_and_nothing_is_lost() {
    let mut failures = 0;
    for as_mail in [true, false] {
        for participation in [Participation::Accepted, Participation::Declined] {
            for after in [false, true] {
                for kind in [Fault::OfMailbox, Fault::OfStore] {
                    for ahead in 0..=u8::MAX {
                        let fault = kind(Coming { ahead, after });
                        if !answered(as_mail, participation, fault).await {
                            break;
                        }
                        failures += 1;
                    }
                }
            }
        }
    }
    // At the least each of: the message read, taken in, answered, sent, deleted, put away; the act
    // noted twice, the answer noted.
    assert!(failures > 40, "only {failures} failures came about");
}
