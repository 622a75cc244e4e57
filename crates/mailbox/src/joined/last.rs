//! The collections that parts had last: while one is away, a phone must not take them for deleted.

use super::part::Named;
use crate::{ErrorKind, Result};
use dme_model::{Collection, UserId};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Users and parts that are remembered at the most; beyond, others are forgotten one by one.
const REMEMBERED: usize = 100_000;

/// A user's part, by the names it has.
type Whose = (UserId, Vec<&'static str>);

/// What parts had last, as callers know it.
#[derive(Default)]
pub struct LastCollections(Mutex<HashMap<Whose, Vec<Collection>>>);

impl LastCollections {
    /// What a part has; where it did not tell, what it had last.
    pub(super) fn or_last(
        &self,
        user: &UserId,
        named: &Named,
        read: Result<Vec<Collection>>,
    ) -> Result<Vec<Collection>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (user.clone(), named.names().collect::<Vec<_>>());
        let error = match read {
            Ok(read) => {
                if last.len() >= REMEMBERED
                    && !last.contains_key(&key)
                    && let Some(one) = last.keys().next().cloned()
                {
                    last.remove(&one);
                }
                last.insert(key, read.clone());
                return Ok(read);
            }
            Err(error) => error,
        };
        tracing::info!(%user, parts = ?key.1, %error, "the collections are those it had last");
        match (last.get(&key), &error.kind) {
            (Some(had), _) => Ok(had.clone()),
            (None, ErrorKind::NotFound) => Ok(Vec::new()),
            (None, ErrorKind::Auth | ErrorKind::Forbidden) if named.may_be_a_stranger() => {
                Ok(Vec::new())
            }
            // A phone may know some: to tell it of none would take them from it.
            (None, _) => Err(error),
        }
    }
}
