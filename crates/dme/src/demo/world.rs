//! What the demo serves: three users with generated mail, calendars, contacts, tasks and notes, in a directory of its own.

use crate::ask::say_line;
use anyhow::{Context, Result, anyhow};
use dme_connector::Offered;
use dme_connector::config::{DirectoryConfig, MailConfig};
use dme_directory::{FileConfig, NewUser, add_user};
use dme_files::{FilesConfig, FilesMailSystem, NewObject};
use dme_mailbox::{Account, CallContext, Credentials, MailSystem, Mailbox};
use dme_mime::sample::{self, SampleFolder, Sizes};
use dme_model::{Address, Class, RequestId, Role, Secret, Timestamp, UserId};
use dme_pim::sample::{Amounts, SampleObject, account};
use dme_server::config::ServerConfig;
use dme_server::role::Server;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The realm of the demo's users.
const REALM: &str = "example.org";
/// Login name, name for people, seed of the mailbox.
const USERS: [(&str, &str, u64); 3] =
    [("ann", "Ann Müller", 1), ("bob", "Bob Okonkwo", 2), ("chen", "陈伟", 3)];

/// What each user has beside mail.
const AMOUNTS: Amounts = Amounts { contacts: 60, events: 80, series: 12, tasks: 20, notes: 10 };
/// Where it goes.
const ITEM_ROLES: [(Class, Role); 4] = [
    (Class::Calendar, Role::Calendar),
    (Class::Contacts, Role::Contacts),
    (Class::Tasks, Role::Tasks),
    (Class::Notes, Role::Notes),
];

/// A running demo.
pub struct World {
    /// The server, with its connector.
    pub server: Server,
    /// The mail system, to deliver to behind the server's back.
    pub mail: FilesMailSystem,
    /// The password of all users.
    pub password: Secret,
    /// The name or address by which phones come.
    pub host: String,
    directory: PathBuf,
}

impl World {
    /// Makes what is not there yet, and serves it.
    pub async fn start(
        directory: &Path,
        listen: SocketAddr,
        host: &str,
        messages: usize,
    ) -> Result<Self> {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the directory {}", directory.display()))?;
        let directory = directory.canonicalize()?;
        let mail = FilesConfig::new(directory.join("mail"));
        let people = FileConfig::new(REALM, directory.join("people.toml"));
        let system = FilesMailSystem::new(mail.clone());
        let password = password(&directory)?;
        if !people.path.exists() {
            fill(&system, &people, &password, messages).await?;
        }
        let (mail, people) = (MailConfig::Files(mail), DirectoryConfig::File(people));
        let services = dme_connector::services(&Offered {
            mail: Some(&mail),
            people: Some(&people),
            ..Offered::default()
        })?;
        let config = config(&directory, listen, host)?;
        let server = dme_console::start(config, Some(services)).await?;
        Ok(Self { server, mail: system, password, host: host.to_owned(), directory })
    }

    /// A user's address: login and mail address in one.
    pub fn address(name: &str) -> String {
        format!("{name}@{REALM}")
    }

    /// A handle on a user's mailbox, past the server.
    pub async fn mailbox(&self, name: &str) -> Result<Arc<dyn Mailbox>> {
        mailbox(&self.mail, &Self::address(name)).await
    }

    /// Says how a phone is added.
    pub fn explain(&self) {
        let port = self.server.phones.port();
        let users: Vec<String> = USERS.iter().map(|(name, ..)| Self::address(name)).collect();
        say_line(format_args!(
            "\nTo add the account on a phone, choose \"Exchange\" (or \"ActiveSync\") and enter\n  \
             e-mail    {}\n  password  {}\n  server    {}:{port}\n  user name the e-mail address; \
             domain empty\nThe certificate is self-made: accept it, or install {}.\n",
            users.join(", or "),
            self.password.expose(),
            self.host,
            self.directory.join("server/authority/authority.pem").display()
        ));
    }
}

fn config(directory: &Path, listen: SocketAddr, host: &str) -> Result<ServerConfig> {
    let text = format!(
        "directory = {:?}\n\
         [phones]\nlisten = \"{listen}\"\nhost = \"{host}:{}\"\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n\
         [[realms]]\nname = \"{REALM}\"\naliases = [\"EXAMPLE\"]\n\
         access = {{ users = {{ groups = [\"phones\"] }} }}\n\
         [policy]\nmode = \"required\"\npassword_length = 4\n\
         [times]\nshortest_wait = \"5s\"\n",
        directory.join("server"),
        listen.port(),
    );
    toml::from_str(&text).context("the demo's own configuration")
}

/// One password for all users, made at the first start and kept with the data.
fn password(directory: &Path) -> Result<Secret> {
    let path = directory.join("password");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(Secret::new(text.trim()));
    }
    let mut bytes = [0; 6];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| anyhow!("no randomness to be had"))?;
    let password: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = std::fs::OpenOptions::new();
    let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    file.write_all(password.as_bytes())?;
    Ok(Secret::new(password))
}

/// Makes users, folders, mail, and items of the other classes.
async fn fill(
    system: &FilesMailSystem,
    people: &FileConfig,
    password: &Secret,
    messages: usize,
) -> Result<()> {
    let now = now();
    for (name, display_name, seed) in USERS {
        let address = World::address(name);
        let user = UserId::from(address.as_str());
        system.create_user(&user, &[]).await?;
        let mailbox = mailbox(system, &address).await?;
        let owner = Address { name: Some(display_name.to_owned()), email: address.clone() };
        for mail in sample::mailbox(&owner, seed, now, messages, Sizes::Realistic) {
            let collection = collection(&*mailbox, &mail.folder).await?;
            system.insert(&user, &collection, mail.raw, &mail.flags, mail.received).await?;
        }
        let mut objects: BTreeMap<Class, Vec<NewObject>> = BTreeMap::new();
        for SampleObject { class, name, object } in account(&owner, seed, now, &AMOUNTS)? {
            objects.entry(class).or_default().push(NewObject { name, object });
        }
        for (class, role) in ITEM_ROLES {
            let objects = objects.remove(&class).unwrap_or_default();
            system.insert_objects(&user, role, objects).await?;
        }
        let new = NewUser {
            name: name.to_owned(),
            address: Some(address),
            display_name: Some(display_name.to_owned()),
            groups: vec!["phones".to_owned()],
        };
        add_user(people, &new, password).await?;
    }
    Ok(())
}

/// The folder a sample mail lies in; made where it is one of the user's own.
async fn collection(
    mailbox: &dyn Mailbox,
    folder: &SampleFolder,
) -> Result<dme_model::CollectionId> {
    let all = mailbox.collections().await?;
    let found = all.iter().find(|collection| match folder {
        SampleFolder::Role(role) => collection.role == Some(*role),
        SampleFolder::Named(name) => collection.name == *name,
    });
    match (found, folder) {
        (Some(collection), _) => Ok(collection.id.clone()),
        (None, SampleFolder::Named(name)) => {
            Ok(mailbox.create_collection(None, name, Class::Mail).await?)
        }
        (None, SampleFolder::Role(role)) => Err(anyhow!("the mailbox has no {role:?}")),
    }
}

async fn mailbox(system: &FilesMailSystem, address: &str) -> Result<Arc<dyn Mailbox>> {
    let account = Account {
        user: UserId::from(address),
        address: address.to_owned(),
        display_name: None,
        credentials: Credentials::None,
    };
    let context = CallContext::new(RequestId::from("demo"), Duration::from_secs(60));
    Ok(system.open(&account, &context).await?)
}

/// Puts a new mail into a user's inbox, as a mail server would.
pub async fn deliver(world: &World, name: &str, message: &[u8]) -> Result<()> {
    let mailbox = world.mailbox(name).await?;
    let inbox = collection(&*mailbox, &SampleFolder::Role(Role::Inbox)).await?;
    mailbox.deliver(&inbox, message).await?;
    Ok(())
}

/// The system's time.
pub fn now() -> Timestamp {
    SystemTime::now().into()
}
