//! Cyrus (Debian's `cyrus-imapd` 3.6) on free loopback ports: calendars and address books with
//! scheduling (RFC 6638).
//!
//! Its packages exclude Dovecot's, so they are not installed but unpacked into a folder beside the
//! build, once for all tests. Passwords are checked by a small server of ours that speaks
//! saslauthd's protocol.

use crate::debian::{Release, unpacked};
use crate::ports::free_port;
use crate::process::{Folder, Process, give_to};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What cannot be installed beside Debian's Dovecot. The libraries it needs can, and are.
const PACKAGES: [&str; 3] = ["cyrus-common", "cyrus-caldav", "cyrus-imapd"];
/// Whom the server runs as.
const OWNER: &str = "nobody";

/// A running server.
#[derive(Debug)]
pub struct Cyrus {
    /// The port for CalDAV and CardDAV.
    pub http_port: u16,
    /// The port for IMAP.
    pub imap_port: u16,
    process: Option<Process>,
    programs: PathBuf,
    folder: Folder,
}

impl Cyrus {
    /// Starts a server on which anybody with one of these passwords is a user, in calendars known
    /// as `name@example.org`, and waits until it accepts connections. Each user must be
    /// [welcomed](Self::welcome) first.
    ///
    /// # Errors
    /// When its packages cannot be had or it cannot be started.
    pub fn start(passwords: &[&str]) -> anyhow::Result<Self> {
        let programs = unpacked("cyrus", &PACKAGES, Release::Own)?;
        let folder = Folder::new("cyrus")?;
        let mut cyrus = Self { http_port: 0, imap_port: 0, process: None, programs, folder };
        for name in ["conf", "run", "run/proc", "run/lock", "run/socket", "spool", "sieve"] {
            fs::create_dir(cyrus.path(name))?;
        }
        check_passwords(&cyrus.path("run/auth"), passwords)?;
        let mut last = None;
        // Another process may take one of the ports between their choice and their use.
        for _ in 0..3 {
            (cyrus.http_port, cyrus.imap_port) = (free_port()?, free_port()?);
            match cyrus.restart() {
                Ok(()) => return Ok(cyrus),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("cyrus was not tried")))
    }

    /// Its master process, as long as it runs.
    pub fn process(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Its address for CalDAV and CardDAV.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.http_port)
    }

    /// Logs a user in by IMAP once: until then the server has no place for calendars of theirs.
    ///
    /// # Errors
    /// When the server does not let the user in.
    pub fn welcome(&self, user: &str, password: &str) -> anyhow::Result<()> {
        self.imap(user, password, None)
    }

    /// Shares a user's calendar with another, by name as in its address, with these rights (RFC
    /// 4314), and has the other show it among their own. The owner's calendars must have been asked
    /// for before: the server makes them then.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn share(
        &self,
        (owner, calendar): (&str, &str),
        with: &str,
        rights: &str,
        password: &str,
    ) -> anyhow::Result<()> {
        let acl = format!("SETACL \"#calendars/{calendar}\" {with} {rights}");
        self.imap(owner, password, Some(&acl))?;
        let subscription = format!("SUBSCRIBE \"Other Users/{owner}/#calendars/{calendar}\"");
        self.imap(with, password, Some(&subscription))
    }

    /// Logs a user in by IMAP and gives a command.
    fn imap(&self, user: &str, password: &str, command: Option<&str>) -> anyhow::Result<()> {
        let mut imap = std::net::TcpStream::connect(("127.0.0.1", self.imap_port))?;
        imap.set_read_timeout(Some(std::time::Duration::from_secs(20)))?;
        let command = command.unwrap_or("NOOP");
        write!(imap, "a LOGIN {user} {password}\r\nb {command}\r\nc LOGOUT\r\n")?;
        let mut said = String::new();
        imap.read_to_string(&mut said)?;
        anyhow::ensure!(said.contains("\r\na OK"), "cyrus did not let {user} in: {said}");
        anyhow::ensure!(said.contains("\r\nb OK"), "cyrus refused {user} a command: {said}");
        Ok(())
    }

    /// Starts it again on the same ports with the same data.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        self.configure()?;
        let mut command = Command::new(self.programs.join("usr/lib/cyrus/bin/master"));
        command.arg("-C").arg(self.path("imapd.conf")).arg("-M").arg(self.path("cyrus.conf"));
        command.arg("-p").arg(self.path("run/pid"));
        command.env("LD_LIBRARY_PATH", libraries(&self.programs)?).env("CYRUS_USER", OWNER);
        let mut process = Process::start("cyrus", &mut command, &self.path("log"))?;
        process.wait_ready(&[self.http_port, self.imap_port])?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self) -> anyhow::Result<()> {
        let dir = self.folder.path().display();
        let bin = self.programs.join("usr/lib/cyrus/bin");
        let bin = bin.display();
        let settings = format!(
            "configdirectory: {dir}/conf\nproc_path: {dir}/run/proc\n\
             mboxname_lockpath: {dir}/run/lock\ndefaultpartition: default\n\
             partition-default: {dir}/spool\nsievedir: {dir}/sieve\n\
             lmtpsocket: {dir}/run/socket/lmtp\nidlesocket: {dir}/run/socket/idle\n\
             notifysocket: {dir}/run/socket/notify\ncyrus_user: {OWNER}\n\
             altnamespace: yes\nunixhierarchysep: yes\nhashimapspool: yes\n\
             calendar_user_address_set: example.org\n\
             httpmodules: caldav carddav\ncaldav_allowscheduling: on\n\
             caldav_create_default: yes\ncarddav_create_default: yes\n\
             autocreate_quota: 0\nautocreate_post: yes\nallowplaintext: yes\n\
             sasl_mech_list: PLAIN\n\
             sasl_pwcheck_method: saslauthd\nsasl_saslauthd_path: {dir}/run/auth/mux\n"
        );
        fs::write(self.path("imapd.conf"), settings)?;
        let listen = |port: u16| format!("listen=\"127.0.0.1:{port}\" prefork=1");
        let services = format!(
            "START {{\n  recover cmd=\"{bin}/ctl_cyrusdb -C {dir}/imapd.conf -r\"\n}}\n\
             SERVICES {{\n  imap cmd=\"{bin}/imapd -C {dir}/imapd.conf\" {}\n  \
             http cmd=\"{bin}/httpd -C {dir}/imapd.conf\" {}\n}}\nEVENTS {{\n}}\n",
            listen(self.imap_port),
            listen(self.http_port),
        );
        fs::write(self.path("cyrus.conf"), services)?;
        give_to(OWNER, self.folder.path())
    }
}

/// Where its own libraries are, whatever the machine's architecture.
fn libraries(programs: &Path) -> anyhow::Result<String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(programs.join("usr/lib"))? {
        paths.push(entry?.path().display().to_string());
    }
    Ok(paths.join(":"))
}

/// Answers saslauthd's question (four counted texts: login, password, service, realm) with OK where
/// the password is one of these. Ends with the process.
fn check_passwords(folder: &Path, passwords: &[&str]) -> anyhow::Result<()> {
    fs::create_dir(folder)?;
    let socket = folder.join("mux");
    let listener = UnixListener::bind(&socket)?;
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o777))?;
    let passwords: Vec<Vec<u8>> = passwords.iter().map(|one| one.as_bytes().to_vec()).collect();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever asks badly gets no answer.
            let _ = check_password(stream, &passwords);
        }
    });
    Ok(())
}

fn check_password(mut stream: UnixStream, passwords: &[Vec<u8>]) -> std::io::Result<()> {
    let mut texts = Vec::new();
    for _ in 0..4 {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut text = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut text)?;
        texts.push(text);
    }
    let right = texts.get(1).is_some_and(|said| passwords.contains(said));
    stream.write_all(if right { b"\0\x02OK" } else { b"\0\x02NO" })
}
