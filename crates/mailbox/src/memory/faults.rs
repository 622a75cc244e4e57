//! Going wrong on purpose, and the record of what was called.

use crate::Error;
use std::collections::VecDeque;
use std::time::Duration;

/// A method of [`Mailbox`](crate::Mailbox).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "each is the method of the same name")]
pub enum Operation {
    Collections,
    CreateCollection,
    UpdateCollection,
    DeleteCollection,
    List,
    Changes,
    Changed,
    Fetch,
    FetchPart,
    SetFlags,
    MoveItems,
    DeleteItems,
    EmptyCollection,
    SaveDraft,
    Deliver,
    Submit,
    Search,
    Watch,
    Identity,
    CreateItem,
    ChangeItem,
    Respond,
    Tells,
    Vacation,
    SetVacation,
}

/// How a call fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// It does nothing.
    Before(Error),
    /// It does its work, and the answer is lost. A fetch breaks off half way.
    After(Error),
}

#[derive(Default)]
pub(super) struct Faults {
    pub(super) latency: Duration,
    pub(super) decide: Option<Box<dyn FnMut(Operation) -> Option<Failure> + Send>>,
    pub(super) calls: Vec<Operation>,
    coming: VecDeque<Failure>,
}

impl Faults {
    pub(super) fn fail_next(&mut self, count: usize, failure: &Failure) {
        self.coming.extend(std::iter::repeat_n(failure.clone(), count));
    }

    pub(super) fn heal(&mut self) {
        self.latency = Duration::ZERO;
        self.decide = None;
        self.coming.clear();
    }

    /// Notes the call; says how long it takes and whether it fails.
    pub(super) fn begin(&mut self, operation: Operation) -> (Duration, Option<Failure>) {
        self.calls.push(operation);
        let failure = match self.coming.pop_front() {
            Some(failure) => Some(failure),
            None => self.decide.as_mut().and_then(|decide| decide(operation)),
        };
        (self.latency, failure)
    }
}
