//! Rules that administrators set at run time: read, checked and written with the revision that was
//! read.

use dme_model::Timestamp;
use dme_policy::{AdmissionProblem, ConditionProblem, Problem, RuleProblem};
use dme_store::{Book, Edit, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Rules as they stand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Versioned<T> {
    /// Their revision, to be named by who changes them; 0 where nobody has set any.
    pub revision: u64,
    /// What they say.
    pub content: T,
    /// Since when, in milliseconds since 1970; none where nobody has set any.
    pub changed: Option<i64>,
    /// Who set them; empty where nobody has.
    pub author: String,
}

/// Who changes rules, and having read which.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    /// The revision that was read.
    pub read: u64,
    /// Who.
    pub name: String,
}

/// Why rules were not set, or not found.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// They make no sense; all that is wrong with them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong(Vec<Wrong>),
    /// They cannot be written down.
    #[error("the rules cannot be written down: {0}")]
    Unwritable(String),
    /// Somebody else changed them meanwhile, or there is no such device.
    #[error(transparent)]
    Store(#[from] dme_store::Error),
}

/// What is wrong with rules, with how to mend it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Wrong {
    /// With levels of policy.
    #[error(transparent)]
    Levels(#[from] Problem),
    /// With rules of admission.
    #[error(transparent)]
    Admission(#[from] AdmissionProblem),
    /// With rules of behaviour.
    #[error(transparent)]
    Behaviour(#[from] RuleProblem),
    /// With a condition that stands for itself.
    #[error(transparent)]
    Condition(#[from] ConditionProblem),
}

impl<T: Default + DeserializeOwned> Versioned<T> {
    /// Where nobody has set any.
    pub(crate) fn none() -> Self {
        Self { revision: 0, content: T::default(), changed: None, author: String::new() }
    }

    /// From what the store has.
    pub(crate) fn read(book: Option<Book>, place: &'static str) -> dme_store::Result<Self> {
        let Some(book) = book else { return Ok(Self::none()) };
        let unreadable = |error: serde_json::Error| dme_store::Error::Unreadable {
            place,
            reason: error.to_string(),
        };
        Ok(Self {
            revision: book.revision,
            content: serde_json::from_str(&book.content).map_err(unreadable)?,
            changed: Some(book.changed.as_millis()),
            author: book.author,
        })
    }
}

/// Refuses rules with what is wrong with them, if anything is.
pub(crate) fn sound(
    problems: impl IntoIterator<Item = impl Into<Wrong>>,
) -> Result<(), RulesError> {
    let wrong: Vec<Wrong> = problems.into_iter().map(Into::into).collect();
    if wrong.is_empty() { Ok(()) } else { Err(RulesError::Wrong(wrong)) }
}

/// What is to be written.
pub(crate) fn edit(
    content: &impl Serialize,
    author: &Author,
    at: Timestamp,
) -> Result<Edit, RulesError> {
    let content = serde_json::to_string(content)
        .map_err(|error| RulesError::Unwritable(error.to_string()))?;
    Ok(Edit { read: author.read, content, author: author.name.clone(), at })
}

/// The rules of a book.
pub(crate) async fn load<T: Default + DeserializeOwned>(
    store: &Store,
    name: &'static str,
) -> dme_store::Result<Versioned<T>> {
    Versioned::read(store.book(name).await?, name)
}
