//! An Active Directory domain, with a place of its own for each test.

use dme_directory::{LdapConfig, LdapDirectory};
use dme_model::UserId;
use dme_testkit::samba::{READER, SERVICE_PASSWORD, Samba};
use std::sync::Arc;

/// A test's own unit in the domain the tests share.
pub struct Place {
    pub samba: Arc<Samba>,
    pub base: String,
}

impl Place {
    pub fn new(name: &str) -> Self {
        Self::at(Samba::shared().unwrap(), name)
    }

    /// In a domain of the test's own.
    pub fn at(samba: Arc<Samba>, name: &str) -> Self {
        let base = format!("OU={name},{}", samba.suffix());
        samba.modify(&unit(&base)).unwrap();
        Self { samba, base }
    }

    pub fn modify(&self, ldif: &str) {
        self.samba.modify(ldif).unwrap();
    }

    /// Adds a user whose password is the name and " secret".
    pub fn user(&self, name: &str, more: &str) {
        self.modify(&self.samba.user(&self.base, name, &password(name), more));
    }

    pub fn group(&self, name: &str, members: &[&str]) {
        self.modify(&group(&self.base, name, &self.dns(members)));
    }

    /// Adds a member to a group, or with `delete` removes it.
    pub fn change(&self, group: &str, act: &str, member: &str) {
        self.modify(&format!(
            "dn: {}\nchangetype: modify\n{act}: member\nmember: {}\n",
            self.dn(group),
            self.dn(member)
        ));
    }

    /// Sets an attribute of an entry.
    pub fn set(&self, name: &str, attribute: &str, value: &str) {
        self.modify(&format!(
            "dn: {}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n",
            self.dn(name)
        ));
    }

    pub fn delete(&self, name: &str) {
        self.modify(&format!("dn: {}\nchangetype: delete\n", self.dn(name)));
    }

    pub fn dn(&self, name: &str) -> String {
        format!("CN={name},{}", self.base)
    }

    fn dns(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| self.dn(name)).collect()
    }

    /// The directory as the account that may only read has it, of this place alone.
    pub fn directory(&self) -> LdapDirectory {
        self.directory_with(&format!("bases = ['{}']\n", self.base))
    }

    /// The directory with more settings, bases among them.
    pub fn directory_with(&self, more: &str) -> LdapDirectory {
        self.directory_as(READER, more)
    }

    /// The same as another account.
    pub fn directory_as(&self, account: &str, more: &str) -> LdapDirectory {
        LdapDirectory::new(config(&self.samba, account, more)).unwrap()
    }
}

/// The settings of a connector that reads the domain as this account.
pub fn config(samba: &Samba, account: &str, more: &str) -> LdapConfig {
    let domain = samba.domain();
    // The settings come first: a table in `more` would take them in.
    let text = format!(
        "realm = '{}'\nkind = 'active_directory'\nurls = ['{}']\nca_file = '{}'\n\
         bind_dn = '{}\\{account}'\nbind_password = '{SERVICE_PASSWORD}'\ntimeout = '10s'\n{more}",
        domain.dns,
        samba.ldaps_url(),
        samba.ca_file().display(),
        domain.netbios,
    );
    toml::from_str(&text).unwrap()
}

/// LDIF that adds a unit.
pub fn unit(dn: &str) -> String {
    format!("dn: {dn}\nchangetype: add\nobjectClass: organizationalUnit\n\n")
}

/// LDIF that adds a group.
pub fn group(base: &str, name: &str, members: &[String]) -> String {
    let members: String = members.iter().map(|dn| format!("member: {dn}\n")).collect();
    format!(
        "dn: CN={name},{base}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}\n\
         {members}\n"
    )
}

pub fn password(name: &str) -> String {
    format!("{name} secret")
}

/// The user of the domain.
pub fn user(name: &str) -> UserId {
    UserId::new(format!("{name}@corp.example"))
}
