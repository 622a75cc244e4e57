//! Reading the two directories of a folder that others change meanwhile.

use super::Stamp;
use crate::maildir::{self, Place};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

/// A directory's time of change is that of a coarse clock. Only when it is older than this can it
/// be trusted to be another after the next change.
const COARSEST: Duration = Duration::from_millis(100);
/// The same on file systems that keep whole seconds.
const COARSEST_WHOLE: Duration = Duration::from_millis(2100);
/// How often directories that change while they are read are read again.
const ATTEMPTS: usize = 4;

/// What lies in the directories.
pub(super) struct Scan {
    /// Place and info of each message, by base.
    pub(super) found: HashMap<String, (Place, String)>,
    /// How `new` and `cur` looked, where a later change is sure to make them look different.
    pub(super) settled: Option<[Option<Stamp>; 2]>,
    /// Whether nothing was seen to change while it was read.
    pub(super) stable: bool,
}

impl Scan {
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let stamps = || {
            let [new, cur] = Place::ALL.map(|place| Stamp::of(&folder.join(place.directory())));
            Ok::<_, io::Error>([new?, cur?])
        };
        let mut before = stamps()?;
        for attempt in 1.. {
            let begun = SystemTime::now();
            let mut found = HashMap::new();
            // In this order: what moves from `new` to `cur` meanwhile is met twice, not never.
            for place in Place::ALL {
                read_directory(folder, place, &mut found)?;
            }
            let after = stamps()?;
            if before == after || attempt == ATTEMPTS {
                let stable = before == after;
                let trusted = stable && after.iter().flatten().all(|it| old(it, begun));
                return Ok(Self { found, settled: trusted.then_some(after), stable });
            }
            before = after;
        }
        Err(io::Error::other("the directories were not read"))
    }

    /// Adds what only another reading met. What both met is where the later one says.
    pub(super) fn merge(&mut self, later: Self) {
        self.found.extend(later.found);
        self.settled = later.settled.filter(|settled| self.settled == Some(*settled));
        self.stable = later.stable;
    }
}

fn read_directory(
    folder: &Path,
    place: Place,
    found: &mut HashMap<String, (Place, String)>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(place.directory()))? {
        let name = entry?.file_name();
        // A name that is not UTF-8, or otherwise cannot be a message's, is passed over (rule S5).
        let Some((base, info)) = name.to_str().and_then(maildir::split) else { continue };
        match found.entry(base.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert((place, info.to_owned()));
            }
            // The same in `cur`, or twice there because it was renamed meanwhile: the later name.
            Entry::Occupied(mut occupied) => {
                occupied.insert((place, info.to_owned()));
            }
        }
    }
    Ok(())
}

fn old(stamp: &Stamp, now: SystemTime) -> bool {
    let (seconds, nanos) = stamp.modified;
    let modified = u64::try_from(seconds)
        .ok()
        .zip(u32::try_from(nanos).ok())
        .map_or(UNIX_EPOCH, |(seconds, nanos)| UNIX_EPOCH + Duration::new(seconds, nanos));
    let coarsest = if nanos == 0 { COARSEST_WHOLE } else { COARSEST };
    now.duration_since(modified).is_ok_and(|age| age > coarsest)
}
