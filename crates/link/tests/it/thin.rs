//! Lines that are paid by volume: what crosses them is counted, and spared.

use crate::fixtures::*;
use bytes::Bytes;
use dme_link::{
    BulkHours, ConnectorConfig, CredentialsNeeded, Kind, Packing, Services, Thrift, Used,
};
use dme_mailbox::{Account, ByteRange, Credentials, ErrorKind, Mailbox, WatchEvent};
use dme_model::{Flags, Role, Secret, Timestamp};
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn every_byte_on_the_wire_is_counted_by_both_ends_and_records_by_their_kind() {
    let (pair, line) = Pair::over_a_line().await;
    let system = pair.system();
    for _ in 0..20 {
        system.owns(&account(Credentials::None), &context()).await.unwrap();
    }
    pair.server.links.directory(&pair.connector.id).find(&user()).await.unwrap();
    let seen = || pair.server.links.connectors().remove(0).traffic;
    let told = || (pair.connector.traffic)();
    eventually(|| {
        let (ours, theirs) = (seen(), told());
        let wire = [ours.calls, ours.bulk].map(|flow| flow.received + flow.sent);
        ours.calls.sent == theirs.calls.received
            && ours.calls.received == theirs.calls.sent
            && ours.bulk.sent == theirs.bulk.received
            && ours.bulk.received == theirs.bulk.sent
            && wire.iter().sum::<u64>() == line.bytes.load(Ordering::Relaxed) - pair.enrolment
    })
    .await;
    let (ours, theirs) = (seen(), told());
    let calls = ours.records(Kind::Calls);
    assert!(calls.sent > 20 * 100 && calls.received > 20 * 10, "{calls:?}");
    assert!(calls.sent < ours.calls.sent);
    for kind in Kind::ALL {
        let (ours, theirs) = (ours.records(kind), theirs.records(kind));
        assert_eq!((ours.sent, ours.received), (theirs.received, theirs.sent), "{kind:?}");
    }
    assert_eq!(ours.records(Kind::Fetches), Default::default());
    assert!(ours.records(Kind::Directory).sent > 0 && ours.records(Kind::Control).sent > 0);
}

/// A text of 30 KB, as mails are.
fn letter() -> Bytes {
    let body = "As we said on the telephone, the goods have not arrived.\r\n".repeat(500);
    Bytes::from(format!("Subject: the goods\r\n\r\n{body}"))
}

/// Bytes of records of calls so far, as the server sees them.
fn calls(pair: &Pair) -> dme_link::Flow {
    pair.server.links.connectors().remove(0).traffic.records(Kind::Calls)
}

async fn mailbox_of(pair: &Pair, account: &Account) -> Arc<dyn Mailbox> {
    pair.system().open(account, &context()).await.unwrap()
}

#[tokio::test]
async fn records_are_packed_where_the_connector_wants_it_and_never_beside_a_password() {
    let letter = letter();
    let zstd = || Thrift { packing: Packing::Zstd, ..Thrift::default() };
    for (thrift, needed, packed) in [
        (Thrift::default(), CredentialsNeeded::None, false),
        (zstd(), CredentialsNeeded::None, true),
        (zstd(), CredentialsNeeded::Password, false),
    ] {
        let pair = Pair::sparing(thrift, needed).await;
        let account = account(Credentials::Password(Secret::new("pässword")));
        let mailbox = mailbox_of(&pair, &account).await;
        let drafts = pair.mail.memory.collection(&user(), Role::Drafts).unwrap();
        let item = mailbox.deliver(&drafts, &letter).await.unwrap();
        let sent = calls(&pair).sent;
        assert_eq!(sent < 2_000, packed, "{sent} bytes for {needed:?}");
        assert!(packed || sent >= letter.len() as u64);
        // What comes back has no password in it.
        let part = mailbox.fetch_part(&drafts, &item, None, None).await.unwrap();
        assert_eq!(part.data, letter);
        let link = pair.server.links.connectors().remove(0);
        let received = link.traffic.records(Kind::Fetches).received;
        let wants = (packed, needed) != (false, CredentialsNeeded::None);
        assert_eq!(received < 2_000, wants, "{received} bytes for {needed:?}");
    }
}

#[tokio::test]
async fn a_password_that_is_checked_stands_in_no_packed_record() {
    let thrift = Thrift { packing: Packing::Zstd, ..Thrift::default() };
    let pair = Pair::sparing(thrift, CredentialsNeeded::None).await;
    let directory = pair.server.links.directory(&pair.connector.id);
    let sent = || pair.server.links.connectors().remove(0).traffic.records(Kind::Directory).sent;
    directory.authenticate(&user(), &Secret::new("a".repeat(2_000))).await.unwrap();
    assert!(sent() > 2_000);
}

#[tokio::test]
async fn changes_are_gathered_and_told_together() {
    let thrift = Thrift { gather: Duration::from_millis(400), ..Thrift::default() };
    let pair = Pair::sparing(thrift, CredentialsNeeded::None).await;
    let inbox = pair.mail.memory.collection(&user(), Role::Inbox).unwrap();
    let mut watch = pair.mailbox().await.watch(std::slice::from_ref(&inbox)).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap(), WatchEvent::Ready);
    let watched = || pair.server.links.connectors().remove(0).traffic.records(Kind::Watches);
    let before = watched().received;
    for _ in 0..50 {
        let flags = Flags::default();
        let received = Timestamp::from_seconds(0);
        pair.mail.memory.insert(&user(), &inbox, letter(), flags, received).unwrap();
    }
    assert_eq!(watch.next().await.unwrap().unwrap(), WatchEvent::Changed(inbox));
    let bytes = watched().received - before;
    assert!(bytes < 200, "{bytes} bytes for what is one event, or two");
}

#[tokio::test]
async fn large_content_waits_for_its_hours_and_nothing_else_does() {
    let bulk = BulkHours { over: 10_000, hours: other_hours() };
    let thrift = Thrift { bulk: Some(bulk), ..Thrift::default() };
    let pair = Pair::sparing(thrift, CredentialsNeeded::None).await;
    let inbox = pair.mail.memory.collection(&user(), Role::Inbox).unwrap();
    let put = |message: Bytes| {
        let (flags, received) = (Flags::default(), Timestamp::from_seconds(0));
        pair.mail.memory.insert(&user(), &inbox, message, flags, received).unwrap()
    };
    let (large, small) = (put(letter()), put(Bytes::from_static(b"Subject: small\r\n\r\n")));
    let mailbox = pair.mailbox().await;
    for range in [None, Some(ByteRange { start: 0, length: 100 })] {
        let error = mailbox.fetch_part(&inbox, &large, None, range).await.unwrap_err();
        let ErrorKind::Busy { after } = error.kind else { panic!("{error:?}") };
        let hour = Duration::from_secs(3_600);
        assert!(after > 4 * hour && after <= 6 * hour, "{after:?}");
    }
    mailbox.fetch_part(&inbox, &small, None, None).await.unwrap();
    let mut items = mailbox.fetch(&inbox, &[large], &Default::default()).await.unwrap();
    items.next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_told_and_stops_nothing() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let thrift = Thrift { budget: Some(1_000), ..Thrift::default() };
    let config = ConnectorConfig { thrift, ..site.config() };
    let connector = Site::run_with(config.clone(), Services::default());
    server.until_linked(&connector.id).await;
    let used = || server.links.connectors().first().and_then(|link| link.used);
    eventually(|| used().is_some_and(|used| used.bytes > used.budget)).await;
    let first = used().unwrap().bytes;
    connector.stop().await;
    eventually(|| server.links.connectors().is_empty()).await;
    // The next process goes on with the account, the month having surely not ended.
    let connector = Site::run_with(config, Services::default());
    server.until_linked(&connector.id).await;
    eventually(|| used().is_some_and(|used| used.bytes > first + first / 2)).await;
    assert!(matches!(used(), Some(Used { budget: 1_000, .. })));
}
