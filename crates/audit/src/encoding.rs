//! The one way in which an entry is written as bytes before it is hashed.
//!
//! It never changes for a version: a number is eight bytes, the highest first; a text is its length
//! as a number and its bytes in UTF-8; a list its length and its members; what may be missing is
//! preceded by 1 or 0. Two different entries have different bytes.

use crate::{Act, Change, Entry, Outcome, Step};

/// The first byte of each entry.
pub(crate) const VERSION: u8 = 1;

/// An entry as bytes.
pub(crate) fn encode(entry: &Entry) -> Vec<u8> {
    let mut bytes = Bytes(vec![VERSION]);
    bytes.number(entry.number);
    bytes.0.extend(entry.time.as_millis().to_be_bytes());
    let who = &entry.who;
    bytes.text(&who.name);
    bytes.text(&who.role);
    bytes.maybe(who.address.as_deref());
    bytes.text(who.by.as_str());
    match &entry.step {
        Step::Begun(Act { name, targets, changes }) => {
            bytes.0.push(0);
            bytes.text(name);
            bytes.number(targets.len() as u64);
            targets.iter().for_each(|target| bytes.text(target));
            bytes.changes(changes);
        }
        Step::Ended { begun, outcome, changes } => {
            bytes.0.push(1);
            bytes.number(*begun);
            bytes.outcome(outcome);
            bytes.changes(changes);
        }
    }
    bytes.0
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.0.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn outcome(&mut self, outcome: &Outcome) {
        self.text(outcome.as_str());
        self.text(outcome.reason());
    }

    fn changes(&mut self, changes: &[Change]) {
        self.number(changes.len() as u64);
        for change in changes {
            self.text(&change.what);
            self.maybe(change.before.as_deref());
            self.maybe(change.after.as_deref());
        }
    }
}
