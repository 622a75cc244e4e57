//! What is asked to learn where collections stand: to tell it, servers may look at every member of
//! each, once for each property that is asked for.

use crate::fake::{Asked, Fake, Told, calendar_id, ids, is_sync, multistatus, response, user};
use dme_mailbox::{ItemFilter, WatchEvent};
use dme_model::CollectionId;
use futures_util::StreamExt as _;
use std::slice::from_ref;
use std::sync::{Arc, Mutex};

/// A server whose home `/` has these calendars, as another test changes them.
#[derive(Clone, Default)]
struct Homes(Arc<Mutex<Vec<Calendar>>>);

#[derive(Clone, Copy)]
struct Calendar {
    path: &'static str,
    /// Where it stands.
    at: u32,
    /// Whether it gives tokens.
    syncs: bool,
}

impl Homes {
    async fn start(calendars: &[Calendar]) -> (Self, Fake) {
        let homes = Self(Arc::new(Mutex::new(calendars.to_vec())));
        let told = homes.clone();
        (homes, Fake::start(move |asked| told.tell(asked)).await)
    }

    fn set(&self, calendars: &[Calendar]) {
        *self.0.lock().unwrap() = calendars.to_vec();
    }

    /// It tells what it is asked for, and no more.
    fn tell(&self, asked: &Asked) -> Told {
        let calendars = self.0.lock().unwrap().clone();
        let here = |it: &&Calendar| it.path == asked.path || asked.path == "/";
        if is_sync(asked) {
            return match calendars.iter().find(here) {
                Some(it) if it.syncs => {
                    let stood = asked.body.contains(&format!("<sync-token>{}<", it.at));
                    let new = if stood { String::new() } else { member(it) };
                    multistatus(&format!("{new}<sync-token>{}</sync-token>", it.at))
                }
                _ => (403, "", String::new()),
            };
        }
        if asked.method == "REPORT" || asked.body.contains("getetag") {
            return multistatus(&calendars.iter().filter(here).map(member).collect::<String>());
        }
        if asked.method == "PROPFIND" && asked.path != "/p/ann/" {
            let told = calendars.iter().filter(here).map(|it| it.told(&asked.body));
            return multistatus(&told.collect::<String>());
        }
        user(asked)
    }
}

impl Calendar {
    fn told(&self, asked: &str) -> String {
        let at = self.at;
        let mut props = "<resourcetype><collection/><C:calendar/></resourcetype>\
                         <C:supported-calendar-component-set><C:comp name=\"VEVENT\"/>\
                         </C:supported-calendar-component-set>"
            .to_owned();
        if self.syncs && asked.contains("sync-token") {
            props.push_str(&format!("<sync-token>{at}</sync-token>"));
        }
        if self.syncs && asked.contains("supported-report-set") {
            props.push_str("<supported-report-set><sync-collection/></supported-report-set>");
        }
        if asked.contains("getctag") {
            props.push_str(&format!("<S:getctag>{at}</S:getctag>"));
        }
        response(self.path, &props)
    }
}

/// Its one item, marked by where the calendar stands.
fn member(it: &Calendar) -> String {
    response(&format!("{}x.ics", it.path), &format!("<getetag>\"{}\"</getetag>", it.at))
}

/// What was asked of the home since the last look: whether for the token, and for the mark.
fn asked(fake: &Fake) -> Vec<(bool, bool)> {
    let properties = fake.asked("PROPFIND").into_iter().filter(|it| it.path == "/");
    let asked = properties.map(|it| (it.body.contains("sync-token"), it.body.contains("getctag")));
    let asked = asked.collect();
    fake.asked.lock().unwrap().clear();
    asked
}

const TOKEN: (bool, bool) = (true, false);
const MARK: (bool, bool) = (false, true);
const BOTH: (bool, bool) = (true, true);

fn c(at: u32, syncs: bool) -> Calendar {
    Calendar { path: "/c/", at, syncs }
}

#[tokio::test]
async fn a_server_that_gives_tokens_is_asked_for_nothing_else() {
    let (homes, fake) = Homes::start(&[c(1, true)]).await;
    let (mailbox, id) = (fake.open().await, calendar_id());
    let listing = mailbox.list(&id, &ItemFilter::default()).await.unwrap();
    let since = [(id.clone(), listing.token)];
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);
    assert_eq!(asked(&fake), [TOKEN]);

    let mut events = mailbox.watch(from_ref(&id)).await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap(), WatchEvent::Ready);
    homes.set(&[c(2, true)]);
    assert_eq!(events.next().await.unwrap().unwrap(), WatchEvent::Changed(id.clone()));
    drop(events);
    let polls = asked(&fake);
    assert!(polls.len() >= 2 && polls.iter().all(|it| *it == TOKEN), "{polls:?}");
    assert_eq!(mailbox.changed(&since).await.unwrap(), [id]);

    // Who only lists collections need not know where they stand.
    asked(&fake);
    mailbox.collections().await.unwrap();
    assert_eq!(asked(&fake), [(false, false)]);
}

#[tokio::test]
async fn a_server_without_tokens_is_asked_for_marks_once_that_is_known() {
    let (homes, fake) = Homes::start(&[c(1, false)]).await;
    let (mailbox, id) = (fake.open().await, calendar_id());
    let listing = mailbox.list(&id, &ItemFilter::default()).await.unwrap();
    let since = [(id.clone(), listing.token)];
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);
    assert_eq!(asked(&fake), [TOKEN, MARK], "it is not known yet");
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);
    homes.set(&[c(2, false)]);
    assert_eq!(mailbox.changed(&since).await.unwrap(), from_ref(&id));
    assert_eq!(asked(&fake), [MARK, MARK]);
    let changes = mailbox.changes(&id, &since[0].1).await.unwrap();
    assert_eq!(changes.upserted.len(), 1);
}

#[tokio::test]
async fn a_server_that_loses_its_tokens_is_followed_by_marks() {
    let (homes, fake) = Homes::start(&[c(1, true)]).await;
    let (mailbox, id) = (fake.open().await, calendar_id());
    let listing = mailbox.list(&id, &ItemFilter::default()).await.unwrap();
    let since = [(id.clone(), listing.token)];
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);

    homes.set(&[c(1, false)]);
    assert_eq!(mailbox.changed(&since).await.unwrap(), from_ref(&id), "nothing else can be known");
    let listing = mailbox.list(&id, &ItemFilter::default()).await.unwrap();
    assert_eq!(listing.items.iter().collect::<Vec<_>>(), ids(&["x.ics"]));
    let since = [(id.clone(), listing.token)];
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);
    homes.set(&[c(2, false)]);
    assert_eq!(mailbox.changed(&since).await.unwrap(), [id]);
}

#[tokio::test]
async fn of_a_home_where_some_give_tokens_both_are_asked() {
    let other = |at| Calendar { path: "/d/", at, syncs: false };
    let (homes, fake) = Homes::start(&[c(1, true), other(1)]).await;
    let (mailbox, id) = (fake.open().await, calendar_id());
    let second = CollectionId::from("calendar:/d/");
    let mut since = Vec::new();
    for id in [&id, &second] {
        let listing = mailbox.list(id, &ItemFilter::default()).await.unwrap();
        since.push((id.clone(), listing.token));
    }
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);
    homes.set(&[c(1, true), other(2)]);
    assert_eq!(mailbox.changed(&since).await.unwrap(), from_ref(&second));
    homes.set(&[c(2, true), other(2)]);
    assert_eq!(mailbox.changed(&since).await.unwrap(), [id, second]);
    assert_eq!(asked(&fake), [TOKEN, BOTH, BOTH, BOTH]);
}
