//! A connector that is linked, and whose way to the mail system is cut or hangs.

use super::*;
use dme_mailbox::memory::{Failure, Operation};

/// How long a connector tries to reach its mail system.
const TRIES: Duration = Duration::from_secs(10);

fn no_answer() -> Error {
    Error::new(ErrorKind::Timeout, "no answer in time")
}

impl Site {
    /// From now on every call fails so.
    fn fails(&self, failure: Failure) {
        self.mail.fail_when(move |_| Some(failure.clone()));
    }

    /// From now on nothing reaches it, which is known after this time.
    fn is_cut_off(&self, known_after: Duration) {
        self.mail.set_latency(known_after);
        self.fails(Failure::Before(no_answer()));
    }
}

/// Ann is at home at the first of two that have her mailbox: their names and mail systems.
async fn two(world: &World) -> [(String, Arc<Site>); 2] {
    let a = ("a".to_owned(), world.link("a", &[ANN]).await);
    let b = ("b".to_owned(), world.link("b", &[ANN]).await);
    if world.served_by(ANN).await.unwrap() == "a" { [a, b] } else { [b, a] }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_at_one_is_read_at_the_other_and_goes_there_for_a_while() {
    let world = World::new(BTreeMap::new());
    let [(home, at_home), (other, _)] = two(&world).await;
    at_home.is_cut_off(TRIES);
    let begun = Instant::now();
    assert!(!world.open(ANN).await.unwrap().collections().await.unwrap().is_empty());
    assert_eq!(begun.elapsed(), TRIES, "in the same request");
    at_home.mail.take_calls();
    assert_eq!(world.served_by(ANN).await.unwrap(), other);
    world.open(ANN).await.unwrap().collections().await.unwrap();
    assert_eq!(at_home.mail.take_calls(), [], "the next request waits for nobody");
    at_home.mail.heal();
    tokio::time::advance(ownership::UNANSWERING_FOR).await;
    assert_eq!(world.served_by(ANN).await.unwrap(), home);
}

#[tokio::test(start_paused = true)]
async fn what_takes_all_the_time_there_is_says_nothing_of_the_connector() {
    let world = World::new(BTreeMap::new());
    let [(home, at_home), (_, elsewhere)] = two(&world).await;
    at_home.is_cut_off(2 * CALL);
    let slow = world.open(ANN).await.unwrap().collections().await.unwrap_err();
    assert_eq!(slow.kind, ErrorKind::Timeout);
    assert_eq!(elsewhere.mail.take_calls(), [], "there is no time to ask the other");
    at_home.mail.heal();
    assert_eq!(world.served_by(ANN).await.unwrap(), home, "one slow folder moves nobody");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_reaches_the_mail_system_nobody_is_passed_over() {
    let world = World::new(BTreeMap::new());
    let [(home, at_home), (_, elsewhere)] = two(&world).await;
    at_home.is_cut_off(TRIES);
    elsewhere.is_cut_off(TRIES);
    let error = world.open(ANN).await.unwrap().collections().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    at_home.mail.heal();
    assert_eq!(world.served_by(ANN).await.unwrap(), home);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_passed_over_is_asked_when_nobody_else_is_left() {
    let world = World::new(BTreeMap::new());
    let [(home, at_home), (other, _)] = two(&world).await;
    at_home.is_cut_off(TRIES);
    world.open(ANN).await.unwrap().collections().await.unwrap();
    assert_eq!(world.served_by(ANN).await.unwrap(), other);
    world.lose(&other).await;
    at_home.mail.heal();
    assert_eq!(world.served_by(ANN).await.unwrap(), home);
    world.open(ANN).await.unwrap().collections().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_hangs_goes_on_at_the_other_and_the_next_begins_there() {
    let world = World::new(BTreeMap::new());
    let [(_, at_home), (other, elsewhere)] = two(&world).await;
    let mut items = Vec::new();
    for site in [&at_home, &elsewhere] {
        let inbox = site.mail.collection(&ANN.into(), Role::Inbox).unwrap();
        items = (0..4)
            .map(|number| {
                let mail = format!("Subject: {number}\r\n\r\nText\r\n");
                site.mail.insert(&ANN.into(), &inbox, mail, Flags::default(), NOW).unwrap()
            })
            .collect();
    }
    let inbox = at_home.mail.collection(&ANN.into(), Role::Inbox).unwrap();
    let mailbox = world.open(ANN).await.unwrap();
    at_home.mail.fail_next(1, &Failure::After(no_answer()));
    let fetched = mailbox.fetch(&inbox, &items, &BodyView::default()).await.unwrap();
    let fetched: Vec<_> = fetched.map(|one| one.unwrap().id).collect().await;
    assert_eq!(fetched, items, "each once and in order");
    assert_eq!(world.served_by(ANN).await.unwrap(), other);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_not_begun_goes_out_by_the_other_at_once() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout] {
        let world = World::new(BTreeMap::new());
        let [(_, at_home), (other, elsewhere)] = two(&world).await;
        let refused = Error::new(kind, "smtp: connect: refused").before_anything();
        at_home.fails(Failure::Before(refused));
        world.open(ANN).await.unwrap().submit(&message("one", ANN)).await.unwrap();
        assert_eq!(elsewhere.mail.sent().len(), 1);
        at_home.mail.take_calls();
        world.open(ANN).await.unwrap().submit(&message("two", ANN)).await.unwrap();
        assert_eq!(elsewhere.mail.sent().len(), 2);
        assert_eq!(at_home.mail.take_calls(), [], "it is passed over for a while");
        assert_eq!(world.served_by(ANN).await.unwrap(), other);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_nobody_could_begin_is_under_way_nowhere() {
    let world = World::new(BTreeMap::new());
    let [(_, at_home), (_, elsewhere)] = two(&world).await;
    let refused = no_answer().before_anything();
    for site in [&at_home, &elsewhere] {
        site.fails(Failure::Before(refused.clone()));
    }
    let unsent = world.open(ANN).await.unwrap().submit(&message("one", ANN)).await.unwrap_err();
    assert!(unsent.unbegun, "{unsent:?}");
    at_home.mail.heal();
    world.open(ANN).await.unwrap().submit(&message("one", ANN)).await.unwrap();
    assert_eq!(at_home.mail.sent().len(), 1, "it need not go to the one that was asked last");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_may_have_gone_out_is_never_sent_by_another() {
    let world = World::new(BTreeMap::new());
    let [(_, at_home), (_, elsewhere)] = two(&world).await;
    // It is out, and the answer is lost.
    at_home.mail.fail_next(1, &Failure::After(no_answer()));
    let again = Submission { uncertain: true, ..message("one", ANN) };
    world.open(ANN).await.unwrap().submit(&message("one", ANN)).await.unwrap_err();
    // That a repetition was not begun says nothing of what was.
    at_home.fails(Failure::Before(no_answer().before_anything()));
    world.open(ANN).await.unwrap().submit(&again).await.unwrap_err();
    world.open(ANN).await.unwrap().submit(&again).await.unwrap_err();
    assert_eq!(elsewhere.mail.take_calls(), []);
    at_home.mail.heal();
    world.open(ANN).await.unwrap().submit(&again).await.unwrap();
    let sent = at_home.mail.sent().len() + elsewhere.mail.sent().len();
    assert_eq!(sent, 1, "it was looked for where it was begun");
}

#[tokio::test(start_paused = true)]
async fn what_must_be_done_once_is_done_by_the_other_only_where_it_was_not_begun() {
    for (unbegun, done) in [(true, 1), (false, 0)] {
        let world = World::new(BTreeMap::new());
        let [(_, at_home), (_, elsewhere)] = two(&world).await;
        let error = if unbegun { no_answer().before_anything() } else { no_answer() };
        at_home.fails(Failure::Before(error));
        let mailbox = world.open(ANN).await.unwrap();
        let made = mailbox.create_collection(None, "New", Class::Mail).await;
        assert_eq!(made.is_ok(), unbegun);
        let asked = elsewhere.mail.take_calls();
        let makes = asked.iter().filter(|call| **call == Operation::CreateCollection);
        assert_eq!(makes.count(), done);
    }
}
