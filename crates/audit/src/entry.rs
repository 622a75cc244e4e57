//! What is recorded of an act.

use dme_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One entry of the record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the record, from 1 on, without gaps.
    pub number: u64,
    /// When, by the server's clock.
    pub time: Timestamp,
    /// Who acted.
    pub who: Who,
    /// What was done.
    pub step: Step,
}

/// Who acted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Who {
    /// The principal: a user, a token's name, the server itself.
    pub name: String,
    /// The role in which it was done.
    pub role: String,
    /// The address it came from, where it came over the network.
    pub address: Option<String>,
    /// By which way.
    pub by: Means,
}

impl Who {
    /// The server itself, by a rule or a time that has come.
    pub fn server() -> Self {
        let (name, role) = ("server".to_owned(), "server".to_owned());
        Self { name, role, address: None, by: Means::Server }
    }
}

/// By which way an act came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The administrators' pages.
    Console,
    /// The users' own page.
    Own,
    /// The interface for programs.
    Rest,
    /// `dme` on the command line.
    CommandLine,
    /// The server did it by itself.
    Server,
}

impl Means {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::Console, Self::Own, Self::Rest, Self::CommandLine, Self::Server];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Own => "own",
            Self::Rest => "rest",
            Self::CommandLine => "command_line",
            Self::Server => "server",
        }
    }

    /// The one with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|means| means.as_str() == word)
    }
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An act has two entries: one before it is begun, one with what came of it. A first one without a
/// second means that nobody knows what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It is about to be done.
    Begun(Act),
    /// What came of it.
    Ended {
        /// The number of the entry with which it was begun.
        begun: u64,
        /// What came of it.
        outcome: Outcome,
        /// What is known only now of what it changed.
        changes: Vec<Change>,
    },
}

/// An act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Act {
    /// What it is: `device.block`, `connector.revoke`.
    pub name: String,
    /// Whom or what it concerns, the most general first: a user, then the device.
    pub targets: Vec<String>,
    /// What it changes, secrets left out.
    pub changes: Vec<Change>,
}

/// What became of one thing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub what: String,
    /// What it was, where that is known and no secret.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

/// What came of an act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed, or made no sense; nothing was changed.
    Refused(String),
    /// It did not work; something may have been changed.
    Failed(String),
}

impl Outcome {
    /// Its word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// Why, where it was not done.
    pub fn reason(&self) -> &str {
        match self {
            Self::Done => "",
            Self::Refused(reason) | Self::Failed(reason) => reason,
        }
    }

    /// The one with this word and reason.
    pub fn named(word: &str, reason: String) -> Option<Self> {
        match word {
            "done" => Some(Self::Done),
            "refused" => Some(Self::Refused(reason)),
            "failed" => Some(Self::Failed(reason)),
            _ => None,
        }
    }
}
