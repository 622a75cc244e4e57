//! Changing the file: `dme user add|remove|passwd|list`.
//!
//! A change is whole or not at all: the new file is written beside the old one, made durable and
//! put in its place. Two changes at once wait for each other. A file that is not there is made. The
//! comment at the head of the file is kept; comments further down are not, as the file is written
//! anew.

use super::FileConfig;
use super::content::{Content, Entry, FileError, hash_password};
use crate::{Login, Person};
use dme_model::{Realm, Secret};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The head of a new file.
const HEAD: &str = "# The people who may use DME. Change it with `dme user`, or by hand: it is read \
                    again when it changes.\n";

/// A user to be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewUser {
    /// The name, without realm.
    pub name: String,
    /// The mail address; `name@realm` where none is given.
    pub address: Option<String>,
    /// The name for people.
    pub display_name: Option<String>,
    /// The groups; those that are not there yet are made.
    pub groups: Vec<String>,
}

/// Adds a user.
///
/// # Errors
/// When there is one of that name, or a value cannot be.
pub async fn add_user(
    config: &FileConfig,
    user: &NewUser,
    password: &Secret,
) -> Result<(), FileError> {
    let (user, password) = (user.clone(), password.clone());
    let name = name_of(config, &user.name)?;
    change(config, move |content| {
        if content.users.contains_key(&name) {
            return Err(FileError::Exists(name));
        }
        let entry = Entry {
            address: user.address,
            display_name: user.display_name,
            password: Some(hashed(&name, &password)?),
            groups: user.groups.iter().map(|group| group.trim().to_lowercase()).collect(),
            ..Entry::default()
        };
        for group in &entry.groups {
            content.groups.entry(group.clone()).or_default();
        }
        content.users.insert(name, entry);
        Ok(())
    })
    .await
}

/// Removes a user.
///
/// # Errors
/// When there is no such user.
pub async fn remove_user(config: &FileConfig, name: &str) -> Result<(), FileError> {
    let name = name_of(config, name)?;
    change(config, move |content| match content.users.remove(&name) {
        Some(_) => Ok(()),
        None => Err(FileError::NoSuchUser(name)),
    })
    .await
}

/// Sets a user's password.
///
/// # Errors
/// When there is no such user, or the password is empty.
pub async fn set_password(
    config: &FileConfig,
    name: &str,
    password: &Secret,
) -> Result<(), FileError> {
    let name = name_of(config, name)?;
    let password = password.clone();
    change(config, move |content| match content.users.get_mut(&name) {
        Some(entry) => {
            entry.password = Some(hashed(&name, &password)?);
            Ok(())
        }
        None => Err(FileError::NoSuchUser(name)),
    })
    .await
}

/// Everyone, by name.
///
/// # Errors
/// When the file cannot be read or is wrong.
pub async fn list_users(config: &FileConfig) -> Result<Vec<Person>, FileError> {
    let config = config.clone();
    blocking(move || {
        let content = Content::read(&config)?;
        Ok(content.users.iter().map(|(name, entry)| content.person(name, entry)).collect())
    })
    .await
}

/// Does what blocks on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(FileError::Stopped))
}

/// The name as the file has it. The file's realm, where it is typed with it, is left off.
fn name_of(config: &FileConfig, text: &str) -> Result<String, FileError> {
    let wrong = |problem| FileError::Value { what: format!("{text:?}"), problem };
    let strange = |realm: &str| Realm::named(realm.trim()).to_string() != config.realm();
    if text.contains('\\') || text.rsplit_once('@').is_some_and(|(_, realm)| strange(realm)) {
        return Err(wrong("the users of this file are all of its realm; give the name alone"));
    }
    let login = Login::parse(text);
    let named = login.ok().map(|login| login.name().to_owned()).filter(|name| !name.contains('@'));
    named.ok_or_else(|| wrong("a user's name is one to 128 characters without control characters"))
}

fn hashed(name: &str, password: &Secret) -> Result<String, FileError> {
    let length = password.expose().len();
    if length == 0 || length > crate::MAX_PASSWORD {
        let problem = "a password is one to 1024 bytes long";
        return Err(FileError::Value { what: format!("users.{name}"), problem });
    }
    hash_password(password)
}

async fn change(
    config: &FileConfig,
    change: impl FnOnce(&mut Content) -> Result<(), FileError> + Send + 'static,
) -> Result<(), FileError> {
    let config = config.clone();
    blocking(move || {
        let path = &config.path;
        let _lock = lock(path)?;
        let (mut content, head) = if path.exists() {
            let text = std::fs::read_to_string(path).map_err(|error| io(path, &error))?;
            let head = text.split_inclusive('\n').take_while(|line| line.starts_with('#'));
            (Content::read(&config)?, head.collect())
        } else {
            (Content::empty(&config), HEAD.to_owned())
        };
        change(&mut content)?;
        write(&config, &head, &content)
    })
    .await
}

/// Waits until nobody else changes a file in the folder. The folder is locked, not the file,
/// because the file is replaced.
fn lock(path: &Path) -> Result<File, FileError> {
    let folder = File::open(folder(path)).map_err(|error| io(path, &error))?;
    folder.lock().map_err(|error| io(path, &error))?;
    Ok(folder)
}

fn write(config: &FileConfig, head: &str, content: &Content) -> Result<(), FileError> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
    let path = &config.path;
    let body = toml::to_string(content).map_err(|error| FileError::Syntax {
        path: path.display().to_string(),
        problem: error.to_string(),
    })?;
    let text = format!("{head}\n{body}");
    // Nothing that could not be read again is ever put in place.
    Content::parse(&text, config)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let written = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        match std::fs::metadata(path) {
            Ok(old) => {
                file.set_permissions(old.permissions())?;
                // Who may read it stays so also where another edits it.
                let _ = fchown(&file, Some(old.uid()), Some(old.gid()));
            }
            // In a folder of another group a new one is for that group to read: root writes it, the
            // service reads it.
            Err(_) => {
                let group = std::fs::metadata(folder(path))?.gid();
                if group != file.metadata()?.gid() && fchown(&file, None, Some(group)).is_ok() {
                    file.set_permissions(Permissions::from_mode(0o640))?;
                }
            }
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        File::open(folder(path))?.sync_all()
    };
    written().map_err(|error| io(path, &error))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn io(path: &Path, error: &std::io::Error) -> FileError {
    FileError::Io { path: path.display().to_string(), problem: error.to_string() }
}
