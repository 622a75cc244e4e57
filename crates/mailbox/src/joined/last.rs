//! The collections that parts had last: while one is away, a phone must not take them for deleted.

use crate::{ErrorKind, Result};
use dme_model::{Collection, UserId};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Lists that are remembered at the most; beyond, all are forgotten.
const REMEMBERED: usize = 50_000;

/// What parts had last, by user and name.
#[derive(Default)]
pub struct LastCollections(Mutex<HashMap<(UserId, &'static str), Vec<Collection>>>);

impl LastCollections {
    /// What a part has under its names; where it did not tell, what it had last. A user of whom it
    /// knows nothing has none there.
    pub(super) fn or_last(
        &self,
        user: &UserId,
        names: impl Iterator<Item = &'static str>,
        read: Result<Vec<(&'static str, Collection)>>,
    ) -> Result<Vec<(&'static str, Collection)>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let error = match read {
            Ok(read) => {
                for name in names {
                    let key = (user.clone(), name);
                    let of_name = read.iter().filter(|(of, _)| *of == name);
                    let collections = of_name.map(|(_, collection)| collection.clone()).collect();
                    if last.len() >= REMEMBERED && !last.contains_key(&key) {
                        last.clear();
                    }
                    last.insert(key, collections);
                }
                return Ok(read);
            }
            Err(error) => error,
        };
        let mut known = Vec::new();
        for name in names {
            tracing::info!(%user, part = name, %error, "its collections are those it had last");
            match (last.get(&(user.clone(), name)), &error.kind) {
                (Some(had), _) => known.extend(had.iter().map(|one| (name, one.clone()))),
                (None, ErrorKind::NotFound | ErrorKind::Auth | ErrorKind::Forbidden) => {}
                // A phone may know some: to tell it of none would take them from it.
                (None, _) => return Err(error),
            }
        }
        Ok(known)
    }
}
