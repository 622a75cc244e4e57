//! The numbers a user's folders have.

use crate::{Error, Result};
use dme_model::CollectionId;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// As many numbers as a user's folders may have had; a folder that is renamed keeps its own.
const MOST: usize = 1 << 20;

/// What the numbers from 1 on stand for. Each was given once: one that stands for nothing any more
/// is not given again.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Option<CollectionId>>", into = "Vec<Option<CollectionId>>")]
pub(super) struct Numbering(Vec<Option<CollectionId>>);

impl Numbering {
    /// One number more, as the database has it. Numbers that are passed over stand for nothing: they
    /// too are not given any more, as only the next after the highest is.
    pub(super) fn put(&mut self, no: i64, collection: Option<String>) -> Result<()> {
        let index = usize::try_from(no).ok().and_then(|no| no.checked_sub(1));
        let index = index.filter(|index| *index < MOST).ok_or_else(|| Error::Unreadable {
            place: "folder.no",
            reason: format!("{no} is not between 1 and {MOST}"),
        })?;
        if index >= self.0.len() {
            self.0.resize(index.saturating_add(1), None);
        }
        if let Some(place) = self.0.get_mut(index) {
            *place = collection.map(CollectionId::from);
        }
        Ok(())
    }

    /// Whether a phone that knows folders by this numbering would take one for another under that of
    /// `here`: a number stands for another folder or was freed, or a folder has another number.
    pub(super) fn contradicts(&self, here: &Self) -> bool {
        let known: HashMap<_, _> =
            here.standing().map(|(index, collection)| (collection, index)).collect();
        self.standing().any(|(index, collection)| match known.get(collection) {
            Some(found) => *found != index,
            None => index < here.0.len(),
        })
    }

    /// Each number that says more than the same of `here`, and what it stands for.
    pub(super) fn beyond<'a>(
        &'a self,
        here: &'a Self,
    ) -> impl Iterator<Item = (i64, Option<&'a CollectionId>)> {
        let numbers = (1i64..).zip(&self.0).enumerate();
        numbers
            .filter(|(index, (_, collection))| here.0.get(*index) != Some(*collection))
            .map(|(_, (no, collection))| (no, collection.as_ref()))
    }

    fn standing(&self) -> impl Iterator<Item = (usize, &CollectionId)> {
        self.0.iter().enumerate().filter_map(|(index, one)| Some((index, one.as_ref()?)))
    }
}

impl From<Numbering> for Vec<Option<CollectionId>> {
    fn from(numbering: Numbering) -> Self {
        numbering.0
    }
}

impl TryFrom<Vec<Option<CollectionId>>> for Numbering {
    type Error = String;

    fn try_from(collections: Vec<Option<CollectionId>>) -> Result<Self, String> {
        if collections.len() > MOST {
            return Err(format!("{} folders have numbers, at most {MOST} may", collections.len()));
        }
        let mut seen = HashSet::new();
        match collections.iter().flatten().find(|collection| !seen.insert(*collection)) {
            Some(twice) => Err(format!("the folder {twice} has two numbers")),
            None => Ok(Self(collections)),
        }
    }
}
