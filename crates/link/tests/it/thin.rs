//! Lines that are paid by volume: what crosses them is counted.

use crate::fixtures::*;
use dme_link::Kind;
use dme_mailbox::Credentials;
use std::sync::atomic::Ordering;

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
