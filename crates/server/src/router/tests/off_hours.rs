//! Users of a connector that is away by arrangement, in real time: the hours are by the clock.

use super::outbox::outbox;
use super::*;
use crate::clock::now;
use dme_link::{ConfigurationReport, Configurations, LinkTimes};

const HOUR: Duration = Duration::from_secs(3_600);

impl World {
    /// A connector that was lost said that it links each hour, and was linked just now.
    async fn is_off_hours(&self, name: &str) {
        let (id, key) = (self.id(name).await, Fingerprint::of_public_key(name.as_bytes()));
        self.links.registrar().book().key_used(&id, &key, now()).await.unwrap();
        let report = ConfigurationReport {
            key: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned().try_into().unwrap(),
            in_force: None,
            refused: None,
            link_times: Some(LinkTimes::Every { every_ms: 3_600_000, lasting_ms: 0 }),
        };
        self.store.reported(&id, &report, now()).await.unwrap();
        self.recalled().await;
    }

    async fn recalled(&self) {
        self.links.recall().await.unwrap();
        self.connectors.reload().await;
    }

    async fn refused_now(&self) -> ErrorKind {
        let request = RequestId::from("test");
        self.router.open(&account(ANN), &request, now()).await.err().unwrap().kind
    }
}

fn is_told_the_hour(kind: &ErrorKind) -> bool {
    let ErrorKind::Busy { after } = kind else { return false };
    *after > HOUR - Duration::from_secs(60) && *after <= HOUR
}

#[tokio::test]
async fn whose_connector_is_off_hours_is_told_when_it_is_back_whatever_else_is_known() {
    let mut world = World::new(BTreeMap::new());
    world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    assert_eq!(world.refused_now().await, ErrorKind::Unavailable, "nobody knows when");
    world.is_off_hours("a").await;
    let known = world.refused_now().await;
    assert!(is_told_the_hour(&known), "it said that it has her mailbox: {known:?}");

    world.restarted();
    world.recalled().await;
    let at_home = world.refused_now().await;
    assert!(is_told_the_hour(&at_home), "she is at home there: {at_home:?}");
    let kept = outbox(&world).await;
    let (account, request) = (account(ANN), RequestId::from("t"));
    let mailbox = world.router.open_to_send(&account, &request, now(), &kept).await.unwrap();
    mailbox.submit(&message("1", "eve@x.example")).await.unwrap();
    assert_eq!(world.waiting().await, 1);

    world.router.flush(None).await.unwrap();
    let flushed = world.refused_now().await;
    assert!(is_told_the_hour(&flushed), "nothing is known of her: {flushed:?}");
    world.link("b", &[]).await;
    let elsewhere = world.refused_now().await;
    assert!(is_told_the_hour(&elsewhere), "another has not her mailbox: {elsewhere:?}");
    world.router.flush(None).await.unwrap();
    world.lose("b").await;
    assert_eq!(world.refused_now().await, ErrorKind::Unavailable, "it may be at the lost one");
}

#[tokio::test]
async fn calendars_of_a_connector_off_hours_are_told_when_they_are_back_and_hide_nobodys_mail() {
    let mut world = World::new(BTreeMap::new());
    world.link("mail", &[ANN]).await;
    world.link_for("dav", &[ANN], &[Class::Calendar]).await;
    world.open(ANN).await.unwrap();
    world.lose("dav").await;
    world.is_off_hours("dav").await;
    world.restarted();
    world.recalled().await;
    world.link("mail", &[ANN, "bob@example.org"]).await;
    let request = RequestId::from("test");
    let mailbox = world.router.open(&account(ANN), &request, now()).await.unwrap();
    let kind = mailbox.collections().await.unwrap_err().kind;
    assert!(is_told_the_hour(&kind), "{kind:?}");
    // Whether Bob has calendars there nobody knows: his mail is shown without.
    assert!(!world.open("bob@example.org").await.unwrap().collections().await.unwrap().is_empty());
}
