//! Messages that wait for their connector.

use super::*;
use crate::seal::{OUTBOX, Seal};
use dme_mailbox::{CalendarMessage, ItemFilter, Submitted};
use dme_model::Role;
use dme_store::OutboxLimits;
use dme_sync::{MeetingWord, hand_over};

pub(super) async fn outbox(world: &World) -> Arc<Outbox> {
    let limits = OutboxLimits { messages: 2, bytes: 1 << 20 };
    let seal = Seal::open(world.directory.path(), OUTBOX).unwrap();
    Outbox::open(world.store.clone(), seal, limits, Arc::new(|| NOW)).await.unwrap()
}

impl World {
    pub(super) async fn send(
        &self,
        outbox: &Arc<Outbox>,
        message: &Submission,
    ) -> Result<Submitted> {
        let (account, request) = (account(ANN), RequestId::from("t"));
        let mailbox = self.router.open_to_send(&account, &request, NOW, outbox).await?;
        mailbox.submit(message).await
    }

    pub(super) async fn waiting(&self) -> usize {
        self.store.all_queued().await.unwrap().len()
    }

    /// Waits until so many messages wait.
    async fn until_waiting(&self, count: usize) {
        for _ in 0..10_000 {
            if self.waiting().await == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{} messages wait, not {count}", self.waiting().await);
    }
}

#[tokio::test]
async fn messages_are_kept_while_their_connector_is_away_and_sent_once_in_their_order() {
    let mut world = World::new(BTreeMap::new());
    let strange = world.send(&outbox(&world).await, &message("0", "eve@x.example")).await;
    assert_eq!(strange.unwrap_err().kind, ErrorKind::Unavailable, "at home nowhere: not kept");
    world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    for key in ["1", "2"] {
        world.send(&kept, &message(key, "eve@x.example")).await.unwrap();
    }
    let third = world.send(&kept, &message("3", "eve@x.example")).await;
    assert_eq!(third.unwrap_err().kind, ErrorKind::Unavailable, "as much waits as may");

    world.restarted();
    let kept = outbox(&world).await;
    let site = world.link("a", &[ANN]).await;
    kept.deliver_soon(&world.router, &account(ANN));
    kept.deliver_soon(&world.router, &account(ANN));
    world.until_waiting(0).await;
    let sent = site.mail.sent();
    assert_eq!(sent.len(), 2, "each once");
    for (sent, key) in sent.iter().zip(["1", "2"]) {
        let message = String::from_utf8_lossy(&sent.message);
        assert!(message.contains(&format!("Subject: {key}")), "{message}");
    }
}

#[tokio::test]
async fn where_nothing_is_needed_of_the_user_a_connector_that_comes_is_enough() {
    let mut world = World::new(BTreeMap::new());
    world.needs = CredentialsNeeded::None;
    world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    world.send(&kept, &message("1", "eve@x.example")).await.unwrap();
    tokio::spawn(kept.run(world.router.clone(), world.connectors.clone()));
    let site = world.link("a", &[ANN]).await;
    world.until_waiting(0).await;
    assert_eq!(site.mail.sent().len(), 1);
}

#[tokio::test]
async fn what_is_refused_for_good_comes_back_to_its_sender() {
    let world = World::new(BTreeMap::new());
    world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    world.send(&kept, &message("1", "eve@x.example")).await.unwrap();
    let site = world.link("a", &[ANN]).await;
    site.mail.refuse_recipient("eve@x.example");
    kept.deliver_soon(&world.router, &account(ANN));
    world.until_waiting(0).await;
    assert_eq!(site.mail.sent().len(), 0);
    let inbox = site.mail.collection(&ANN.into(), Role::Inbox).unwrap();
    let mailbox = world.open(ANN).await.unwrap();
    let listed = mailbox.list(&inbox, &ItemFilter::default()).await.unwrap();
    assert_eq!(listed.items.len(), 1, "the reason and the message");
}

#[tokio::test]
async fn a_message_that_may_be_out_already_is_looked_for_before_it_is_sent() {
    let world = World::new(BTreeMap::new());
    let site = world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    let begun = message("1", "eve@x.example");
    world.open(ANN).await.unwrap().submit(&begun).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    let again = Submission { uncertain: true, ..begun };
    world.send(&kept, &again).await.unwrap();
    world.send(&kept, &again).await.unwrap();
    assert_eq!(world.waiting().await, 1, "one act waits once");
    world.link_again("a", &site).await;
    kept.deliver_soon(&world.router, &account(ANN));
    world.until_waiting(0).await;
    assert_eq!(site.mail.sent().len(), 1);
}

#[tokio::test]
async fn what_is_sent_while_others_wait_goes_out_after_them() {
    let world = World::new(BTreeMap::new());
    let site = world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    world.send(&kept, &message("1", "eve@x.example")).await.unwrap();
    world.link_again("a", &site).await;
    world.send(&kept, &message("2", "eve@x.example")).await.unwrap();
    assert!(site.mail.sent().is_empty(), "it waits behind the first");
    kept.deliver_soon(&world.router, &account(ANN));
    world.until_waiting(0).await;
    assert_eq!(site.mail.sent().len(), 2);
}

#[tokio::test]
async fn whether_a_calendar_tells_what_a_kept_message_says_is_asked_when_it_goes_out() {
    for (schedules, sent) in [(true, 0), (false, 1)] {
        let world = World::new(BTreeMap::new());
        world.link_for("a", &[ANN], &Class::ALL).await;
        world.open(ANN).await.unwrap();
        world.lose("a").await;
        let kept = outbox(&world).await;
        let calendar = format!(
            "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\n\
             ORGANIZER:mailto:{ANN}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let mut invitation = message("1", "eve@x.example");
        invitation.message = format!(
            "From: {ANN}\r\nTo: eve@x.example\r\n\
             Content-Type: text/calendar; method=REQUEST\r\n\r\n{calendar}"
        )
        .into();
        let word = MeetingWord {
            message: CalendarMessage { calendar, from: ANN.into() },
            to: vec!["eve@x.example".into()],
            own: true,
        };
        let request = RequestId::from("t");
        let mailbox = world.router.open_to_send(&account(ANN), &request, NOW, &kept).await.unwrap();
        hand_over(&*mailbox, &mut invitation, Some(&word)).await.unwrap();
        assert_eq!(world.waiting().await, 1);
        let site = world.link_for("a", &[ANN], &Class::ALL).await;
        if schedules {
            site.mail.schedule();
        }
        kept.deliver_soon(&world.router, &account(ANN));
        world.until_waiting(0).await;
        assert_eq!(site.mail.sent().len(), sent, "schedules: {schedules}");
    }
}
