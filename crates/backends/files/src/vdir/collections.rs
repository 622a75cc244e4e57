//! A user's collections. An id is the name of the collection's directory, which stays when the
//! collection is renamed: its name is in the file `displayname`.

use super::Collection;
use super::object::class_of;
use crate::Shared;
use crate::durable::{sync_directory, write_whole};
use crate::error::while_trying;
use crate::maildir::unique_base;
use crate::name::{from_directory, is_sound, to_directory};
use dme_mailbox::{Error, ErrorKind, Result};
use dme_model::{Access, Class, Collection as Described, CollectionId, Owner, Role};
use dme_pim::calendar;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The collections every user gets: directory, name, class, and the role of the first of a class.
const DEFAULTS: [(&str, &str, Class, Role); 4] = [
    ("calendar", "Calendar", Class::Calendar, Role::Calendar),
    ("contacts", "Contacts", Class::Contacts, Role::Contacts),
    ("tasks", "Tasks", Class::Tasks, Role::Tasks),
    ("notes", "Notes", Class::Notes, Role::Notes),
];

const CLASS_FILE: &str = ".dme-class";
const NAME_FILE: &str = "displayname";
/// How much of such a file is read, in bytes.
const MAX_SMALL: u64 = 4096;
/// How many files are looked at to find out of which class a collection is.
const MAX_LOOKED_AT: usize = 50;

/// Where one user's collections are.
#[derive(Clone, Debug)]
pub(crate) struct Vdir {
    path: PathBuf,
}

fn no_collection(id: &CollectionId) -> Error {
    Error::new(ErrorKind::NotFound, format!("no collection {id}"))
}

impl Vdir {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// What is there of ours and of no concern to others.
    fn ours(&self) -> PathBuf {
        self.path.join(".dme")
    }

    /// Where collections are made and deleted, to be watched.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Makes what is missing of the collections that every user has. A class that has a collection
    /// already gets no other.
    pub(crate) fn create(&self) -> Result<()> {
        fs::create_dir_all(self.ours().join("tmp")).map_err(while_trying("make collections"))?;
        let there: BTreeSet<Class> = self.all()?.into_iter().map(|(_, class)| class).collect();
        for (directory, name, class, _) in DEFAULTS {
            if !there.contains(&class) && !self.path.join(directory).exists() {
                self.make(directory, name, class)?;
            }
        }
        Ok(())
    }

    /// The directory of a collection, whether or not it is there.
    fn directory(&self, id: &CollectionId) -> Result<PathBuf> {
        let name = id.as_str();
        if is_sound(name) { Ok(self.path.join(name)) } else { Err(no_collection(id)) }
    }

    /// The directory of a collection that is there.
    pub(crate) fn existing(&self, id: &CollectionId) -> Result<PathBuf> {
        let directory = self.directory(id)?;
        // A link could lead anywhere.
        let found = fs::symlink_metadata(&directory).is_ok_and(|it| it.is_dir());
        if found { Ok(directory) } else { Err(no_collection(id)) }
    }

    pub(crate) fn open(&self, shared: &Shared, id: &CollectionId) -> Result<Arc<Collection>> {
        let directory = self.existing(id)?;
        let class = class(&directory);
        let make =
            || Collection::new(directory.clone(), &self.ours(), class, shared.lookout.clone());
        // One of another class is another, made anew where one was deleted.
        Ok(shared.collections.open(&directory, |known| known.class() == class, make))
    }

    /// Every directory that is a collection, ascending, with its class.
    fn all(&self) -> Result<Vec<(CollectionId, Class)>> {
        let reading = while_trying("list the collections");
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(reading(error)),
        };
        let mut all = Vec::new();
        for entry in entries {
            let name = entry.map_err(&reading)?.file_name();
            let Some(id) = name.to_str().map(CollectionId::from) else { continue };
            if let Ok(directory) = self.existing(&id) {
                all.push((id, class(&directory)));
            }
        }
        all.sort();
        Ok(all)
    }

    pub(crate) fn collections(&self) -> Result<Vec<Described>> {
        let all = self.all()?;
        let describe = |(id, class): &(CollectionId, Class)| {
            let directory = self.path.join(id.as_str());
            let writable = fs::metadata(&directory).is_ok_and(|it| !it.permissions().readonly());
            Described {
                id: id.clone(),
                parent: None,
                name: name(&directory, id),
                class: *class,
                role: role(&all, id, *class),
                access: if writable { Access::ReadWrite } else { Access::ReadOnly },
                owner: Owner::User,
            }
        };
        Ok(all.iter().map(describe).collect())
    }

    /// Whether a collection may be written.
    ///
    /// # Errors
    /// `Forbidden` where not, `NotFound`.
    pub(crate) fn writable(&self, id: &CollectionId) -> Result<()> {
        let metadata = fs::metadata(self.existing(id)?).map_err(while_trying("look at it"))?;
        if metadata.permissions().readonly() {
            return Err(Error::new(ErrorKind::Forbidden, "the collection may only be read"));
        }
        Ok(())
    }

    /// The collection that has this role.
    pub(crate) fn with_role(&self, wanted: Role) -> Result<CollectionId> {
        let all = self.all()?;
        let found = all.iter().find(|(id, class)| role(&all, id, *class) == Some(wanted));
        let none = || Error::new(ErrorKind::NotFound, format!("no {wanted:?} collection"));
        found.map(|(id, _)| id.clone()).ok_or_else(none)
    }

    /// Every collection of a class.
    pub(crate) fn of_class(&self, wanted: Class) -> Result<Vec<CollectionId>> {
        Ok(self.all()?.into_iter().filter(|(_, class)| *class == wanted).map(|it| it.0).collect())
    }

    fn check_name(&self, wanted: &str, itself: Option<&CollectionId>) -> Result<()> {
        to_directory(wanted)?;
        let taken = |it: &Described| it.name == wanted && Some(&it.id) != itself;
        if self.collections()?.iter().any(taken) {
            return Err(Error::new(ErrorKind::AlreadyExists, "the name is taken"));
        }
        Ok(())
    }

    pub(crate) fn create_collection(&self, name: &str, class: Class) -> Result<CollectionId> {
        self.check_name(name, None)?;
        let directory = to_directory(name)?;
        // Another collection may have had the name once.
        let free = |directory: &String| !self.path.join(directory).exists();
        let directory = Some(directory).filter(free).unwrap_or_else(unique_base);
        self.make(&directory, name, class)?;
        Ok(directory.into())
    }

    /// Makes the collection whole elsewhere and moves it to its place, so that nobody sees half of
    /// it.
    fn make(&self, directory: &str, name: &str, class: Class) -> Result<()> {
        let making = while_trying("make a collection");
        let class = match class {
            Class::Calendar => "calendar",
            Class::Contacts => "contacts",
            Class::Tasks => "tasks",
            Class::Notes => "notes",
            Class::Mail => return Err(Error::new(ErrorKind::Unsupported, "no mail is kept here")),
        };
        let unfinished = self.ours().join("tmp").join(unique_base());
        fs::create_dir_all(&unfinished).map_err(&making)?;
        fs::write(unfinished.join(CLASS_FILE), class).map_err(&making)?;
        fs::write(unfinished.join(NAME_FILE), name).map_err(&making)?;
        for file in [CLASS_FILE, NAME_FILE] {
            File::open(unfinished.join(file)).and_then(|it| it.sync_all()).map_err(&making)?;
        }
        // The journal of another that had this directory once says nothing of this one.
        self.forget_journal(directory)?;
        fs::rename(&unfinished, self.path.join(directory)).map_err(&making)?;
        sync_directory(&self.path).map_err(&making)
    }

    fn forget_journal(&self, directory: &str) -> Result<()> {
        match fs::remove_file(self.ours().join(format!("{directory}.items"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(while_trying("delete a collection's journal")(error))
            }
            _ => Ok(()),
        }
    }

    fn refuse_special(&self, id: &CollectionId) -> Result<()> {
        let all = self.all()?;
        let found = all.iter().find(|(other, _)| other == id).ok_or_else(|| no_collection(id))?;
        match role(&all, &found.0, found.1) {
            Some(role) => Err(Error::new(ErrorKind::Forbidden, format!("{role:?} stays"))),
            None => self.writable(id),
        }
    }

    pub(crate) fn rename_collection(&self, id: &CollectionId, new: &str) -> Result<()> {
        self.refuse_special(id)?;
        self.check_name(new, Some(id))?;
        let path = self.existing(id)?.join(NAME_FILE);
        write_whole(&self.ours().join("tmp"), &path, new.as_bytes())
            .map(drop)
            .map_err(while_trying("rename a collection"))
    }

    /// Moves the collection out of sight, then deletes it: nobody sees half of it.
    pub(crate) fn delete_collection(&self, shared: &Shared, id: &CollectionId) -> Result<()> {
        self.refuse_special(id)?;
        let deleting = while_trying("delete a collection");
        let directory = self.existing(id)?;
        let away = self.ours().join("tmp").join(unique_base());
        fs::rename(&directory, &away).map_err(&deleting)?;
        sync_directory(&self.path).map_err(&deleting)?;
        shared.collections.forget(&directory);
        self.forget_journal(id.as_str())?;
        if let Err(error) = fs::remove_dir_all(&away) {
            tracing::warn!(%error, path = %away.display(), "a deleted collection's files remain");
        }
        Ok(())
    }
}

/// The role of a collection: of its class the one of the usual name, else the first.
fn role(all: &[(CollectionId, Class)], id: &CollectionId, class: Class) -> Option<Role> {
    let (usual, _, _, role) = DEFAULTS.iter().find(|(_, _, of, _)| *of == class)?;
    let mut of_class = all.iter().filter(|(_, other)| *other == class).map(|(id, _)| id);
    let usual = of_class.clone().find(|id| id.as_str() == *usual);
    (usual.or_else(|| of_class.next()) == Some(id)).then_some(*role)
}

/// The name of a collection.
fn name(directory: &Path, id: &CollectionId) -> String {
    let given = small(&directory.join(NAME_FILE)).unwrap_or_default();
    let given = given.trim_matches(['\n', '\r']);
    let sound = !given.is_empty() && !given.contains(char::is_control);
    if sound { given.to_owned() } else { from_directory(id.as_str()) }
}

/// The class of a collection: as it is written there, else that of the first item.
fn class(directory: &Path) -> Class {
    match small(&directory.join(CLASS_FILE)).unwrap_or_default().trim() {
        "calendar" => return Class::Calendar,
        "contacts" => return Class::Contacts,
        "tasks" => return Class::Tasks,
        "notes" => return Class::Notes,
        _ => {}
    }
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().take(MAX_LOOKED_AT);
    let mut names: Vec<_> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        if name.ends_with(".vcf") {
            return Class::Contacts;
        }
        let path = directory.join(name);
        let size = fs::symlink_metadata(&path).ok().filter(|it| it.is_file()).map(|it| it.len());
        if name.ends_with(".ics")
            && size.is_some_and(|size| size <= calendar::MAX_OBJECT as u64)
            && let Ok(object) = fs::read(&path)
            && let Ok(summary) = calendar::summary(&object)
        {
            return class_of(summary.kind);
        }
    }
    Class::Calendar
}

/// A small text file; none where it is not there or no text.
fn small(path: &Path) -> Option<String> {
    let mut text = String::new();
    fs::symlink_metadata(path).ok().filter(|it| it.is_file())?;
    File::open(path).ok()?.take(MAX_SMALL).read_to_string(&mut text).ok()?;
    Some(text)
}
