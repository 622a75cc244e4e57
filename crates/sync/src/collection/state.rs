//! What the engine remembers of one collection of one device (rules S1 and S2).
//!
//! Two generations: what the phone holds if it got the last answer, and what it held before. The
//! phone's next request says which is true. What is remembered are sets of item ids and the mail
//! system's own token: a folder of 100,000 messages takes a few hundred bytes.

use super::{CollectionOptions, CommandResult, Saved};
use crate::key::GenerationNo;
use crate::{Error, Result, SyncKey};
use dme_mailbox::{ChangeToken, ItemFilter};
use dme_model::{Class, ItemId, ItemSet, Timestamp};
use serde::{Deserialize, Serialize};

/// The form of the bytes. A state of another form is dropped: the phone begins that folder again.
const VERSION: u32 = 1;

/// The state of one collection of one device.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    version: u32,
    /// What the phone holds if it got the last answer.
    pub current: Generation,
    /// What it held before that.
    pub previous: Option<Generation>,
    /// The commands that were carried out on the way from `previous` to `current`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<Applied>,
    /// What the phone said last of filter, view and conflicts.
    pub options: CollectionOptions,
    /// What the collection holds.
    #[serde(default = "mail")]
    pub class: Class,
    /// What the phone said of the elements it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported: Option<String>,
}

fn mail() -> Class {
    Class::Mail
}

/// What the phone holds, and what it is still to be told.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Generation {
    /// Which.
    #[serde(flatten)]
    pub no: GenerationNo,
    /// Everything up to here is in the sets below; none before the collection was first listed.
    pub token: Option<ChangeToken>,
    /// When the token was given, as long as not all is told that was known then; until it is, the
    /// question what changed since may wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// What of the collection is wanted, as the sets below have it.
    #[serde(default)]
    pub filter: ItemFilter,
    /// What the phone holds.
    #[serde(default, skip_serializing_if = "ItemSet::is_empty")]
    pub known: ItemSet,
    /// To be added. Also in `known` and `gone`: a placeholder that is to be fetched anew, or what was
    /// gone and is there again.
    #[serde(default, skip_serializing_if = "ItemSet::is_empty")]
    pub pending: ItemSet,
    /// Of those in `known`: marks changed, or what it says.
    #[serde(default, skip_serializing_if = "ItemSet::is_empty")]
    pub dirty: ItemSet,
    /// Of those in `known`: no longer there.
    #[serde(default, skip_serializing_if = "ItemSet::is_empty")]
    pub gone: ItemSet,
    /// Of those in `known`: no longer passes the filter.
    #[serde(default, skip_serializing_if = "ItemSet::is_empty")]
    pub fallen: ItemSet,
    /// Of those in `known`: shown by a placeholder (rule S5).
    #[serde(default, skip_serializing_if = "ItemSet::is_empty")]
    pub failed: ItemSet,
    /// Mails the phone was told of, whose word on a meeting is still to be taken into the calendar.
    #[serde(default, skip_serializing_if = "ItemSet::is_empty")]
    pub untaken: ItemSet,
}

/// A command that was carried out, and what became of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Applied {
    /// Its fingerprint.
    pub command: String,
    /// What the phone was answered.
    #[serde(flatten)]
    pub result: Recorded,
}

/// A [`CommandResult`] that can be given again later.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result", content = "of")]
pub(crate) enum Recorded {
    Done,
    Added(Saved),
    Replaced(Saved),
    Sent,
    NotFound,
    Conflict,
    Refused(dme_mailbox::Error),
}

impl Recorded {
    /// None for what must be done anew each time.
    pub fn of(result: &CommandResult) -> Option<Self> {
        Some(match result {
            CommandResult::Done => Self::Done,
            CommandResult::Added(saved) => Self::Added(saved.clone()),
            CommandResult::Replaced(saved) => Self::Replaced(saved.clone()),
            CommandResult::Sent => Self::Sent,
            CommandResult::NotFound => Self::NotFound,
            CommandResult::Conflict => Self::Conflict,
            CommandResult::Refused(error) => Self::Refused(error.clone()),
            CommandResult::Fetched(_) | CommandResult::Full => return None,
        })
    }
}

impl From<Recorded> for CommandResult {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::Done => Self::Done,
            Recorded::Added(saved) => Self::Added(saved),
            Recorded::Replaced(saved) => Self::Replaced(saved),
            Recorded::Sent => Self::Sent,
            Recorded::NotFound => Self::NotFound,
            Recorded::Conflict => Self::Conflict,
            Recorded::Refused(error) => Self::Refused(error),
        }
    }
}

/// Which of the two generations a request goes on from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Base {
    /// The usual: the phone got the last answer.
    Current,
    /// The phone lost it and repeats its request.
    Previous,
}

impl State {
    /// The state of a phone that begins.
    pub fn begin(no: GenerationNo, class: Class, options: CollectionOptions) -> Self {
        let current = Generation {
            no,
            token: None,
            asked: None,
            filter: ItemFilter::default(),
            known: ItemSet::new(),
            pending: ItemSet::new(),
            dirty: ItemSet::new(),
            gone: ItemSet::new(),
            fallen: ItemSet::new(),
            failed: ItemSet::new(),
            untaken: ItemSet::new(),
        };
        let applied = Vec::new();
        Self { version: VERSION, current, previous: None, applied, options, class, supported: None }
    }

    /// Reads what [`State::to_bytes`] wrote. None where it cannot be read: then it is as if the
    /// phone had never begun.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let state: Self = serde_json::from_slice(bytes).ok()?;
        (state.version == VERSION).then_some(state)
    }

    /// For the store.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Sets, numbers and texts always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The generation a key names.
    pub fn base(&self, key: &SyncKey) -> Result<(Base, &Generation)> {
        let no = key.generation().ok_or(Error::InvalidKey)?;
        match &self.previous {
            _ if no == self.current.no => Ok((Base::Current, &self.current)),
            Some(previous) if no == previous.no => Ok((Base::Previous, previous)),
            _ => Err(Error::InvalidKey),
        }
    }
}

impl Generation {
    /// How much the phone is still to be told.
    pub fn outstanding(&self) -> usize {
        let dirty = self.dirty.difference(&self.fallen).len();
        self.gone.len() + self.fallen.len() + dirty + self.pending.len()
    }

    /// Whether there is nothing left to tell, nor a question that waits.
    pub fn is_settled(&self) -> bool {
        self.asked.is_none()
            && self.gone.is_empty()
            && self.fallen.is_empty()
            && self.dirty.is_empty()
            && self.pending.is_empty()
    }

    /// The phone is to lose the item and to get it anew, where it holds it.
    pub fn send_again(&mut self, item: &ItemId) {
        if self.known.contains(item) {
            self.dirty.remove(item);
            self.fallen.remove(item);
            self.failed.remove(item);
            self.gone.insert(item);
            self.pending.insert(item);
        }
    }

    /// The phone does not have the item any more.
    pub fn forget(&mut self, item: &ItemId) {
        self.known.remove(item);
        self.dirty.remove(item);
        self.gone.remove(item);
        self.fallen.remove(item);
        self.failed.remove(item);
        self.untaken.remove(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let now = Timestamp::from_seconds(1_700_000_000);
        State::begin(GenerationNo::begin(now, None), Class::Mail, CollectionOptions::default())
    }

    #[test]
    fn a_folder_of_100_000_messages_takes_less_than_2_kb() {
        let mut state = state();
        state.current.known.insert_run(1, 100_000);
        state.current.token = Some(ChangeToken("i1:1700000000:99999999".into()));
        for gap in 1..50 {
            state.current.known.remove(&ItemId::from((gap * 1999).to_string()));
        }
        state.previous = Some(state.current.clone());
        let bytes = state.to_bytes();
        assert!(bytes.len() < 2048, "{}", bytes.len());
        assert_eq!(State::from_bytes(&bytes), Some(state));
    }

    #[test]
    fn what_another_release_wrote_otherwise_is_dropped() {
        let mut state = state();
        state.version = 99;
        assert_eq!(State::from_bytes(&state.to_bytes()), None);
        assert_eq!(State::from_bytes(b"{}"), None);
        assert_eq!(State::from_bytes(b""), None);
    }
}
