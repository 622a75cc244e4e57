//! SOGo of Debian's packages (`sogo`, `sogo-activesync`, PostgreSQL, memcached) beside us, on the
//! same Dovecot: what phones had before. In folders and on ports of its own.
//!
//! It is set up as its guide says for many phones: one worker for each phone that may ask at once,
//! PostgreSQL for its state, memcached for its sessions. Phones reach it in plain HTTP, as it
//! leaves TLS to a proxy; that is in its favour.

use crate::world::PASSWORD;
use anyhow::{Context, Result, ensure};
use dme_phone::Address;
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::process::{Folder, Process, give_to};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Workers: as many as phones ask at once in the bench, and some more.
const WORKERS: usize = 24;

/// A running SOGo.
pub struct Sogo {
    port: u16,
    sogo: Process,
    _memcached: Process,
    _postgres: Process,
    folder: Folder,
}

impl Sogo {
    /// Starts it for these users of the Dovecot at this port.
    ///
    /// # Errors
    /// When a part does not start; most often because its package is not installed.
    pub fn start(users: &[String], imap: u16) -> Result<Self> {
        let folder = Folder::new("sogo")?;
        let [port, sql, cache] = [free_port()?, free_port()?, free_port()?];
        let postgres = start_postgres(&folder, sql, users)?;
        let mut command = Command::new("memcached");
        command.args(["-u", "nobody", "-l", "127.0.0.1", "-p", &cache.to_string(), "-m", "64"]);
        let output = folder.path().join("memcached.log");
        let mut memcached = Process::start("memcached", &mut command, &output)?;
        memcached.wait_ready(&[cache])?;

        let home = folder.path().join("home");
        std::fs::create_dir(&home)?;
        give_to("sogo", &home)?;
        let mut command = Command::new("runuser");
        command.args(["-u", "sogo", "--", "sogod", "-WONoDetach", "YES"]);
        command.args(["-WOPort", &format!("127.0.0.1:{port}")]);
        command.args(["-WOWorkersCount", &WORKERS.to_string()]);
        command.arg("-WOLogFile").arg(home.join("sogo.log"));
        command.arg("-WOPidFile").arg(home.join("sogo.pid"));
        // Its file is fixed, /etc/sogo/sogo.conf; what stands on the command line goes before it.
        for (key, value) in settings(sql, cache, imap) {
            command.arg(format!("-{key}")).arg(value);
        }
        command.env("HOME", &home).env("GNUSTEP_USER_DIR", &home).current_dir(&home);
        let mut sogo = Process::start("sogod", &mut command, &folder.path().join("output.log"))?;
        let log = home.join("sogo.log");
        sogo.wait_ready(&[port])
            .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self { port, sogo, _memcached: memcached, _postgres: postgres, folder })
    }

    /// Where phones reach it.
    pub fn address(&self) -> Address {
        let path = "/SOGo/Microsoft-Server-ActiveSync".to_owned();
        Address { tls: false, host: "localhost".to_owned(), port: self.port, path }
    }

    /// What it has logged, for when it fails.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("home/sogo.log")).unwrap_or_default()
    }

    /// Its watchdog, whose children are its workers; not the database.
    pub fn process(&self) -> u32 {
        self.sogo.id()
    }
}

fn start_postgres(folder: &Folder, port: u16, users: &[String]) -> Result<Process> {
    let bin = std::fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    let version = bin.filter_map(|entry| Some(entry.ok()?.path())).max();
    let bin = version.context("PostgreSQL is not installed")?.join("bin");
    let home = folder.path().join("postgres");
    std::fs::create_dir(&home)?;
    give_to("postgres", &home)?;
    let data = home.join("data");
    let made = as_postgres(&bin.join("initdb"))
        .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--pgdata"])
        .arg(&data)
        .output()?;
    ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let mut command = as_postgres(&bin.join("postgres"));
    command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "fsync=off"]);
    command.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=500"]);
    command.arg("-c").arg(format!("unix_socket_directories={}", home.display()));
    let mut postgres = Process::start("postgres", &mut command, &folder.path().join("sql.log"))?;
    postgres.wait_ready(&[port])?;
    let mut sql = "CREATE TABLE people (c_uid text PRIMARY KEY, c_name text, c_password text, \
                   c_cn text, mail text);\n"
        .to_owned();
    for user in users {
        writeln!(
            sql,
            "INSERT INTO people VALUES ('{user}', '{user}', '{PASSWORD}', '{user}', '{user}');"
        )?;
    }
    let script = home.join("people.sql");
    std::fs::write(&script, sql)?;
    let run = || -> Result<bool> {
        let mut psql = as_postgres(&bin.join("psql"));
        psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &port.to_string()]);
        Ok(psql.arg("-f").arg(&script).arg("postgres").output()?.status.success())
    };
    // It accepts connections a moment before it serves them.
    wait_until("PostgreSQL took the users", Duration::from_secs(20), run)?;
    Ok(postgres)
}

fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}

fn settings(sql: u16, cache: u16, imap: u16) -> Vec<(&'static str, String)> {
    let url = format!("postgresql://postgres@127.0.0.1:{sql}/postgres");
    let people = format!(
        "({{ type = sql; id = people; viewURL = \"{url}/people\"; canAuthenticate = YES; \
         isAddressBook = NO; userPasswordAlgorithm = plain; MailFieldNames = (mail); }})"
    );
    vec![
        ("SOGoProfileURL", format!("{url}/sogo_user_profile")),
        ("OCSFolderInfoURL", format!("{url}/sogo_folder_info")),
        ("OCSSessionsFolderURL", format!("{url}/sogo_sessions_folder")),
        ("OCSCacheFolderURL", format!("{url}/sogo_cache_folder")),
        ("OCSStoreURL", format!("{url}/sogo_store")),
        ("OCSAclURL", format!("{url}/sogo_acl")),
        ("OCSEMailAlarmsFolderURL", format!("{url}/sogo_alarms_folder")),
        ("SOGoUserSources", people),
        ("SOGoMemcachedHost", format!("127.0.0.1:{cache}")),
        ("SOGoIMAPServer", format!("imap://127.0.0.1:{imap}")),
        ("SOGoMailDomain", crate::world::REALM.to_owned()),
        ("SOGoTimeZone", "UTC".to_owned()),
        // The size of an answer is the phone's to say.
        ("SOGoMaximumSyncWindowSize", "0".to_owned()),
        ("SOGoMaximumSyncResponseSize", "0".to_owned()),
        ("SxVMemLimit", "2048".to_owned()),
    ]
}
