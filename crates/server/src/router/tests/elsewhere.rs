//! What goes on at another connector in the midst of a request, and what must not.

use super::*;
use dme_mailbox::memory::{Failure, Operation};

#[tokio::test(start_paused = true)]
async fn what_is_lost_in_the_midst_of_a_request_goes_on_elsewhere() {
    let world = World::new(BTreeMap::new());
    world.link("a", &[ANN]).await;
    world.link("b", &[ANN]).await;
    let first = world.served_by(ANN).await.unwrap();
    let mailbox = world.open(ANN).await.unwrap();
    world.lose(&first).await;
    assert!(!mailbox.collections().await.unwrap().is_empty());
    let second = world.served_by(ANN).await.unwrap();
    assert_ne!(first, second);
    world.link(&first, &[ANN]).await;
    assert_eq!(world.served_by(ANN).await.unwrap(), first, "home again");
}

#[tokio::test(start_paused = true)]
async fn what_one_has_no_room_for_or_lost_is_read_at_the_next_that_can() {
    let world = World::new(BTreeMap::new());
    let mut sites = Vec::new();
    for name in ["a", "b", "c"] {
        sites.push(world.link(name, &[ANN]).await);
    }
    let busy = ErrorKind::Busy { after: Duration::from_secs(5) };
    let busy = Failure::Before(Error::new(busy, "too much to do"));
    let away = Failure::Before(Error::new(ErrorKind::Unavailable, "away"));
    let home = world.served_by(ANN).await.unwrap();
    let (at_home, others): (Vec<usize>, Vec<usize>) =
        (0..3).partition(|at| ["a", "b", "c"].get(*at) == Some(&home.as_str()));
    sites[at_home[0]].mail.fail_next(1, &busy);
    sites[others[0]].mail.fail_next(1, &away);
    assert!(!world.open(ANN).await.unwrap().collections().await.unwrap().is_empty());
    for site in &sites {
        site.mail.fail_next(1, &busy);
    }
    let all_busy = world.open(ANN).await.unwrap().collections().await.unwrap_err();
    assert!(matches!(all_busy.kind, ErrorKind::Busy { .. }), "{all_busy}");
}

#[tokio::test(start_paused = true)]
async fn what_may_still_be_under_way_is_asked_for_where_it_was_begun() {
    let world = World::new(BTreeMap::new());
    let sites = [world.link("a", &[ANN]).await, world.link("b", &[ANN]).await];
    let first = world.served_by(ANN).await.unwrap();
    let (at, other) = if first == "a" { (0, 1) } else { (1, 0) };
    let late = Failure::After(Error::new(ErrorKind::Timeout, "the answer is late"));
    let never = late.clone();
    sites[at].mail.fail_when(move |asked| (asked == Operation::Submit).then(|| late.clone()));
    let unknown = world.open(ANN).await.unwrap().submit(&message("one", ANN)).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::Timeout);
    let drain = ConnectorSettings { drain: Some(true), ..ConnectorSettings::default() };
    world.connectors.set_settings(&first, &drain, NOW).await.unwrap();
    sites[at].mail.heal();
    world.open(ANN).await.unwrap().submit(&message("one", ANN)).await.unwrap();
    assert_eq!(sites[other].mail.sent().len(), 0, "the other was asked too");
    world.open(ANN).await.unwrap().submit(&message("two", ANN)).await.unwrap();
    assert_eq!(sites[other].mail.sent().len(), 1, "what is new goes to the other");
    sites[other].mail.fail_next(1, &never);
    // Opening the mailbox is no call on it.
    world.open(ANN).await.unwrap().submit(&message("three", ANN)).await.unwrap_err();
    let serve = ConnectorSettings::default();
    world.connectors.set_settings(&first, &serve, NOW).await.unwrap();
    world.lose(if first == "a" { "b" } else { "a" }).await;
    let before = sites[at].mail.sent().len();
    world.open(ANN).await.unwrap().submit(&message("three", ANN)).await.unwrap();
    assert_eq!(sites[at].mail.sent().len(), before + 1, "one that is lost is not waited for");
}
