//! Folders and collections in use lately, held in memory so that their journals need not be read
//! each time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many items an empty one counts for.
const EMPTY: usize = 50;

/// What can be held.
pub(crate) trait Hold {
    /// How many items those held may have together.
    const MAX_ITEMS: usize;

    /// How many it has; none are counted while it is at work.
    fn items(&self) -> usize;
}

/// Those in use lately, by where they are.
pub(crate) struct Held<T> {
    known: Mutex<HashMap<PathBuf, Known<T>>>,
}

struct Known<T> {
    it: Arc<T>,
    used: u64,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { known: Mutex::default() }
    }
}

impl<T: Hold> Held<T> {
    /// The one that is there and fits, or else one that is made. Where there are too many, those
    /// are let go that were not used for the longest time.
    pub(crate) fn open(
        &self,
        path: &Path,
        fits: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = known.values().map(|it| it.used).max().unwrap_or(0) + 1;
        if let Some(found) = known.get_mut(path).filter(|found| fits(&found.it)) {
            found.used = now;
            return found.it.clone();
        }
        while known.values().map(|it| it.it.items() + EMPTY).sum::<usize>() > T::MAX_ITEMS {
            let idle = known.iter().filter(|(_, it)| Arc::strong_count(&it.it) == 1);
            let Some(oldest) = idle.min_by_key(|(_, it)| it.used).map(|(path, _)| path.clone())
            else {
                break;
            };
            known.remove(&oldest);
        }
        let it = Arc::new(make());
        known.insert(path.to_owned(), Known { it: it.clone(), used: now });
        it
    }

    /// Forgets one that is gone; another may come to be in its place.
    pub(crate) fn forget(&self, path: &Path) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Empty;

    impl Hold for Empty {
        const MAX_ITEMS: usize = 1000;

        fn items(&self) -> usize {
            0
        }
    }

    #[test]
    fn they_are_held_up_to_a_bound_and_those_in_use_stay() {
        let held = Held::default();
        let open = |path: &Path| held.open(path, |_| true, || Empty);
        let first = open(Path::new("/first"));
        for number in 0..Empty::MAX_ITEMS / EMPTY + 100 {
            open(&PathBuf::from(format!("/{number}")));
        }
        assert!(held.known.lock().unwrap().len() <= Empty::MAX_ITEMS / EMPTY + 1);
        assert!(Arc::ptr_eq(&first, &open(Path::new("/first"))));
        let another = held.open(Path::new("/first"), |_| false, || Empty);
        assert!(!Arc::ptr_eq(&first, &another), "what does not fit is made anew");
    }
}
