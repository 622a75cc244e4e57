//! The parts of a joined mailbox, and how their collections are named.

use crate::{Hit, Mailbox};
use dme_model::{Class, CollectionId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Before the name of a part.
pub(super) const MARK: char = '\u{1}';
/// Between the name of a part and the part's own id.
pub(super) const END: char = '/';

/// A mail system beside the one for mail.
pub struct Part {
    /// What its collections are called.
    pub named: Named,
    /// What is in it.
    pub mailbox: Arc<dyn Mailbox>,
}

/// What stands before the ids of a part's collections. It is part of what phones remember.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Named {
    /// The same name for all, which stays the same for ever.
    As(&'static str),
    /// Each collection by its class; of other classes none is shown. So a collection keeps its id
    /// though another part becomes the one for another class.
    ByClass(BTreeSet<Class>),
}

impl Named {
    /// The name before a collection of this class; none where it is not shown.
    pub(super) fn name(&self, class: Class) -> Option<&'static str> {
        match self {
            Self::As(name) => Some(name),
            Self::ByClass(classes) => classes.contains(&class).then(|| class.function().as_str()),
        }
    }

    /// This name, where it is one of the part's.
    pub(super) fn bears(&self, asked: &str) -> Option<&'static str> {
        self.names().find(|name| *name == asked)
    }

    /// Every name of the part.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let (one, classes) = match self {
            Self::As(name) => (Some(*name), None),
            Self::ByClass(classes) => (None, Some(classes)),
        };
        one.into_iter().chain(classes.into_iter().flatten().map(|class| class.function().as_str()))
    }
}

/// Which part: the one for mail, or one of the others by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Of {
    Mail,
    Other(usize),
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
