//! A server, two people in a directory, their phones.

use async_trait::async_trait;
use dme_directory::{
    DirectoryService, Group, GroupId, GroupSnapshot, PeopleFound, PeopleSearch, Person, Standing,
    Verdict,
};
use dme_eas::provision::{Applied, Request};
use dme_link::{CredentialsNeeded, Links, Mailboxes, Services};
use dme_mailbox::memory::MemoryMailSystem;
use dme_model::{Role, Secret, UserId};
use dme_phone::{Account, Address, Phone, Tls, Trust};
use dme_server::books::Author;
use dme_server::front::Front;
use dme_server::role::Server;
use dme_server::site::{Site, SiteBody};
use dme_server::wipes::{Administrator, Hand};
use dme_store::{Behind, Device};
use dme_sync::DeviceKey;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// An administrator at the server.
pub const ADMINISTRATOR: Administrator<'_> =
    Administrator { name: "admin", behind: &Behind::Server };
/// Their hand.
pub const ADMIN: Hand<'_> = Hand::Administrator(ADMINISTRATOR);
pub const ANN: &str = "ann@example.org";
pub const BOB: &str = "bob@example.org";

/// Ann is in the group `sales`, Bob is not; everybody's password is `secret`.
struct People;

fn person(user: &UserId) -> Person {
    let groups = if user.as_str() == ANN { vec![GroupId("cn=sales".into())] } else { Vec::new() };
    Person {
        user: user.clone(),
        address: user.to_string(),
        display_name: None,
        groups,
        standing: Standing::Active,
    }
}

#[async_trait]
impl DirectoryService for People {
    async fn authenticate(&self, user: &UserId, word: &Secret) -> dme_directory::Result<Verdict> {
        Ok(match word.expose() {
            "secret" => Verdict::Accepted(Box::new(person(user))),
            _ => Verdict::WrongPassword,
        })
    }

    async fn find(&self, user: &UserId) -> dme_directory::Result<Option<Person>> {
        Ok(Some(person(user)))
    }

    async fn groups(&self) -> dme_directory::Result<GroupSnapshot> {
        let sales =
            Group { id: GroupId("cn=sales".into()), name: "sales".into(), parents: Vec::new() };
        Ok(GroupSnapshot { groups: vec![sales], ..GroupSnapshot::default() })
    }

    async fn search(&self, _: &PeopleSearch) -> dme_directory::Result<PeopleFound> {
        Ok(PeopleFound::default())
    }

    async fn everyone(&self, _: &UserId, _: u32) -> dme_directory::Result<dme_directory::Everyone> {
        Ok(dme_directory::Everyone::default())
    }
}

/// Nobody administers it but by the services themselves.
struct NoSite;

#[async_trait]
impl Site for NoSite {
    async fn administration(
        self: Arc<Self>,
        _: http::Request<hyper::body::Incoming>,
        _: std::net::SocketAddr,
    ) -> http::Response<SiteBody> {
        http::Response::new(dme_server::site::whole(""))
    }

    async fn own(
        self: Arc<Self>,
        _: http::Request<hyper::body::Incoming>,
        _: std::net::IpAddr,
    ) -> http::Response<SiteBody> {
        http::Response::new(dme_server::site::whole(""))
    }
}

pub struct World {
    pub server: Server,
    pub front: Arc<Front>,
    pub mail: MemoryMailSystem,
    pub links: Links,
    folder: TempDir,
}

impl World {
    /// Starts it; `more` are tables of the configuration, in JSON.
    pub async fn start(more: serde_json::Value) -> Self {
        let mail = MemoryMailSystem::new();
        for user in [ANN, BOB] {
            mail.add_user(&user.into(), user);
        }
        Self::on(tempfile::tempdir().unwrap(), mail, more).await
    }

    async fn on(folder: TempDir, mail: MemoryMailSystem, more: serde_json::Value) -> Self {
        let mut config = serde_json::json!({
            "directory": folder.path(),
            "phones": {
                "listen": "127.0.0.1:0",
                "host": "localhost",
                "plain_http": true,
                "proxies": ["127.0.0.0/8"],
            },
            "admin": { "listen": "127.0.0.1:0" },
            "realms": [{ "name": "example.org", "access": { "users": "everyone" } }],
        });
        let tables = config.as_object_mut().unwrap();
        tables.extend(more.as_object().unwrap().clone());
        let services = services(&mail);
        let front = Arc::new(OnceLock::new());
        let told = front.clone();
        let site = move |parts: dme_server::site::Parts| {
            let _ = told.set((parts.front, parts.links));
            Ok(Arc::new(NoSite) as Arc<dyn Site>)
        };
        let config = serde_json::from_value(config).unwrap();
        let server = Server::start(config, Some(services), site).await.unwrap();
        let (front, links): (Arc<Front>, Links) = front.get().unwrap().clone();
        front.gate.refresh().await;
        Self { server, front, mail, links, folder }
    }

    /// Ends the server and starts it again on what it kept.
    pub async fn restart(self, more: serde_json::Value) -> Self {
        let Self { server, front, mail, folder, links } = self;
        server.stop().await;
        drop((front, links));
        Self::on(folder, mail, more).await
    }

    /// A phone that knows nothing yet.
    pub fn phone(&self, user: &str, device: &str) -> Phone {
        phone_at(self.server.phones, user, device)
    }

    /// The same, having synchronised its inbox.
    pub async fn synced(&self, user: &str, device: &str) -> Phone {
        let mut phone = self.phone(user, device);
        phone.folder_sync().await.unwrap();
        let inbox = phone.inbox().unwrap();
        phone.sync(&inbox).await.unwrap();
        phone
    }

    pub async fn record(&self, user: &str, device: &str) -> Device {
        self.front.store.device(&key(user, device)).await.unwrap().unwrap()
    }

    /// Puts a mail into somebody's inbox.
    pub fn deliver(&self, user: &str, subject: &str) {
        let (user, now) = (user.into(), (self.front.clock)());
        let inbox = self.mail.collection(&user, Role::Inbox).unwrap();
        let message =
            format!("From: carol@example.net\r\nTo: {user}\r\nSubject: {subject}\r\n\r\nHello\r\n");
        self.mail.insert(&user, &inbox, message, Default::default(), now).unwrap();
    }
}

/// What a connector serves that has this mail system, and the directory.
pub fn services(mail: &MemoryMailSystem) -> Services {
    Services {
        mailboxes: Some(Mailboxes::of_all(Arc::new(mail.clone()), CredentialsNeeded::None)),
        directory: Some(Arc::new(People)),
        realms: ["example.org".into()].into(),
        ..Services::default()
    }
}

/// Where phones find what listens there.
pub fn address(listens: SocketAddr) -> Address {
    Address { tls: false, ..Address::active_sync("127.0.0.1", listens.port()) }
}

/// A phone that knows nothing yet, of what listens there.
pub fn phone_at(listens: SocketAddr, user: &str, device: &str) -> Phone {
    let mut account = Account::new(address(listens), user, Secret::new("secret"));
    account.device = device.into();
    Phone::new(account, Tls::new(&Trust::Anyone).unwrap())
}

pub fn key(user: &str, device: &str) -> DeviceKey {
    DeviceKey { user: user.into(), device: device.into() }
}

/// Somebody who changes what is at this revision.
pub fn admin(read: u64) -> Author {
    Author { read, name: "admin".into() }
}

/// Takes the policy and says how it was applied; answers the policy as it came, or the status.
pub async fn provision(
    phone: &mut Phone,
    applied: Applied,
) -> Result<dme_eas::provision::Policy, u16> {
    phone.client.policy_key = Some(0);
    let download = Request::download(Some(phone.device.clone()));
    let answer = phone.client.provision(&download).await.unwrap();
    let offered = answer.policy.ok_or(answer.status.code())?;
    let key = offered.key.ok_or(offered.status.code())?;
    phone.client.policy_key = Some(key);
    let answer = phone.client.provision(&Request::acknowledge(key, applied)).await.unwrap();
    match answer.policy.and_then(|policy| policy.key) {
        Some(key) => phone.client.policy_key = Some(key),
        None => return Err(answer.status.code()),
    }
    Ok(*offered.policy.unwrap())
}

/// Tells by Settings what the phone is, of another model; the command's status where it is refused.
pub async fn tell(phone: &mut Phone, model: &str) -> Result<(), u16> {
    phone.device.model = Some(model.to_owned());
    let request = dme_eas::settings::Request {
        device_information: Some(phone.device.clone()),
        ..Default::default()
    };
    let answer = phone.client.settings(&request).await.unwrap();
    match answer.status {
        dme_eas::settings::Status::Success => Ok(()),
        status => Err(status.code()),
    }
}
