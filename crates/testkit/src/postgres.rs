//! PostgreSQL (Debian's `postgresql`) on a free loopback port and a Unix socket, with one
//! superuser and as many databases as tests want.

use crate::certificate::Certificate;
use crate::ports::{free_port, wait_until};
use crate::process::{Folder, Process, give_to, run};
use anyhow::Context;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The user of all databases.
pub const USER: &str = "dme";
/// Its password, asked for over TCP; who comes by the socket is believed.
pub const PASSWORD: &str = "secret of the database Zq9";

/// It refuses to run as root.
const OWNER: &str = "postgres";

/// What the server is to be like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// Fast: it would lose what a power cut would lose it.
    #[default]
    None,
    /// As it comes: commits wait for the disk.
    Full,
}

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    /// Its port, and the socket's number.
    pub port: u16,
    durability: Durability,
    process: Option<Process>,
    made: AtomicU32,
    folder: Folder,
}

impl Postgres {
    /// Makes an empty cluster, starts a server on it and waits until it accepts connections.
    ///
    /// # Errors
    /// When it cannot be made or started.
    pub fn start(durability: Durability) -> anyhow::Result<Self> {
        let folder = Folder::new("postgres")?;
        let certificate = Certificate::for_loopback()?;
        let mut postgres =
            Self { port: free_port()?, durability, process: None, made: AtomicU32::new(0), folder };
        postgres.make_cluster(&certificate)?;
        let mut last = None;
        // Another process may take the port between its choice and its use.
        for _ in 0..3 {
            match postgres.restart() {
                Ok(()) => return Ok(postgres),
                Err(error) => last = Some(error),
            }
            postgres.port = free_port()?;
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("postgres was not tried")))
    }

    /// One server for all tests of this process. It ends when the process does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn shared() -> anyhow::Result<&'static Self> {
        static SHARED: Mutex<Option<&'static Postgres>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(postgres) = *shared {
            return Ok(postgres);
        }
        let postgres = Self::start(Durability::None)?;
        end_with_us(&postgres)?;
        Ok(shared.insert(Box::leak(Box::new(postgres))))
    }

    /// Starts it again with what it has.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        let mut command = as_owner(&program("postgres")?);
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        let mut process = Process::start("postgres", &mut command, &self.path("postgres.log"))?;
        process.wait_ready(&[self.port])?;
        self.process = Some(process);
        // It accepts connections before it answers on them.
        let ask = || Ok(self.psql("postgres", "SELECT 1").is_ok());
        wait_until("postgres answers", Duration::from_secs(20), ask)
    }

    /// Ends it at once, without order, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Its children are no group with it: it ends them itself, and the next could not start
            // beside them.
            process.end_by("QUIT", Duration::from_secs(15));
        }
    }

    /// A new and empty database's name.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_database(&self) -> anyhow::Result<String> {
        self.make("DATABASE")
    }

    /// The name of a new and empty schema in the database `postgres`: like a database of its own,
    /// and sooner made.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_schema(&self) -> anyhow::Result<String> {
        self.make("SCHEMA")
    }

    fn make(&self, what: &str) -> anyhow::Result<String> {
        let name = format!("test{}", self.made.fetch_add(1, Ordering::SeqCst));
        self.psql("postgres", &format!("CREATE {what} {name}"))?;
        Ok(name)
    }

    /// A schema's address by the Unix socket.
    pub fn schema_url(&self, schema: &str) -> String {
        format!("{}?options=-c%20search_path%3D{schema}", self.socket_url("postgres"))
    }

    /// Runs statements; answers what they said, rows by lines.
    ///
    /// # Errors
    /// When one fails.
    pub fn psql(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let mut command = Command::new(program("psql")?);
        command.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-U", USER, "-h"]);
        command.arg(self.folder.path()).args(["-p", &self.port.to_string()]);
        run(command.args(["-d", database, "-c", sql]))
    }

    /// A database's address over TCP, without the password.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// A database's address by the Unix socket, where no password is asked for.
    pub fn socket_url(&self, database: &str) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{folder}:{}/{database}", self.port)
    }

    /// The file with the authority's certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn make_cluster(&self, certificate: &Certificate) -> anyhow::Result<()> {
        std::fs::write(self.path("password"), PASSWORD)?;
        std::fs::write(self.path("ca.pem"), &certificate.ca_pem)?;
        give_to(OWNER, self.folder.path())?;
        let mut make = as_owner(&program("initdb")?);
        make.args(["-N", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8"]);
        make.args(["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile"]);
        run(make.arg(self.path("password")).arg("-D").arg(self.data()))?;
        let dir = self.folder.path().display();
        let mut settings =
            std::fs::File::options().append(true).open(self.data().join("postgresql.conf"))?;
        let mut text = String::new();
        writeln!(
            text,
            "unix_socket_directories = '{dir}'\nlisten_addresses = '127.0.0.1'\n\
             max_connections = 200\nlogging_collector = off\nssl = on\n\
             ssl_cert_file = '{dir}/certificate.pem'\nssl_key_file = '{dir}/key.pem'"
        )?;
        if self.durability == Durability::None {
            writeln!(text, "fsync = off\nfull_page_writes = off")?;
        }
        settings.write_all(text.as_bytes())?;
        for (name, pem) in
            [("certificate.pem", &certificate.certificate_pem), ("key.pem", &certificate.key_pem)]
        {
            write_private(&self.path(name), pem)?;
            give_to(OWNER, &self.path(name))?;
        }
        Ok(())
    }
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// A command that runs as the owner of the cluster.
fn as_owner(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", OWNER, "--regid", OWNER, "--clear-groups", "--"]).arg(program);
    command
}

/// One of PostgreSQL's programs; Debian keeps each release's in a folder of its own.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let releases = std::fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is not there; is its package installed?")?;
    let newest = releases
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .context("no release of PostgreSQL is there; is its package installed?")?;
    Ok(Path::new("/usr/lib/postgresql").join(newest.to_string()).join("bin").join(name))
}

/// Has the server end, and its folder go, when this process does, whichever way: a shell waits for
/// the end of what it reads from us.
fn end_with_us(postgres: &Postgres) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;
    let id = postgres.process.as_ref().context("it does not run")?.id();
    let folder = postgres.folder.path();
    let script = format!("read -r _; kill -QUIT {id}; sleep 1; rm -rf {}", folder.display());
    let child: Child = Command::new("sh")
        .args(["-c", &script])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Its end of the line stays open as long as we live.
    std::mem::forget(child);
    Ok(())
}
