//! What is in a collection, as servers tell it that the real ones in these tests do not.

use crate::fake::{Fake, Told, calendar, ids, is_sync, multistatus, response, token, user};
use dme_mailbox::{ChangeToken, ItemFilter};
use dme_model::{CollectionId, ItemId, Timestamp};
use std::sync::{Arc, Mutex};

/// A server with one address book, `/c/`, which lists it as these say, and which is asked for that
/// list.
async fn listed(
    by_members: &'static [&'static str],
    by_sync: impl Fn() -> Told + Send + Sync + 'static,
) -> (Fake, Vec<ItemId>, ChangeToken) {
    let book = "<resourcetype><collection/><A:addressbook \
                xmlns:A=\"urn:ietf:params:xml:ns:carddav\"/></resourcetype>\
                <sync-token>before</sync-token>\
                <supported-report-set><sync-collection/></supported-report-set>";
    let fake = Fake::start(move |asked| match (is_sync(asked), asked.method.as_str()) {
        (true, _) => by_sync(),
        (_, "PROPFIND") if asked.head.contains("depth: 1") => multistatus(&members(by_members)),
        (_, "PROPFIND") if asked.path == "/c/" => multistatus(&response("/c/", book)),
        _ => user(asked),
    })
    .await;
    let listing = fake.open().await.list(&"contacts:/c/".into(), &ItemFilter::default()).await;
    let listing = listing.unwrap();
    (fake, listing.items.iter().collect(), listing.token)
}

fn members(names: &[&str]) -> String {
    let member = |name: &&str| response(&format!("/c/{name}"), "<getetag>\"1\"</getetag>");
    names.iter().map(member).collect()
}

#[tokio::test]
async fn what_a_server_remembers_is_listed_by_that_alone() {
    let (fake, items, stands) = listed(&["a", "b", "c"], || {
        let gone = "<response><href>/c/old</href><status>HTTP/1.1 404 X</status></response>";
        multistatus(&format!("{}{gone}<sync-token>9</sync-token>", members(&["a", "b"])))
    })
    .await;
    assert_eq!((items, stands), (ids(&["a", "b"]), token("s1:2:9")));
    let properties = fake.asked("PROPFIND");
    assert!(properties.iter().all(|asked| !asked.head.contains("depth: 1")));
    // Nor where it stands, for which a server may look at every member.
    assert!(properties.iter().all(|asked| !asked.body.contains("sync-token")));
    assert_eq!(fake.asked("REPORT").len(), 1);
}

#[tokio::test]
async fn a_list_that_a_server_refuses_or_cuts_short_is_made_of_the_members() {
    let refusals = [400, 403, 409, 412, 500, 501, 507];
    let refused = refusals.map(|status| (status, "", String::new()));
    let cut = "<response><href>/c/</href><status>HTTP/1.1 507 X</status></response>";
    let odd = [
        // The token is the final one, the rest of the list never comes.
        multistatus(&format!("{}{cut}<sync-token>9</sync-token>", members(&["a"]))),
        multistatus(&members(&["a"])),
    ];
    for told in refused.into_iter().chain(odd) {
        let what = format!("{told:?}");
        let (_, items, stands) = listed(&["a", "b", "c"], move || told.clone()).await;
        assert_eq!((items, stands), (ids(&["a", "b", "c"]), token("s1:3:before")), "{what}");
    }
}

#[tokio::test]
async fn a_calendar_is_listed_by_what_is_remembered_where_that_is_all_that_is_wanted() {
    let state = "<sync-token>1</sync-token>\
                 <supported-report-set><sync-collection/></supported-report-set>";
    let two = "<C:comp name=\"VEVENT\"/><C:comp name=\"VTODO\"/>";
    let fake = Fake::start(move |asked| match (is_sync(asked), asked.path.as_str()) {
        (true, _) => multistatus(&format!(
            "{}{}{}<sync-token>2</sync-token>",
            response("/c/event", "<getcontenttype>text/calendar;component=vevent</getcontenttype>"),
            response("/c/task", "<getcontenttype>text/calendar;component=vtodo</getcontenttype>"),
            response("/c/any", "<getcontenttype>text/calendar</getcontenttype>"),
        )),
        (_, "/c/") if asked.method == "PROPFIND" => multistatus(&calendar(state)),
        (_, "/two/") if asked.method == "PROPFIND" => {
            let both = calendar(state).replace("<C:comp name=\"VEVENT\"/>", two);
            multistatus(&both.replace("/c/", "/two/"))
        }
        (_, path) if asked.method == "REPORT" => {
            multistatus(&response(&format!("{path}found"), "<getetag>\"1\"</getetag>"))
        }
        _ => user(asked),
    })
    .await;
    let mailbox = fake.open().await;
    let since = ItemFilter { since: Some(Timestamp::default()), ..ItemFilter::default() };
    for (collection, filter, listed) in [
        ("calendar:/c/", ItemFilter::default(), (ids(&["any", "event"]), token("s1:2:2"))),
        ("calendar:/c/", since, (ids(&["found"]), token("s1:1:1"))),
        ("calendar:/two/", ItemFilter::default(), (ids(&["found"]), token("s1:1:1"))),
    ] {
        let listing = mailbox.list(&collection.into(), &filter).await.unwrap();
        assert_eq!((listing.items.iter().collect(), listing.token), listed, "{collection}");
    }
}

#[tokio::test]
async fn what_is_from_some_day_on_is_asked_for_with_the_day_before() {
    let fake = Fake::start(|asked| match asked.method.as_str() {
        "PROPFIND" if asked.path == "/c/" => multistatus(&calendar("<sync-token>1</sync-token>")),
        "REPORT" => multistatus(""),
        _ => user(asked),
    })
    .await;
    // 2026-11-26, in the midst of the day. East of UTC the server's clock is ahead of the user's.
    let since =
        ItemFilter { since: Some(Timestamp::from_seconds(1_795_700_000)), ..ItemFilter::default() };
    fake.open().await.list(&"calendar:/c/".into(), &since).await.unwrap();
    let asked = fake.asked("REPORT");
    assert!(asked.iter().any(|it| it.body.contains("start=\"20261125T000000Z\"")), "{asked:?}");
}

#[tokio::test]
async fn where_properties_do_not_tell_the_token_changes_are_asked_for() {
    let now = Arc::new(Mutex::new("1"));
    let told = now.clone();
    let reports = "<supported-report-set><sync-collection/></supported-report-set>";
    let fake = Fake::start(move |asked| match is_sync(asked) {
        true => multistatus(&format!("<sync-token>{}</sync-token>", told.lock().unwrap())),
        false if asked.method == "PROPFIND" && asked.path != "/p/ann/" => {
            multistatus(&calendar(reports))
        }
        false => user(asked),
    })
    .await;
    let (mailbox, id) = (fake.open().await, CollectionId::from("calendar:/c/"));
    let listing = mailbox.list(&id, &ItemFilter::default()).await.unwrap();
    assert_eq!(listing.token, token("s1:0:1"));
    let since = [(id.clone(), listing.token)];
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);
    *now.lock().unwrap() = "2";
    assert_eq!(mailbox.changed(&since).await.unwrap(), [id]);
}
