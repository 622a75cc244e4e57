//! The parts of a joined mailbox, and how their collections are named.

use crate::{Hit, Mailbox};
use dme_model::{Class, CollectionId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Before the name of a part.
pub(super) const MARK: char = '\u{1}';
/// Between the name of a part and the part's own id.
pub(super) const END: char = '/';

/// One of the mail systems.
pub struct Part {
    /// What its collections are called.
    pub named: Named,
    /// What is in it.
    pub mailbox: Arc<dyn Mailbox>,
}

/// What stands before the ids of a part's collections. It is part of what phones remember.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Named {
    /// Nothing: they are called as the part calls them.
    Plain,
    /// The same name for all, which stays the same for ever.
    As(&'static str),
    /// Its class, before each collection but those of mail: so a collection keeps its id whichever
    /// part serves the class.
    ByClass {
        /// The classes it serves.
        serves: BTreeSet<Class>,
        /// The classes of which it shows nothing. What it has of others, such as an address list
        /// as a folder, is called as the part calls it.
        hides: BTreeSet<Class>,
    },
}

impl Named {
    /// Whether collections of this class are shown.
    pub(super) fn shows(&self, class: Class) -> bool {
        match self {
            Self::Plain | Self::As(_) => true,
            Self::ByClass { serves, hides } => serves.contains(&class) || !hides.contains(&class),
        }
    }

    /// What stands before the id of a collection of this class; none where it is called as the part
    /// calls it.
    pub(super) fn before(&self, class: Class) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::As(name) => Some(name),
            Self::ByClass { serves, .. } => {
                (class != Class::Mail && serves.contains(&class)).then(|| class.function().as_str())
            }
        }
    }

    /// Whether it is the part for this class.
    pub(super) fn is_for(&self, class: Class) -> bool {
        match self {
            Self::Plain | Self::As(_) => true,
            Self::ByClass { serves, .. } => serves.contains(&class),
        }
    }

    /// This name, where it is one of the part's.
    pub(super) fn bears(&self, asked: &str) -> Option<&'static str> {
        self.names().find(|name| *name == asked)
    }

    /// Every name of the part.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let (one, classes) = match self {
            Self::Plain => (None, None),
            Self::As(name) => (Some(*name), None),
            Self::ByClass { serves, .. } => (None, Some(serves)),
        };
        let beside_mail = classes.into_iter().flatten().filter(|class| **class != Class::Mail);
        one.into_iter().chain(beside_mail.map(|class| class.function().as_str()))
    }

    /// Whether a part that does not let somebody in has nothing of theirs. Where it is known whose
    /// it is, it has, and the refusal passes.
    pub(super) fn may_be_a_stranger(&self) -> bool {
        !matches!(self, Self::ByClass { .. })
    }
}

/// Which part, by its number; that of mail is the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Of(pub usize);

impl Of {
    pub(super) const MAIL: Self = Self(0);
}

/// A collection in its own mail system's terms.
pub(super) struct Place<'a> {
    pub mailbox: &'a dyn Mailbox,
    pub of: Of,
    /// What stands before its id; nothing for one of mail.
    pub name: Option<&'static str>,
    pub id: CollectionId,
}

impl Place<'_> {
    /// An id of the same mail system as the callers know it.
    pub fn outward(&self, id: CollectionId) -> CollectionId {
        outward(self.name, id)
    }
}

/// The id that callers know, of a part's own.
pub(super) fn outward(name: Option<&str>, id: CollectionId) -> CollectionId {
    match name {
        None => id,
        Some(name) => CollectionId::new(format!("{MARK}{name}{END}{id}")),
    }
}

/// The name and the part's own id, of one that callers know.
pub(super) fn inward(id: &CollectionId) -> Option<(&str, &str)> {
    id.as_str().strip_prefix(MARK)?.split_once(END)
}

pub(super) fn hit(name: Option<&str>, hit: Hit) -> Hit {
    Hit { collection: outward(name, hit.collection), item: hit.item }
}
