//! The user's calendars and address books: listed, made, renamed, deleted.
//!
//! A collection of a server may hold events, tasks and notes at once. Phones have a folder for each
//! class, so such a collection is several of ours; the class stands in the id.

use crate::client::Request;
use crate::error::WireError;
use crate::href::{Origin, Path};
use crate::kind::{Kind, access};
use crate::mailbox::DavMailbox;
use crate::multistatus::Response;
use crate::owner::Belongs;
use crate::principal::Principal;
use crate::report;
use crate::xml::Ns;
use dme_mailbox::{Error, ErrorKind, Result, hash};
use dme_model::{Access, Class, Collection, CollectionId, Role};
use http::Method;
use std::collections::BTreeMap;

/// Collections of one user.
const MAX_COLLECTIONS: usize = 2_000;
/// Collections that may have been made under one name and renamed since.
const MAX_NAMESAKES: usize = 8;
/// Before the name of a collection that we made, by which it is known not to be the default.
const OURS: &str = "dme-";

/// What is asked of each collection. Where it stands is dear to ask: some servers look at every
/// member for that ([`crate::standing`]).
pub(crate) const PROPS: &str = "<resourcetype/><displayname/><owner/><current-user-privilege-set/>\
     <C:supported-calendar-component-set/>";

/// A collection of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Remote {
    pub(crate) path: Path,
    pub(crate) name: String,
    pub(crate) access: Access,
    pub(crate) belongs: Belongs,
    /// What it may hold, in the order of [`Class`].
    pub(crate) classes: Vec<Class>,
}

/// What is asked of all collections in a home.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Question<'a> {
    /// These properties.
    Props(&'a str),
    /// [`PROPS`], and where each stands.
    Standing,
}

/// One of our collections: a class of one of the server's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) class: Class,
    pub(crate) path: Path,
}

impl Place {
    pub(crate) fn id(&self) -> CollectionId {
        let class = match self.class {
            Class::Mail => "mail",
            Class::Calendar => "calendar",
            Class::Contacts => "contacts",
            Class::Tasks => "tasks",
            Class::Notes => "notes",
        };
        CollectionId::new(format!("{class}:{}", self.path))
    }

    pub(crate) fn read(id: &CollectionId) -> Result<Self> {
        let read = || {
            let (class, path) = id.as_str().split_once(':')?;
            let class = match class {
                "calendar" => Class::Calendar,
                "contacts" => Class::Contacts,
                "tasks" => Class::Tasks,
                "notes" => Class::Notes,
                _ => return None,
            };
            let path = Path::new(path)?;
            path.as_str().ends_with('/').then_some(Self { class, path })
        };
        let none = || Error::new(ErrorKind::NotFound, format!("dav: there is no collection {id}"));
        read().ok_or_else(none)
    }
}

impl Remote {
    /// None where the resource is no calendar or address book: a scheduling inbox, the home itself.
    pub(crate) fn of(response: &Response, path: Path, origin: &Origin) -> Option<Self> {
        let Kind { classes, .. } = Kind::of(response)?;
        let name = response.text(Ns::Dav, "displayname").map(str::to_owned);
        Some(Self {
            name: name.unwrap_or_else(|| path.plain_name()),
            access: access(response),
            belongs: Belongs::of(response, origin),
            classes,
            path,
        })
    }
}

impl DavMailbox {
    /// Every calendar and address book in the user's homes, by path.
    ///
    /// A home that is not there holds nothing, but not every one of them: that is a server that
    /// does not serve just now, and an empty list would take everything from the phone.
    pub(crate) async fn remotes(
        &self,
        principal: &Principal,
    ) -> Result<BTreeMap<Path, Remote>, WireError> {
        self.remotes_told(principal, PROPS).await
    }

    /// The same with what these properties tell of each.
    pub(crate) async fn remotes_told(
        &self,
        principal: &Principal,
        props: &str,
    ) -> Result<BTreeMap<Path, Remote>, WireError> {
        self.in_homes(principal, Question::Props(props), |_, remote| remote).await
    }

    /// What is told of each of them in answer to a question.
    pub(crate) async fn in_homes<T>(
        &self,
        principal: &Principal,
        question: Question<'_>,
        told_of: impl Fn(&Response, Remote) -> T,
    ) -> Result<BTreeMap<Path, T>, WireError> {
        let mut homes: Vec<_> =
            principal.calendar_homes.iter().chain(&principal.contact_homes).collect();
        homes.sort();
        homes.dedup();
        let mut found = BTreeMap::new();
        let mut served = false;
        for home in homes {
            let told = match question {
                Question::Props(props) => self.propfind(home, "1", props).await,
                Question::Standing => self.propfind_standing(home, "1").await,
            };
            let told = match told {
                Err(error) if error.status() == Some(404) => continue,
                told => told?,
            };
            served = true;
            let origin = &self.shared.client.origin;
            let at =
                |response: &Response| Path::read(&response.href, origin).map(Path::into_collection);
            let itself = told.responses.iter().find(|response| at(response).as_ref() == Some(home));
            let above = itself.map(|home| Belongs::of(home, origin)).unwrap_or_default();
            for response in &told.responses {
                let remote = at(response).and_then(|path| Remote::of(response, path, origin));
                let remote = remote.filter(|remote| self.wants(&remote.classes));
                let Some(mut remote) = remote else { continue };
                remote.belongs.in_home(&above);
                if found.len() >= MAX_COLLECTIONS {
                    let said = format!("more than {MAX_COLLECTIONS} collections");
                    return Err(WireError::Nonsense(said));
                }
                found.insert(remote.path.clone(), told_of(response, remote));
            }
        }
        if !served {
            let context = "dav: the server has none of the user's homes (404): if that stays so, \
                           see whether the user has calendars or address books there";
            return Err(Error::new(ErrorKind::Unavailable, context).into());
        }
        Ok(found)
    }

    /// A home may hold both kinds though only one is wanted.
    pub(crate) fn wants(&self, classes: &[Class]) -> bool {
        let config = &self.shared.config;
        match classes.contains(&Class::Contacts) {
            true => config.contacts,
            false => config.calendars,
        }
    }

    /// One calendar or address book.
    pub(crate) async fn remote(&self, path: &Path) -> Result<Remote, WireError> {
        let told = self.propfind(path, "0", PROPS).await?;
        let origin = &self.shared.client.origin;
        let remote = told.responses.first();
        let remote = remote.and_then(|told| Remote::of(told, path.clone(), origin));
        remote.ok_or_else(|| no_collection(path).into())
    }

    pub(crate) async fn list_collections(&self) -> Result<Vec<Collection>> {
        let listed = async {
            let principal = self.principal().await?;
            Ok((self.remotes(&principal).await?, principal))
        };
        let (remotes, principal) =
            listed.await.map_err(|error: WireError| error.told("list collections"))?;
        let mut owners = BTreeMap::new();
        for remote in remotes.values() {
            owners.insert(&remote.path, self.owner_of(&remote.belongs, &principal).await);
        }
        let mut collections = Vec::new();
        for class in [Class::Calendar, Class::Contacts, Class::Tasks, Class::Notes] {
            let default = self.default_of(class, &remotes, &principal).map(|it| it.path.clone());
            let of_class = remotes.values().filter(|remote| remote.classes.contains(&class));
            collections.extend(of_class.map(|remote| Collection {
                id: Place { class, path: remote.path.clone() }.id(),
                parent: None,
                name: remote.name.clone(),
                class,
                role: role(class).filter(|_| default.as_ref() == Some(&remote.path)),
                access: remote.access,
                owner: owners.get(&remote.path).cloned().unwrap_or_default(),
            }));
        }
        Ok(collections)
    }

    /// The collection that new items of a class go to: as configured, as the server says, else the
    /// first that can be written to. One that a phone made never takes another's place, and one of
    /// somebody else's only where the user has none.
    pub(crate) fn default_of<'a>(
        &self,
        class: Class,
        remotes: &'a BTreeMap<Path, Remote>,
        principal: &Principal,
    ) -> Option<&'a Remote> {
        let of_class = || remotes.values().filter(|remote| remote.classes.contains(&class));
        let named = role(class).and_then(|role| self.shared.config.folders.get(&role));
        let shared = |remote: &Remote| !remote.belongs.to(principal);
        let named = of_class().filter(|remote| named == Some(&remote.name));
        let by_name = named.min_by_key(|remote| shared(remote));
        let said = principal.default_calendar.as_ref();
        let by_server = of_class().find(|remote| said == Some(&remote.path));
        let first = || {
            of_class().min_by_key(|remote| {
                let read_only = remote.access == Access::ReadOnly;
                let ours = remote.path.name().starts_with(OURS);
                (shared(remote), read_only, ours, &remote.path)
            })
        };
        by_name.or(by_server).or_else(first)
    }

    pub(crate) async fn make_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        self.make(parent, name, class).await.map_err(|error| error.told("make a collection"))
    }

    async fn make(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId, WireError> {
        let name = valid(name)?;
        if parent.is_some() {
            return Err(flat().into());
        }
        let principal = self.principal().await?;
        let homes = match class {
            Class::Contacts => &principal.contact_homes,
            Class::Mail => return Err(unsupported("there is no mail here").into()),
            _ => &principal.calendar_homes,
        };
        let home = homes.first().ok_or_else(|| unsupported("this class is not served here"))?;
        let same = |remote: &Remote| {
            remote.name == name && remote.classes.contains(&class) && remote.belongs.to(&principal)
        };
        if self.remotes(&principal).await?.values().any(same) {
            return Err(taken().into());
        }
        // The name is made of what is asked, so that a repeated request finds what the first made.
        let segment = format!("{OURS}{}", hash::name_of(&format!("{class:?}/{name}")));
        let at = |segment: &str| home.member(segment).map(Path::into_collection).ok_or_else(flat);
        let mut path = at(&segment)?;
        for attempt in 2..=MAX_NAMESAKES {
            match self.make_at(&path, name, class).await {
                // What was renamed or is of another time bears the same segment.
                Err(error) if matches!(error.status(), Some(405 | 409 | 403)) => {
                    if self.remote(&path).await.is_err() {
                        return Err(error);
                    }
                    path = at(&format!("{segment}-{attempt}"))?;
                }
                made => return made.map(|()| Place { class, path }.id()),
            }
        }
        self.make_at(&path, name, class).await.map(|()| Place { class, path }.id())
    }

    async fn make_at(&self, path: &Path, name: &str, class: Class) -> Result<(), WireError> {
        let (method, extended) = match class {
            Class::Contacts => ("MKCOL", true),
            _ => ("MKCALENDAR", false),
        };
        let document = report::make_collection(class, name, extended);
        self.send(Request::xml(method, path, document)).await?.success().map(drop)
    }

    pub(crate) async fn rename_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        let place = Place::read(collection)?;
        let renamed = async {
            let name = valid(name)?;
            if parent.is_some() {
                return Err(flat().into());
            }
            let principal = self.principal().await?;
            let same = |remote: &Remote| {
                remote.name == name
                    && remote.path != place.path
                    && remote.classes.contains(&place.class)
                    && remote.belongs.to(&principal)
            };
            if self.remotes(&principal).await?.values().any(same) {
                return Err(WireError::from(taken()));
            }
            let request = Request::xml("PROPPATCH", &place.path, report::rename(name));
            let told = self.send(request).await?.multistatus()?;
            match told.responses.iter().any(|it| it.prop(Ns::Dav, "displayname").is_some()) {
                true => Ok(()),
                false => Err(Error::new(
                    ErrorKind::Forbidden,
                    "dav: the server does not let the collection's name be changed",
                )
                .into()),
            }
        };
        renamed.await.map_err(|error: WireError| error.told("rename a collection"))?;
        Ok(collection.clone())
    }

    /// A collection of several classes is not deleted for one of them: the others' items would go
    /// with it. One that is shared is its owner's to delete.
    pub(crate) async fn drop_collection(&self, collection: &CollectionId) -> Result<()> {
        let place = Place::read(collection)?;
        let dropped = async {
            let remote = self.remote(&place.path).await?;
            if self.is_shared(&place.path).await? {
                return Err(WireError::from(Error::new(
                    ErrorKind::Forbidden,
                    "dav: the collection is somebody else's, who alone may delete it",
                )));
            }
            let others = remote.classes.iter().any(|class| *class != place.class);
            if others && self.holds_others(&remote, place.class).await? {
                return Err(WireError::from(Error::new(
                    ErrorKind::Forbidden,
                    "dav: the collection also holds items of other classes: empty it instead",
                )));
            }
            self.send(Request::new(Method::DELETE, &place.path)).await?.success().map(drop)
        };
        dropped.await.map_err(|error: WireError| error.told("delete a collection"))
    }

    async fn holds_others(&self, remote: &Remote, class: Class) -> Result<bool, WireError> {
        for other in remote.classes.iter().filter(|other| **other != class) {
            let other = Place { class: *other, path: remote.path.clone() };
            if !self.members_of_class(&other, None).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A name as it is given, without space around it.
fn valid(name: &str) -> Result<&str, WireError> {
    let name = name.trim();
    match name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        true => Err(Error::new(ErrorKind::Invalid, "dav: no name for a collection").into()),
        false => Ok(name),
    }
}

/// Where a collection should be.
pub(crate) fn no_collection(path: &Path) -> Error {
    Error::new(ErrorKind::NotFound, format!("dav: {path} is no collection"))
}

fn taken() -> Error {
    Error::new(ErrorKind::AlreadyExists, "dav: there is a collection of this name already")
}

fn flat() -> Error {
    Error::new(ErrorKind::Forbidden, "dav: calendars and address books do not lie in each other")
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("dav: {what}"))
}

fn role(class: Class) -> Option<Role> {
    match class {
        Class::Mail => None,
        Class::Calendar => Some(Role::Calendar),
        Class::Contacts => Some(Role::Contacts),
        Class::Tasks => Some(Role::Tasks),
        Class::Notes => Some(Role::Notes),
    }
}
