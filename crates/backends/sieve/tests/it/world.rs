//! A Dovecot that takes Sieve scripts, its users, and a look at the scripts as another client has.

use dme_dial::{Auth, LoginName, TlsMode};
use dme_mailbox::{Account, CallContext, Credentials};
use dme_model::{RequestId, Secret, UserId};
use dme_sieve::{SieveConfig, SieveVacations};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use std::path::PathBuf;
use std::time::Duration;

pub const PASSWORD: &str = "a Pässword\"with\\signs";

pub fn users(count: usize) -> DovecotOptions {
    let names = (0..count).map(|number| (format!("user{number}@example.org"), PASSWORD));
    DovecotOptions { sieve: true, ..DovecotOptions::with_users(names) }
}

pub fn config(dovecot: &Dovecot) -> SieveConfig {
    SieveConfig {
        host: "127.0.0.1".to_owned(),
        port: dovecot.sieve_port,
        tls: TlsMode::None,
        ..SieveConfig::default()
    }
}

pub fn service(dovecot: &Dovecot) -> SieveVacations {
    SieveVacations::new(config(dovecot), Auth::Password, LoginName::User).unwrap()
}

pub fn account(number: usize) -> Account {
    let address = format!("user{number}@example.org");
    Account {
        user: UserId::from(address.as_str()),
        address,
        display_name: None,
        credentials: Credentials::Password(Secret::new(PASSWORD)),
    }
}

pub fn context() -> CallContext {
    CallContext::new(RequestId::from("test"), Duration::from_secs(60))
}

/// A user's scripts as they lie on the server's disk.
pub struct Scripts {
    home: PathBuf,
}

impl Scripts {
    pub fn of(dovecot: &Dovecot, number: usize) -> Self {
        Self { home: dovecot.dir().join(format!("mail/user{number}@example.org")) }
    }

    /// Writes one as another client does.
    pub fn write(&self, name: &str, script: &str) {
        let folder = self.home.join("sieve");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.sieve")), script).unwrap();
        dme_testkit::process::give_to("mail", &self.home).unwrap();
    }

    /// Makes one active as another client does.
    pub fn activate(&self, name: &str) {
        let link = self.home.join(".dovecot.sieve");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(format!("sieve/{name}.sieve"), link).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.join(format!("sieve/{name}.sieve"))).unwrap()
    }

    pub fn active(&self) -> Option<String> {
        let target = std::fs::read_link(self.home.join(".dovecot.sieve")).ok()?;
        Some(target.file_stem().unwrap().to_str().unwrap().to_owned())
    }
}
