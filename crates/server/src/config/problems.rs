//! What is wrong with settings, as it is found.

use dme_model::{ByteSize, OutOfRange, Span, within};

pub(super) const KIB: u64 = 1 << 10;
pub(super) const MIB: u64 = 1 << 20;
pub(super) const GIB: u64 = 1 << 30;
pub(super) const DAY: Span = Span::seconds(86_400);
pub(super) const HOUR: Span = Span::seconds(3_600);

/// What is wrong, collected in the order of the sample.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn into_texts(self) -> Vec<String> {
        self.0
    }

    pub(super) fn say(&mut self, what: impl Into<String>) {
        self.0.push(what.into());
    }

    pub(super) fn see(&mut self, result: Result<(), OutOfRange>) {
        if let Err(error) = result {
            self.say(error.to_string());
        }
    }

    pub(super) fn span(&mut self, key: &str, value: Span, least: Span, most: Span) {
        self.see(within(key, value, least..=most));
    }

    pub(super) fn size(&mut self, key: &str, value: ByteSize, least: u64, most: u64) {
        self.see(within(key, value, ByteSize(least)..=ByteSize(most)));
    }
}
