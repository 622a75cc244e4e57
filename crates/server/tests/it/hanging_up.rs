//! A phone that hangs up in the middle: what it began is ended, and its repetition does not do it
//! again. On a server with its connector in the same process.

use crate::world::{ANN, World};
use base64::Engine as _;
use dme_mailbox::memory::Operation;
use dme_model::{Role, UserId};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(20);
const SLOWLY: Duration = Duration::from_millis(300);
const MESSAGE: &str = "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: x\r\n\r\nHello\r\n";

/// Begins to send; what is returned is the phone's end of the connection.
async fn send(world: &World) -> TcpStream {
    let mut phone = TcpStream::connect(world.server.phones).await.unwrap();
    let login = base64::engine::general_purpose::STANDARD.encode("ann:secret");
    let head = format!(
        "POST /Microsoft-Server-ActiveSync?Cmd=SendMail&User=ann&DeviceId=d1&DeviceType=t\
         &SaveInSent=T HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n\
         MS-ASProtocolVersion: 12.1\r\nContent-Type: message/rfc822\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{MESSAGE}",
        MESSAGE.len(),
    );
    phone.write_all(head.as_bytes()).await.unwrap();
    phone
}

async fn answer(mut phone: TcpStream) -> String {
    let mut answer = String::new();
    let read = phone.read_to_string(&mut answer);
    tokio::time::timeout(PATIENCE, read).await.expect("an answer").unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

/// Waits until the mail system is asked to send.
async fn until_sending(world: &World) {
    let end = Instant::now() + PATIENCE;
    while !world.mail.take_calls().contains(&Operation::Submit) {
        assert!(Instant::now() < end, "nothing is sent");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A phone that is gone while the mail system takes its mail.
async fn hang_up_while_sending(world: &World) {
    let _phone = send(world).await;
    until_sending(world).await;
}

fn copies(world: &World) -> usize {
    let user = UserId::from(ANN);
    let sent = world.mail.collection(&user, Role::Sent).unwrap();
    world.mail.contents(&user, &sent).unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_hangs_up_while_its_mail_is_sent_and_repeats_sends_it_once() {
    let world = World::start(serde_json::json!({})).await;
    world.mail.set_latency(SLOWLY);
    hang_up_while_sending(&world).await;
    // It repeats itself while the first is still under way, and once more when it is over.
    for _ in 0..2 {
        let phone = send(&world).await;
        assert_eq!(answer(phone).await, "HTTP/1.1 200 OK");
    }
    assert_eq!((world.mail.sent().len(), copies(&world)), (1, 1));
    assert!(!world.mail.take_calls().contains(&Operation::Submit), "it was asked once");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_down_ends_what_a_phone_that_is_gone_began() {
    let world = World::start(serde_json::json!({})).await;
    world.mail.set_latency(SLOWLY);
    hang_up_while_sending(&world).await;
    world.server.stop().await;
    assert_eq!(world.mail.sent().len(), 1);
}
