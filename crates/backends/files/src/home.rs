//! A user's tree of folders (Maildir++).
//!
//! A folder's id is the name of its directory without the leading dot, so `Projects.Bridge`; the
//! Inbox is `INBOX`. Levels that have no directory of their own are no collections: a folder whose
//! parent is missing is shown where its nearest ancestor is, under the rest of its path.

use crate::durable::sync_directory;
use crate::error::while_trying;
use crate::folder::Folder;
use crate::held::Held;
use crate::maildir::unique_base;
use crate::name::{MAX_DIRECTORY_NAME, from_directory, is_sound, to_directory};
use crate::vdir::Vdir;
use dme_mailbox::{Error, ErrorKind, Result};
use dme_model::{Access, Class, Collection, CollectionId, Owner, Role, UserId};
use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

const INBOX: &str = "INBOX";

/// Names by which special folders are known, the one that is made first. The first that is there
/// has the role.
const SPECIAL: [(Role, &[&str]); 5] = [
    (Role::Drafts, &["Drafts", "Draft"]),
    (Role::Sent, &["Sent", "Sent Items", "Sent Messages"]),
    (Role::Trash, &["Trash", "Deleted Items", "Deleted Messages"]),
    (Role::Junk, &["Junk", "Junk E-mail", "Spam"]),
    (Role::Archive, &["Archive", "Archives"]),
];

/// Where one user's mail is.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
    user: String,
}

fn no_collection(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no collection {id}"))
}

fn refuse_inbox(id: &CollectionId) -> Result<()> {
    if id.as_str() == INBOX {
        return Err(Error::new(ErrorKind::Forbidden, "the Inbox stays where it is"));
    }
    Ok(())
}

impl Home {
    /// The part of the tree that is this user's.
    ///
    /// # Errors
    /// `Invalid` for a name that could lead anywhere else.
    pub(crate) fn new(root: &Path, user: &str) -> Result<Self> {
        if !is_sound(user) {
            return Err(Error::new(ErrorKind::Invalid, "not a name for a user's directory"));
        }
        Ok(Self { root: root.to_owned(), user: user.to_owned() })
    }

    /// Everybody's who has one, ascending; an alias is nobody.
    pub(crate) fn all(root: &Path) -> Result<Vec<UserId>> {
        let reading = while_trying("list the mailboxes");
        let mut users = Vec::new();
        for entry in fs::read_dir(root).map_err(&reading)? {
            let entry = entry.map_err(&reading)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let own = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if own && Self::new(root, &name).is_ok_and(|home| home.exists()) {
                users.push(UserId::from(name));
            }
        }
        users.sort();
        Ok(users)
    }

    /// The user's directory, in which the Maildir is.
    pub(crate) fn directory_of_user(&self) -> PathBuf {
        self.root.join(&self.user)
    }

    pub(crate) fn maildir(&self) -> PathBuf {
        self.directory_of_user().join("Maildir")
    }

    /// Where the user's calendars, contacts, tasks and notes are.
    pub(crate) fn vdir(&self) -> Vdir {
        Vdir::new(self.root.join(&self.user).join("vdir"))
    }

    pub(crate) fn exists(&self) -> bool {
        self.maildir().join("cur").is_dir()
    }

    /// Makes what is missing of the Inbox, the special folders and the collections that are not of
    /// mail.
    pub(crate) fn create(&self) -> Result<()> {
        let making = while_trying("make a mailbox");
        let maildir = self.maildir();
        for directory in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir.join(directory)).map_err(&making)?;
        }
        for (_, names) in SPECIAL {
            if let Some(name) = names.first()
                && !names.iter().any(|name| self.directory(name).is_ok_and(|it| it.is_dir()))
            {
                self.make_folder(name)?;
            }
        }
        self.vdir().create()?;
        sync_directory(&self.root).map_err(&making)
    }

    /// Another address of the same user.
    pub(crate) fn add_alias(&self, alias: &str) -> Result<()> {
        let other = Self::new(&self.root, &alias.to_lowercase())?;
        let link = self.root.join(&other.user);
        match symlink(&self.user, &link) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let same = fs::canonicalize(&link).ok()
                    == fs::canonicalize(self.root.join(&self.user)).ok();
                let taken = || Error::new(ErrorKind::AlreadyExists, "the alias is someone else's");
                if same { Ok(()) } else { Err(taken()) }
            }
            made => made.map_err(while_trying("make an alias")),
        }
    }

    /// Where a folder's directory is or would be.
    fn directory(&self, id: &str) -> Result<PathBuf> {
        if id == INBOX {
            return Ok(self.maildir());
        }
        if !is_sound(id) {
            return Err(no_collection(id));
        }
        Ok(self.maildir().join(format!(".{id}")))
    }

    /// The directory of a folder that is there.
    fn existing(&self, id: &CollectionId) -> Result<PathBuf> {
        let directory = self.directory(id.as_str())?;
        if directory.join("cur").is_dir() {
            return Ok(directory);
        }
        Err(no_collection(id.as_str()))
    }

    pub(crate) fn folder(&self, folders: &Held<Folder>, id: &CollectionId) -> Result<Arc<Folder>> {
        let path = self.existing(id)?;
        Ok(folders.open(&path, |_| true, || Folder::new(path.clone())))
    }

    /// Where to look for changes of a folder.
    pub(crate) fn watched(&self, id: &CollectionId) -> Result<[PathBuf; 2]> {
        let directory = self.existing(id)?;
        Ok(["new", "cur"].map(|within| directory.join(within)))
    }

    /// The ids of all folders but the Inbox, ascending.
    fn ids(&self) -> Result<BTreeSet<String>> {
        let reading = while_trying("list the folders");
        let mut ids = BTreeSet::new();
        for entry in fs::read_dir(self.maildir()).map_err(&reading)? {
            let entry = entry.map_err(&reading)?;
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_prefix('.')) else { continue };
            if self.directory(id).is_ok() && entry.path().join("cur").is_dir() {
                ids.insert(id.to_owned());
            }
        }
        Ok(ids)
    }

    pub(crate) fn collections(&self) -> Result<Vec<Collection>> {
        let ids = self.ids()?;
        let known = |id: &str| id == INBOX || ids.contains(id);
        let role = |id: &str| {
            let is = |names: &[&str]| names.iter().find(|name| known(name)) == Some(&id);
            SPECIAL.iter().find(|(_, names)| is(names)).map(|(role, _)| *role)
        };
        let mut all = vec![collection(INBOX, None, "Inbox".into(), Some(Role::Inbox))];
        // Not in order of the text: "A-b" stands before "A.b" but does not lie in "A".
        let mut paths: Vec<Vec<&str>> = ids.iter().map(|id| id.split('.').collect()).collect();
        paths.sort();
        for path in paths {
            let id = path.join(".");
            let ancestors = (1..path.len()).rev().map(|length| path.split_at(length));
            let found =
                ancestors.map(|(above, rest)| (above.join("."), rest)).find(|it| known(&it.0));
            let (parent, rest) = match found {
                Some((parent, rest)) => (Some(parent), rest),
                None => (None, &path[..]),
            };
            let levels: Vec<_> = rest.iter().map(|level| from_directory(level)).collect();
            all.push(collection(&id, parent.as_deref(), levels.join("/"), role(&id)));
        }
        Ok(all)
    }

    pub(crate) fn with_role(&self, role: Role) -> Result<CollectionId> {
        let found = self.collections()?.into_iter().find(|it| it.role == Some(role));
        found
            .map(|it| it.id)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no {role:?} folder")))
    }

    /// The folder and all within it, the deepest last.
    pub(crate) fn subtree(&self, id: &CollectionId) -> Result<Vec<CollectionId>> {
        let begin = format!("{id}.");
        let within = self.ids()?.into_iter().filter(|other| other.starts_with(&begin));
        Ok(std::iter::once(id.clone()).chain(within.map(CollectionId::from)).collect())
    }

    /// The id that a folder of this name has there, if nothing else has it.
    fn free_id(&self, parent: Option<&CollectionId>, name: &str) -> Result<String> {
        if let Some(parent) = parent {
            self.existing(parent)?;
        }
        let id = child_id(parent, name)?;
        if id.eq_ignore_ascii_case(INBOX) || self.directory(&id)?.exists() {
            return Err(Error::new(ErrorKind::AlreadyExists, "the name is taken"));
        }
        Ok(id)
    }

    pub(crate) fn create_folder(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        let id = self.free_id(parent, name)?;
        self.make_folder(&id)?;
        Ok(id.into())
    }

    /// Makes the folder whole elsewhere and moves it to its place, so that nobody sees half of it.
    fn make_folder(&self, id: &str) -> Result<()> {
        let making = while_trying("make a folder");
        let maildir = self.maildir();
        let unfinished = maildir.join("tmp").join(unique_base());
        for directory in ["", "tmp", "new", "cur"] {
            fs::create_dir(unfinished.join(directory)).map_err(&making)?;
        }
        fs::write(unfinished.join("maildirfolder"), "").map_err(&making)?;
        fs::rename(&unfinished, self.directory(id)?).map_err(|error| {
            let _ = fs::remove_dir_all(&unfinished);
            making(error)
        })?;
        sync_directory(&maildir).map_err(&making)
    }

    /// Renames the folder and those within, the outermost first.
    pub(crate) fn update_folder(
        &self,
        id: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        refuse_inbox(id)?;
        self.existing(id)?;
        let subtree = self.subtree(id)?;
        if parent.is_some_and(|parent| subtree.contains(parent)) {
            return Err(Error::new(ErrorKind::Invalid, "a folder cannot lie in itself"));
        }
        if child_id(parent, name)? == id.as_str() {
            return Ok(id.clone());
        }
        let new = self.free_id(parent, name)?;
        let mut renames = Vec::new();
        for old in &subtree {
            let rest = old.as_str().strip_prefix(id.as_str()).unwrap_or_default();
            let target = self.directory(&format!("{new}{rest}"))?;
            if target.exists() {
                return Err(Error::new(ErrorKind::AlreadyExists, "a name within is taken"));
            }
            renames.push((self.directory(old.as_str())?, target));
        }
        let renaming = while_trying("rename a folder");
        for (old, new) in renames {
            fs::rename(old, new).map_err(&renaming)?;
        }
        sync_directory(&self.maildir()).map_err(&renaming)?;
        Ok(new.into())
    }

    /// Deletes the folder and those within, the deepest first.
    pub(crate) fn delete_folder(&self, id: &CollectionId) -> Result<()> {
        refuse_inbox(id)?;
        self.existing(id)?;
        self.delete_within(id)?;
        self.remove(id)
    }

    /// Deletes the folders within this one, the deepest first.
    pub(crate) fn delete_within(&self, id: &CollectionId) -> Result<()> {
        for folder in self.subtree(id)?.iter().skip(1).rev() {
            self.remove(folder)?;
        }
        Ok(())
    }

    /// Moves the folder out of sight, then deletes it: nobody sees half of it.
    fn remove(&self, id: &CollectionId) -> Result<()> {
        let removing = while_trying("delete a folder");
        let maildir = self.maildir();
        let away = maildir.join("tmp").join(unique_base());
        fs::rename(self.directory(id.as_str())?, &away).map_err(&removing)?;
        sync_directory(&maildir).map_err(&removing)?;
        if let Err(error) = fs::remove_dir_all(&away) {
            tracing::warn!(%error, path = %away.display(), "a deleted folder's files remain");
        }
        Ok(())
    }
}

/// The id of a folder of this name in that one, or at the top.
fn child_id(parent: Option<&CollectionId>, name: &str) -> Result<String> {
    let level = to_directory(name)?;
    let id = parent.map_or_else(|| level.clone(), |parent| format!("{parent}.{level}"));
    if id.len() >= MAX_DIRECTORY_NAME {
        return Err(Error::new(ErrorKind::Invalid, "the folder's path is too long"));
    }
    Ok(id)
}

fn collection(id: &str, parent: Option<&str>, name: String, role: Option<Role>) -> Collection {
    Collection {
        id: id.into(),
        parent: parent.map(CollectionId::from),
        name,
        class: Class::Mail,
        role,
        access: Access::ReadWrite,
        owner: Owner::User,
    }
}
