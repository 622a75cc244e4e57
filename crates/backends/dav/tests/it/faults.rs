//! Faults of servers that the real ones in these tests do not show.

use crate::fake::{
    Asked, Fake, SILENCE, calendar, calendar_id, ids, is_sync, multistatus, response, token, user,
};
use crate::world::event;
use dme_dav::{DavConfig, PoolConfig};
use dme_dial::TimeoutConfig;
use dme_mailbox::{
    CalendarMessage, Edit, ErrorKind, FetchOutcome, ItemFilter, StateNow, SubmissionKey, TakenIn,
};
use dme_model::{
    Access, Answer, BodyView, CollectionId, Event, EventField, EventPatch, ItemEdit, ItemId,
    ItemPatch, Occasion, Participation, Span, Timestamp,
};
use futures_util::TryStreamExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn retitled(title: &str) -> Edit {
    let value = Event { title: title.to_owned(), ..Event::default() };
    let patch = ItemPatch::Event(Box::new(EventPatch::of([EventField::Title], value)));
    Edit { key: SubmissionKey(title.to_owned()), edit: ItemEdit::Patch(patch) }
}

#[tokio::test]
async fn a_token_refused_in_any_words_is_invalid_where_the_server_works_without() {
    for status in [400, 403, 409, 412, 500] {
        let fake = Fake::start(move |asked| match is_sync(asked) {
            true if asked.body.contains("<sync-token></sync-token>") => {
                multistatus("<sync-token>2</sync-token>")
            }
            true => (status, "", String::new()),
            false => user(asked),
        });
        let asked = fake.await.open().await.changes(&calendar_id(), &token("s1:0:1")).await;
        assert_eq!(asked.unwrap_err().kind, ErrorKind::InvalidToken, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_always_fails_does_not_make_tokens_invalid() {
    let fake = Fake::start(|asked| match is_sync(asked) {
        true => (500, "", String::new()),
        false => user(asked),
    });
    let asked = fake.await.open().await.changes(&calendar_id(), &token("s1:0:1")).await;
    assert_eq!(asked.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_silent_server_that_takes_no_connection_is_given_up_long_before_the_deadline() {
    let silent = Arc::new(AtomicBool::new(false));
    let is_silent = silent.clone();
    let fake = Fake::start(move |asked| match is_sync(asked) {
        true if is_silent.load(Ordering::SeqCst) => (SILENCE, "", String::new()),
        true => multistatus("<sync-token>2</sync-token>"),
        false => user(asked),
    });
    let fake = fake.await;
    let timeouts = TimeoutConfig {
        connect: Span(Duration::from_millis(200)),
        silence: Span(Duration::from_secs(60)),
    };
    let mailbox = fake.open_so(|config| DavConfig { timeouts, ..config }).await;
    mailbox.changes(&calendar_id(), &token("s1:0:1")).await.unwrap();
    silent.store(true, Ordering::SeqCst);
    fake.closes_its_door();
    let begun = Instant::now();
    let cut_off = mailbox.changes(&calendar_id(), &token("s1:0:1")).await.unwrap_err();
    assert_eq!(cut_off.kind, ErrorKind::Timeout, "{cut_off}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_full_list_in_the_place_of_a_difference_shows_what_is_gone() {
    let items =
        || ["a", "b", "c"].map(|it| response(&format!("/c/{it}"), "<getetag>\"1\"</getetag>"));
    let fake = Fake::start(move |asked| match (is_sync(asked), asked.method.as_str()) {
        (true, _) => multistatus(&format!("{}<sync-token>9</sync-token>", items().concat())),
        (false, "PROPFIND") if asked.path == "/c/" => multistatus(&items().concat()),
        _ => user(asked),
    });
    // Seven were there, three are told as if they had changed; of the others nothing is said.
    let changes = fake.await.open().await.changes(&calendar_id(), &token("s1:7:1")).await.unwrap();
    let present: Vec<_> = changes.present.unwrap().iter().collect();
    assert_eq!(present, ids(&["a", "b", "c"]));
    assert_eq!(changes.token, token("s1:3:9"));
}

#[tokio::test]
async fn an_answer_in_pieces_is_read_to_its_end_and_none_is_asked_for() {
    let fake = Fake::start(|asked| match (is_sync(asked), asked.body.contains("<sync-token>1<")) {
        (true, true) => multistatus(&format!(
            "{}<response><href>/c/</href><status>HTTP/1.1 507 X</status></response>\
             <sync-token>2</sync-token>",
            response("/c/a", "<getetag>\"1\"</getetag>")
        )),
        (true, false) => multistatus(
            "<response><href>/c/b</href><status>HTTP/1.1 404 X</status></response>\
             <sync-token>3</sync-token>",
        ),
        _ => user(asked),
    })
    .await;
    let changes = fake.open().await.changes(&calendar_id(), &token("s1:100:1")).await.unwrap();
    assert_eq!(changes.upserted.len(), 1);
    assert_eq!(changes.removed.iter().collect::<Vec<_>>(), ids(&["b"]));
    assert_eq!(changes.token, token("s1:99:3"));
    assert!(fake.asked("REPORT").iter().all(|asked| !asked.body.contains("limit")));
}

#[tokio::test]
async fn a_server_without_tokens_is_followed_by_marks() {
    let state = Arc::new(Mutex::new(("1", vec![("a", "1"), ("b", "1")])));
    let told = state.clone();
    let fake = Fake::start(move |asked| {
        let (ctag, items) = told.lock().unwrap().clone();
        let items: String = items
            .iter()
            .map(|(name, mark)| {
                response(&format!("/c/{name}"), &format!("<getetag>\"{mark}\"</getetag>"))
            })
            .collect();
        match (asked.method.as_str(), asked.path.as_str()) {
            ("PROPFIND", "/c/") if asked.head.contains("depth: 1") => multistatus(&items),
            ("PROPFIND", "/c/") => {
                multistatus(&calendar(&format!("<S:getctag>{ctag}</S:getctag>")))
            }
            ("REPORT", _) => multistatus(&items),
            _ => user(asked),
        }
    })
    .await;
    let mailbox = fake.open().await;
    let listing = mailbox.list(&calendar_id(), &ItemFilter::default()).await.unwrap();
    assert_eq!(listing.items.len(), 2);
    let same = mailbox.changes(&calendar_id(), &listing.token).await.unwrap();
    assert_eq!((same.token, same.present), (listing.token.clone(), None));
    *state.lock().unwrap() = ("2", vec![("b", "2"), ("c", "1")]);
    let changes = mailbox.changes(&calendar_id(), &listing.token).await.unwrap();
    let told: Vec<_> = changes.upserted.iter().map(|it| it.id.as_str().to_owned()).collect();
    assert!(told.contains(&"b".to_owned()) && told.contains(&"c".to_owned()), "{told:?}");
    assert_eq!(changes.present.unwrap().iter().collect::<Vec<_>>(), ids(&["b", "c"]));
}

#[tokio::test]
async fn addresses_in_any_form_name_the_same_items() {
    let fake = Fake::start(|asked| {
        let port = asked.head.split("host: 127.0.0.1:").nth(1).unwrap_or_default();
        let port = port.lines().next().unwrap_or_default();
        match is_sync(asked) {
            true => multistatus(&format!(
                "{}{}{}<sync-token>2</sync-token>",
                response(&format!("http://127.0.0.1:{port}/c/a%40b.ics"), "<getetag>1</getetag>"),
                response("/c/k%c3%bcche.ics", "<getetag>1</getetag>"),
                response("http://elsewhere.example/c/x.ics", "<getetag>1</getetag>"),
            )),
            false => user(asked),
        }
    });
    let changes =
        fake.await.open().await.changes(&calendar_id(), &token("s1:100:1")).await.unwrap();
    let told: Vec<_> = changes.upserted.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(told, ["a@b.ics", "k%C3%BCche.ics"]);
}

#[tokio::test]
async fn a_lost_race_is_run_again_on_what_the_other_made_and_then_told() {
    for losses in [1, 2] {
        let puts = Arc::new(Mutex::new(0));
        let fake = Fake::start(move |asked| match asked.method.as_str() {
            "GET" => {
                let others = *puts.lock().unwrap();
                let there = event("race", "20261126T090000Z");
                let there = there.replace("SUMMARY", &format!("LOCATION:Room {others}\r\nSUMMARY"));
                (200, "ETag: W/\"e\"\r\n", there)
            }
            "PUT" => {
                let mut puts = puts.lock().unwrap();
                *puts += 1;
                (if *puts <= losses { 412 } else { 204 }, "", String::new())
            }
            _ => user(asked),
        })
        .await;
        let mailbox = fake.open().await;
        let written = mailbox.change_item(&calendar_id(), &"x.ics".into(), &retitled("New")).await;
        let puts = fake.asked("PUT");
        assert_eq!(puts.len(), 2);
        assert!(puts.iter().all(|put| put.head.contains("if-match: \"e\"")), "a weak mark");
        if losses == 1 {
            assert_eq!(written.unwrap().mark, None, "no mark was told");
            let last = &puts[1].body;
            assert!(last.contains("SUMMARY:New") && last.contains("LOCATION:Room 1"), "{last}");
            assert!(last.contains("X-OTHER;X-P=1:kept"), "{last}");
        } else {
            assert!(matches!(written.unwrap_err().kind, ErrorKind::Busy { .. }));
        }
    }
}

#[tokio::test]
async fn answers_of_attendees_do_not_make_a_write_give_up() {
    // The server notes one answer after the other: the mark changes, the schedule tag does not.
    for (tag, gives_up) in
        [("Schedule-Tag: \"s\"\r\nETag: \"e\"\r\n", false), ("ETag: \"e\"\r\n", true)]
    {
        let puts = Arc::new(Mutex::new(0));
        let fake = Fake::start(move |asked| match asked.method.as_str() {
            "GET" => (200, tag, event("answered", "20261126T090000Z")),
            "PUT" => {
                let mut puts = puts.lock().unwrap();
                *puts += 1;
                (if *puts < 10 { 412 } else { 204 }, "", String::new())
            }
            _ => user(asked),
        })
        .await;
        let mailbox = fake.open().await;
        let written = mailbox.change_item(&calendar_id(), &"x.ics".into(), &retitled("New")).await;
        assert_eq!(written.is_err(), gives_up);
        let puts = fake.asked("PUT");
        assert_eq!(puts.len(), if gives_up { 2 } else { 10 });
        assert!(puts.iter().all(|put| put.head.contains("if-match: \"e\"")));
    }
}

#[tokio::test]
async fn what_one_answer_tells_is_not_asked_for_again() {
    // A server without sync-token and ctag: only the members' marks tell of changes.
    let kinds = "<resourcetype><collection/><C:calendar/></resourcetype>";
    let people = "<resourcetype><collection/><A:addressbook \
                  xmlns:A=\"urn:ietf:params:xml:ns:carddav\"/></resourcetype>";
    let fake = Fake::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("PROPFIND", "/p/ann/") => user(asked),
        ("PROPFIND", "/people/") => multistatus(&response("/people/", people)),
        ("PROPFIND", _) => multistatus(&response("/c/", kinds)),
        ("REPORT", _) => multistatus(""),
        ("PUT", _) => (201, "", String::new()),
        _ => user(asked),
    })
    .await;
    let mailbox = fake.open().await;
    let asked_within = |path: &str| {
        let within = |it: &&Asked| it.path == path && it.head.contains("depth: 1");
        fake.asked("PROPFIND").iter().filter(within).count()
    };

    mailbox.list(&"contacts:/people/".into(), &ItemFilter::default()).await.unwrap();
    assert_eq!(asked_within("/people/"), 1, "for the marks and for the list");

    let classes = ["calendar:/c/", "tasks:/c/", "notes:/c/"].map(CollectionId::from);
    let token = mailbox.list(&classes[0], &ItemFilter::default()).await.unwrap().token;
    let since = classes.map(|id| (id, token.clone()));
    // Once it is known that there is neither.
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);
    let before = (asked_within("/"), asked_within("/c/"));
    assert_eq!(mailbox.changed(&since).await.unwrap(), []);
    assert_eq!((asked_within("/"), asked_within("/c/")), (before.0 + 1, before.1 + 1));

    let invitation = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nMETHOD:REQUEST\r\n\
                      BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20261126T000000Z\r\n\
                      DTSTART:20270104T100000Z\r\nDTEND:20270104T110000Z\r\nSUMMARY:S\r\n\
                      ORGANIZER:mailto:bob@example.org\r\nATTENDEE:mailto:ann@example.org\r\n\
                      END:VEVENT\r\nEND:VCALENDAR\r\n";
    let message = CalendarMessage { from: "bob@example.org".into(), calendar: invitation.into() };
    let before = asked_within("/");
    assert!(mailbox.take_in(&message, Occasion::Arrival).await.unwrap().is_some());
    assert_eq!(asked_within("/"), before + 1, "for the event and for the calendar it goes to");
}

#[tokio::test]
async fn long_series_are_looked_at_a_batch_at_a_time() {
    // 120 series of which every third ended, of 1 MiB each as the server says.
    let series = |number: usize| {
        let ends = if number.is_multiple_of(3) { ";UNTIL=20200101T000000Z" } else { "" };
        event(&format!("s{number}"), "20190101T090000Z")
            .replace("SUMMARY", &format!("RRULE:FREQ=DAILY{ends}\r\nSUMMARY"))
    };
    let fake = Fake::start(move |asked| {
        let body = &asked.body;
        match asked.method.as_str() {
            "PROPFIND" if asked.path == "/c/" => multistatus(&calendar(
                "<sync-token>1</sync-token><supported-report-set><sync-collection/>\
                 </supported-report-set>",
            )),
            "REPORT" if body.contains("calendar-query") && body.contains("RRULE") => {
                assert!(!body.contains("calendar-data"), "{body}");
                let size = "<getetag>\"1\"</getetag><getcontentlength>1048576</getcontentlength>";
                let all = (0..120).map(|number| response(&format!("/c/{number}.ics"), size));
                multistatus(&all.collect::<String>())
            }
            "REPORT" if body.contains("calendar-query") => multistatus(""),
            "REPORT" => {
                let asked = (0..120).filter(|it| body.contains(&format!("/c/{it}.ics")));
                let told = asked.map(|number| {
                    let data = format!("<C:calendar-data>{}</C:calendar-data>", series(number));
                    response(&format!("/c/{number}.ics"), &data)
                });
                multistatus(&told.collect::<String>())
            }
            _ => user(asked),
        }
    })
    .await;
    let since = Some(Timestamp::from_seconds(1_795_651_200));
    let filter = ItemFilter { since, ..ItemFilter::default() };
    let listing = fake.open().await.list(&calendar_id(), &filter).await.unwrap();
    assert_eq!(listing.items.len(), 80);
    let asked = fake.asked("REPORT").into_iter().filter(|it| it.body.contains("multiget"));
    assert!(asked.map(|it| it.body.matches("<href>").count()).all(|count| count == 8));
}

#[tokio::test]
async fn a_fetch_that_is_taken_slowly_keeps_no_connection_from_others() {
    let fake = Fake::start(|asked| match asked.method.as_str() {
        "REPORT" => multistatus(""),
        "GET" => (404, "", String::new()),
        _ => user(asked),
    })
    .await;
    let mailbox = fake.open_with(PoolConfig { per_user: 1, ..PoolConfig::default() }).await;
    let items: Vec<ItemId> =
        (0..150).map(|it| ItemId::from(format!("{it}.ics").as_str())).collect();
    let mut fetched = mailbox.fetch(&calendar_id(), &items, &BodyView::default()).await.unwrap();
    fetched.try_next().await.unwrap().unwrap();
    // The batch ahead of it waits for nobody.
    let calendar = calendar_id();
    let other = mailbox.fetch_part(&calendar, &items[0], None, None);
    let other = tokio::time::timeout(Duration::from_secs(30), other).await.expect("a connection");
    assert_eq!(other.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(fetched.try_collect::<Vec<_>>().await.unwrap().len(), 149);
}

#[tokio::test]
async fn one_spoiled_item_does_not_hide_the_others() {
    let good = |name: &str| event(name, "20261126T090000Z");
    for told in ["<multistatus xmlns='DAV:'><response><&", "<multistatus xmlns='DAV:'/>"] {
        let fake = Fake::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("REPORT", _) => (207, "", told.to_owned()),
            ("GET", "/c/a.ics") => (200, "", good("a")),
            ("GET", "/c/broken.ics") => (200, "", "BEGIN:VCALENDAR\r\nnonsense".to_owned()),
            _ => user(asked),
        });
        let mailbox = fake.await.open().await;
        let items = ids(&["a.ics", "broken.ics", "gone.ics"]);
        let fetched = mailbox.fetch(&calendar_id(), &items, &BodyView::default()).await.unwrap();
        let fetched: Vec<_> = fetched.try_collect().await.unwrap();
        let outcomes: Vec<_> = fetched.into_iter().map(|it| it.outcome).collect();
        assert!(
            matches!(
                &outcomes[..],
                [FetchOutcome::Item(_), FetchOutcome::Unconvertible(_), FetchOutcome::Gone]
            ),
            "{outcomes:?}"
        );
    }
}

#[tokio::test]
async fn an_item_on_which_the_server_fails_does_not_stop_the_others() {
    // The other item is read each time, once only before the server goes, or never.
    for reads in [9, 1, 0] {
        let left = Arc::new(Mutex::new(reads));
        let fake = Fake::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("REPORT", _) => (500, "", String::new()),
            ("GET", "/c/a.ics") if *left.lock().unwrap() > 0 => {
                *left.lock().unwrap() -= 1;
                (200, "", event("a", "20261126T090000Z"))
            }
            ("GET", _) => (502, "", String::new()),
            _ => user(asked),
        });
        let mailbox = fake.await.open().await;
        let items = ids(&["a.ics", "failing.ics"]);
        let fetched = mailbox.fetch(&calendar_id(), &items, &BodyView::default()).await.unwrap();
        match fetched.try_collect::<Vec<_>>().await {
            Ok(fetched) => {
                let outcomes: Vec<_> = fetched.into_iter().map(|it| it.outcome).collect();
                let [FetchOutcome::Item(_), FetchOutcome::Unconvertible(said)] = &outcomes[..]
                else {
                    panic!("{outcomes:?}")
                };
                assert!(reads == 9 && said.contains("502"), "{reads}: {said}");
            }
            Err(error) => {
                assert_eq!((error.kind, reads < 9), (ErrorKind::Unavailable, true), "{reads}");
            }
        }
    }
}

#[tokio::test]
async fn homes_that_are_all_gone_are_a_server_that_does_not_serve() {
    let fake = Fake::start(user).await;
    let said = fake.open().await.collections().await.unwrap_err();
    assert_eq!(said.kind, ErrorKind::Unavailable, "{}", said.context);
}

#[tokio::test]
async fn a_password_goes_to_no_other_server() {
    let other = Fake::start(user).await;
    let location = format!("Location: http://127.0.0.1:{}/p/ann/\r\n", other.port);
    let location: &'static str = location.leak();
    let fake = Fake::start(move |_| (301, location, String::new())).await;
    let asked = fake.open().await.collections().await;
    assert_eq!(asked.unwrap_err().kind, ErrorKind::Protocol);
    assert!(other.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn redirects_end() {
    let fake = Fake::start(|_| (302, "Location: /p/ann/\r\n", String::new())).await;
    assert_eq!(fake.open().await.collections().await.unwrap_err().kind, ErrorKind::Protocol);
    assert_eq!(fake.asked("PROPFIND").len(), 6);
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let long = "x".repeat(65 << 20);
    let fake = Fake::start(move |asked| match asked.path.as_str() {
        "/" if asked.method == "PROPFIND" => (207, "", long.clone()),
        _ => user(asked),
    });
    let said = fake.await.open().await.collections().await.unwrap_err();
    assert_eq!(said.kind, ErrorKind::Protocol);
    assert!(said.context.contains("larger than"), "{}", said.context);
}

#[tokio::test]
async fn what_may_only_be_read_is_marked_so() {
    let read = "<current-user-privilege-set><privilege><read/></privilege>\
                </current-user-privilege-set>";
    let fake = Fake::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("PROPFIND", "/") => {
            let inbox = "<resourcetype><collection/><C:schedule-inbox/></resourcetype>";
            multistatus(&format!("{}{}", calendar(read), response("/i/", inbox)))
        }
        _ => user(asked),
    });
    let collections = fake.await.open().await.collections().await.unwrap();
    let [calendar] = &collections[..] else { panic!("{collections:?}") };
    assert_eq!((calendar.id.clone(), calendar.access), (calendar_id(), Access::ReadOnly));
}

#[tokio::test]
async fn items_of_another_component_are_not_told() {
    let fake = Fake::start(|asked| match is_sync(asked) {
        true => {
            let of = |name: &str, kind: &str| {
                let kind =
                    format!("<getcontenttype>text/calendar; component={kind}</getcontenttype>");
                response(&format!("/c/{name}"), &format!("<getetag>\"1\"</getetag>{kind}"))
            };
            multistatus(&format!(
                "{}{}<sync-token>2</sync-token>",
                of("event", "VEVENT"),
                of("task", "vtodo")
            ))
        }
        false => user(asked),
    });
    let changes =
        fake.await.open().await.changes(&calendar_id(), &token("s1:100:1")).await.unwrap();
    let [told] = &changes.upserted[..] else { panic!("{changes:?}") };
    assert_eq!(told.id, ItemId::from("event"));
    assert!(matches!(&told.now, StateNow::Other(Some(mark)) if mark.0 == "\"1\""));
}

#[tokio::test]
async fn a_connection_that_died_unseen_costs_no_answer() {
    let fake = Fake::begin(
        |asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("PROPFIND", "/") => multistatus(&calendar("")),
            _ => user(asked),
        },
        2,
    )
    .await;
    let mailbox = fake.open().await;
    for _ in 0..20 {
        assert_eq!(mailbox.collections().await.unwrap().len(), 1);
    }
}

/// A server that schedules, with one event of somebody's outside; what is written stays there.
async fn scheduling(there: &str, put: u16) -> Fake {
    scheduling_with(there, put, "").await
}

/// The same, which says so of Zoe when an event is written.
async fn scheduling_with(there: &str, put: u16, of_zoe: &str) -> Fake {
    let of_zoe = format!("{of_zoe}:mailto:zoe@");
    let object = Mutex::new(there.to_owned());
    Fake::start(move |asked| {
        let mut object = object.lock().unwrap();
        match (asked.method.as_str(), asked.path.as_str()) {
            ("OPTIONS", _) => {
                (200, "DAV: calendar-access, calendar-auto-schedule\r\n", String::new())
            }
            ("PROPFIND", "/p/ann/") => multistatus(&response(
                "/p/ann/",
                "<C:calendar-home-set><href>/</href></C:calendar-home-set>\
                 <C:schedule-outbox-URL><href>/o/</href></C:schedule-outbox-URL>",
            )),
            ("PROPFIND", "/") => multistatus(&calendar("")),
            ("REPORT", "/c/") => {
                let data = format!("<C:calendar-data>{object}</C:calendar-data>");
                multistatus(&response("/c/x.ics", &data))
            }
            ("GET", "/c/x.ics") => (200, "ETag: \"1\"\r\n", object.clone()),
            ("PUT", "/c/x.ics") => {
                if put == 204 {
                    *object = asked.body.replace(":mailto:zoe@", &of_zoe);
                }
                (put, "", String::new())
            }
            ("DELETE", _) => (204, "", String::new()),
            _ => user(asked),
        }
    })
    .await
}

/// A meeting of Zoe's, who is outside, with Ann.
fn of_zoe(more: &str, partstat: &str) -> String {
    let event = event("meeting", "20960301T090000Z");
    event.replace(
        "SUMMARY",
        &format!(
            "DTSTAMP:20260101T000000Z\r\n{more}ORGANIZER:mailto:zoe@elsewhere.example\r\n\
             ATTENDEE;PARTSTAT={partstat}:mailto:ann@example.org\r\nSUMMARY"
        ),
    )
}

#[tokio::test]
async fn what_organisers_outside_say_is_written_on_a_server_that_schedules_too() {
    for (method, sign) in [("REQUEST", "LOCATION:Room 2"), ("CANCEL", "STATUS:CANCELLED")] {
        let said = of_zoe("SEQUENCE:1\r\nLOCATION:Room 2\r\n", "NEEDS-ACTION");
        let said = said.replace("BEGIN:VEVENT", &format!("METHOD:{method}\r\nBEGIN:VEVENT"));
        let message = CalendarMessage { calendar: said, from: "zoe@elsewhere.example".to_owned() };
        let hit =
            Some(TakenIn { collection: calendar_id(), item: "x.ics".into(), notices: vec![] });

        let fake = scheduling(&of_zoe("", "ACCEPTED"), 204).await;
        let mailbox = fake.open().await;
        assert_eq!(mailbox.take_in(&message, Occasion::Arrival).await.unwrap(), hit);
        assert_eq!(
            mailbox.take_in(&message, Occasion::Arrival).await.unwrap(),
            hit,
            "known already"
        );
        let puts = fake.asked("PUT");
        let [put] = &puts[..] else { panic!("{puts:?}") };
        assert!(put.body.contains(sign), "{}", put.body);
        assert!(put.head.contains("schedule-reply: f"), "{}", put.head);

        for refusal in [403, 412] {
            let fake = scheduling(&of_zoe("", "ACCEPTED"), refusal).await;
            assert_eq!(
                fake.open().await.take_in(&message, Occasion::Arrival).await.unwrap(),
                hit,
                "{refusal}"
            );
        }
    }
}

#[tokio::test]
async fn whom_a_server_that_schedules_did_not_reach_is_told_by_mail() {
    let value = Event { title: "Talk".to_owned(), ..Event::default() };
    let patch = EventPatch::of([EventField::Title], value);
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(patch)));
    let edit = Edit { key: SubmissionKey("talk".to_owned()), edit };
    let swapped = of_zoe("", "ACCEPTED").replace("ann@example.org", "ZOE");
    let swapped = swapped.replace("zoe@elsewhere.example", "ann@example.org");
    let of_ann = swapped.replace("ZOE", "zoe@elsewhere.example");
    let yes = Answer {
        participation: Participation::Accepted,
        instance: None,
        comment: None,
        proposal: None,
        send: true,
    };
    let key = SubmissionKey("yes".to_owned());
    for (said, mails) in [("", 0), (";SCHEDULE-STATUS=1.2", 0), (";SCHEDULE-STATUS=5.1", 1)] {
        let fake = scheduling_with(&of_ann, 204, said).await;
        let changed = fake.open().await.change_item(&calendar_id(), &"x.ics".into(), &edit).await;
        assert_eq!(changed.unwrap().notices.len(), mails, "the organiser's change: {said}");
        let fake = scheduling_with(&of_zoe("", "NEEDS-ACTION"), 204, said).await;
        let mailbox = fake.open().await;
        let answered = mailbox.respond(&calendar_id(), &"x.ics".into(), &key, &yes).await.unwrap();
        assert_eq!(answered.notices.len(), mails, "the answer: {said}");
        let again = mailbox.respond(&calendar_id(), &"x.ics".into(), &key, &yes).await.unwrap();
        assert_eq!(again.notices, answered.notices, "{said}");
    }
}

#[tokio::test]
async fn a_server_that_schedules_tells_no_answer_that_is_not_to_be_told() {
    for send in [true, false] {
        let fake = scheduling(&of_zoe("", "NEEDS-ACTION"), 204).await;
        let answer = Answer {
            participation: Participation::Declined,
            instance: None,
            comment: None,
            proposal: None,
            send,
        };
        let (mailbox, key) = (fake.open().await, SubmissionKey("no".to_owned()));
        mailbox.respond(&calendar_id(), &"x.ics".into(), &key, &answer).await.unwrap();
        assert_eq!(fake.asked("PUT")[0].head.contains("schedule-reply: f"), !send);
    }
    for (partstat, silent) in [("DECLINED", true), ("ACCEPTED", false)] {
        let fake = scheduling(&of_zoe("", partstat), 204).await;
        fake.open().await.delete_items(&calendar_id(), &ids(&["x.ics"])).await.unwrap();
        let head = &fake.asked("DELETE")[0].head;
        assert_eq!(head.contains("schedule-reply: f"), silent, "{partstat}: {head}");
    }
}
