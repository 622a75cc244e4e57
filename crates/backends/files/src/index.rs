//! What a folder holds under which number, and what changed when: the journal `dme-uidlist`.
//!
//! The files of a Maildir say what is there now. This journal remembers what was there before: it
//! gives each message a number for good, and each change a place in time (`modseq`, as RFC 7162
//! has it). Other programs deliver, rename and delete as they like; what they did is found by
//! comparing the directories with the journal, and written down.
//!
//! ```text
//! dme-uidlist 1 <validity> <floor> <next number>
//! <modseq> + <number> <received, ms> <letters or -> <base>
//! <modseq> = <number> <letters or ->
//! <modseq> - <number>
//! ```
//!
//! Lines are only appended, durably and under a lock; a last line without its end was torn by a
//! crash and is cut off. When most of it is history, the journal is written anew and renamed over
//! the old one; removals from before the `floor` are then forgotten. A journal that is lost or
//! makes no sense is begun anew with another `validity`, which makes all change tokens invalid
//! (rule S6).

mod alteration;
mod scan;

pub(crate) use alteration::Alteration;

use crate::durable::write_whole;
use crate::maildir::{self, Place};
use dme_mailbox::ChangeToken;
use dme_model::{ItemSet, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many removals are remembered when the journal is written anew.
const REMOVALS_KEPT: usize = 10_000;
/// How many lines of history a journal may have beyond twice what it must hold.
const SLACK: usize = 2_000;
/// The largest journal read; a larger one is begun anew.
const MAX_JOURNAL: u64 = 512 << 20;

/// What tells whether a file or directory is the same as before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// None where there is no such file.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::from(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<&fs::Metadata> for Stamp {
    fn from(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// A message as the journal knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Item {
    pub(crate) base: Arc<str>,
    /// The marks, as letters of the file's name.
    pub(crate) letters: Box<str>,
    pub(crate) received: Timestamp,
    modseq: u64,
    /// Where it was last seen, and with which info; unknown until the directories were read.
    seen: Option<(Place, Box<str>)>,
}

/// The journal, the directories it was compared with, and what both say.
#[derive(Debug)]
pub(crate) struct Index {
    folder: PathBuf,
    items: BTreeMap<u32, Item>,
    by_base: HashMap<Arc<str>, u32>,
    removed: BTreeMap<u32, u64>,
    validity: u64,
    floor: u64,
    modseq: u64,
    next: u32,
    lines: usize,
    /// The journal as far as it was read; none before the first time.
    journal: Option<(File, u64)>,
    /// The directories and the journal when they were last compared, where nothing can have
    /// changed since without their showing it.
    compared: Option<[Option<Stamp>; 3]>,
    /// How often the directories were compared with the journal.
    scans: u64,
}

impl Index {
    /// An index of which nothing is read yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            items: BTreeMap::new(),
            by_base: HashMap::new(),
            removed: BTreeMap::new(),
            validity: 0,
            floor: 0,
            modseq: 0,
            next: 1,
            lines: 0,
            journal: None,
            compared: None,
            scans: 0,
        }
    }

    pub(crate) fn items(&self) -> &BTreeMap<u32, Item> {
        &self.items
    }

    /// The token for the state as it was last compared.
    pub(crate) fn token(&self) -> ChangeToken {
        ChangeToken(format!("f1:{:x}:{}", self.validity, self.modseq))
    }

    /// What changed since the token: numbers of new and changed items, and those gone. None where
    /// the token is not, or no longer, good.
    pub(crate) fn since(&self, token: &ChangeToken) -> Option<(Vec<u32>, ItemSet)> {
        let (validity, modseq) = token.0.strip_prefix("f1:")?.split_once(':')?;
        let since: u64 = modseq.parse().ok()?;
        let ours = u64::from_str_radix(validity, 16) == Ok(self.validity);
        if !ours || since < self.floor || since > self.modseq {
            return None;
        }
        if since == self.modseq {
            return Some((Vec::new(), ItemSet::new()));
        }
        let changed = self.items.iter().filter(|(_, item)| item.modseq > since);
        let mut removed = ItemSet::new();
        for (number, _) in self.removed.iter().filter(|(_, modseq)| **modseq > since) {
            removed.insert_run(*number, *number);
        }
        Some((changed.map(|(number, _)| *number).collect(), removed))
    }

    /// Where the message lies now, as far as is known.
    pub(crate) fn path(&self, number: u32) -> Option<PathBuf> {
        let item = self.items.get(&number)?;
        let (place, info) = item.seen.as_ref()?;
        Some(self.folder.join(place.directory()).join(format!("{}{info}", item.base)))
    }

    fn journal_path(&self) -> PathBuf {
        self.folder.join("dme-uidlist")
    }

    fn stamps(&self) -> io::Result<[Option<Stamp>; 3]> {
        let [new, cur] = Place::ALL.map(|place| Stamp::of(&self.folder.join(place.directory())));
        Ok([new?, cur?, Stamp::of(&self.journal_path())?])
    }

    /// Finds out what happened. Costs three looks at times of change where nothing did.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.compared.is_some() && self.compared == Some(self.stamps()?) {
            return Ok(());
        }
        self.alter(|folder| folder.compare())
    }

    /// Does something to the folder under its lock, and writes down what was done.
    pub(crate) fn alter<T>(
        &mut self,
        work: impl FnOnce(&mut Alteration<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        let outcome = self.locked(work);
        if outcome.is_err() {
            // What was noted in memory may not be in the journal: read it again next time.
            self.journal = None;
            self.compared = None;
        }
        outcome
    }

    fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Alteration<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        let path = self.folder.join("dme-uidlist.lock");
        let lock = File::options().create(true).truncate(false).write(true).open(path)?;
        lock.lock()?;
        self.read_journal()?;
        let modseq = self.modseq + 1;
        let mut alteration = Alteration::new(self, modseq);
        let answer = work(&mut alteration)?;
        let Alteration { lines, settled, .. } = alteration;
        self.append(&lines)?;
        self.compared = match settled {
            // The journal's stamp is taken after our own lines, and still under the lock.
            Some([new, cur]) => Some([new, cur, Stamp::of(&self.journal_path())?]),
            None => None,
        };
        Ok(answer)
    }

    /// Reads what was appended since the last time, or all of it.
    fn read_journal(&mut self) -> io::Result<()> {
        let path = self.journal_path();
        let there = Stamp::of(&path)?;
        if let Some((file, read)) = &mut self.journal {
            let held = Stamp::from(&file.metadata()?);
            let same = there.is_some_and(|it| (it.device, it.inode) == (held.device, held.inode));
            if same && held.size == *read {
                return Ok(());
            }
            if same && held.size > *read {
                file.seek(SeekFrom::Start(*read))?;
                let mut text = Vec::new();
                file.take(MAX_JOURNAL).read_to_end(&mut text)?;
                let whole = whole_lines(&text);
                let end = *read + whole.len() as u64;
                file.set_len(end)?;
                *read = end;
                if self.replay(whole).is_some() {
                    return Ok(());
                }
            }
        }
        self.load(&path)
    }

    fn load(&mut self, path: &Path) -> io::Result<()> {
        maildir::clean(&self.folder);
        *self = Self { scans: self.scans, ..Self::new(std::mem::take(&mut self.folder)) };
        match File::options().read(true).append(true).open(path) {
            Ok(mut file) if file.metadata()?.size() <= MAX_JOURNAL => {
                let mut text = Vec::new();
                file.read_to_end(&mut text)?;
                let whole = whole_lines(&text);
                let end = whole.len() as u64;
                if self.replay_whole(whole).is_some() {
                    file.set_len(end)?;
                    self.journal = Some((file, end));
                    return Ok(());
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        tracing::info!(folder = %self.folder.display(), "the folder's journal is begun anew");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        *self = Self {
            scans: self.scans,
            validity: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
            ..Self::new(std::mem::take(&mut self.folder))
        };
        self.write_anew()
    }

    fn replay_whole(&mut self, text: &[u8]) -> Option<()> {
        let end = text.iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(&text[..end]).ok()?;
        let mut fields = head.strip_prefix("dme-uidlist 1 ")?.split(' ');
        self.validity = u64::from_str_radix(fields.next()?, 16).ok()?;
        self.floor = fields.next()?.parse().ok()?;
        self.next = fields.next()?.parse().ok()?;
        self.modseq = self.floor;
        self.replay(&text[end + 1..])
    }

    /// Takes lines of the journal in. None where one makes no sense.
    fn replay(&mut self, lines: &[u8]) -> Option<()> {
        for line in std::str::from_utf8(lines).ok()?.lines() {
            let (modseq, line) = line.split_once(' ')?;
            let modseq: u64 = modseq.parse().ok()?;
            let (act, line) = line.split_once(' ')?;
            match act {
                "+" => {
                    let mut fields = line.splitn(4, ' ');
                    let number = fields.next()?.parse().ok()?;
                    let received = Timestamp::from_millis(fields.next()?.parse().ok()?);
                    let letters = fields.next()?.trim_matches('-').into();
                    let base: Arc<str> = fields.next()?.into();
                    self.insert(number, Item { base, letters, received, modseq, seen: None });
                }
                "=" => {
                    let (number, letters) = line.split_once(' ')?;
                    let item = self.items.get_mut(&number.parse().ok()?)?;
                    item.letters = letters.trim_matches('-').into();
                    item.modseq = modseq;
                }
                "-" => self.remove(line.parse().ok()?, modseq),
                _ => return None,
            }
            self.modseq = self.modseq.max(modseq);
            self.lines += 1;
        }
        Some(())
    }

    fn insert(&mut self, number: u32, item: Item) {
        self.next = self.next.max(number.saturating_add(1));
        self.by_base.insert(item.base.clone(), number);
        self.items.insert(number, item);
    }

    fn remove(&mut self, number: u32, modseq: u64) {
        if let Some(item) = self.items.remove(&number) {
            self.by_base.remove(&item.base);
        }
        self.removed.insert(number, modseq);
    }

    /// Adds lines durably, or writes the journal anew where it holds too much history.
    fn append(&mut self, lines: &str) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.lines += lines.lines().count();
        if self.lines > 2 * (self.items.len() + self.removed.len().min(REMOVALS_KEPT)) + SLACK {
            return self.write_anew();
        }
        let Some((file, end)) = &mut self.journal else { return self.write_anew() };
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        *end += lines.len() as u64;
        Ok(())
    }

    fn write_anew(&mut self) -> io::Result<()> {
        if self.removed.len() > REMOVALS_KEPT {
            let mut times: Vec<u64> = self.removed.values().copied().collect();
            times.sort_unstable();
            let cut = times.get(times.len() - REMOVALS_KEPT - 1).copied().unwrap_or(0);
            self.floor = self.floor.max(cut);
            let floor = self.floor;
            self.removed.retain(|_, modseq| *modseq > floor);
        }
        let mut text = format!("dme-uidlist 1 {:x} {} {}\n", self.validity, self.floor, self.next);
        for (number, item) in &self.items {
            added(&mut text, item.modseq, *number, item);
        }
        for (number, modseq) in &self.removed {
            let _ = writeln!(text, "{modseq} - {number}");
        }
        self.lines = self.items.len() + self.removed.len();

        let aside = self.folder.join("tmp");
        let file = write_whole(&aside, &self.journal_path(), text.as_bytes())?;
        self.journal = Some((file, text.len() as u64));
        Ok(())
    }
}

/// Writing to a String cannot fail, here and below.
fn added(lines: &mut String, modseq: u64, number: u32, item: &Item) {
    let (received, letters) = (item.received.as_millis(), or_dash(&item.letters));
    let _ = writeln!(lines, "{modseq} + {number} {received} {letters} {}", item.base);
}

fn or_dash(letters: &str) -> &str {
    if letters.is_empty() { "-" } else { letters }
}

fn whole_lines(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests;
