//! The folders in use lately, held in memory.

use crate::folder::Folder;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many messages the folders held in memory may have together. About 200 bytes each.
const MAX_HELD: usize = 100_000;
/// How many messages an empty folder counts for.
const EMPTY: usize = 50;

/// The folders in use lately, so that their journals need not be read each time.
#[derive(Default)]
pub(crate) struct Folders {
    held: Mutex<HashMap<PathBuf, Held>>,
}

struct Held {
    folder: Arc<Folder>,
    used: u64,
}

impl Folders {
    pub(crate) fn open(&self, path: &Path) -> Arc<Folder> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = held.values().map(|it| it.used).max().unwrap_or(0) + 1;
        if let Some(known) = held.get_mut(path) {
            known.used = now;
            return known.folder.clone();
        }
        while held.values().map(|it| it.folder.messages() + EMPTY).sum::<usize>() > MAX_HELD {
            let idle = held.iter().filter(|(_, it)| Arc::strong_count(&it.folder) == 1);
            let Some(oldest) = idle.min_by_key(|(_, it)| it.used).map(|(path, _)| path.clone())
            else {
                break;
            };
            held.remove(&oldest);
        }
        let folder = Arc::new(Folder::new(path.to_owned()));
        held.insert(path.to_owned(), Held { folder: folder.clone(), used: now });
        folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_held_up_to_a_bound_and_those_in_use_stay() {
        let folders = Folders::default();
        let first = folders.open(Path::new("/first"));
        for number in 0..MAX_HELD / EMPTY + 100 {
            folders.open(&PathBuf::from(format!("/{number}")));
        }
        assert!(folders.held.lock().unwrap().len() <= MAX_HELD / EMPTY + 1);
        assert!(Arc::ptr_eq(&first, &folders.open(Path::new("/first"))));
    }
}
