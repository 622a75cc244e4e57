//! What stands in the file, and what must be true of it.

use super::FileConfig;
use crate::{Card, Login, PersonKind, Standing};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use dme_model::{Realm, Secret};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The largest file that is read, in bytes: far more than the people for whom a file will do.
const MAX_FILE: u64 = 16 << 20;
/// The most memory a hash may ask for, in KiB.
const MAX_MEMORY: u32 = 1 << 20;

/// What is wrong with the file or the change.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error("{path}: {problem}")]
    Io {
        /// Which file.
        path: String,
        /// What the system says.
        problem: String,
    },
    /// It is not as it must be; the message names the line.
    #[error("{path}: {problem}")]
    Syntax {
        /// Which file.
        path: String,
        /// What is wrong and where.
        problem: String,
    },
    /// A value cannot be.
    #[error("{what}: {problem}")]
    Value {
        /// Which entry: `users.ann`.
        what: String,
        /// What is wrong, and how to mend it.
        problem: &'static str,
    },
    /// There is such a user already.
    #[error("there is a user {0:?} already")]
    Exists(String),
    /// There is no such user.
    #[error("there is no user {0:?}")]
    NoSuchUser(String),
    /// The work was given up because the program ends.
    #[error("stopped")]
    Stopped,
    /// The password could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// The whole file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    pub realm: String,
    #[serde(default)]
    pub users: BTreeMap<String, Entry>,
    #[serde(default)]
    pub groups: BTreeMap<String, GroupEntry>,
}

/// One user.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Argon2id in PHC form; who has none cannot log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub standing: Standing,
    /// A room or a resource has its place here too, most often without a password.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: PersonKind,
    /// Whether address searches leave it out.
    #[serde(skip_serializing_if = "is_default")]
    pub hidden: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub card: CardEntry,
}

/// What colleagues are shown of a user.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CardEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_phone: Option<String>,
    /// A file, JPEG, beside this one where it has no directory of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<PathBuf>,
    /// Files likewise, PEM or DER.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<PathBuf>,
}

/// One group.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GroupEntry {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub parents: BTreeSet<String>,
    /// The address of a distribution list; a group without one is in no address list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl CardEntry {
    /// The card alone.
    pub(super) fn card(&self) -> Card {
        Card {
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            title: self.title.clone(),
            company: self.company.clone(),
            department: self.department.clone(),
            office: self.office.clone(),
            phone: self.phone.clone(),
            mobile_phone: self.mobile_phone.clone(),
            home_phone: self.home_phone.clone(),
        }
    }
}

impl Content {
    /// A file without anybody.
    pub(super) fn empty(config: &FileConfig) -> Self {
        Self { realm: config.realm(), users: BTreeMap::new(), groups: BTreeMap::new() }
    }

    /// Reads a file and checks it.
    pub(super) fn read(config: &FileConfig) -> Result<Self, FileError> {
        let path = &config.path;
        let fail = |problem: String| FileError::Io { path: path.display().to_string(), problem };
        let length = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
        if length > MAX_FILE {
            return Err(fail(format!("is larger than {MAX_FILE} bytes; use LDAP for so many")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        Self::parse(&text, config)
    }

    /// Reads a text and checks it.
    pub(super) fn parse(text: &str, config: &FileConfig) -> Result<Self, FileError> {
        let mut content: Self = toml::from_str(text).map_err(|error| {
            // The library's own message quotes the line, which may hold a password.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.split('\n').count();
            let problem = format!("line {line}: {}", error.message());
            FileError::Syntax { path: config.path.display().to_string(), problem }
        })?;
        content.realm = Realm::named(&content.realm).to_string();
        if content.realm != config.realm() {
            let problem = "is not the realm that the configuration names for this file";
            return Err(FileError::Value { what: format!("realm {:?}", content.realm), problem });
        }
        content.check()?;
        Ok(content)
    }

    fn check(&self) -> Result<(), FileError> {
        let wrong = |what: String, problem| Err(FileError::Value { what, problem });
        for (name, entry) in &self.users {
            let what = || format!("users.{name}");
            let is_name = Login::parse(name).is_ok_and(|login| login.name() == name);
            if !is_name || name.contains('@') {
                return wrong(what(), "a user's name is lower case, without realm and backslash");
            }
            if !entry.groups.iter().all(|group| self.groups.contains_key(group)) {
                return wrong(what(), "is in a group that is not there; add [groups.NAME]");
            }
            if entry.address.as_ref().is_some_and(|address| !address.contains('@')) {
                return wrong(what(), "the address has no @");
            }
            if entry.password.as_ref().is_some_and(|hash| !is_usable(hash)) {
                return wrong(
                    what(),
                    "the password is no Argon2id hash; set it with: dme user passwd",
                );
            }
        }
        for (name, group) in &self.groups {
            let what = || format!("groups.{name}");
            if *name != name.to_lowercase() {
                return wrong(what(), "a group's name is lower case");
            }
            if !group.parents.iter().all(|parent| self.groups.contains_key(parent)) {
                return wrong(what(), "has a parent that is not there; add [groups.NAME]");
            }
            if group.address.as_ref().is_some_and(|address| !address.contains('@')) {
                return wrong(what(), "the address has no @");
            }
        }
        Ok(())
    }
}

/// Whether a hash is of the one kind that is checked, and does not ask for absurd memory.
fn is_usable(hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        let modest = Params::try_from(&hash).is_ok_and(|params| params.m_cost() <= MAX_MEMORY);
        hash.algorithm.as_str() == "argon2id" && hash.hash.is_some() && modest
    })
}

/// The hash of a password: Argon2id with 19 MiB, two passes, one lane, and a random salt.
///
/// # Errors
/// Where the system gives no randomness.
pub fn hash_password(password: &Secret) -> Result<String, FileError> {
    Argon2::default()
        .hash_password(password.expose().as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| FileError::Hash(error.to_string()))
}

/// Whether the password is that of the hash. Takes long, on purpose.
pub fn verify_password(hash: &str, password: &Secret) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
    })
}
