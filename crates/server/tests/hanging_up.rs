//! A phone that hangs up in the middle: what it began is ended, and its repetition does not do it
//! again. On a server with its connector in the same process.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use async_trait::async_trait;
use base64::Engine as _;
use dme_directory::{
    DirectoryService, GroupSnapshot, PeopleFound, PeopleSearch, Person, Standing, Verdict,
};
use dme_link::{CredentialsNeeded, Mailboxes, Services};
use dme_mailbox::memory::{MemoryMailSystem, Operation};
use dme_model::{Role, Secret, UserId};
use dme_server::config::ServerConfig;
use dme_server::role::Server;
use dme_server::site::{Site, SiteBody};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(20);
const SLOWLY: Duration = Duration::from_millis(300);
const MESSAGE: &str = "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: x\r\n\r\nHello\r\n";

struct Everyone;

fn person(user: &UserId) -> Person {
    Person {
        user: user.clone(),
        address: user.to_string(),
        display_name: None,
        groups: Vec::new(),
        standing: Standing::Active,
    }
}

#[async_trait]
impl DirectoryService for Everyone {
    async fn authenticate(&self, user: &UserId, _: &Secret) -> dme_directory::Result<Verdict> {
        Ok(Verdict::Accepted(Box::new(person(user))))
    }

    async fn find(&self, user: &UserId) -> dme_directory::Result<Option<Person>> {
        Ok(Some(person(user)))
    }

    async fn groups(&self) -> dme_directory::Result<GroupSnapshot> {
        Ok(GroupSnapshot::default())
    }

    async fn search(&self, _: &PeopleSearch) -> dme_directory::Result<PeopleFound> {
        Ok(PeopleFound::default())
    }

    async fn everyone(&self, _: &UserId, _: u32) -> dme_directory::Result<dme_directory::Everyone> {
        Ok(dme_directory::Everyone::default())
    }
}

/// Nobody administers it.
struct NoSite;

#[async_trait]
impl Site for NoSite {
    async fn administration(
        self: Arc<Self>,
        _: http::Request<hyper::body::Incoming>,
        _: std::net::SocketAddr,
    ) -> http::Response<SiteBody> {
        http::Response::new(http_body_util::BodyExt::boxed_unsync(http_body_util::Empty::new()))
    }

    async fn own(
        self: Arc<Self>,
        _: http::Request<hyper::body::Incoming>,
        _: std::net::IpAddr,
    ) -> http::Response<SiteBody> {
        http::Response::new(http_body_util::BodyExt::boxed_unsync(http_body_util::Empty::new()))
    }
}

struct World {
    server: Server,
    mail: MemoryMailSystem,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config: ServerConfig = serde_json::from_value(serde_json::json!({
            "directory": folder.path(),
            "phones": {
                "listen": "127.0.0.1:0",
                "host": "localhost",
                "plain_http": true,
                "proxies": ["127.0.0.0/8"],
            },
            "admin": { "listen": "127.0.0.1:0" },
            "realms": [{ "name": "example.org", "access": { "users": "everyone" } }],
        }))
        .unwrap();
        let mail = MemoryMailSystem::new();
        for user in ["ann@example.org", "bob@example.org"] {
            mail.add_user(&user.into(), user);
        }
        let services = Services {
            mailboxes: Some(Mailboxes::of_all(Arc::new(mail.clone()), CredentialsNeeded::None)),
            directory: Some(Arc::new(Everyone)),
            realms: ["example.org".into()].into(),
        };
        let server = Server::start(config, Some(services), |_| Ok(Arc::new(NoSite))).await.unwrap();
        Self { server, mail, _folder: folder }
    }

    /// Begins to send; what is returned is the phone's end of the connection.
    async fn send(&self) -> TcpStream {
        let mut phone = TcpStream::connect(self.server.phones).await.unwrap();
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

    async fn answer(&self, mut phone: TcpStream) -> String {
        let mut answer = String::new();
        let read = phone.read_to_string(&mut answer);
        tokio::time::timeout(PATIENCE, read).await.expect("an answer").unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// Waits until the mail system is asked to send.
    async fn until_sending(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.mail.take_calls().contains(&Operation::Submit) {
            assert!(Instant::now() < end, "nothing is sent");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// A phone that is gone while the mail system takes its mail.
    async fn hang_up_while_sending(&self) {
        let _phone = self.send().await;
        self.until_sending().await;
    }

    fn copies(&self) -> usize {
        let user = "ann@example.org".into();
        let sent = self.mail.collection(&user, Role::Sent).unwrap();
        self.mail.contents(&user, &sent).unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_hangs_up_while_its_mail_is_sent_and_repeats_sends_it_once() {
    let world = World::start().await;
    world.mail.set_latency(SLOWLY);
    world.hang_up_while_sending().await;
    // It repeats itself while the first is still under way, and once more when it is over.
    for _ in 0..2 {
        let phone = world.send().await;
        assert_eq!(world.answer(phone).await, "HTTP/1.1 200 OK");
    }
    assert_eq!((world.mail.sent().len(), world.copies()), (1, 1));
    assert!(!world.mail.take_calls().contains(&Operation::Submit), "it was asked once");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_down_ends_what_a_phone_that_is_gone_began() {
    let world = World::start().await;
    world.mail.set_latency(SLOWLY);
    world.hang_up_while_sending().await;
    world.server.stop().await;
    assert_eq!(world.mail.sent().len(), 1);
}
