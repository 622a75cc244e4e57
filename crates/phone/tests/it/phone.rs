//! The simulated phone: its state, and what it does about a server's wishes.

use crate::server::Server;
use dme_eas::ProtocolVersion;
use dme_eas::body::ContentOptions;
use dme_eas::folder_sync::FolderType;
use dme_eas::provision::Wipe;
use dme_phone::{Account, Error, Keep, Loss, Phone, Tls, Trust, Woken};
use std::time::Duration;

fn phone(account: Account) -> Phone {
    let mut phone = Phone::new(account, Tls::new(&Trust::Anyone).unwrap());
    phone.client.patience.answer = Duration::from_secs(10);
    phone
}

async fn started(mails: usize) -> (Server, Phone) {
    let server = Server::start().await;
    for index in 0..mails {
        server.deliver(&format!("1:{index:03}"), &format!("mail {index}"));
    }
    let mut phone = phone(server.account());
    phone.folder_sync().await.unwrap();
    (server, phone)
}

#[tokio::test]
async fn the_first_sync_brings_all_mails_window_by_window() {
    let (_server, mut phone) = started(25).await;
    phone.options.window = 10;
    let inbox = phone.inbox().unwrap();
    let first = phone.sync_round(&inbox).await.unwrap();
    assert_eq!((first.added, first.more), (10, true));
    let rest = phone.sync(&inbox).await.unwrap();
    assert_eq!((rest.added, rest.more), (15, false));
    assert_eq!(phone.items(&inbox).unwrap()["1:007"].subject, "mail 7");
    assert_eq!(phone.sync(&inbox).await.unwrap().added, 0, "nothing is new");
}

#[tokio::test]
async fn every_version_syncs() {
    for version in ProtocolVersion::ALL {
        let server = Server::start().await;
        server.deliver("1:1", "hello");
        let mut phone = phone(Account { version, ..server.account() });
        phone.folder_sync().await.unwrap();
        assert_eq!(phone.sync("1").await.unwrap().added, 1, "{version}");
        phone.send_mail("To: bob@corp.example\r\n\r\nhello").await.unwrap();
        assert_eq!(server.with(|state| state.sent.len()), 1, "{version}");
    }
}

#[tokio::test]
async fn a_phone_without_a_policy_provisions_when_told_to() {
    for version in [ProtocolVersion::V12_1, ProtocolVersion::V16_1] {
        let server = Server::start().await;
        server.with(|state| state.policy = true);
        let mut phone = phone(Account { version, ..server.account() });
        phone.folder_sync().await.unwrap();
        assert_eq!(phone.client.policy_key, Some(crate::server::POLICY_KEY), "{version}");
        assert_eq!(phone.events.provisioned, 1);
        let served = server.with(|state| state.served.clone());
        assert_eq!(served, ["FolderSync", "Provision", "Provision", "FolderSync"], "{version}");
    }
}

#[tokio::test]
async fn an_order_to_wipe_is_acknowledged_and_obeyed() {
    let (server, mut phone) = started(3).await;
    phone.sync("1").await.unwrap();
    server.with(|state| state.wipe = Some(Wipe::Account));
    let error = phone.provision().await.unwrap_err();
    assert!(matches!(error, Error::Wiped(Wipe::Account)), "{error}");
    assert!(phone.folders().is_empty());
    assert_eq!(server.with(|state| state.wipe), None, "it was acknowledged");
}

#[tokio::test]
async fn an_unknown_sync_key_begins_the_folder_anew_and_only_it() {
    let (server, mut phone) = started(3).await;
    phone.sync("1").await.unwrap();
    server.with(|state| {
        state.told.clear();
        state.inbox.remove("1:000");
    });
    let round = phone.sync("1").await.unwrap();
    assert_eq!((round.added, phone.items("1").unwrap().len()), (2, 2));
    assert_eq!(phone.events.resynced, 1);
    assert_eq!(phone.folders().len(), 2);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_later() {
    let (server, mut phone) = started(1).await;
    server.with(|state| state.busy = 2);
    assert_eq!(phone.sync("1").await.unwrap().added, 1);
    assert_eq!(phone.events.told_to_wait, 2);
    server.with(|state| state.busy = 100);
    let error = phone.sync("1").await.unwrap_err();
    assert!(matches!(error, Error::GoesRound("Sync", 5)), "{error}");
}

#[tokio::test]
async fn marks_deletions_and_moves_reach_the_server() {
    let (server, mut phone) = started(3).await;
    phone.sync("1").await.unwrap();
    phone.mark_read("1", "1:000", true).await.unwrap();
    assert!(server.with(|state| state.inbox["1:000"].1));
    assert!(phone.items("1").unwrap()["1:000"].read);

    phone.delete("1", "1:001").await.unwrap();
    let new_id = phone.move_to("1", "1:002", "2").await.unwrap();
    assert_eq!(server.with(|state| state.inbox.len()), 1);
    assert_eq!(phone.items("1").unwrap().len(), 1);
    assert_eq!(phone.items("2").unwrap()[&new_id].subject, "mail 2");

    let error = phone.mark_read("1", "1:999", true).await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 8, .. }), "{error}");
    let error = phone.move_to("1", "1:999", "2").await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_lost_answer_loses_nothing() {
    let (server, mut phone) = started(3).await;
    phone.client.lose_next(Loss::Answer);
    assert!(phone.sync("1").await.is_err());
    assert_eq!(phone.sync("1").await.unwrap().added, 3);
    server.deliver("1:003", "late");
    phone.client.lose_next(Loss::Answer);
    assert!(phone.sync("1").await.is_err());
    assert_eq!(phone.sync("1").await.unwrap().added, 1);
    assert_eq!(phone.items("1").unwrap().len(), 4);
}

#[tokio::test]
async fn a_ping_is_answered_by_a_new_mail() {
    let (server, mut phone) = started(1).await;
    phone.sync("1").await.unwrap();
    let parked = tokio::spawn(async move {
        let woken = phone.ping(&["1"], Duration::from_secs(60)).await;
        (woken, phone)
    });
    // Delivered again and again, since the test cannot see when the Ping is parked.
    let mut delivered = 0;
    while !parked.is_finished() {
        server.deliver(&format!("1:1{delivered:02}"), "new");
        delivered += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(delivered < 99, "the phone was not woken");
    }
    let (woken, mut phone) = parked.await.unwrap();
    assert_eq!(woken.unwrap(), Woken::Changed(vec!["1".into()]));
    assert!(phone.sync("1").await.unwrap().added >= 1);
}

#[tokio::test]
async fn a_heartbeat_that_is_not_allowed_is_replaced_by_the_one_suggested() {
    let (server, mut phone) = started(0).await;
    server.with(|state| state.longest = Some(Duration::from_secs(1)));
    let woken = phone.ping(&["1"], Duration::from_secs(3000)).await.unwrap();
    assert_eq!(woken, Woken::Expired);
    let served = server.with(|state| state.served.clone());
    assert_eq!(served, ["FolderSync", "Ping", "Ping"]);
}

#[tokio::test]
async fn messages_are_sent_and_answered_and_refusals_are_told() {
    let (server, mut phone) = started(1).await;
    phone.send_mail("To: bob@corp.example\r\n\r\nhello").await.unwrap();
    phone.send_mail("To: bob@corp.example\r\n\r\nhello").await.unwrap();
    phone.smart_reply("1", "1:000", "To: bob@corp.example\r\n\r\nyes").await.unwrap();
    let (sent, replied) = server.with(|state| (state.sent.clone(), state.replied_to.clone()));
    assert_eq!(sent.len(), 3, "each message has a name of its own");
    assert_eq!(replied, ["1:000"]);
    let error = phone.send_mail("bad").await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 107, .. }), "{error}");
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_repeated_by_its_name() {
    let (server, mut phone) = started(0).await;
    let message = phone.new_message("To: bob@corp.example\r\n\r\nonce");
    phone.client.lose_next(Loss::Answer);
    assert!(phone.send_message(&message).await.is_err());
    phone.send_message(&message).await.unwrap();
    assert_eq!(server.with(|state| state.sent.len()), 1);
}

#[tokio::test]
async fn attachments_and_mails_are_fetched_in_parts() {
    let (_server, mut phone) = started(1).await;
    assert_eq!(phone.fetch_attachment("1:000:2").await.unwrap(), &b"\0\xffPNG"[..]);
    let mail = phone.fetch_mail("1", "1:000", ContentOptions::default()).await.unwrap();
    assert_eq!(mail.body.unwrap().data, "about fetched");
    let error = phone.fetch_attachment("missing").await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 15, .. }), "{error}");
}

#[tokio::test]
async fn a_phone_for_load_keeps_ids_only() {
    let (_server, mut phone) = started(5).await;
    phone.options.keep = Keep::Ids;
    assert_eq!(phone.sync("1").await.unwrap().added, 5);
    let items = phone.items("1").unwrap();
    assert!(items.len() == 5 && items.values().all(|view| view.subject.is_empty()));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_on_the_phone() {
    let (_server, mut phone) = started(0).await;
    assert!(matches!(phone.sync("99").await, Err(Error::NoFolder(_))));
    assert!(matches!(phone.folder_of(FolderType::Sent), Err(Error::NoFolder(_))));
}
