//! What a collection holds under which number, and what changed when: the journal.
//!
//! The files say what is there now. The journal remembers what was there before: it gives each file
//! a number for good, and each change a place in time. Other programs write, rename and delete as
//! they like; what they did is found by comparing the directory with the journal, and written down.
//!
//! ```text
//! dme-items 2 <validity> <floor> <time> <next number>
//! + <time> <number> <inode> <size> <seconds> <nanoseconds> <mark> <uid> <sort> <file name>
//! - <time> <number>
//! ```
//!
//! Version 1 knew the ends of all events by UTC, also of those whose times have no zone: its events
//! are read anew.
//!
//! Of the `UID` only a hash is kept, to find an event by it.
//!
//! The journal is written whole to another file and renamed over the old one, so that it is never
//! half there. Removals from before the `floor` are forgotten. A journal that is lost or makes no
//! sense is begun anew with another `validity`, which makes all change tokens invalid (rule S6).

use super::object::Sort;
use dme_mailbox::ChangeToken;
use dme_model::{ItemSet, LocalTime, Timestamp};
use dme_pim::calendar::LastEnd;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many removals are remembered.
const REMOVALS_KEPT: usize = 10_000;

/// What tells whether a file is the same as before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self { inode: metadata.ino(), size: metadata.size(), modified }
    }
}

impl Stamp {
    /// Whether a later change of the file would show in the stamp: clocks of file systems tick
    /// slowly, and one that was changed just now may be changed again within the same tick.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.modified.0.saturating_add(2) < i64::try_from(seconds).unwrap_or(i64::MAX)
    }
}

/// A file as the journal knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) number: u32,
    /// When it came or changed last.
    time: u64,
    /// None where it must be read to tell whether it changed.
    pub(super) stamp: Option<Stamp>,
    /// Tells one content from another.
    pub(super) mark: String,
    /// Tells one `UID` from another.
    pub(super) uid: String,
    pub(super) sort: Sort,
    /// The sort is no longer told so: the file must be read to know it.
    pub(super) outdated: bool,
}

/// What a file holds now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// None where it must be read again to tell whether it changed.
    pub(super) stamp: Option<Stamp>,
    pub(super) mark: String,
    pub(super) uid: String,
    pub(super) sort: Sort,
}

/// The journal of a collection.
#[derive(Clone, Debug)]
pub(super) struct Items {
    entries: BTreeMap<String, Entry>,
    names: BTreeMap<u32, String>,
    removed: BTreeMap<u32, u64>,
    validity: u64,
    floor: u64,
    time: u64,
    next: u32,
}

impl Items {
    /// A journal that begins now.
    pub(super) fn begin() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            entries: BTreeMap::new(),
            names: BTreeMap::new(),
            removed: BTreeMap::new(),
            validity: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
            floor: 0,
            time: 0,
            next: 1,
        }
    }

    /// Reads a journal. None where it makes no sense.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let mut head = lines.next()?.strip_prefix("dme-items ")?.split(' ');
        let by_utc = match head.next()? {
            "1" => true,
            "2" => false,
            _ => return None,
        };
        let mut items = Self {
            validity: u64::from_str_radix(head.next()?, 16).ok()?,
            floor: head.next()?.parse().ok()?,
            time: head.next()?.parse().ok()?,
            next: head.next()?.parse().ok()?,
            ..Self::begin()
        };
        for line in lines {
            let (act, line) = line.split_once(' ')?;
            match act {
                "+" => {
                    let mut fields = line.splitn(10, ' ');
                    let mut number = || fields.next()?.parse::<i64>().ok();
                    let (time, id) = (number()?, number()?);
                    let (inode, size, seconds, nanos) =
                        (number()?, number()?, number()?, number()?);
                    let stamp = Stamp {
                        inode: u64::try_from(inode).ok()?,
                        size: u64::try_from(size).ok()?,
                        modified: (seconds, nanos),
                    };
                    let mark = fields.next()?.to_owned();
                    let uid = fields.next()?.to_owned();
                    let sort = parse_sort(fields.next()?)?;
                    let outdated = by_utc && matches!(sort, Sort::Event(Some(_)));
                    let entry = Entry {
                        number: u32::try_from(id).ok()?,
                        time: u64::try_from(time).ok()?,
                        // No file has no inode: it was not settled.
                        stamp: (inode != 0 && !outdated).then_some(stamp),
                        mark,
                        uid,
                        sort,
                        outdated,
                    };
                    items.names.insert(entry.number, fields.next()?.to_owned());
                    items.entries.insert(items.names.get(&entry.number)?.clone(), entry);
                }
                "-" => {
                    let (time, number) = line.split_once(' ')?;
                    items.removed.insert(number.parse().ok()?, time.parse().ok()?);
                }
                _ => return None,
            }
        }
        Some(items)
    }

    /// The journal as text.
    pub(super) fn to_text(&self) -> String {
        let (validity, floor, time, next) = (self.validity, self.floor, self.time, self.next);
        let mut text = format!("dme-items 2 {validity:x} {floor} {time} {next}\n");
        // Writing to a String cannot fail.
        for (name, entry) in &self.entries {
            let Entry { number, time, mark, uid, sort, .. } = entry;
            let stamp = entry.stamp.unwrap_or(Stamp { inode: 0, size: 0, modified: (0, 0) });
            let Stamp { inode, size, modified: (seconds, nanos) } = stamp;
            let sort = sort_text(*sort);
            let _ = writeln!(
                text,
                "+ {time} {number} {inode} {size} {seconds} {nanos} {mark} {uid} {sort} {name}"
            );
        }
        for (number, time) in &self.removed {
            let _ = writeln!(text, "- {time} {number}");
        }
        text
    }

    /// The time of the last change, which tells journals apart.
    pub(super) fn time(&self) -> u64 {
        self.time
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The name of the file with this number.
    pub(super) fn name(&self, number: u32) -> Option<&str> {
        self.names.get(&number).map(String::as_str)
    }

    pub(super) fn file_names(&self) -> impl Iterator<Item = &String> {
        self.entries.keys()
    }

    /// The number of the item with this `UID`, by its hash.
    pub(super) fn with_uid(&self, uid: &str) -> Option<u32> {
        self.shown().find(|entry| entry.uid == uid).map(|entry| entry.number)
    }

    /// The items: what is left out is none.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(|entry| entry.sort != Sort::LeftOut)
    }

    /// Notes what a file holds now; another content is a change.
    pub(super) fn note(&mut self, name: &str, seen: Seen) {
        let Seen { stamp, mark, uid, sort } = seen;
        let known = self.entries.get_mut(name);
        if let Some(entry) = known.filter(|entry| entry.mark == mark) {
            (entry.stamp, entry.sort, entry.outdated) = (stamp, sort, false);
            return;
        }
        self.time += 1;
        let number = match self.entries.get(name) {
            Some(entry) => entry.number,
            None => {
                let number = self.next;
                self.next = self.next.saturating_add(1);
                self.names.insert(number, name.to_owned());
                number
            }
        };
        let entry = Entry { number, time: self.time, stamp, mark, uid, sort, outdated: false };
        self.entries.insert(name.to_owned(), entry);
    }

    /// A file must be read to tell whether it changed.
    pub(super) fn unsettle(&mut self, name: &str) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.stamp = None;
        }
    }

    /// Notes that a file is gone.
    pub(super) fn note_gone(&mut self, name: &str) {
        let Some(entry) = self.entries.remove(name) else { return };
        self.names.remove(&entry.number);
        self.time += 1;
        self.removed.insert(entry.number, self.time);
        if self.removed.len() > REMOVALS_KEPT {
            let oldest = self.removed.iter().min_by_key(|(_, time)| **time);
            if let Some((number, time)) = oldest.map(|(number, time)| (*number, *time)) {
                self.removed.remove(&number);
                self.floor = self.floor.max(time);
            }
        }
    }

    /// The token for the state as it is.
    pub(super) fn token(&self) -> ChangeToken {
        ChangeToken(format!("v1:{:x}:{}", self.validity, self.time))
    }

    /// What changed since the token: items that are new or changed, and those gone. None where the
    /// token is not, or no longer, good.
    pub(super) fn since(&self, token: &ChangeToken) -> Option<(Vec<&Entry>, ItemSet)> {
        let (validity, since) = token.0.strip_prefix("v1:")?.split_once(':')?;
        let ours = u64::from_str_radix(validity, 16) == Ok(self.validity);
        let since: u64 = since.parse().ok()?;
        if !ours || since < self.floor || since > self.time {
            return None;
        }
        if since == self.time {
            return Some((Vec::new(), ItemSet::new()));
        }
        let changed = self.entries.values().filter(|entry| entry.time > since);
        let (left_out, mut changed): (Vec<&Entry>, Vec<&Entry>) =
            changed.partition(|entry| entry.sort == Sort::LeftOut);
        changed.sort_by_key(|entry| entry.number);
        let mut gone = ItemSet::new();
        let removed = self.removed.iter().filter(|(_, time)| **time > since);
        let removed = removed.map(|(number, _)| *number);
        for number in removed.chain(left_out.iter().map(|entry| entry.number)) {
            gone.insert_run(number, number);
        }
        Some((changed, gone))
    }
}

fn sort_text(sort: Sort) -> String {
    match sort {
        Sort::Event(None) => "e".into(),
        Sort::Event(Some(LastEnd::At(end))) => format!("e{}", end.as_millis()),
        Sort::Event(Some(LastEnd::Floating(end))) => format!("f{}", end.as_seconds()),
        Sort::Task(false) => "t".into(),
        Sort::Task(true) => "d".into(),
        Sort::Note => "n".into(),
        Sort::Contact => "c".into(),
        Sort::Broken => "b".into(),
        Sort::LeftOut => "x".into(),
    }
}

fn parse_sort(text: &str) -> Option<Sort> {
    Some(match text {
        "e" => Sort::Event(None),
        "t" => Sort::Task(false),
        "d" => Sort::Task(true),
        "n" => Sort::Note,
        "c" => Sort::Contact,
        "b" => Sort::Broken,
        "x" => Sort::LeftOut,
        _ => Sort::Event(Some(match (text.strip_prefix('e'), text.strip_prefix('f')) {
            (Some(end), _) => LastEnd::At(Timestamp::from_millis(end.parse().ok()?)),
            (None, end) => LastEnd::Floating(LocalTime::from_seconds(end?.parse().ok()?)),
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(mark: &str, sort: Sort) -> Seen {
        Seen { stamp: None, mark: mark.into(), uid: format!("u{mark}"), sort }
    }

    fn journal() -> Items {
        let mut items = Items::begin();
        items.note("a b.ics", seen("m1", Sort::Event(None)));
        let end = LastEnd::At(Timestamp::from_millis(-5));
        items.note("c.ics", seen("m2", Sort::Event(Some(end))));
        items.note("gone.ics", seen("m3", Sort::Task(true)));
        items.note_gone("gone.ics");
        items
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut items = journal();
        let end = LastEnd::Floating(LocalTime::from_seconds(7));
        items.note("floating.ics", seen("m4", Sort::Event(Some(end))));
        let again = Items::parse(&items.to_text()).unwrap();
        assert_eq!(again.to_text(), items.to_text());
        assert_eq!(again.token(), items.token());
        assert_eq!(again.name(2), Some("c.ics"));
        for torn in ["", "dme-items 2 a 0 0 1", "dme-items 3 a 0 0 1\n", "x\n"] {
            assert!(Items::parse(torn).is_none(), "{torn:?}");
        }
        let text = items.to_text();
        assert!(Items::parse(&text[..text.len() - 1]).is_none(), "a torn line");
    }

    #[test]
    fn changes_are_told_since_a_token_and_numbers_are_never_given_twice() {
        let mut items = journal();
        let token = items.token();
        assert_eq!(items.since(&token), Some((vec![], ItemSet::new())));
        items.note("c.ics", seen("m4", Sort::LeftOut));
        items.note("gone.ics", seen("m3", Sort::Task(true)));
        items.note_gone("a b.ics");
        let (changed, gone) = items.since(&token).unwrap();
        assert_eq!(changed.iter().map(|entry| entry.number).collect::<Vec<_>>(), [4]);
        let gone: Vec<_> = gone.iter().map(|id| id.to_string()).collect();
        assert_eq!(gone, ["1", "2"], "what is left out is gone for a phone");
        assert_eq!(items.shown().count(), 1);
        for bad in ["", "v1:0:0", "nonsense"] {
            assert!(items.since(&ChangeToken(bad.into())).is_none());
        }
    }

    #[test]
    fn the_same_content_is_no_change() {
        let mut items = journal();
        let token = items.token();
        items.note("a b.ics", seen("m1", Sort::Event(None)));
        assert_eq!(items.token(), token);
    }

    #[test]
    fn removals_are_remembered_up_to_a_bound_and_older_tokens_are_then_invalid() {
        let mut items = Items::begin();
        let token = items.token();
        for number in 0..=REMOVALS_KEPT {
            let name = format!("{number}.ics");
            items.note(&name, seen("m", Sort::Note));
            items.note_gone(&name);
        }
        assert_eq!(items.removed.len(), REMOVALS_KEPT);
        assert!(items.since(&token).is_none());
        assert!(items.since(&items.token()).is_some());
    }
}
