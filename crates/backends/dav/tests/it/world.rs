//! Real servers, users on them, and their handles.

use async_trait::async_trait;
use dme_dav::{DavConfig, DavMailSystem, LoginName};
use dme_mailbox::conformance::{Ability, Resident, World};
use dme_mailbox::{Account, CallContext, Credentials, MailSystem, Mailbox};
use dme_model::{CollectionId, RequestId, Secret, Span, UserId};
use dme_testkit::cyrus::Cyrus;
use dme_testkit::radicale::Radicale;
use dme_testkit::xandikos::Xandikos;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub const PASSWORD: &str = "a-password";

pub fn config(url: String) -> DavConfig {
    DavConfig {
        url,
        login: LoginName::Local,
        poll: Span(Duration::from_millis(100)),
        ..DavConfig::default()
    }
}

pub fn account(name: &str) -> Account {
    let address = format!("{name}@example.org");
    Account {
        user: UserId::from(address.as_str()),
        address,
        display_name: Some("Ann Exämple".to_owned()),
        credentials: Credentials::Password(Secret::new(PASSWORD)),
    }
}

pub fn context() -> CallContext {
    CallContext::new(RequestId::from("test"), Duration::from_secs(60))
}

/// A handle that shares nothing with any other.
pub async fn open(url: String, name: &str) -> Arc<dyn Mailbox> {
    let system = DavMailSystem::new(config(url)).unwrap();
    system.open(&account(name), &context()).await.unwrap()
}

async fn resident(url: String, name: &str) -> Resident {
    Resident {
        address: format!("{name}@example.org"),
        mailbox: open(url.clone(), name).await,
        other: open(url, name).await,
    }
}

/// Asks a server as another client would; answers the status and what it said.
pub fn ask(port: u16, user: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut command = std::process::Command::new("curl");
    command.args(["-s", "-o", "-", "-w", "\n%{http_code}", "-X", method]);
    command.args(["-u", &format!("{user}:{PASSWORD}"), "-H", "Depth: 0"]);
    if !body.is_empty() {
        let kind = if body.starts_with('<') { "application/xml" } else { "text/calendar" };
        command.args(["-H", &format!("Content-Type: {kind}"), "--data-binary", body]);
    }
    let output = command.arg(format!("http://127.0.0.1:{port}{path}")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = said.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

/// Makes a calendar for one component by another client's hand.
pub fn make_calendar(port: u16, user: &str, name: &str, component: &str) {
    let document = format!(
        "<C:mkcalendar xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><set><prop>\
         <displayname>{name}</displayname><C:supported-calendar-component-set>\
         <C:comp name=\"{component}\"/></C:supported-calendar-component-set></prop></set>\
         </C:mkcalendar>"
    );
    let path = format!("/{user}/{name}/");
    assert_eq!(ask(port, user, "MKCALENDAR", &path, &document).0, 201);
}

/// Makes an address book.
pub fn make_address_book(port: u16, user: &str, name: &str) {
    let document = format!(
        "<mkcol xmlns=\"DAV:\" xmlns:A=\"urn:ietf:params:xml:ns:carddav\"><set><prop>\
         <displayname>{name}</displayname><resourcetype><collection/><A:addressbook/>\
         </resourcetype></prop></set></mkcol>"
    );
    assert_eq!(ask(port, user, "MKCOL", &format!("/{user}/{name}/"), &document).0, 201);
}

/// Radicale, where each class has a collection of its own.
pub struct OnRadicale {
    pub server: Radicale,
    next: AtomicUsize,
}

impl OnRadicale {
    pub fn start() -> Self {
        let users: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
        let users: Vec<(&str, &str)> = users.iter().map(|user| (user.as_str(), PASSWORD)).collect();
        Self { server: Radicale::start(&users).unwrap(), next: AtomicUsize::new(0) }
    }

    /// A new user's name, with a collection of each class.
    pub fn user(&self) -> String {
        let user = format!("user{}", self.next.fetch_add(1, Ordering::Relaxed));
        let port = self.server.port;
        for (name, component) in [("events", "VEVENT"), ("todo", "VTODO"), ("diary", "VJOURNAL")] {
            make_calendar(port, &user, name, component);
        }
        make_address_book(port, &user, "people");
        user
    }
}

#[async_trait]
impl World for OnRadicale {
    async fn resident(&self) -> Resident {
        resident(self.server.url(), &self.user()).await
    }

    async fn invalidate_tokens(&self, _resident: &Resident, _collection: &CollectionId) {
        self.server.forget_changes().unwrap();
    }
}

/// Cyrus, where one calendar holds events, tasks and notes.
pub struct OnCyrus {
    pub server: Cyrus,
    next: AtomicUsize,
}

impl OnCyrus {
    pub fn start() -> Self {
        Self { server: Cyrus::start(PASSWORD).unwrap(), next: AtomicUsize::new(0) }
    }

    /// A new user's name.
    pub fn user(&self) -> String {
        let user = format!("user{}", self.next.fetch_add(1, Ordering::Relaxed));
        self.server.welcome(&user, PASSWORD).unwrap();
        user
    }
}

#[async_trait]
impl World for OnCyrus {
    async fn resident(&self) -> Resident {
        resident(self.server.url(), &self.user()).await
    }

    fn can(&self, ability: Ability) -> bool {
        ability != Ability::InvalidateTokens
    }
}

/// Xandikos, one server for each user, since it knows but one.
#[derive(Default)]
pub struct OnXandikos {
    servers: std::sync::Mutex<Vec<Xandikos>>,
}

#[async_trait]
impl World for OnXandikos {
    async fn resident(&self) -> Resident {
        let server = Xandikos::start("ann").unwrap();
        let url = server.url();
        self.servers.lock().unwrap().push(server);
        resident(url, "ann").await
    }

    fn can(&self, ability: Ability) -> bool {
        ability != Ability::InvalidateTokens
    }
}
