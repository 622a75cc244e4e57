//! The record of administrators' acts, countersigned by a connector.

use crate::fixtures::*;
use dme_audit::{Act, Contradiction, Entry, Hash, Row, Step, Who, digest};
use dme_link::{Countersigned, Services};
use dme_model::Timestamp;

/// A record of so many acts by this name.
fn record(name: &str, count: u64) -> Vec<Row> {
    let mut previous = Hash::NONE;
    let row = |number| {
        let act = Act { name: name.into(), targets: vec![], changes: vec![] };
        let time = Timestamp::from_seconds(i64::try_from(number).unwrap());
        let row = Row::after(
            previous,
            Entry { number, time, who: Who::server(), step: Step::Begun(act) },
        );
        previous = row.hash;
        row
    };
    (1..=count).map(row).collect()
}

#[tokio::test]
async fn a_connector_signs_what_follows_from_what_it_signed_and_nothing_else_also_after_a_restart()
{
    let server = Server::start().await;
    let site = server.enrolled().await;
    let connector = site.run(Services::default());
    server.until_linked(&connector.id).await;
    let id = connector.id.clone();
    let sign = async |rows: &[Row], from: usize| {
        let digests: Vec<Hash> = rows.iter().skip(from).map(|row| digest(&row.entry)).collect();
        let head = rows.last().unwrap().head();
        server.links.countersign(&id, head, from as u64, &digests, PATIENCE).await.unwrap()
    };
    let rows = record("user.lock", 5);
    let Countersigned::Signed(first) = sign(&rows[..2], 0).await else { panic!("not signed") };
    assert_eq!((first.head, first.name.as_str()), (rows[1].head(), "branch"));
    assert!(first.is_genuine());
    assert_eq!(sign(&rows, 4).await, Countersigned::From(2));
    assert!(matches!(sign(&rows, 2).await, Countersigned::Signed(_)));

    connector.stop().await;
    let connector = site.run(Services::default());
    server.until_linked(&connector.id).await;
    let shorter = Contradiction::Shorter { signed: 5, shown: 4 };
    assert_eq!(sign(&rows[..4], 4).await, Countersigned::Refused(shorter));
    let forged = record("user.unlock", 9);
    let other = Contradiction::Other { signed: 5 };
    assert_eq!(sign(&forged[..5], 5).await, Countersigned::Refused(other));
    assert_eq!(sign(&forged, 5).await, Countersigned::Refused(other));
    assert!(matches!(sign(&rows, 5).await, Countersigned::Signed(_)), "the true one still");
}
