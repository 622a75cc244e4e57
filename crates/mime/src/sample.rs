//! Made-up but realistic mailboxes for the demo, tests and benchmarks; the same seed gives the
//! same bytes.

mod chance;
mod files;
mod kinds;
mod words;

use bytes::Bytes;
pub use chance::Chance;
use dme_model::{Address, Flags, Followup, Role, Timestamp};
use std::{ops::RangeInclusive, time::Duration};

/// Names and addresses of the people who write the sample mails.
pub fn people() -> &'static [(&'static str, &'static str)] {
    &words::PEOPLE
}

/// A paragraph of what they write.
pub fn paragraph(chance: &mut Chance) -> String {
    words::paragraph(chance)
}

/// A small picture, a PNG of about 3 × side² bytes.
pub fn picture(side: u16, chance: &mut Chance) -> Vec<u8> {
    files::png(side, chance)
}

/// One message of a sample mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleMail {
    /// Where it lies.
    pub folder: SampleFolder,
    /// Its marks.
    pub flags: Flags,
    /// When it arrived.
    pub received: Timestamp,
    /// The message.
    pub raw: Bytes,
}

/// Where a sample message lies.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SampleFolder {
    /// A special folder.
    Role(Role),
    /// A folder of the user's own, by its name.
    Named(&'static str),
}

/// How large the messages are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sizes {
    /// As in life: most of a few kB, some with large attachments.
    Realistic,
    /// Each within these bounds in bytes, at least 4,000 apart: text and HTML, as long as needed.
    Within(RangeInclusive<usize>),
}

/// A mailbox of `count` messages, oldest first, the newest shortly before `now`. The first dozen
/// or so of the newest hold one of each kind, so that small mailboxes show all.
pub fn mailbox(
    owner: &Address,
    seed: u64,
    now: Timestamp,
    count: usize,
    sizes: Sizes,
) -> Vec<SampleMail> {
    let mut chance = Chance::new(seed, &owner.email);
    let mut mails = Vec::with_capacity(count);
    let mut received = now;
    for number in 0..count {
        // Older mail lies further apart.
        let pause = 60 + chance.below(600 + 40 * number.min(1000) as u64);
        received = received.minus(Duration::from_secs(pause));
        let scene = kinds::Scene { owner, received, number };
        let raw = match &sizes {
            Sizes::Realistic => kinds::realistic(&scene, &mut chance),
            Sizes::Within(bounds) => kinds::sized(&scene, bounds, &mut chance),
        };
        mails.push(SampleMail {
            folder: folder(number, &mut chance),
            flags: flags(number, &mut chance),
            received,
            raw: raw.into(),
        });
    }
    mails.reverse();
    mails
}

fn folder(number: usize, chance: &mut Chance) -> SampleFolder {
    match chance.below(20) {
        _ if number < kinds::KINDS => SampleFolder::Role(Role::Inbox),
        0 => SampleFolder::Role(Role::Archive),
        1 => SampleFolder::Named("Projekte"),
        2 => SampleFolder::Named("客户"),
        3 => SampleFolder::Role(Role::Trash),
        4 => SampleFolder::Role(Role::Junk),
        _ => SampleFolder::Role(Role::Inbox),
    }
}

fn flags(number: usize, chance: &mut Chance) -> Flags {
    let mut flags = Flags { seen: number > 5 && chance.below(10) > 1, ..Flags::default() };
    match chance.below(30) {
        0 | 1 => flags.answered = flags.seen,
        2 => flags.forwarded = flags.seen,
        3 => flags.followup = Followup::Active,
        _ => {}
    }
    flags
}

#[cfg(test)]
mod tests;
