//! What is measured: Dovecot with seeded mailboxes, a server and a connector, each a process.

use anyhow::{Context, Result, ensure};
use dme_mime::sample::{Sizes, mailbox};
use dme_model::{Address, Timestamp};
use dme_phone::{Tls, Trust};
use dme_pim::sample::Amounts;
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process};
use dme_testkit::slapd::{SERVICE_DN, SERVICE_PASSWORD, SUFFIX, Slapd};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The realm of everyone.
pub const REALM: &str = "bench.example";
/// The password of everyone.
pub const PASSWORD: &str = "bench-password";
/// Who administers a part of the many users of the console: their names, whose group they have, and how
/// many a hundred users of it.
pub const DELEGATES: [(&str, &str, usize); 2] =
    [("desk-tenth", "tenth", 10), ("desk-half", "half", 50)];
/// The bounds of a message's size in bytes.
const SIZES: std::ops::RangeInclusive<usize> = 10_000..=50_000;
/// How long anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Messages of the one large mailbox.
    pub large: usize,
    /// Messages of each of the others.
    pub small: usize,
    /// How many others.
    pub users: usize,
    /// Users whose phones are parked; their mailboxes are empty.
    pub parked_users: usize,
    /// Phones of each of them.
    pub phones_each: usize,
    /// Connectors that come back beside the one that serves them.
    pub crowd: usize,
    /// Seconds for which requests without news are made.
    pub seconds: u64,
    /// How often a single act is repeated.
    pub repeats: usize,
    /// People in the directory that is searched.
    pub entries: usize,
    /// The large calendar and address book.
    pub account: Amounts,
    /// Users whom the console knows.
    pub console_users: usize,
    /// Events in its log.
    pub console_events: usize,
}

impl Scale {
    /// The figures of `docs/benchmarks.md`.
    pub const FULL: Self = Self {
        large: 1000,
        small: 200,
        users: 20,
        parked_users: 200,
        phones_each: 50,
        crowd: 1_000,
        seconds: 10,
        repeats: 100,
        entries: 50_000,
        account: Amounts { contacts: 5_000, events: 2_000, series: 200, tasks: 0, notes: 0 },
        console_users: 10_000,
        console_events: 1_000_000,
    };
    /// Whether it works at all.
    pub const QUICK: Self = Self {
        large: 200,
        small: 30,
        users: 16,
        parked_users: 10,
        phones_each: 20,
        crowd: 50,
        seconds: 3,
        repeats: 20,
        entries: 5_000,
        account: Amounts { contacts: 500, events: 200, series: 20, tasks: 0, notes: 0 },
        console_users: 200,
        console_events: 5_000,
    };
}

/// The login of the user with the large mailbox.
pub fn large() -> String {
    format!("large@{REALM}")
}

/// The login of the user whose phone is woken; nothing lies in that mailbox before.
pub fn woken() -> String {
    format!("woken@{REALM}")
}

/// The logins of those with a small one.
pub fn small(scale: &Scale) -> Vec<String> {
    (0..scale.users).map(|number| format!("user{number}@{REALM}")).collect()
}

/// Those of them whose phones wait while Radicale is asked again and again.
pub fn polled(scale: &Scale) -> Vec<String> {
    small(scale).into_iter().take(8).collect()
}

/// The logins of those whose phones are parked.
pub fn parked(scale: &Scale) -> Vec<String> {
    (0..scale.parked_users).map(|number| format!("parked{number}@{REALM}")).collect()
}

/// All of it, running.
pub struct World {
    pub dovecot: Dovecot,
    pub server: Process,
    pub connector: Process,
    pub phones_port: u16,
    pub tls: Tls,
    admin_port: u16,
    links_port: u16,
    users: Vec<String>,
    folder: Folder,
}

impl World {
    /// Starts it all, with mail in the mailboxes.
    ///
    /// # Errors
    /// When a part does not start; the message holds its log.
    pub fn start(scale: &Scale) -> Result<Self> {
        let mut users = vec![large(), woken()];
        users.extend(small(scale));
        users.extend(parked(scale));
        let extra = "service imap {\n  vsz_limit = 0\n}\n".to_owned();
        let logins = users.iter().map(|user| (user.clone(), PASSWORD));
        let dovecot =
            Dovecot::start(DovecotOptions { extra, ..DovecotOptions::with_users(logins) })?;
        seed(&dovecot, scale)?;
        let folder = Folder::new("bench")?;
        let [phones_port, admin_port, links_port] = [free_port()?, free_port()?, free_port()?];
        configure(folder.path(), &users, dovecot.imap_port, [phones_port, admin_port, links_port])?;
        let server = start_server(folder.path(), &[phones_port, admin_port, links_port])?;
        let token = dme(folder.path(), &["connector", "token", "one", "--config", "server.toml"])?;
        let enroll = ["connector", "enroll", token.trim(), "--config", "connector.toml"];
        dme(folder.path(), &enroll)?;
        dme(folder.path(), &["connector", "unlock", "one", "--config", "server.toml"])?;
        let connector = start_connector(folder.path(), "connector")?;
        let authority = std::fs::read(folder.path().join("server/authority/authority.pem"))?;
        let tls = Tls::new(&Trust::Authority(authority))?;
        let world = Self {
            dovecot,
            server,
            connector,
            phones_port,
            tls,
            admin_port,
            links_port,
            users,
            folder,
        };
        world.wait_ready()?;
        Ok(world)
    }

    /// Has people looked up in an LDAP directory from now on, instead of the file. Server and
    /// connector are started anew.
    ///
    /// # Errors
    /// When one does not start.
    pub fn take_people_from(&mut self, slapd: &Slapd) -> Result<()> {
        let people = format!(
            "[people.ldap]\nrealm = \"{REALM}\"\nurls = [\"{}\"]\n\
             transport = \"plain_on_loopback\"\nbind_dn = \"{SERVICE_DN}\"\n\
             bind_password = \"{SERVICE_PASSWORD}\"\nbases = [\"{SUFFIX}\"]\n",
            slapd.ldap_url()
        );
        let mail = mail_in_dovecot(self.dovecot.imap_port);
        configure_connector(self.folder.path(), &mail, &people)?;
        self.restart()
    }

    /// Has them looked up in the file again.
    ///
    /// # Errors
    /// When server or connector do not start.
    pub fn take_people_from_file(&mut self) -> Result<()> {
        self.serve(&mail_in_dovecot(self.dovecot.imap_port))
    }

    /// Has the connector serve mail, calendars and contacts by these settings from now on. Server
    /// and connector are started anew.
    ///
    /// # Errors
    /// When one does not start.
    pub fn serve(&mut self, systems: &str) -> Result<()> {
        configure_connector(self.folder.path(), systems, &file(self.folder.path()))?;
        self.restart()
    }

    /// Ends server and connector and starts them anew: nothing of earlier work is in memory then.
    ///
    /// # Errors
    /// When one does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.connector.stop();
        self.server.stop();
        self.start_server()?;
        self.connector = start_connector(self.folder.path(), "connector")?;
        self.wait_ready()
    }

    /// Starts a server that was ended, and waits until it listens.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_server(&mut self) -> Result<()> {
        let ports = [self.phones_port, self.admin_port, self.links_port];
        self.server = start_server(self.folder.path(), &ports)?;
        Ok(())
    }

    /// A folder for something else, gone with all the others.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new_folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    }

    /// Starts a second connector, `two`, that has the mail and the people of the first, `one`.
    ///
    /// # Errors
    /// When a part does not start.
    pub fn second_connector(&mut self) -> Result<Process> {
        let folder = self.folder.path();
        let read = |name| std::fs::read_to_string(folder.join(name));
        let named = format!("name = \"{REALM}\"\n");
        let server = read("server.toml")?;
        let both = format!("{named}connector = [\"one\", \"two\"]\n");
        write(folder, "server.toml", &server.replace(&named, &both))?;
        let first = read("connector.toml")?;
        let systems = first.split_once('\n').context("a connector has a directory")?.1;
        write(folder, "two.toml", &format!("directory = {:?}\n{systems}", folder.join("two")))?;
        let token =
            self.dme(&["connector", "token", "two", "--approved", "--config", "server.toml"])?;
        self.dme(&["connector", "enroll", token.trim(), "--config", "two.toml"])?;
        self.restart()?;
        self.start_connector("two")
    }

    /// Starts the connector of this configuration.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_connector(&self, configuration: &str) -> Result<Process> {
        start_connector(self.folder.path(), configuration)
    }

    /// Ends the server, has its directory filled, and starts it again with these people besides.
    ///
    /// # Errors
    /// When it cannot be filled, or one does not start.
    pub async fn filled<F: Future<Output = Result<()>>>(
        &mut self,
        people_besides: impl Iterator<Item = String>,
        fill: impl FnOnce(PathBuf) -> F,
    ) -> Result<()> {
        self.connector.stop();
        self.server.stop();
        let users: Vec<String> = self.users.iter().cloned().chain(people_besides).collect();
        people(self.folder.path(), &users)?;
        fill(self.folder.path().join("server")).await?;
        self.restart()
    }

    /// Where administrators ask.
    pub fn admin_port(&self) -> u16 {
        self.admin_port
    }

    /// Runs `dme` in the folder.
    ///
    /// # Errors
    /// What it complains of.
    pub fn dme(&self, arguments: &[&str]) -> Result<String> {
        dme(self.folder.path(), arguments)
    }

    /// Has the server do something, as whoever may read its directory.
    ///
    /// # Errors
    /// When it does not.
    pub fn administer(&self, method: &str, path: &str) -> Result<()> {
        let token = std::fs::read_to_string(self.path("server/admin.token"))?;
        let more = format!("Authorization: Bearer {}\r\nContent-Length: 0\r\n", token.trim());
        let answer = self.ask(method, path, &more)?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        Ok(())
    }

    /// The processes whose work counts.
    pub fn processes(&self) -> [u32; 2] {
        [self.server.id(), self.connector.id()]
    }

    /// How many phones are parked, as the server's metrics say.
    ///
    /// # Errors
    /// When they do not say.
    pub fn parked_phones(&self) -> Result<usize> {
        let answer = self.get("/metrics")?;
        let line =
            answer.lines().find(|line| line.contains("parked_phones") && !line.starts_with('#'));
        let value =
            line.and_then(|line| line.split_whitespace().last()).context("no such metric")?;
        Ok(value.parse()?)
    }

    /// Waits until so many phones are parked.
    ///
    /// # Errors
    /// When they are not in time.
    pub fn wait_parked(&self, phones: usize, limit: Duration) -> Result<()> {
        wait_until("the phones are parked", limit, || Ok(self.parked_phones()? >= phones))
    }

    fn wait_ready(&self) -> Result<()> {
        wait_until("the server is ready", PATIENCE, || {
            Ok(self.get("/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")))
        })
        .with_context(|| {
            let read = |name| std::fs::read_to_string(self.path(name)).unwrap_or_default();
            format!("{}{}", read("server.log"), read("connector.log"))
        })
    }

    fn get(&self, path: &str) -> Result<String> {
        self.ask("GET", path, "")
    }

    fn ask(&self, method: &str, path: &str, more: &str) -> Result<String> {
        let mut tcp = TcpStream::connect(("127.0.0.1", self.admin_port))?;
        let host = "Host: localhost\r\nConnection: close\r\n";
        write!(tcp, "{method} {path} HTTP/1.1\r\n{host}{more}\r\n")?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Fills the mailboxes through LMTP.
fn seed(dovecot: &Dovecot, scale: &Scale) -> Result<()> {
    let fill = |user: &str, count| {
        let owner = Address { name: None, email: user.to_owned() };
        let mails = mailbox(&owner, 1, Timestamp::from_millis(0), count, Sizes::Within(SIZES));
        dovecot.deliver_all(user, mails.iter().map(|mail| &mail.raw[..]))
    };
    fill(&large(), scale.large)?;
    small(scale).iter().try_for_each(|user| fill(user, scale.small))
}

fn configure(folder: &Path, users: &[String], imap: u16, ports: [u16; 3]) -> Result<()> {
    let [phones, admin, links] = ports;
    let delegated =
        DELEGATES.map(|(desk, of, _)| format!("{{ group = \"{desk}\", groups = [\"{of}\"] }}"));
    let delegated = delegated.join(", ");
    // The pace that keeps a looping phone down would keep the load down too, and one user has
    // more phones than people have. All else is as it is by itself, the log included.
    write(
        folder,
        "server.toml",
        &format!(
            "directory = {:?}\n\
             [phones]\nlisten = \"127.0.0.1:{phones}\"\nhost = \"localhost:{phones}\"\n\
             [admin]\nlisten = \"127.0.0.1:{admin}\"\n\
             [links]\nlisten = \"127.0.0.1:{links}\"\naddress = \"127.0.0.1:{links}\"\n\
             [console]\nsecond_factor = \"optional\"\n\
             [[realms]]\nname = \"{REALM}\"\n[realms.access]\nusers = \"everyone\"\n\
             delegated_administrators = [{delegated}]\n\
             [logins]\npassword_life = \"24h\"\n\
             [devices]\nper_user = 1000\n\
             [limits]\nrequests_per_minute = 100000000\n",
            folder.join("server")
        ),
    )?;
    configure_connector(folder, &mail_in_dovecot(imap), &file(folder))?;
    people(folder, users)
}

/// The connector's settings for mail in Dovecot.
pub fn mail_in_dovecot(imap: u16) -> String {
    format!("[mail.imap.server]\nhost = \"127.0.0.1\"\nport = {imap}\ntls = \"none\"\n")
}

/// The connector's settings with these systems and this directory.
fn configure_connector(folder: &Path, systems: &str, people: &str) -> Result<()> {
    let directory = folder.join("connector");
    write(folder, "connector.toml", &format!("directory = {directory:?}\n{systems}{people}"))
}

/// The settings of the in-file directory.
fn file(folder: &Path) -> String {
    let path = folder.join("people.toml");
    format!("[people.file]\nrealm = \"{REALM}\"\npath = {path:?}\n")
}

/// The in-file directory. All have one password, so that it is hashed once.
fn people(folder: &Path, users: &[String]) -> Result<()> {
    write(folder, "password", PASSWORD)?;
    write(folder, "people.toml", &format!("realm = \"{REALM}\"\n"))?;
    let add = ["user", "add", "first", "--realm", REALM, "--file", "people.toml"];
    dme(folder, &[&add[..], &["--password-file", "password"]].concat())?;
    let written = std::fs::read_to_string(folder.join("people.toml"))?;
    let hash = written.lines().find(|line| line.starts_with("password"));
    let hash = hash.context("the directory's file has no password")?;
    let mut text = written.clone();
    let mut add = |name: &str, groups: &[&str]| {
        text += &format!("\n[users.{name}]\naddress = \"{name}@{REALM}\"\n{hash}\n");
        text += &format!("groups = {groups:?}\n");
    };
    for user in users {
        let name = user.split('@').next().unwrap_or_default();
        // The first of each hundred are in the groups.
        let number = name.strip_prefix("person").and_then(|number| number.parse::<usize>().ok());
        let is_in = |share: usize| number.is_some_and(|number| number % 100 < share);
        let groups = DELEGATES.into_iter().filter(|(_, _, share)| is_in(*share));
        add(name, &groups.map(|(_, of, _)| of).collect::<Vec<_>>());
    }
    DELEGATES.into_iter().for_each(|(desk, ..)| add(desk, &[desk]));
    for (desk, of, _) in DELEGATES {
        text += &format!("[groups.{desk}]\n[groups.{of}]\n");
    }
    write(folder, "people.toml", &text)
}

fn start_server(folder: &Path, ports: &[u16]) -> Result<Process> {
    let mut command = Command::new(binary()?);
    command.args(["server", "--config", "server.toml"]).current_dir(folder);
    let mut server = Process::start("dme server", &mut command, &folder.join("server.log"))?;
    server.wait_ready(ports)?;
    Ok(server)
}

fn start_connector(folder: &Path, name: &str) -> Result<Process> {
    let mut command = Command::new(binary()?);
    let file = format!("{name}.toml");
    command.args(["connector", "run", "--config", &file]).current_dir(folder);
    Process::start("dme connector", &mut command, &folder.join(format!("{name}.log")))
}

/// `dme` lies beside this program.
fn binary() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("dme");
    ensure!(path.exists(), "{} is missing; run ./bench, which builds it", path.display());
    Ok(path)
}

fn dme(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(binary()?).args(arguments).current_dir(folder).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "dme {arguments:?}: {said}{complained}");
    Ok(said)
}

fn write(folder: &Path, name: &str, content: &str) -> Result<()> {
    std::fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))
}
