//! What is done to a folder under its lock, and found there.

use super::scan::Scan;
use super::{Index, Item, Stamp, added, or_dash};
use crate::maildir::{self, Place};
use dme_model::Timestamp;
use std::fmt::Write as _;
use std::{fs, io};

/// How often a directory that others change all the time is read before what was never met is
/// taken for gone.
const RESTLESS: usize = 5;

/// The folder under its lock. What is noted here is written down at the end.
pub(crate) struct Alteration<'a> {
    index: &'a mut Index,
    /// What is to be appended to the journal.
    pub(super) lines: String,
    modseq: u64,
    /// How the directories looked, where that can be trusted.
    pub(super) settled: Option<[Option<Stamp>; 2]>,
}

impl<'a> Alteration<'a> {
    pub(super) fn new(index: &'a mut Index, modseq: u64) -> Self {
        Self { index, lines: String::new(), modseq, settled: None }
    }

    pub(crate) fn index(&self) -> &Index {
        self.index
    }

    /// The number of the message with that base, where there is one.
    pub(crate) fn number(&self, base: &str) -> Option<u32> {
        self.index.by_base.get(base).copied()
    }

    /// Notes a message that is there now; answers its number.
    ///
    /// # Errors
    /// When the folder's numbers are used up.
    pub(crate) fn add(
        &mut self,
        base: &str,
        place: Place,
        info: &str,
        received: Timestamp,
    ) -> io::Result<u32> {
        if let Some(number) = self.number(base) {
            return Ok(number);
        }
        let number = self.index.next;
        if number == u32::MAX {
            return Err(io::Error::other("the folder's numbers are used up"));
        }
        let item = Item {
            base: base.into(),
            letters: maildir::letters(info).into(),
            received,
            modseq: self.modseq,
            seen: Some((place, info.into())),
        };
        added(&mut self.lines, self.modseq, number, &item);
        self.index.insert(number, item);
        self.index.modseq = self.modseq;
        Ok(number)
    }

    /// Notes where a message lies and with which info.
    pub(crate) fn mark(&mut self, number: u32, place: Place, info: &str) {
        let Some(item) = self.index.items.get_mut(&number) else { return };
        item.seen = Some((place, info.into()));
        let letters = maildir::letters(info);
        if *item.letters != *letters {
            item.modseq = self.modseq;
            let _ = writeln!(self.lines, "{} = {number} {}", self.modseq, or_dash(&letters));
            item.letters = letters.into();
            self.index.modseq = self.modseq;
        }
    }

    /// Notes that a message is gone.
    pub(crate) fn remove(&mut self, number: u32) {
        if self.index.items.contains_key(&number) {
            let _ = writeln!(self.lines, "{} - {number}", self.modseq);
            self.index.remove(number, self.modseq);
            self.index.modseq = self.modseq;
        }
    }

    /// Reads the directories where that was never done, so that places are known.
    pub(crate) fn compare_once(&mut self) -> io::Result<()> {
        let known = self.index.items.values().all(|item| item.seen.is_some());
        if known { Ok(()) } else { self.compare() }
    }

    /// Compares the directories with the journal and notes the differences.
    pub(crate) fn compare(&mut self) -> io::Result<()> {
        self.index.scans = self.index.scans.wrapping_add(1);
        let mut scan = Scan::read(&self.index.folder)?;
        let absent = |index: &Index, scan: &Scan| -> Vec<u32> {
            let gone = index.items.iter().filter(|(_, item)| !scan.found.contains_key(&*item.base));
            gone.map(|(number, _)| *number).collect()
        };
        // A file that is renamed while the directory is read may be passed over: gone is only what
        // is missing again when the directory is at rest, or many times.
        for _ in 0..RESTLESS {
            if absent(self.index, &scan).is_empty() {
                break;
            }
            scan.merge(Scan::read(&self.index.folder)?);
            if scan.stable {
                break;
            }
        }
        for number in absent(self.index, &scan) {
            self.remove(number);
        }
        let mut arrived = Vec::new();
        for (base, (place, info)) in scan.found {
            match self.number(&base) {
                Some(number) => self.mark(number, place, &info),
                None => {
                    let directory = self.index.folder.join(place.directory());
                    match fs::metadata(directory.join(format!("{base}{info}"))) {
                        Ok(metadata) if metadata.is_file() => {
                            arrived.push((maildir::received(&metadata), base, place, info));
                        }
                        Ok(_) => {}
                        // Renamed or deleted just now: the next comparison finds it.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {
                            scan.settled = None;
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        arrived.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        for (received, base, place, info) in arrived {
            self.add(&base, place, &info, received)?;
        }
        self.settled = scan.settled;
        Ok(())
    }
}
