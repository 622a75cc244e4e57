//! The calls of [`dme_directory::DirectoryService`].

use super::call::Call;
use dme_directory::{Error, Everyone, GroupSnapshot, PeopleFound, PeopleSearch, Person, Verdict};
use dme_model::{Secret, UserId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `directory/authenticate`
#[derive(Serialize, Deserialize)]
pub(crate) struct Authenticate<'a> {
    pub user: Cow<'a, UserId>,
    pub password: Cow<'a, Secret>,
}

/// `directory/find`
#[derive(Serialize, Deserialize)]
pub(crate) struct Find<'a> {
    pub user: Cow<'a, UserId>,
}

/// `directory/groups`
#[derive(Serialize, Deserialize)]
pub(crate) struct Groups {}

/// `directory/search`
#[derive(Serialize, Deserialize)]
pub(crate) struct Search<'a> {
    pub search: Cow<'a, PeopleSearch>,
}

/// `directory/everyone`
#[derive(Serialize, Deserialize)]
pub(crate) struct ListEveryone<'a> {
    pub asking: Cow<'a, UserId>,
    pub limit: u32,
}

impl Call for Authenticate<'_> {
    const NAME: &'static str = "directory/authenticate";
    const SECRET: bool = true;
    type Answer = Verdict;
}

impl Call for Find<'_> {
    const NAME: &'static str = "directory/find";
    type Answer = Option<Person>;
}

impl Call for Groups {
    const NAME: &'static str = "directory/groups";
    type Answer = GroupSnapshot;
}

impl Call for Search<'_> {
    const NAME: &'static str = "directory/search";
    type Answer = PeopleFound;
}

impl Call for ListEveryone<'_> {
    const NAME: &'static str = "directory/everyone";
    type Answer = Everyone;
}

/// A directory's error, or one of a newer release, of which only the text is understood.
pub(crate) fn error(value: serde_json::Value) -> Error {
    match serde_json::from_value(value.clone()) {
        Ok(error) => error,
        Err(_) => Error::Protocol(format!("the connector answered with the unknown {value}")),
    }
}
