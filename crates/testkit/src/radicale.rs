//! Radicale (Debian's `radicale`) on a free loopback port: calendars and address books of users
//! with plain passwords, without scheduling.

use crate::certificate::Certificate;
use crate::ports::free_port;
use crate::process::{Folder, Process};
use std::path::PathBuf;
use std::process::Command;

/// The user who may do everything.
pub const ADMIN: &str = "admin";
/// Who may do what; the first that fits counts.
const RIGHTS: &str = "[admin]\nuser: admin\ncollection: .*\npermissions: RrWw\n\
     [root]\nuser: .+\ncollection:\npermissions: R\n\
     [home]\nuser: .+\ncollection: {user}\npermissions: RW\n\
     [shared]\nuser: .+\ncollection: {user}/shared-[^/]+\npermissions: r\n\
     [own]\nuser: .+\ncollection: {user}/[^/]+\npermissions: rw\n";

/// A running server.
#[derive(Debug)]
pub struct Radicale {
    /// Where it listens.
    pub port: u16,
    tls: bool,
    process: Option<Process>,
    folder: Folder,
}

impl Radicale {
    /// Starts a server for these users, each with a password, and waits until it accepts
    /// connections. A user owns everything below `/name/`, but may only read `/name/shared-…/`; the
    /// user [`ADMIN`] may do everything.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(users: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::begin(users, None)
    }

    /// The same with TLS, by a certificate of an authority in [`Self::ca_file`].
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with_tls(users: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_as(&["localhost", "127.0.0.1"], users)
    }

    /// The same with a certificate for these names.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_as(names: &[&str], users: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::begin(users, Some(Certificate::for_names(names)?))
    }

    fn begin(users: &[(&str, &str)], certificate: Option<Certificate>) -> anyhow::Result<Self> {
        let folder = Folder::new("radicale")?;
        let people: String = users.iter().map(|(user, word)| format!("{user}:{word}\n")).collect();
        std::fs::write(folder.path().join("users"), people)?;
        std::fs::write(folder.path().join("rights"), RIGHTS)?;
        if let Some(certificate) = &certificate {
            std::fs::write(folder.path().join("ca.pem"), &certificate.ca_pem)?;
            std::fs::write(folder.path().join("certificate.pem"), &certificate.certificate_pem)?;
            std::fs::write(folder.path().join("key.pem"), &certificate.key_pem)?;
        }
        let mut radicale = Self { port: 0, tls: certificate.is_some(), process: None, folder };
        let mut last = None;
        // Another process may take the port between its choice and its use.
        for _ in 0..3 {
            radicale.port = free_port()?;
            match radicale.restart() {
                Ok(()) => return Ok(radicale),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("radicale was not tried")))
    }

    /// Its address.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}/", self.port)
    }

    /// Its process, as long as it runs.
    pub fn process(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Where it keeps a user's collection: a file for each item, and `.Radicale.props`.
    pub fn collection(&self, user: &str, name: &str) -> PathBuf {
        self.folder.path().join("data/collection-root").join(user).join(name)
    }

    /// How many requests it has had, as its log says.
    ///
    /// # Errors
    /// When there is no log.
    pub fn requests(&self) -> anyhow::Result<usize> {
        let log = std::fs::read(self.folder.path().join("radicale.log"))?;
        Ok(String::from_utf8_lossy(&log).matches(" request for ").count())
    }

    /// The file with the authority's certificate, where it has one.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Starts it again on the same port with the same data.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        let dir = self.folder.path().display();
        let config = format!(
            "[server]\nhosts = 127.0.0.1:{}\nmax_connections = 100\n\
             ssl = {tls}\ncertificate = {dir}/certificate.pem\nkey = {dir}/key.pem\n\
             [auth]\ntype = htpasswd\nhtpasswd_filename = {dir}/users\n\
             htpasswd_encryption = plain\ndelay = 0\n\
             [rights]\ntype = from_file\nfile = {dir}/rights\n\
             [storage]\nfilesystem_folder = {dir}/data\n\
             [web]\ntype = none\n[logging]\nlevel = info\n",
            self.port,
            tls = if self.tls { "True" } else { "False" },
        );
        let file = self.folder.path().join("config");
        std::fs::write(&file, config)?;
        // Debian's modules are those of Debian's interpreter.
        let mut command = Command::new("/usr/bin/python3");
        command.arg("/usr/bin/radicale").arg("--config").arg(file);
        let log = self.folder.path().join("radicale.log");
        let mut process = Process::start("radicale", &mut command, &log)?;
        process.wait_ready(&[self.port])?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Makes the server forget what changed: every token it gave out so far becomes invalid.
    ///
    /// # Errors
    /// When its files cannot be removed.
    pub fn forget_changes(&self) -> anyhow::Result<()> {
        let mut folders = vec![self.folder.path().join("data")];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries {
                let entry = entry?;
                let is_memory = entry.file_name() == "sync-token";
                match entry.file_type()?.is_dir() {
                    true if is_memory => std::fs::remove_dir_all(entry.path())?,
                    true => folders.push(entry.path()),
                    false => {}
                }
            }
        }
        Ok(())
    }
}
