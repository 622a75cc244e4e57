//! A whole organisation in one test: a directory, a mail system, a server and a connector, each a
//! process of its own on loopback ports.

use anyhow::{Context, Result, ensure};
use dme_model::Secret;
use dme_phone::{Account, Address, Phone, Tls, Trust};
use dme_testkit::certificate::Certificate;
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::postfix::{Postfix, PostfixOptions};
use dme_testkit::process::{Folder, Process, run};
use dme_testkit::slapd::{SERVICE_DN, SERVICE_PASSWORD, SUFFIX, Slapd, SlapdOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The realm of everyone.
pub const REALM: &str = "example.org";
/// Users and passwords; one password is not ASCII, as people have them.
pub const USERS: [(&str, &str); 3] =
    [("ann", "p\u{e4}ssw\u{f6}rd-Zq1"), ("bob", "bobs-secret-Zq2"), ("eve", "eves-secret-Zq3")];
/// What a photo begins with and nothing else, 30 bytes.
pub const EVES_PHOTO: &[u8] = b"\xFF\xD8\xFF\xE0photo of thirty bytes, Eve";
/// How long anything may take to come about.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What differs from one test to another.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// More of the server's configuration, in tables that are not there yet.
    pub server: String,
}

/// The running organisation.
pub struct Site {
    pub dovecot: Dovecot,
    pub postfix: Postfix,
    pub slapd: Slapd,
    pub server: Process,
    pub connector: Process,
    pub phones_port: u16,
    pub admin_port: u16,
    folder: Folder,
}

/// Ann and Bob may use phones, through a nested group; Eve is in the directory only.
pub fn ldif() -> String {
    let mut ldif =
        format!("dn: ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: people\n\n");
    for (name, password) in USERS {
        use base64::Engine as _;
        let password = base64::engine::general_purpose::STANDARD.encode(password);
        let more = if name == "eve" { eves_card() } else { "telephoneNumber: +1 555 1\n".into() };
        ldif.push_str(&format!(
            "dn: uid={name},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {name}\n\
             cn: {name} Example\nsn: Example\nmail: {name}@{REALM}\n\
             userPassword:: {password}\n{more}\n"
        ));
    }
    ldif.push_str(&format!(
        "dn: uid=atlas,ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: atlas\n\
         cn: Room Atlas\nsn: Atlas\nmail: atlas@{REALM}\nemployeeType: room\n\n"
    ));
    ldif.push_str(&format!(
        "dn: ou=groups,{SUFFIX}\nobjectClass: organizationalUnit\nou: groups\n\n\
         dn: cn=sales,ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: sales\n\
         member: uid=ann,ou=people,{SUFFIX}\nmember: uid=bob,ou=people,{SUFFIX}\n\n\
         dn: cn=all,ou=groups,{SUFFIX}\nobjectClass: groupOfNames\n\
         objectClass: extensibleObject\ncn: all\ndisplayName: All people\nmail: all@{REALM}\n\
         member: uid=ann,ou=people,{SUFFIX}\nmember: uid=eve,ou=people,{SUFFIX}\n\n\
         dn: cn=dme-users,ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: dme-users\n\
         member: cn=sales,ou=groups,{SUFFIX}\n\n"
    ));
    ldif
}

/// All that colleagues are shown of Eve, her certificate included.
fn eves_card() -> String {
    use base64::Engine as _;
    let photo = base64::engine::general_purpose::STANDARD.encode(EVES_PHOTO);
    let certificate = Certificate::for_loopback().map(|made| made.base64()).unwrap_or_default();
    format!(
        "givenName: Eve\ntitle: Auditor\no: Example Ltd\nphysicalDeliveryOfficeName: Room 7\n\
         telephoneNumber: +1 555 77\nmobile: +1 555 9\nhomePhone: +1 555 8\n\
         jpegPhoto:: {photo}\nuserCertificate;binary:: {certificate}\n"
    )
}

/// Everyone's mailboxes.
pub fn dovecot() -> Result<Dovecot> {
    let users = USERS.map(|(name, password)| (format!("{name}@{REALM}"), password.to_owned()));
    Dovecot::start(DovecotOptions { tls: true, ..DovecotOptions::with_users(users) })
}

/// The server that takes their mail.
pub fn postfix(dovecot: &Dovecot) -> Result<Postfix> {
    Postfix::start(dovecot, &PostfixOptions { domain: REALM.into(), ..PostfixOptions::default() })
}

impl Site {
    /// Starts it all and waits until phones can be served.
    pub fn start(wishes: &Wishes) -> Result<Self> {
        let dovecot = dovecot()?;
        let postfix = postfix(&dovecot)?;
        Self::on(dovecot, postfix, "", wishes)
    }

    /// The same on mail servers that are there, with more of the connector's configuration.
    pub fn on(
        dovecot: Dovecot,
        postfix: Postfix,
        connector: &str,
        wishes: &Wishes,
    ) -> Result<Self> {
        let slapd = Slapd::start(&SlapdOptions { ldif: ldif(), ..SlapdOptions::default() })?;
        let folder = Folder::new("site")?;
        let [phones_port, admin_port, links_port] = [free_port()?, free_port()?, free_port()?];
        write(
            folder.path(),
            "server.toml",
            &format!(
                "directory = {:?}\n\
             [phones]\nlisten = \"127.0.0.1:{phones_port}\"\nhost = \"localhost:{phones_port}\"\n\
             [admin]\nlisten = \"127.0.0.1:{admin_port}\"\n\
             [links]\nlisten = \"127.0.0.1:{links_port}\"\naddress = \"127.0.0.1:{links_port}\"\n\
             [[realms]]\nname = \"{REALM}\"\naliases = [\"EXAMPLE\"]\n\
             [realms.access]\nusers = {{ groups = [\"dme-users\"] }}\n\
             [log]\nlevel = \"debug,h2=info,hyper=info\"\n{}",
                folder.path().join("server"),
                wishes.server
            ),
        )?;
        write(folder.path(), "dovecot.pem", dovecot.ca_pem.as_deref().unwrap_or_default())?;
        write(
            folder.path(),
            "connector.toml",
            &format!(
                "directory = {:?}\n\
             [mail.imap.server]\nhost = \"localhost\"\nport = {}\nca_file = {:?}\n\
             [mail.imap.smtp.server]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             [people.ldap]\nrealm = \"{REALM}\"\nurls = [\"ldaps://localhost:{}\"]\nca_file = {:?}\n\
             bind_dn = \"{SERVICE_DN}\"\nbind_password = \"{SERVICE_PASSWORD}\"\n\
             bases = [\"{SUFFIX}\"]\n\
             [people.ldap.address_list]\nrooms = \"(employeeType=room)\"\n\
             [log]\nlevel = \"debug,h2=info,hyper=info\"\n{}",
                folder.path().join("connector"),
                dovecot.imaps_port,
                folder.path().join("dovecot.pem"),
                postfix.port,
                slapd.ldaps_port,
                slapd.ca_file(),
                connector,
            ),
        )?;
        let server = start_server(folder.path(), &[phones_port, admin_port, links_port])?;
        let token =
            dme(folder.path(), &["connector", "token", "branch", "--config", "server.toml"])?;
        let enrolled = dme(
            folder.path(),
            &["connector", "enroll", token.trim(), "--config", "connector.toml"],
        )?;
        ensure!(enrolled.contains("locked"), "a connector must wait to be unlocked: {enrolled}");
        dme(folder.path(), &["connector", "unlock", "branch", "--config", "server.toml"])?;
        let connector = start_connector(folder.path())?;
        let site =
            Self { dovecot, postfix, slapd, server, connector, phones_port, admin_port, folder };
        site.wait_ready().with_context(|| site.logs().unwrap_or_default())?;
        Ok(site)
    }

    /// Waits until the server says that it is ready.
    pub fn wait_ready(&self) -> Result<()> {
        wait_until("the server is ready", PATIENCE, || {
            Ok(self.get("/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")))
        })
    }

    /// The admin listener's answer to a plain GET, head and body.
    pub fn get(&self, path: &str) -> Result<String> {
        use std::io::{Read, Write};
        let mut tcp = std::net::TcpStream::connect(("127.0.0.1", self.admin_port))?;
        write!(tcp, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// A user's phone that knows nothing yet.
    pub fn phone(&self, user: &str) -> Result<Phone> {
        let (_, password) = USERS.iter().find(|(name, _)| *name == user).context("no such user")?;
        self.phone_as(&format!("{user}@{REALM}"), password)
    }

    /// A phone with this login.
    pub fn phone_as(&self, login: &str, password: &str) -> Result<Phone> {
        let address = Address::active_sync("localhost", self.phones_port);
        phone_at(address, self.folder.path(), login, password)
    }

    /// Runs `dme` with the server's configuration.
    pub fn dme(&self, arguments: &[&str]) -> Result<String> {
        dme(self.folder.path(), &[arguments, &["--config", "server.toml"]].concat())
    }

    /// Runs `dme` as it is called.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        dme(self.folder.path(), arguments)
    }

    /// Enrols and starts one more connector, which may serve at once. It logs to `NAME.log`.
    pub fn add_connector(&self, name: &str, config: &str) -> Result<Process> {
        let file = format!("{name}.toml");
        let config = format!(
            "directory = {:?}\n{config}[log]\nlevel = \"debug,h2=info,hyper=info\"\n",
            self.path(name)
        );
        write(self.folder.path(), &file, &config)?;
        let token = self.dme(&["connector", "token", name, "--approved"])?;
        self.run(&["connector", "enroll", token.trim(), "--config", &file])?;
        start(&[], self.folder.path(), &["connector", "run", "--config", &file], name)
    }

    /// Changes the server's configuration, and ends and starts it.
    pub fn reconfigure(&mut self, change: impl FnOnce(String) -> String) -> Result<()> {
        let path = self.path("server.toml");
        std::fs::write(&path, change(std::fs::read_to_string(&path)?))?;
        self.crash_server()
    }

    /// Ends the server as a power cut would, and starts it again.
    pub fn crash_server(&mut self) -> Result<()> {
        self.kill_server();
        self.restart_server()
    }

    /// Ends the server as a power cut would.
    pub fn kill_server(&mut self) {
        self.server.kill();
    }

    /// Starts the server again.
    pub fn restart_server(&mut self) -> Result<()> {
        // Its log begins anew.
        self.keeps_its_secrets()?;
        self.server = start_server(self.folder.path(), &[self.phones_port, self.admin_port])?;
        Ok(())
    }

    /// Ends the connector as a power cut would.
    pub fn kill_connector(&mut self) {
        self.connector.kill();
    }

    /// Starts the connector again.
    pub fn restart_connector(&mut self) -> Result<()> {
        self.keeps_its_secrets()?;
        self.connector = start_connector(self.folder.path())?;
        Ok(())
    }

    /// That what was logged so far holds no secret and no subject.
    fn keeps_its_secrets(&self) -> Result<()> {
        let mut others = subjects(&self.dovecot.dir().join("mail"));
        let token = std::fs::read_to_string(self.path("server/admin.token"))?;
        others.push(token.trim().to_owned());
        hold_no_secret(&self.logs()?, &others)
    }

    /// What server and connector logged so far.
    pub fn logs(&self) -> Result<String> {
        let read = |name| std::fs::read_to_string(self.path(name));
        Ok(format!("{}{}", read("server.log")?, read("connector.log")?))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Whatever a test did, no log of it betrays anything. A test that panicked already says why.
impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.keeps_its_secrets().expect("the logs hold no secret");
        }
    }
}

/// Texts that stand in mail and nowhere else.
const MARK: &str = "Zq-";

/// That these logs hold no password in any form that it has on the way, none of `others`, and no
/// mail.
pub fn hold_no_secret(logs: &str, others: &[String]) -> Result<()> {
    use base64::Engine as _;
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let logins = USERS.into_iter().flat_map(|(user, password)| {
        let login = encode(format!("{user}@{REALM}:{password}"));
        let sasl = encode(format!("\0{user}@{REALM}\0{password}"));
        [password.to_owned(), encode(password.to_owned()), login, sasl]
    });
    let fixed = [SERVICE_PASSWORD.to_owned(), MARK.to_owned()];
    for secret in logins.chain(fixed).chain(others.iter().cloned()) {
        if let Some(line) = logs.lines().find(|line| line.contains(&secret)) {
            anyhow::bail!("a log holds {secret:?}: {line}");
        }
    }
    Ok(())
}

/// The subjects of all mail in a Dovecot's Maildirs that are told apart from other words.
fn subjects(mail: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![mail.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let within = path.parent().and_then(Path::file_name).unwrap_or_default();
            if within != "cur" && within != "new" {
                continue;
            }
            let message = std::fs::read(&path).unwrap_or_default();
            let message = String::from_utf8_lossy(&message);
            let subject = message.lines().find_map(|line| line.strip_prefix("Subject: "));
            let is_own = |subject: &&str| subject.len() >= 8 && subject.contains(' ');
            found.extend(subject.map(str::trim).filter(is_own).map(str::to_owned));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A phone with this login that trusts the server whose files are in this folder.
pub fn phone_at(address: Address, folder: &Path, login: &str, password: &str) -> Result<Phone> {
    let account = Account::new(address, login, Secret::new(password));
    let authority = std::fs::read(folder.join("server/authority/authority.pem"))?;
    let mut phone = Phone::new(account, Tls::new(&Trust::Authority(authority))?);
    phone.longest_pause = PATIENCE;
    Ok(phone)
}

/// What the phones' listener of the server whose files are in this folder answers: the status, and
/// what is said. `more` is said to `curl` besides.
pub fn curl(folder: &Path, more: &[&str], url: &str) -> Result<(u16, Vec<u8>)> {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-w", "%{stderr}%{http_code}", "--cacert"]);
    curl.arg(folder.join("server/authority/authority.pem"));
    let answer = curl.args(more).arg(url).output()?;
    let status = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
    Ok((status.parse().with_context(|| format!("curl: {status}"))?, answer.stdout))
}

/// Starts `dme` in this folder, by the command `before` if there is one. It logs to `LOG.log`.
pub fn start(before: &[&str], folder: &Path, arguments: &[&str], log: &str) -> Result<Process> {
    let words = [before, &[env!("CARGO_BIN_EXE_dme")], arguments].concat();
    let (program, arguments) = words.split_first().context("a command")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    Process::start("dme", &mut command, &folder.join(format!("{log}.log")))
}

fn start_server(folder: &Path, ports: &[u16]) -> Result<Process> {
    let mut server = start(&[], folder, &["server", "--config", "server.toml"], "server")?;
    server.wait_ready(ports)?;
    Ok(server)
}

fn start_connector(folder: &Path) -> Result<Process> {
    start(&[], folder, &["connector", "run", "--config", "connector.toml"], "connector")
}

fn dme(folder: &Path, arguments: &[&str]) -> Result<String> {
    run(Command::new(env!("CARGO_BIN_EXE_dme")).args(arguments).current_dir(folder))
}

fn write(folder: &Path, name: &str, content: &str) -> Result<()> {
    std::fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))
}
