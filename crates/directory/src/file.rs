//! The in-file directory: people and groups in a TOML file, for those who have no other.
//!
//! ```toml
//! realm = "example.org"
//!
//! [users.ann]
//! address = "ann@example.org"
//! display_name = "Ann Smith"
//! password = "$argon2id$v=19$…"    # dme user passwd ann
//! groups = ["staff"]
//! standing = "active"
//! card = { title = "Engineer", phone = "+1 555 1", photo = "ann.jpg", certificates = ["ann.pem"] }
//!
//! [users.attic]
//! address = "attic@example.org"
//! display_name = "The attic"
//! kind = "room"                    # or "person", "resource", "group"
//!
//! [groups.staff]
//! parents = ["mobile"]
//! address = "staff@example.org"    # where it is a distribution list
//! display_name = "All staff"
//!
//! [groups.mobile]
//! ```
//!
//! The file is read again when it has changed; while it is wrong, the last good reading serves.
//! Passwords are Argon2id hashes (RFC 9106), checked on threads of their own and a few at a time,
//! because each takes 19 MiB and some 20 ms. Unknown users cost the same as known ones.

mod content;
mod edit;
mod people;

pub use content::{FileError, hash_password, verify_password};
pub use edit::{NewUser, add_user, list_users, remove_user, set_password};

use crate::{
    DirectoryService, Error, Everyone, Group, GroupId, GroupSnapshot, PeopleFound, PeopleSearch,
    Person, Result, Verdict,
};
use async_trait::async_trait;
use content::{Content, Entry};
use dme_model::{Realm, Secret, UserId};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use tokio::sync::Semaphore;

/// How many passwords are checked at once at most.
const MAX_PARALLEL: usize = 4;

/// Where the file is, and whose it is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The realm it is the source of: the part after `@` of its users. The file names it too.
    pub realm: String,
    /// The file.
    pub path: PathBuf,
}

impl FileConfig {
    /// A file for a realm.
    pub fn new(realm: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { realm: realm.into(), path: path.into() }
    }

    fn realm(&self) -> String {
        Realm::named(&self.realm).to_string()
    }
}

/// A directory in a file.
pub struct FileDirectory {
    config: FileConfig,
    reading: RwLock<Reading>,
    hashing: Semaphore,
    /// A hash that nobody's password has, for users that do not exist.
    nobody: Arc<str>,
}

/// What was read last.
struct Reading {
    content: Arc<Content>,
    /// The file at the last attempt to read it, whether or not that went well.
    stamp: Option<Stamp>,
}

/// Tells one version of a file from another: an edit in place has another time or length, a
/// replacement has another inode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok()?;
        let modified = metadata.modified().ok();
        Some(Self { inode: metadata.ino(), length: metadata.len(), modified })
    }
}

impl FileDirectory {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read or is wrong; the message names the line.
    pub fn open(config: FileConfig) -> Result<Self, FileError> {
        let stamp = Stamp::of(&config.path);
        let content = Arc::new(Content::read(&config)?);
        let parallel = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            config,
            reading: RwLock::new(Reading { content, stamp }),
            hashing: Semaphore::new(parallel.min(MAX_PARALLEL)),
            nobody: content::hash_password(&Secret::new("nobody"))?.into(),
        })
    }

    /// The content of the file as it is now.
    async fn content(&self) -> Arc<Content> {
        let stamp = Stamp::of(&self.config.path);
        {
            let reading = self.reading.read().unwrap_or_else(PoisonError::into_inner);
            if reading.stamp == stamp {
                return reading.content.clone();
            }
        }
        let config = self.config.clone();
        let read = tokio::task::spawn_blocking(move || Content::read(&config)).await;
        let mut reading = self.reading.write().unwrap_or_else(PoisonError::into_inner);
        reading.stamp = stamp;
        match read {
            Ok(Ok(content)) => reading.content = Arc::new(content),
            Ok(Err(error)) => {
                tracing::error!(%error, "the changed directory file is not used; mend it");
            }
            Err(error) => tracing::error!(%error, "the directory file was not read"),
        }
        reading.content.clone()
    }

    /// Whether the password is that of the hash, checked on a thread for such work.
    async fn verify(&self, hash: Arc<str>, password: &Secret) -> Result<bool> {
        let stopped = |_| Error::Unavailable("the password check was stopped".to_owned());
        let _permit = self.hashing.acquire().await.map_err(|_| stopped(()))?;
        let password = password.clone();
        let check = tokio::task::spawn_blocking(move || content::verify_password(&hash, &password));
        check.await.map_err(|_| stopped(()))
    }
}

impl Content {
    fn find(&self, user: &UserId) -> Option<(&str, &Entry)> {
        user.realm().filter(|realm| realm.as_str() == self.realm)?;
        self.users.get_key_value(user.local_part()).map(|(name, entry)| (name.as_str(), entry))
    }

    fn person(&self, name: &str, entry: &Entry) -> Person {
        let user = UserId::new(format!("{name}@{}", self.realm));
        Person {
            address: entry.address.clone().unwrap_or_else(|| user.to_string()),
            user,
            display_name: entry.display_name.clone(),
            groups: entry.groups.iter().map(|group| GroupId(group.clone())).collect(),
            standing: entry.standing,
        }
    }
}

#[async_trait]
impl DirectoryService for FileDirectory {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict> {
        let content = self.content().await;
        let found = content.find(user);
        let hash = found.and_then(|(_, entry)| entry.password.as_deref());
        let right = self.verify(hash.map_or_else(|| self.nobody.clone(), Arc::from), password);
        let right = right.await? && hash.is_some() && !password.expose().is_empty();
        Ok(match found {
            None => Verdict::Unknown,
            Some((name, entry)) if right => {
                Verdict::Accepted(Box::new(content.person(name, entry)))
            }
            Some(_) => Verdict::WrongPassword,
        })
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        let content = self.content().await;
        Ok(content.find(user).map(|(name, entry)| content.person(name, entry)))
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        let content = self.content().await;
        let groups = content.groups.iter().map(|(name, group)| Group {
            id: GroupId(name.clone()),
            name: name.clone(),
            parents: group.parents.iter().map(|parent| GroupId(parent.clone())).collect(),
        });
        Ok(GroupSnapshot { groups: groups.collect(), as_of: SystemTime::now().into() })
    }

    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        let content = self.content().await;
        let folder = self.config.path.parent().unwrap_or(Path::new("")).to_owned();
        let search = search.clone();
        // Photos and certificates are files.
        let found = tokio::task::spawn_blocking(move || content.search(&search, &folder));
        found.await.map_err(|_| Error::Unavailable("the search was stopped".to_owned()))
    }

    async fn everyone(&self, _: &UserId, limit: u32) -> Result<Everyone> {
        let mut entries = self.content().await.address_list();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let complete = entries.len() <= limit;
        entries.truncate(limit);
        Ok(Everyone { entries, complete })
    }
}

#[cfg(test)]
mod tests;
