//! Where calendars and address books are that are measured: local files, Radicale, which keeps a file
//! for each item too, or Cyrus. What lies in the files is what the mail system has.

use crate::world::{self, PASSWORD, REALM, Scale};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_model::{Address, Class, Timestamp};
use dme_pim::sample::{Amounts, account};
use dme_testkit::cyrus::Cyrus;
use dme_testkit::process::Folder;
use dme_testkit::radicale::Radicale;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What each user has whose phone only waits while Radicale is asked again and again.
pub const OF_EACH: Amounts = Amounts { contacts: 100, events: 50, series: 5, tasks: 0, notes: 0 };

/// How often Radicale is asked for what is new. Questions come at random between three and five
/// quarters of it apart.
pub const POLL: &str = "750ms";

/// Calendars and address books, of one class a collection.
pub enum Items {
    /// In local files (vdir).
    Files(Folder),
    /// In Radicale.
    Radicale(Radicale),
    /// In Cyrus.
    Cyrus(Cyrus),
}

/// An item of the large account as the mail system has it.
pub enum Kept {
    /// A file.
    File(PathBuf),
    /// What Cyrus gives for a path.
    Resource(u16, String),
}

impl Kept {
    /// Whether this text is in it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn holds(&self, text: &str) -> Result<bool> {
        match self {
            Self::File(path) => holds(path, text),
            Self::Resource(port, path) => {
                Ok(ask(*port, &format!("GET {path}"), &world::large(), "")?.contains(text))
            }
        }
    }
}

impl Items {
    /// Local files with the large account.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn in_files(scale: &Scale) -> Result<Self> {
        let items = Self::Files(Folder::new("bench-files")?);
        items.fill(&world::large(), &scale.account)?;
        Ok(items)
    }

    /// Radicale with the large account and those of [`world::polled`], of which each has
    /// [`OF_EACH`].
    ///
    /// # Errors
    /// When it does not start, or cannot be filled.
    pub fn in_radicale(scale: &Scale) -> Result<Self> {
        let mut users = world::polled(scale);
        users.push(world::large());
        let logins: Vec<_> = users.iter().map(|user| (user.as_str(), PASSWORD)).collect();
        let radicale = Radicale::start(&logins)?;
        let port = radicale.port;
        let items = Self::Radicale(radicale);
        items.fill(&world::large(), &scale.account)?;
        world::polled(scale).iter().try_for_each(|user| items.fill(user, &OF_EACH))?;
        // It reads each item once, which takes longer than a phone or the connector waits.
        for user in &users {
            for name in ["calendar", "contacts"] {
                ask(port, &format!("GET /{user}/{name}/"), user, "")?;
            }
        }
        Ok(items)
    }

    /// Cyrus with the large account.
    ///
    /// # Errors
    /// When it does not start, or cannot be filled.
    pub fn in_cyrus(scale: &Scale) -> Result<Self> {
        let cyrus = Cyrus::start(&[PASSWORD])?;
        cyrus.welcome(&local(&world::large()), PASSWORD)?;
        let items = Self::Cyrus(cyrus);
        items.fill(&world::large(), &scale.account)?;
        Ok(items)
    }

    /// The connector's settings for it. Beside a DAV server, mail is in Dovecot.
    pub fn settings(&self, imap: u16) -> String {
        match self {
            Self::Files(folder) => format!("[mail.files]\nroot = {:?}\n", folder.path()),
            Self::Radicale(radicale) => format!(
                "{}[dav]\nurl = {:?}\npoll = \"{POLL}\"\n",
                world::mail_in_dovecot(imap),
                radicale.url()
            ),
            Self::Cyrus(cyrus) => format!(
                "{}[dav]\nurl = {:?}\nlogin = \"local\"\npoll = \"{POLL}\"\n",
                world::mail_in_dovecot(imap),
                cyrus.url()
            ),
        }
    }

    /// The mail system's processes, where it has some of its own.
    pub fn processes(&self) -> Vec<u32> {
        match self {
            Self::Files(_) => Vec::new(),
            Self::Radicale(radicale) => radicale.process().into_iter().collect(),
            Self::Cyrus(cyrus) => cyrus.process().into_iter().collect(),
        }
    }

    /// Puts an event into the large account's calendar, as another program does.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn put_event(&self, name: &str, title: &str) -> Result<()> {
        let user = world::large();
        let object = event(name, title);
        match self {
            Self::Files(folder) => {
                let directory = folder.path().join(files(&user, Class::Calendar));
                let unfinished = directory.join(".unfinished.tmp");
                std::fs::write(&unfinished, object)?;
                Ok(std::fs::rename(unfinished, directory.join(format!("{name}.ics")))?)
            }
            Self::Radicale(_) | Self::Cyrus(_) => {
                let (port, path) = self.dav(&user, Class::Calendar).context("no DAV server")?;
                put(port, &format!("{path}{name}.ics"), &user, &object)
            }
        }
    }

    /// The event of the large account in which this text is.
    ///
    /// # Errors
    /// When there is none.
    pub fn event_with(&self, text: &str) -> Result<Kept> {
        let user = world::large();
        let Some(directory) = self.directory(&user, Class::Calendar) else {
            let (port, path) = self.dav(&user, Class::Calendar).context("no DAV server")?;
            let question = format!(
                "<C:calendar-query xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><prop>\
                 <getetag/></prop><C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter \
                 name=\"VEVENT\"><C:prop-filter name=\"SUMMARY\"><C:text-match>{text}</C:text-match>\
                 </C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
            );
            let answer = ask(port, &format!("REPORT {path}"), &user, &question)?;
            let path = members(&answer, ".ics").pop().context("the event is not there")?;
            return Ok(Kept::Resource(port, path));
        };
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_file() && holds(&path, text)? {
                return Ok(Kept::File(path));
            }
        }
        anyhow::bail!("no event with {text:?} is in the mail system")
    }

    /// The folder with a file for each item of a class, where there is one.
    fn directory(&self, user: &str, class: Class) -> Option<PathBuf> {
        match self {
            Self::Files(folder) => Some(folder.path().join(files(user, class))),
            Self::Radicale(radicale) => Some(radicale.collection(user, name(class))),
            Self::Cyrus(_) => None,
        }
    }

    /// Where another program asks for the items of a class: port and path. None for local files.
    pub fn dav(&self, user: &str, class: Class) -> Option<(u16, String)> {
        match (self, class) {
            (Self::Files(_), _) => None,
            (Self::Radicale(radicale), _) => {
                Some((radicale.port, format!("/{user}/{}/", name(class))))
            }
            (Self::Cyrus(cyrus), Class::Contacts) => {
                let path = format!("/dav/addressbooks/user/{}/Default/", local(user));
                Some((cyrus.http_port, path))
            }
            (Self::Cyrus(cyrus), _) => {
                Some((cyrus.http_port, format!("/dav/calendars/user/{}/Default/", local(user))))
            }
        }
    }

    /// Fills a user's calendar and address book, and makes them where they are not there.
    fn fill(&self, user: &str, amounts: &Amounts) -> Result<()> {
        for class in [Class::Calendar, Class::Contacts] {
            let Some(directory) = self.directory(user, class) else { continue };
            std::fs::create_dir_all(&directory)?;
            match self {
                Self::Cyrus(_) => {}
                Self::Files(_) => {
                    std::fs::write(directory.join(".dme-class"), name(class))?;
                }
                Self::Radicale(_) => {
                    std::fs::write(directory.join(".Radicale.props"), properties(class))?;
                }
            }
        }
        if let Self::Files(folder) = self {
            let home = folder.path().join(user);
            for made in ["Maildir/cur", "Maildir/new", "Maildir/tmp", "vdir/.dme/tmp"] {
                std::fs::create_dir_all(home.join(made))?;
            }
        }
        let owner = Address { name: None, email: user.to_owned() };
        for (number, one) in account(&owner, 1, now(), amounts)?.into_iter().enumerate() {
            let file = format!("{number}{}", ending(one.class));
            match (self.directory(user, one.class), self.dav(user, one.class)) {
                (Some(directory), _) => std::fs::write(directory.join(file), one.object)?,
                (None, Some((port, path))) => {
                    let object = String::from_utf8(one.object)?;
                    put(port, &format!("{path}{file}"), user, &object)?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }
}

/// Whether this text is in a file.
///
/// # Errors
/// When it cannot be read.
fn holds(path: &Path, text: &str) -> Result<bool> {
    let read = std::fs::read(path).with_context(|| format!("{}", path.display()))?;
    Ok(String::from_utf8_lossy(&read).contains(text))
}

/// The paths of the members that a DAV server's answer names, by how their names end.
pub fn members(answer: &str, ending: &str) -> Vec<String> {
    let named = answer.split("href>").filter_map(|piece| piece.split("</").next());
    named.filter(|path| path.ends_with(ending)).map(str::to_owned).collect()
}

/// How the names of items end.
pub fn ending(class: Class) -> &'static str {
    if class == Class::Contacts { ".vcf" } else { ".ics" }
}

fn name(class: Class) -> &'static str {
    if class == Class::Contacts { "contacts" } else { "calendar" }
}

fn files(user: &str, class: Class) -> PathBuf {
    Path::new(user).join("vdir").join(name(class))
}

/// The login without its realm, by which Cyrus knows a user.
fn local(user: &str) -> String {
    user.split('@').next().unwrap_or_default().to_owned()
}

fn put(port: u16, path: &str, user: &str, object: &str) -> Result<()> {
    let answer = ask(port, &format!("PUT {path}"), user, object)?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    ensure!(status == "201", "an item was not taken: {answer}");
    Ok(())
}

/// Asks a DAV server as another program does, and returns its whole answer.
///
/// # Errors
/// When it does not answer.
pub fn ask(port: u16, what: &str, user: &str, body: &str) -> Result<String> {
    let mut tcp = TcpStream::connect(("127.0.0.1", port))?;
    tcp.set_read_timeout(Some(Duration::from_secs(600)))?;
    let path = what.split(' ').nth(1).unwrap_or_default();
    let user = if path.starts_with("/dav/") { local(user) } else { user.to_owned() };
    let login = STANDARD.encode(format!("{user}:{PASSWORD}"));
    let kind = match path {
        _ if body.starts_with('<') => "application/xml",
        path if path.ends_with(".vcf") => "text/vcard",
        _ => "text/calendar",
    };
    // By 1.0, so that the answer comes in one piece.
    write!(
        tcp,
        "{what} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n\
         Content-Type: {kind}\r\nDepth: 1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    tcp.read_to_string(&mut answer)?;
    Ok(answer)
}

/// What Radicale keeps of a collection beside its items.
fn properties(class: Class) -> &'static str {
    match class {
        Class::Contacts => r#"{"tag": "VADDRESSBOOK", "D:displayname": "Contacts"}"#,
        _ => {
            r#"{"tag": "VCALENDAR", "D:displayname": "Calendar",
                "C:supported-calendar-component-set": "VEVENT"}"#
        }
    }
}

fn event(name: &str, title: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{REALM}//bench//EN\r\nBEGIN:VEVENT\r\n\
         UID:{name}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20270101T100000Z\r\n\
         DTEND:20270101T110000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// The system's time.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
