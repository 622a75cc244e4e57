//! Calls over a link: what they carry, how they end.

use crate::fixtures::*;
use async_trait::async_trait;
use dme_directory::{Details, Everyone, PeopleFound, PeopleSearch, Verdict};
use dme_link::{Capabilities, CredentialsNeeded, LinksConfig};
use dme_mailbox::conformance::{self, Ability, Resident, World};
use dme_mailbox::memory::Operation;
use dme_mailbox::{
    Account, CallContext, Credentials, ErrorKind, FetchOutcome, Submission, SubmissionKey,
    WatchEvent,
};
use dme_model::{
    BodyKind, BodyPreference, BodyView, CollectionId, Flags, Function, ItemId, MimeSupport,
    RequestId, Role, Secret, Timestamp, UserId,
};
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

struct Linked {
    pair: Pair,
    residents: AtomicU32,
}

#[async_trait]
impl World for Linked {
    async fn resident(&self) -> Resident {
        let number = self.residents.fetch_add(1, Ordering::Relaxed);
        let address = format!("user{number}@memory.example");
        let user = UserId::from(address.as_str());
        self.pair.mail.memory.add_user(&user, &address);
        let mut account = account(Credentials::None);
        (account.user, account.address) = (user.clone(), address.clone());
        let mailbox = self.pair.system().open(&account, &context()).await.unwrap();
        Resident { mailbox, other: self.pair.mail.memory.mailbox(&user).unwrap(), address }
    }

    fn can(&self, ability: Ability) -> bool {
        // The mail system behind it reads no iCalendar.
        ability != Ability::TakeIn
    }

    async fn invalidate_tokens(&self, resident: &Resident, collection: &CollectionId) {
        let user = UserId::from(resident.address.as_str());
        self.pair.mail.memory.invalidate(&user, collection).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_system_behind_a_link_keeps_every_promise() {
    let world = Linked { pair: Pair::start().await, residents: AtomicU32::new(0) };
    conformance::run(&world).await;
    conformance::run_items(&world).await;
}

fn whole() -> BodyView {
    let preference = BodyPreference {
        kind: BodyKind::Mime,
        truncation: None,
        all_or_none: false,
        preview: None,
    };
    BodyView { preferences: vec![preference], mime: MimeSupport::Always, part_preference: None }
}

/// Puts so many messages of this size into the inbox.
fn fill(pair: &Pair, count: usize, size: usize) -> (CollectionId, Vec<ItemId>) {
    let memory = &pair.mail.memory;
    let inbox = memory.collection(&user(), Role::Inbox).unwrap();
    let mut message = b"Subject: bulk\r\n\r\n".to_vec();
    message.resize(size, b'x');
    let message = bytes::Bytes::from(message);
    let now = Timestamp::from_seconds(1_700_000_000);
    let insert =
        |_| memory.insert(&user(), &inbox, message.clone(), Flags::default(), now).unwrap();
    (inbox.clone(), (0..count).map(insert).collect())
}

#[tokio::test]
async fn a_large_message_arrives_byte_for_byte() {
    let pair = Pair::start().await;
    let (inbox, items) = fill(&pair, 1, 9_000_001);
    let mailbox = pair.mailbox().await;
    let part = mailbox.fetch_part(&inbox, &items[0], None, None).await.unwrap();
    assert_eq!((part.data.len(), part.full_size), (9_000_001, 9_000_001));
    assert!(part.data.ends_with(b"xxx"));
    let delivered = mailbox.deliver(&inbox, &part.data).await.unwrap();
    let again = mailbox.fetch_part(&inbox, &delivered, None, None).await.unwrap();
    assert_eq!(again.data, part.data);
}

#[tokio::test]
async fn a_fetch_whose_line_breaks_ends_with_an_error_and_not_in_silence() {
    let (pair, line) = Pair::over_a_line().await;

    let (inbox, items) = fill(&pair, 200, 200_000);
    let mailbox = pair.mailbox().await;
    let mut fetched = mailbox.fetch(&inbox, &items, &whole()).await.unwrap();
    for _ in 0..3 {
        assert!(matches!(fetched.next().await.unwrap().unwrap().outcome, FetchOutcome::Item(_)));
    }
    line.break_down();
    let mut count = 3;
    let error = loop {
        match fetched.next().await.expect("the stream ended in silence") {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(count < 200);
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    assert!(fetched.next().await.is_none());
    // And the same handle serves again when the line does.
    eventually(|| pair.server.links.connectors().is_empty()).await;
    let error = mailbox.collections().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    line.open();
    pair.server.until_linked(&pair.connector.id).await;
    assert!(!mailbox.collections().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_slow_reader_holds_the_connector_back_and_not_other_calls() {
    let pair = Pair::start().await;
    let (inbox, items) = fill(&pair, 60, 60_000);
    let mailbox = pair.mailbox().await;
    let mut unread = mailbox.fetch(&inbox, &items, &whole()).await.unwrap();
    assert!(unread.next().await.unwrap().is_ok());
    // Another fetch and small calls pass by the one that nobody reads.
    assert!(!mailbox.collections().await.unwrap().is_empty());
    let other = mailbox.fetch(&inbox, &items, &whole()).await.unwrap();
    assert_eq!(other.filter(|item| std::future::ready(item.is_ok())).count().await, 60);
    assert_eq!(unread.count().await, 59);
}

#[tokio::test]
async fn a_call_carries_its_request_id_and_the_time_that_is_left() {
    let pair = Pair::start().await;
    let context = CallContext::new(RequestId::from("phone-42"), Duration::from_secs(7));
    assert!(pair.system().owns(&account(Credentials::None), &context).await.unwrap());
    let seen = pair.mail.seen.lock().unwrap().pop().unwrap().1;
    assert_eq!(seen.request, RequestId::from("phone-42"));
    let left = seen.deadline.saturating_duration_since(Instant::now());
    assert!(left <= Duration::from_secs(7) && left > Duration::from_secs(5), "{left:?}");
}

#[tokio::test]
async fn a_call_nobody_waits_for_any_more_ends_at_the_connector() {
    let pair = Pair::start().await;
    pair.mail.hang();
    let (system, account, context) = (pair.system(), account(Credentials::None), context());
    let call = tokio::spawn(async move { system.owns(&account, &context).await });
    eventually(|| pair.mail.running() == 1).await;
    call.abort();
    eventually(|| pair.mail.running() == 0).await;
    assert_eq!(pair.server.links.connectors()[0].outstanding, 0);
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_on_both_sides() {
    let pair = Pair::start().await;
    pair.mail.hang();
    let context = CallContext::new(RequestId::from("r"), Duration::from_millis(100));
    let error = pair.system().owns(&account(Credentials::None), &context).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    eventually(|| pair.mail.running() == 0).await;
}

#[tokio::test]
async fn a_connector_with_too_much_to_do_is_not_given_more() {
    let limits = LinksConfig { parallel: 2, queued: 1, ..LinksConfig::default() };
    let options = ServerOptions { links: limits, ..ServerOptions::default() };
    let pair = Pair::with(options, CredentialsNeeded::None).await;
    pair.mail.hang();
    let mut calls = Vec::new();
    for number in 0..3 {
        calls.push(tokio::spawn(call_of(&pair, &format!("{number}@example.org")).await));
    }
    let state = || pair.server.links.connectors().remove(0);
    eventually(|| state().exhausted && pair.mail.running() == 2).await;
    assert_eq!((state().outstanding, state().queued), (2, 1));
    let error = call_of(&pair, "4@example.org").await.await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Busy { .. }), "{error}");
    for call in calls {
        pair.mail.release.notify_one();
        call.await.unwrap().unwrap();
    }
    assert!(!state().exhausted);
}

/// A call on a user's mailbox.
async fn call_of(
    pair: &Pair,
    user: &str,
) -> impl Future<Output = dme_mailbox::Result<()>> + Send + 'static {
    let user = UserId::from(user);
    pair.mail.memory.add_user(&user, user.as_str());
    let account = Account { user, ..account(Credentials::None) };
    let mailbox = pair.system().open(&account, &context()).await.unwrap();
    async move { mailbox.collections().await.map(drop) }
}

#[tokio::test]
async fn whose_mailbox_it_is_is_answered_by_a_connector_that_has_too_much_to_do() {
    let limits = LinksConfig { parallel: 2, queued: 0, ..LinksConfig::default() };
    let options = ServerOptions { links: limits, ..ServerOptions::default() };
    let pair = Pair::with(options, CredentialsNeeded::None).await;
    pair.mail.hang();
    let calls = [
        tokio::spawn(call_of(&pair, "1@example.org").await),
        tokio::spawn(call_of(&pair, "2@example.org").await),
    ];
    eventually(|| pair.mail.running() == 2).await;
    assert!(pair.server.links.connectors()[0].exhausted);
    pair.mail.go_on();
    assert!(pair.system().owns(&account(Credentials::None), &context()).await.unwrap());
    for call in calls {
        call.abort();
    }
}

#[tokio::test]
async fn a_question_that_got_no_turn_was_not_asked_and_one_that_did_has_its_own_time() {
    let limits = LinksConfig {
        questions: 1,
        question_limit: Duration::from_millis(300),
        ..LinksConfig::default()
    };
    let options = ServerOptions { links: limits, ..ServerOptions::default() };
    let pair = Pair::with(options, CredentialsNeeded::None).await;
    pair.mail.hang();
    let asked = |user: &str, limit| {
        let account = Account { user: user.into(), ..account(Credentials::None) };
        let (system, request) = (pair.system(), RequestId::from("r"));
        let context = CallContext::new(request, Duration::from_millis(limit));
        tokio::spawn(async move { system.owns(&account, &context).await })
    };
    let (patient, brief) = (asked("1@example.org", 10_000), asked("2@example.org", 100));
    let brief = brief.await.unwrap().unwrap_err();
    assert!(matches!(brief.kind, ErrorKind::Busy { .. }), "{brief}");
    let patient = patient.await.unwrap().unwrap_err();
    assert_eq!(patient.kind, ErrorKind::Timeout, "it was asked, and thought too long");
}

#[tokio::test]
async fn one_user_whose_mailbox_hangs_does_not_take_the_connector_from_the_others() {
    let limits = LinksConfig { parallel: 4, queued: 1, per_user: 2, ..LinksConfig::default() };
    let options = ServerOptions { links: limits, ..ServerOptions::default() };
    let pair = Pair::with(options, CredentialsNeeded::None).await;
    pair.mail.hang();
    let mut anns = Vec::new();
    for _ in 0..20 {
        anns.push(tokio::spawn(call_of(&pair, "ann@example.org").await));
    }
    eventually(|| pair.mail.running() == 2).await;
    let state = pair.server.links.connectors().remove(0);
    assert_eq!((state.outstanding, state.queued, state.exhausted), (2, 0, false));
    let directory = pair.server.links.directory(&pair.connector.id);
    assert!(directory.find(&user()).await.unwrap().is_some(), "logins pass by");
    let bobs = tokio::spawn(call_of(&pair, "bob@example.org").await);
    eventually(|| pair.mail.running() == 3).await;
    for call in anns {
        call.abort();
    }
    pair.mail.release.notify_waiters();
    bobs.await.unwrap().unwrap();
}

#[tokio::test]
async fn only_a_connector_that_needs_the_password_gets_it() {
    let password = Credentials::Password(Secret::new("pässword"));
    for (needed, expected) in [
        (CredentialsNeeded::None, Credentials::None),
        (CredentialsNeeded::Password, password.clone()),
        (CredentialsNeeded::Bearer, Credentials::Bearer(Secret::new("pässword"))),
    ] {
        let pair = Pair::with(ServerOptions::default(), needed).await;
        let account = account(password.clone());
        let mailbox = pair.system().open(&account, &context()).await.unwrap();
        mailbox.collections().await.unwrap();
        assert_eq!(pair.mail.seen.lock().unwrap().pop().unwrap().0.credentials, expected);
        // Whose mailbox is where is asked without a secret, always.
        pair.system().owns(&account, &context()).await.unwrap();
        let asked = pair.mail.seen.lock().unwrap().pop().unwrap().0;
        assert_eq!(asked.credentials, Credentials::None);
    }
}

#[tokio::test]
async fn the_directory_answers_over_the_link() {
    let pair = Pair::start().await;
    let directory = pair.server.links.directory(&pair.connector.id);
    let right = directory.authenticate(&user(), &Secret::new("pässword")).await.unwrap();
    assert_eq!(right, Verdict::Accepted(Box::new(person())));
    let wrong = directory.authenticate(&user(), &Secret::new("p")).await.unwrap();
    assert_eq!(wrong, Verdict::WrongPassword);
    assert_eq!(directory.find(&user()).await.unwrap(), Some(person()));
    assert_eq!(directory.find(&"eve@example.org".into()).await.unwrap(), None);
    let search = PeopleSearch {
        asking: user(),
        text: "ann".into(),
        first: 0,
        limit: 2,
        details: Details::default(),
    };
    let found = directory.search(&search).await.unwrap();
    assert_eq!(found, PeopleFound { entries: vec![entry(), entry()], total: 17 });
    let everyone = directory.everyone(&user(), 5).await.unwrap();
    assert_eq!(everyone, Everyone { entries: vec![entry()], complete: true });
    let error = directory.groups().await.unwrap_err();
    assert_eq!(error, dme_directory::Error::Refused("no search rights".into()));
}

#[tokio::test]
async fn what_a_connector_does_not_serve_is_unsupported() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let connector = site.run(dme_link::Services::default());
    server.until_linked(&connector.id).await;
    assert_eq!(server.links.connectors()[0].capabilities, Capabilities::default());
    let system = server.links.mail_system(&connector.id);
    let error = system.owns(&account(Credentials::None), &context()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    let mailbox = system.open(&account(Credentials::None), &context()).await.unwrap();
    assert_eq!(mailbox.vacation().await.unwrap_err().kind, ErrorKind::Unsupported);
    let directory = server.links.directory(&connector.id);
    assert!(matches!(directory.find(&user()).await, Err(dme_directory::Error::Protocol(_))));
}

#[tokio::test]
async fn a_watch_tells_until_its_connector_is_gone() {
    let pair = Pair::start().await;
    let mailbox = pair.mailbox().await;
    let (inbox, _) = fill(&pair, 1, 100);
    let mut watch = mailbox.watch(std::slice::from_ref(&inbox)).await.unwrap();
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
    assert_eq!(pair.server.links.connectors()[0].watches, 1);
    fill(&pair, 1, 100);
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Changed(inbox))));
    let Pair { server, connector, .. } = pair;
    connector.kill();
    let error = watch.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    drop(watch);
    eventually(|| server.links.connectors().is_empty()).await;
}

#[tokio::test]
async fn a_watch_lasts_longer_than_the_call_that_began_it() {
    let pair = Pair::start().await;
    let brief = CallContext::new(RequestId::from("r"), Duration::from_millis(200));
    let mailbox = pair.system().open(&account(Credentials::None), &brief).await.unwrap();
    let (inbox, _) = fill(&pair, 1, 100);
    let mut watch = mailbox.watch(std::slice::from_ref(&inbox)).await.unwrap();
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
    // What was called within its deadline fails once that has passed; the watch goes on.
    while mailbox.collections().await.is_ok() {}
    fill(&pair, 1, 100);
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Changed(inbox))));
}

#[tokio::test]
async fn a_dropped_watch_ends_at_the_connector() {
    let pair = Pair::start().await;
    let mailbox = pair.mailbox().await;
    let (inbox, _) = fill(&pair, 1, 100);
    let watch = mailbox.watch(std::slice::from_ref(&inbox)).await.unwrap();
    assert_eq!(pair.server.links.connectors()[0].watches, 1);
    drop(watch);
    eventually(|| pair.server.links.connectors()[0].watches == 0).await;
}

#[tokio::test]
async fn a_connector_in_the_same_process_is_called_without_a_wire() {
    let server = Server::start().await;
    let mail = Arc::new(Probe::default());
    let mut events = server.links.subscribe();
    let id = dme_model::ConnectorId::from("local");
    server.links.attach_local(id.clone(), "here", mail.services(CredentialsNeeded::None));
    assert_eq!(events.recv().await.unwrap(), dme_link::LinkEvent::Connected(id.clone()));
    assert!(server.links.connectors()[0].capabilities.offers(Function::Mail));
    let system = server.links.mail_system(&id);
    assert!(system.owns(&account(Credentials::None), &context()).await.unwrap());
    assert!(server.links.directory(&id).find(&user()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_message_that_is_being_sent_when_the_line_breaks_is_sent_once() {
    let (pair, line) = Pair::over_a_line().await;

    let memory = &pair.mail.memory;
    let mailbox = pair.mailbox().await;
    let submission = Submission {
        key: SubmissionKey("ann/phone/1".into()),
        uncertain: false,
        taken: false,
        message: "From: ann@example.org\r\nTo: bob@elsewhere.example\r\n\r\nHello\r\n".into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    };
    memory.set_latency(Duration::from_millis(500));
    let (asked, first) = (mailbox.clone(), submission.clone());
    let sending = tokio::spawn(async move { asked.submit(&first).await });
    eventually(|| memory.take_calls().contains(&Operation::Submit)).await;
    line.break_down();
    let lost = sending.await.unwrap().unwrap_err();
    assert_eq!(lost.kind, ErrorKind::Unavailable, "{lost}");
    line.open();
    pair.server.until_linked(&pair.connector.id).await;

    // The memory would send again: not `uncertain` is what an engine says that knows nothing.
    let again = mailbox.submit(&submission).await.unwrap();
    assert_eq!(mailbox.submit(&submission).await.unwrap(), again);
    assert_eq!(memory.sent().len(), 1);
    assert_eq!(memory.take_calls(), []);
}
