//! The list of folders, and making, renaming and deleting them (RFC 9051 §6.3).

use crate::error::WireError;
use crate::mailbox::{ImapMailbox, local, on_session};
use crate::roles;
use crate::session::{Place, Session};
use crate::wire::command::Command;
use crate::wire::name;
use crate::wire::response::{Listed, Untagged};
use dme_mailbox::{ErrorKind, Result, Subcollections};
use dme_model::{Access, Class, Collection, CollectionId, Owner, Role};
use std::collections::{BTreeMap, HashSet};

/// More folders than this are not listed.
pub(crate) const MAX_FOLDERS: usize = 20_000;
/// The longest name of one folder, in bytes.
const MAX_NAME: usize = 255;

/// Characters that stand for the delimiter where a name holds it: they look alike.
const LOOKALIKES: [(char, char); 3] = [('/', '\u{2215}'), ('.', '\u{2024}'), ('\\', '\u{2216}')];

/// One folder of the server's list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Folder {
    pub(crate) collection: Collection,
    /// Whether messages can be in it.
    pub(crate) selectable: bool,
}

impl ImapMailbox {
    pub(crate) async fn list_folders(&self) -> Result<Vec<Collection>> {
        Ok(self.folders().await?.into_iter().map(|folder| folder.collection).collect())
    }

    /// All folders, parents first.
    pub(crate) async fn folders(&self) -> Result<Vec<Folder>> {
        let wanted = &self.shared.pool.config.folders;
        on_session!(self, None, "list folders", |session| {
            let listed = list(session, "*").await?;
            Ok(arrange(&session.place, listed, wanted))
        })
    }

    pub(crate) async fn create_folder(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        let mut lease = self.lease_for_write(None, "create a folder").await?;
        let session = &mut *lease;
        let made = async {
            let path = path(&session.place, parent, name)?;
            if let Some(parent) = parent {
                exists(session, parent.as_str()).await?;
            }
            session.run(Command::new("CREATE").mailbox(&path), drop).await?;
            // Other programs show subscribed folders only; whether they do is their business.
            let _ = session.run_all(vec![Command::new("SUBSCRIBE").mailbox(&path)], drop).await;
            Ok(CollectionId::from(path))
        };
        made.await.map_err(|error: WireError| error.told("create a folder"))
    }

    pub(crate) async fn rename_folder(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        let old = collection.as_str();
        let mut lease = self.lease_for_write(None, "rename a folder").await?;
        let session = &mut *lease;
        let renamed = async {
            let new = path(&session.place, parent, name)?;
            if new == old {
                return Ok(CollectionId::from(new));
            }
            if old.eq_ignore_ascii_case("INBOX") {
                return Err(local(ErrorKind::Forbidden, "the inbox cannot be renamed"));
            }
            if within(&session.place, &new, old) {
                return Err(local(ErrorKind::Invalid, "a folder cannot move into itself"));
            }
            if let Some(parent) = parent {
                exists(session, parent.as_str()).await?;
            }
            exists(session, old).await?;
            let children = children(session, old).await?;
            session.unselect().await?;
            session.run(Command::new("RENAME").mailbox(old).mailbox(&new), drop).await?;
            let subscriptions = std::iter::once(old.to_owned())
                .chain(children)
                .filter_map(|name| Some((format!("{new}{}", name.strip_prefix(old)?), name)))
                .flat_map(|(new, old)| {
                    [
                        Command::new("SUBSCRIBE").mailbox(&new),
                        Command::new("UNSUBSCRIBE").mailbox(&old),
                    ]
                });
            let _ = session.run_all(subscriptions.collect(), drop).await;
            Ok(CollectionId::from(new))
        };
        let renamed = renamed.await.map_err(|error: WireError| error.told("rename a folder"));
        let place = session.place.clone();
        drop(lease);
        self.forget_within(&place, old);
        renamed
    }

    pub(crate) async fn delete_folder(&self, collection: &CollectionId) -> Result<()> {
        let name = collection.as_str();
        if name.eq_ignore_ascii_case("INBOX") {
            return Err(local(ErrorKind::Forbidden, "the inbox cannot be deleted").told(""));
        }
        let mut lease = self.lease_for_write(None, "delete a folder").await?;
        let session = &mut *lease;
        let deleted = async {
            exists(session, name).await?;
            delete_children(session, name).await?;
            session.unselect().await?;
            session.run(Command::new("DELETE").mailbox(name), drop).await?;
            let _ = session.run_all(vec![Command::new("UNSUBSCRIBE").mailbox(name)], drop).await;
            Ok(())
        };
        let deleted = deleted.await.map_err(|error: WireError| error.told("delete a folder"));
        let place = session.place.clone();
        drop(lease);
        self.forget_within(&place, name);
        deleted
    }

    pub(crate) async fn empty_folder(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        let name = collection.as_str();
        let place = on_session!(self, Some(name), "empty a folder", |session| {
            exists(session, name).await?;
            let selected = session.select(name).await?;
            if selected.read_only {
                return Err(local(ErrorKind::Forbidden, "the folder is read-only"));
            }
            let all = crate::changes::search(session, "ALL").await?;
            crate::items::expunge(session, &all).await?;
            if subcollections == Subcollections::Delete {
                delete_children(session, name).await?;
            }
            Ok(session.place.clone())
        })?;
        if subcollections == Subcollections::Delete {
            self.shared.pool.forget(&self.account.user, |other| within(&place, other, name));
        }
        Ok(())
    }

    fn forget_within(&self, place: &Place, name: &str) {
        self.shared
            .pool
            .forget(&self.account.user, |other| other == name || within(place, other, name));
    }
}

/// Whether a folder lies within another.
fn within(place: &Place, inner: &str, outer: &str) -> bool {
    place.delimiter.is_some_and(|delimiter| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(delimiter))
    })
}

/// The full name of a folder to be.
fn path(place: &Place, parent: Option<&CollectionId>, name: &str) -> Result<String, WireError> {
    if name.trim().is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(local(ErrorKind::Invalid, "a folder's name is empty, too long or unprintable"));
    }
    let stands_for = |c: char| LOOKALIKES.iter().find(|(plain, _)| *plain == c);
    let mut own = String::with_capacity(name.len());
    for c in name.chars() {
        match stands_for(c).filter(|_| Some(c) == place.delimiter) {
            Some((_, lookalike)) => own.push(*lookalike),
            None if Some(c) == place.delimiter => {
                return Err(local(ErrorKind::Invalid, "the name has the server's delimiter in it"));
            }
            None => own.push(c),
        }
    }
    match (parent, place.delimiter) {
        (None, _) => Ok(format!("{}{own}", place.prefix)),
        (Some(parent), Some(delimiter)) => Ok(format!("{parent}{delimiter}{own}")),
        (Some(_), None) => {
            Err(local(ErrorKind::Unsupported, "this mail system has no folders in folders"))
        }
    }
}

/// The last part of a name as people see it.
fn shown(place: &Place, part: &str) -> String {
    match LOOKALIKES.iter().find(|(plain, _)| Some(*plain) == place.delimiter) {
        Some((plain, lookalike)) => part.replace(*lookalike, &plain.to_string()),
        None => part.to_owned(),
    }
}

/// Asks for folders by pattern, written as IMAP does. A wildcard in a name only finds more.
async fn list(session: &mut Session, pattern: &str) -> Result<Vec<Listed>, WireError> {
    let can = &session.capabilities;
    let mut returned = Vec::new();
    if can.has("LIST-EXTENDED") && can.has("SPECIAL-USE") {
        returned.push("SPECIAL-USE");
    }
    if can.has("LIST-MYRIGHTS") {
        returned.push("MYRIGHTS");
    }
    let mut command = Command::new("LIST \"\"").string(pattern);
    if !returned.is_empty() {
        command = command.text(&format!(" RETURN ({})", returned.join(" ")));
    }
    let mut found = Vec::new();
    session
        .run(command, |told| {
            if let Untagged::List(listed) = told
                && found.len() < MAX_FOLDERS
            {
                found.push(listed);
            }
        })
        .await?;
    Ok(found)
}

fn is_there(listed: &Listed) -> bool {
    !listed.attributes.iter().any(|attribute| attribute == "\\nonexistent")
}

/// An error unless the folder is there.
async fn exists(session: &mut Session, wanted: &str) -> Result<(), WireError> {
    let listed = list(session, &name::encode(wanted)).await?;
    let is_it =
        |listed: &Listed| is_there(listed) && crate::session::same_mailbox(&listed.name, wanted);
    match listed.iter().any(is_it) {
        true => Ok(()),
        false => Err(local(ErrorKind::NotFound, "there is no such folder")),
    }
}

/// The names of all folders within a folder, parents first.
async fn children(session: &mut Session, outer: &str) -> Result<Vec<String>, WireError> {
    let Some(delimiter) = session.place.delimiter else { return Ok(Vec::new()) };
    let listed = list(session, &format!("{}{delimiter}*", name::encode(outer))).await?;
    let names = listed.iter().filter(|listed| is_there(listed));
    let mut names: Vec<_> = names.filter_map(|listed| name::decode(&listed.name)).collect();
    names.retain(|inner| within(&session.place, inner, outer));
    names.sort_unstable();
    Ok(names)
}

async fn delete_children(session: &mut Session, outer: &str) -> Result<(), WireError> {
    let inner = children(session, outer).await?;
    if inner.is_empty() {
        return Ok(());
    }
    session.unselect().await?;
    let commands = inner.iter().rev().flat_map(|name| {
        [Command::new("DELETE").mailbox(name), Command::new("UNSUBSCRIBE").mailbox(name)]
    });
    for (number, result) in session.run_all(commands.collect(), drop).await?.into_iter().enumerate()
    {
        match result {
            // Another client may have been faster; what becomes of a subscription is no matter.
            Err(WireError::No { code, text })
                if number % 2 == 0
                    && crate::error::kind_of_no(code.as_deref(), &text) != ErrorKind::NotFound =>
            {
                return Err(WireError::No { code, text });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes collections of a list: parents first, each with its place, name and role.
fn arrange(place: &Place, listed: Vec<Listed>, wanted: &BTreeMap<Role, String>) -> Vec<Folder> {
    let mut by_name: BTreeMap<String, Listed> = BTreeMap::new();
    for listed in listed.into_iter().filter(is_there) {
        // A name that cannot be written back the same cannot be used at all.
        let Some(name) = name::decode(&listed.name) else { continue };
        let inbox = name.eq_ignore_ascii_case("INBOX");
        by_name.insert(if inbox { "INBOX".to_owned() } else { name }, listed);
    }
    // Servers may leave out what only holds others.
    let mut missing = Vec::new();
    for name in by_name.keys() {
        let mut name = name.as_str();
        while let Some(parent) = parent_of(place, name) {
            if !by_name.contains_key(parent) {
                missing.push(parent.to_owned());
            }
            name = parent;
        }
    }
    for name in missing {
        by_name.entry(name).or_insert_with(|| Listed {
            attributes: vec!["\\noselect".to_owned()],
            delimiter: place.delimiter,
            name: String::new(),
            rights: None,
        });
    }
    let roles = assign_roles(place, &by_name, wanted);
    let mut folders: Vec<_> = by_name
        .iter()
        .map(|(name, listed)| {
            let selectable = !listed.attributes.iter().any(|it| it == "\\noselect");
            // Rights (RFC 4314): i inserts, t marks as deleted; without either it is to look at.
            let writable =
                listed.rights.as_ref().is_none_or(|rights| rights.contains(['i', 't', 'd']));
            let access = if selectable && writable { Access::ReadWrite } else { Access::ReadOnly };
            let parent = parent_of(place, name);
            let own = match parent {
                Some(parent) => name.get(parent.len() + 1..).unwrap_or_default(),
                None => name.strip_prefix(&place.prefix).unwrap_or(name),
            };
            Folder {
                collection: Collection {
                    id: CollectionId::from(name.as_str()),
                    parent: parent.map(CollectionId::from),
                    name: shown(place, own),
                    class: Class::Mail,
                    role: roles.get(name.as_str()).copied(),
                    access,
                    owner: Owner::User,
                },
                selectable,
            }
        })
        .collect();
    // In the order of names a parent comes before its children already.
    folders.sort_by_key(|folder| folder.collection.role != Some(Role::Inbox));
    folders
}

/// The folder a folder lies in; none at the top.
fn parent_of<'n>(place: &Place, name: &'n str) -> Option<&'n str> {
    let (parent, own) = name.rsplit_once(place.delimiter?)?;
    let top = place.prefix.strip_suffix(place.delimiter?) == Some(parent);
    (!top && !parent.is_empty() && !own.is_empty()).then_some(parent)
}

fn assign_roles<'n>(
    place: &Place,
    folders: &'n BTreeMap<String, Listed>,
    wanted: &BTreeMap<Role, String>,
) -> BTreeMap<&'n str, Role> {
    let mut roles: BTreeMap<&str, Role> = BTreeMap::new();
    let mut given: HashSet<Role> = HashSet::new();
    let mut give = |name: &'n str, role: Role| {
        if !roles.contains_key(name) && given.insert(role) {
            roles.insert(name, role);
        }
    };
    for name in folders.keys() {
        if name == "INBOX" {
            give(name, Role::Inbox);
        }
    }
    for (role, wanted) in wanted {
        if let Some((name, _)) = folders.iter().find(|(name, _)| *name == wanted) {
            give(name, *role);
        }
    }
    for (name, listed) in folders {
        for role in listed.attributes.iter().filter_map(|it| roles::by_attribute(it)) {
            give(name, role);
        }
    }
    // By name only at the top or right within the inbox, the best known name first.
    let mut guesses: Vec<_> = folders
        .keys()
        .filter(|name| parent_of(place, name).is_none_or(|parent| parent == "INBOX"))
        .filter_map(|name| {
            let own = match parent_of(place, name) {
                Some(parent) => name.get(parent.len() + 1..)?,
                None => name.strip_prefix(&place.prefix).unwrap_or(name),
            };
            let (role, rank) = roles::by_name(own)?;
            Some((rank, name.len(), name, role))
        })
        .collect();
    guesses.sort_unstable_by_key(|(rank, length, ..)| (*rank, *length));
    for (_, _, name, role) in guesses {
        give(name, role);
    }
    roles
}

#[cfg(test)]
mod tests;
