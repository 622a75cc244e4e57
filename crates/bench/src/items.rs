//! Where calendars and address books are that are measured: local files, or Radicale, which keeps
//! a file for each item too. What lies in the files is what the mail system has.

use crate::world::{self, PASSWORD, REALM, Scale};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_model::{Address, Class, Timestamp};
use dme_pim::sample::{Amounts, account};
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

    /// The connector's settings for it. Beside Radicale, mail is in Dovecot.
    pub fn settings(&self, imap: u16) -> String {
        match self {
            Self::Files(folder) => format!("[mail.files]\nroot = {:?}\n", folder.path()),
            Self::Radicale(radicale) => format!(
                "{}[dav]\nurl = {:?}\npoll = \"{POLL}\"\n",
                world::mail_in_dovecot(imap),
                radicale.url()
            ),
        }
    }

    /// The mail system's processes, where it has some of its own.
    pub fn processes(&self) -> Vec<u32> {
        match self {
            Self::Files(_) => Vec::new(),
            Self::Radicale(radicale) => radicale.process().into_iter().collect(),
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
            Self::Files(_) => {
                let directory = self.directory(&user, Class::Calendar);
                let unfinished = directory.join(".unfinished.tmp");
                std::fs::write(&unfinished, object)?;
                Ok(std::fs::rename(unfinished, directory.join(format!("{name}.ics")))?)
            }
            Self::Radicale(radicale) => {
                let answer = ask(
                    radicale.port,
                    &format!("PUT /{user}/calendar/{name}.ics"),
                    &user,
                    &object,
                )?;
                let status = answer.split(' ').nth(1).unwrap_or_default();
                ensure!(status == "201", "Radicale did not take an event: {answer}");
                Ok(())
            }
        }
    }

    /// The file of the large account's calendar in which this text is.
    ///
    /// # Errors
    /// When there is none.
    pub fn event_with(&self, text: &str) -> Result<PathBuf> {
        for entry in std::fs::read_dir(self.directory(&world::large(), Class::Calendar))? {
            let path = entry?.path();
            if path.is_file() && holds(&path, text)? {
                return Ok(path);
            }
        }
        anyhow::bail!("no event with {text:?} is in the mail system")
    }

    /// Where the items of a class are.
    pub fn directory(&self, user: &str, class: Class) -> PathBuf {
        let name = if class == Class::Contacts { "contacts" } else { "calendar" };
        match self {
            Self::Files(folder) => folder.path().join(user).join("vdir").join(name),
            Self::Radicale(radicale) => radicale.collection(user, name),
        }
    }

    /// Makes a user's calendar and address book.
    fn fill(&self, user: &str, amounts: &Amounts) -> Result<()> {
        for class in [Class::Calendar, Class::Contacts] {
            let directory = self.directory(user, class);
            std::fs::create_dir_all(&directory)?;
            match self {
                Self::Files(_) => {
                    let name = if class == Class::Contacts { "contacts" } else { "calendar" };
                    std::fs::write(directory.join(".dme-class"), name)?;
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
            let ending = if one.class == Class::Contacts { "vcf" } else { "ics" };
            let file = self.directory(user, one.class).join(format!("{number}.{ending}"));
            std::fs::write(file, one.object)?;
        }
        Ok(())
    }
}

/// Whether this text is in a file.
///
/// # Errors
/// When it cannot be read.
pub fn holds(path: &Path, text: &str) -> Result<bool> {
    let read = std::fs::read(path).with_context(|| format!("{}", path.display()))?;
    Ok(String::from_utf8_lossy(&read).contains(text))
}

/// Asks Radicale as another program does, and returns its whole answer.
///
/// # Errors
/// When it does not answer.
pub fn ask(port: u16, what: &str, user: &str, body: &str) -> Result<String> {
    let mut tcp = TcpStream::connect(("127.0.0.1", port))?;
    tcp.set_read_timeout(Some(Duration::from_secs(600)))?;
    let login = STANDARD.encode(format!("{user}:{PASSWORD}"));
    write!(
        tcp,
        "{what} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n\
         Content-Type: text/calendar\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
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
