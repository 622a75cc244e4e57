//! Real servers, users on them, and their handles.

use async_trait::async_trait;
use dme_dav::{DavConfig, DavMailSystem};
use dme_dial::LoginName;
use dme_mailbox::conformance::{Ability, Resident, World};
use dme_mailbox::{Account, CallContext, Credentials, MailSystem, Mailbox};
use dme_model::{Class, CollectionId, RequestId, Secret, Span, UserId};
use dme_testkit::cyrus::Cyrus;
use dme_testkit::radicale::{self, Radicale};
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
    CallContext::new(RequestId::from("test"), Duration::from_secs(600))
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
pub fn make_calendar(port: u16, by: &str, path: &str, component: &str) {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap();
    let document = format!(
        "<C:mkcalendar xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><set><prop>\
         <displayname>{name}</displayname><C:supported-calendar-component-set>\
         <C:comp name=\"{component}\"/></C:supported-calendar-component-set></prop></set>\
         </C:mkcalendar>"
    );
    assert_eq!(ask(port, by, "MKCALENDAR", path, &document).0, 201);
}

/// Makes an address book.
pub fn make_address_book(port: u16, by: &str, path: &str) {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap();
    let document = format!(
        "<mkcol xmlns=\"DAV:\" xmlns:A=\"urn:ietf:params:xml:ns:carddav\"><set><prop>\
         <displayname>{name}</displayname><resourcetype><collection/><A:addressbook/>\
         </resourcetype></prop></set></mkcol>"
    );
    assert_eq!(ask(port, by, "MKCOL", path, &document).0, 201);
}

/// An event of an hour.
pub fn event(uid: &str, start: &str) -> String {
    object("VEVENT", uid).replace(
        "SUMMARY",
        &format!("DTSTART:{start}\r\nDURATION:PT1H\r\nX-OTHER;X-P=1:kept\r\nSUMMARY"),
    )
}

/// The class that an id of a collection begins with.
fn class_of(collection: &CollectionId) -> &str {
    collection.as_str().split_once(':').unwrap().0
}

/// An object of a class as the ids of collections name it.
fn sample(class: &str, uid: &str) -> String {
    match class {
        "calendar" => event(uid, "20261126T090000Z"),
        "tasks" => object("VTODO", uid),
        "notes" => object("VJOURNAL", uid),
        _ => format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{uid}\r\nN:{uid}\r\nEND:VCARD\r\n"
        ),
    }
}

/// An object of one component, with its UID as its title.
pub fn object(component: &str, uid: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:{component}\r\n\
         UID:{uid}\r\nDTSTAMP:20261126T000000Z\r\nSUMMARY:{uid}\r\n\
         END:{component}\r\nEND:VCALENDAR\r\n"
    )
}

/// Radicale, where each class has a collection of its own.
pub struct OnRadicale {
    pub server: Radicale,
    next: AtomicUsize,
}

impl OnRadicale {
    pub fn start() -> Self {
        let users: Vec<String> = (0..100).map(|number| format!("user{number}")).collect();
        let mut users: Vec<(&str, &str)> =
            users.iter().map(|user| (user.as_str(), PASSWORD)).collect();
        users.push((radicale::ADMIN, PASSWORD));
        Self { server: Radicale::start(&users).unwrap(), next: AtomicUsize::new(0) }
    }

    /// A new user's name, with a collection of each class.
    pub fn user(&self) -> String {
        let user = format!("user{}", self.next.fetch_add(1, Ordering::Relaxed));
        let port = self.server.port;
        for (name, component) in [("events", "VEVENT"), ("todo", "VTODO"), ("diary", "VJOURNAL")] {
            make_calendar(port, &user, &format!("/{user}/{name}/"), component);
        }
        make_address_book(port, &user, &format!("/{user}/people/"));
        user
    }
}

#[async_trait]
impl World for OnRadicale {
    async fn resident(&self) -> Resident {
        resident(self.server.url(), &self.user()).await
    }

    async fn invalidate_tokens(&self, resident: &Resident, collection: &CollectionId) {
        // A token by which nothing has changed stays good, so something must.
        let (_, path) = collection.as_str().split_once(':').unwrap();
        let (user, _) = resident.address.split_once('@').unwrap();
        let body = sample(class_of(collection), "passing");
        let path = format!("{path}passing");
        assert_eq!(ask(self.server.port, user, "PUT", &path, &body).0, 201);
        assert_eq!(ask(self.server.port, user, "DELETE", &path, "").0, 200);
        self.server.forget_changes().unwrap();
    }

    async fn read_only(&self, resident: &Resident, class: Class) -> Option<CollectionId> {
        let (user, _) = resident.address.split_once('@').unwrap();
        let path = format!("/{user}/shared-{class:?}/");
        let (port, admin) = (self.server.port, radicale::ADMIN);
        let name = match class {
            Class::Contacts => {
                make_address_book(port, admin, &path);
                "contacts"
            }
            Class::Tasks => {
                make_calendar(port, admin, &path, "VTODO");
                "tasks"
            }
            Class::Notes => {
                make_calendar(port, admin, &path, "VJOURNAL");
                "notes"
            }
            _ => {
                make_calendar(port, admin, &path, "VEVENT");
                "calendar"
            }
        };
        let body = sample(name, "shared");
        assert_eq!(ask(port, admin, "PUT", &format!("{path}one"), &body).0, 201);
        Some(CollectionId::new(format!("{name}:{path}")))
    }
}

/// Cyrus, where one calendar holds events, tasks and notes.
pub struct OnCyrus {
    pub server: Cyrus,
    next: AtomicUsize,
}

impl OnCyrus {
    pub fn start() -> Self {
        Self { server: Cyrus::start(&[PASSWORD]).unwrap(), next: AtomicUsize::new(0) }
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
        !matches!(ability, Ability::InvalidateTokens | Ability::TellByMail)
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
