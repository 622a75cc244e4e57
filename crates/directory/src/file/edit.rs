//! Changing the file: `dme user add|remove|passwd|list`.
//!
//! A change is whole or not at all: the new file is written beside the old one, made durable and
//! put in its place. Two changes at once wait for each other. The comment at the head of the file
//! is kept; comments further down are not, as the file is written anew. These functions block.

use super::content::{Content, Entry, FileError, hash};
use crate::{Login, Person};
use dme_model::Secret;
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
    /// The mail address; `name@realm` if none.
    pub address: Option<String>,
    /// The name for people.
    pub display_name: Option<String>,
    /// The password.
    pub password: Secret,
    /// The groups; those that are not there yet are made.
    pub groups: Vec<String>,
}

/// Makes a file without users; one that is there is left as it is and only checked.
///
/// # Errors
/// When it cannot be written, or is there for another realm or wrong.
pub fn create(path: &Path, realm: &str) -> Result<(), FileError> {
    let _lock = lock(path)?;
    if path.exists() {
        let content = Content::read(path)?;
        if content.realm != realm.trim().to_lowercase() {
            let problem = "is the realm of the file that is there already; remove it or its file";
            return Err(FileError::Value { what: format!("realm {}", content.realm), problem });
        }
        return Ok(());
    }
    let realm = realm.trim().to_lowercase();
    let content = Content { realm, users: Default::default(), groups: Default::default() };
    write(path, HEAD, &content)
}

/// Adds a user.
///
/// # Errors
/// When there is one of that name, or a value cannot be.
pub fn add_user(path: &Path, user: &NewUser) -> Result<(), FileError> {
    let name = name_of(&user.name)?;
    let entry = Entry {
        address: user.address.clone(),
        display_name: user.display_name.clone(),
        password: Some(hashed(&name, &user.password)?),
        groups: user.groups.iter().map(|group| group.trim().to_lowercase()).collect(),
        ..Entry::default()
    };
    change(path, |content| {
        if content.users.contains_key(&name) {
            return Err(FileError::Exists(name));
        }
        for group in &entry.groups {
            content.groups.entry(group.clone()).or_default();
        }
        content.users.insert(name, entry);
        Ok(())
    })
}

/// Removes a user.
///
/// # Errors
/// When there is no such user.
pub fn remove_user(path: &Path, name: &str) -> Result<(), FileError> {
    let name = name_of(name)?;
    change(path, |content| match content.users.remove(&name) {
        Some(_) => Ok(()),
        None => Err(FileError::NoSuchUser(name)),
    })
}

/// Sets a user's password.
///
/// # Errors
/// When there is no such user, or the password is empty.
pub fn set_password(path: &Path, name: &str, password: &Secret) -> Result<(), FileError> {
    let name = name_of(name)?;
    let hash = hashed(&name, password)?;
    change(path, |content| match content.users.get_mut(&name) {
        Some(entry) => {
            entry.password = Some(hash);
            Ok(())
        }
        None => Err(FileError::NoSuchUser(name)),
    })
}

/// Everyone, by name.
///
/// # Errors
/// When the file cannot be read or is wrong.
pub fn list_users(path: &Path) -> Result<Vec<Person>, FileError> {
    let content = Content::read(path)?;
    Ok(content.users.iter().map(|(name, entry)| content.person(name, entry)).collect())
}

/// The name as the file has it. A realm that is typed with it is left off.
fn name_of(text: &str) -> Result<String, FileError> {
    match Login::parse(text) {
        Ok(login) => Ok(login.name().to_owned()),
        Err(_) => {
            let problem = "a user's name is one to 128 characters without control characters";
            Err(FileError::Value { what: format!("{text:?}"), problem })
        }
    }
}

fn hashed(name: &str, password: &Secret) -> Result<String, FileError> {
    let length = password.expose().len();
    if length == 0 || length > crate::MAX_PASSWORD {
        let problem = "a password is one to 1024 bytes long";
        return Err(FileError::Value { what: format!("users.{name}"), problem });
    }
    hash(password)
}

fn change(
    path: &Path,
    change: impl FnOnce(&mut Content) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let _lock = lock(path)?;
    let mut content = Content::read(path)?;
    change(&mut content)?;
    let text = std::fs::read_to_string(path).map_err(|error| io(path, &error))?;
    let head: String =
        text.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect();
    write(path, &head, &content)
}

/// Waits until nobody else changes a file in the folder. The folder is locked, not the file,
/// because the file is replaced.
fn lock(path: &Path) -> Result<File, FileError> {
    let folder = File::open(folder(path)).map_err(|error| io(path, &error))?;
    folder.lock().map_err(|error| io(path, &error))?;
    Ok(folder)
}

fn write(path: &Path, head: &str, content: &Content) -> Result<(), FileError> {
    use std::os::unix::fs::OpenOptionsExt;
    let shown = path.display().to_string();
    let body = toml::to_string(content)
        .map_err(|error| FileError::Syntax { path: shown.clone(), problem: error.to_string() })?;
    let text = format!("{head}\n{body}");
    // Nothing that could not be read again is ever put in place.
    Content::parse(&text, &shown)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let written = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        if let Ok(old) = std::fs::metadata(path) {
            file.set_permissions(old.permissions())?;
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
