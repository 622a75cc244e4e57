//! Being sure that nothing happened in a directory since it was looked through.
//!
//! The kernel puts an event into the queue before the call that made it returns. Whoever empties
//! the queue first and finds nothing therefore knows that nothing was changed before, and need not
//! look (`watch.rs`, by contrast, tells others some time later). All directories share one queue,
//! which is emptied whenever one of them is asked about; there is no thread.
//!
//! Where the kernel may not know of every change, as on network file systems, or has no watch left
//! to give, no eye is kept on a directory, and it must be looked through each time.

use inotify::{EventMask, Events, Inotify, WatchDescriptor, WatchMask};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::mem;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All by which files come, go or get another content, and by which the directory itself does.
const CHANGES: WatchMask = WatchMask::CREATE
    .union(WatchMask::DELETE)
    .union(WatchMask::MOVE)
    .union(WatchMask::MODIFY)
    .union(WatchMask::CLOSE_WRITE)
    .union(WatchMask::DELETE_SELF)
    .union(WatchMask::MOVE_SELF)
    .union(WatchMask::ONLYDIR)
    .union(WatchMask::DONT_FOLLOW);
/// Events after which the path may lead elsewhere, or nothing is told any more.
const ENDS: EventMask = EventMask::DELETE_SELF
    .union(EventMask::MOVE_SELF)
    .union(EventMask::UNMOUNT)
    .union(EventMask::IGNORED);
/// How many names are collected of a directory; where there are more it is looked through instead.
const MAX_NAMES: usize = 128;
/// Room for a few hundred events at once.
const BUFFER: usize = 16 * 1024;

/// File systems on which every change is made through this kernel, by the magic numbers that
/// `statfs` has (Linux, `magic.h`): ext2 to ext4, XFS, Btrfs, tmpfs, F2FS, ZFS, bcachefs, JFS,
/// overlayfs.
const LOCAL: [u32; 9] = [
    0xEF53,
    0x5846_5342,
    0x9123_683E,
    0x0102_1994,
    0xF2F5_2010,
    0x2FC1_2FC1,
    0xCA45_1A4E,
    0x3153_464A,
    0x794C_7630,
];

/// Keeps an eye on directories. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Lookout {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The queue of events, from the first time that one is wanted.
    queue: Option<Inotify>,
    /// What is to be told, by watch and by number of whoever keeps an eye on it.
    told: HashMap<WatchDescriptor, HashMap<u64, News>>,
    next: u64,
    complained: bool,
}

/// What happened in a directory since it was asked last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum News {
    /// The files of these names came, went or changed; no others did.
    Of(BTreeSet<String>),
    /// Nobody knows.
    Lost,
}

impl News {
    fn nothing() -> Self {
        Self::Of(BTreeSet::new())
    }

    fn add(&mut self, name: &str) {
        let Self::Of(names) = self else { return };
        if names.len() < MAX_NAMES || names.contains(name) {
            names.insert(name.to_owned());
        } else {
            *self = Self::Lost;
        }
    }
}

/// An eye that is kept on a directory, until it is dropped.
pub(crate) struct Sight {
    lookout: Lookout,
    watch: WatchDescriptor,
    number: u64,
}

impl Lookout {
    /// Keeps an eye on this directory from now on. None where that is not possible, or would not
    /// show every change.
    pub(crate) fn keep(&self, directory: &Path) -> Option<Sight> {
        if !is_local(directory) {
            return None;
        }
        let mut state = self.state();
        match state.watch(directory) {
            Ok((watch, number)) => Some(Sight { lookout: self.clone(), watch, number }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                if !mem::replace(&mut state.complained, true) {
                    tracing::warn!(
                        %error,
                        "calendars and address books are looked through each time; \
                         fs.inotify.max_user_watches or max_user_instances may be too low"
                    );
                }
                None
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sight {
    /// What happened since the last time, everything included that was done before this call.
    pub(crate) fn news(&self) -> News {
        let mut state = self.lookout.state();
        state.empty_queue();
        let told = state.told.get_mut(&self.watch).and_then(|told| told.get_mut(&self.number));
        match told {
            Some(News::Of(names)) => News::Of(mem::take(names)),
            Some(News::Lost) | None => News::Lost,
        }
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        let mut state = self.lookout.state();
        let Some(told) = state.told.get_mut(&self.watch) else { return };
        told.remove(&self.number);
        if told.is_empty() {
            state.told.remove(&self.watch);
            if let Some(queue) = &state.queue {
                // It may be gone with its directory.
                let _ = queue.watches().remove(self.watch.clone());
            }
        }
    }
}

impl State {
    fn watch(&mut self, directory: &Path) -> io::Result<(WatchDescriptor, u64)> {
        let queue = match &mut self.queue {
            Some(queue) => queue,
            none => none.insert(Inotify::init()?),
        };
        // A directory that is watched already, perhaps by another of its paths, has the same watch.
        let watch = queue.watches().add(directory, CHANGES)?;
        self.next += 1;
        self.told.entry(watch.clone()).or_default().insert(self.next, News::nothing());
        Ok((watch, self.next))
    }

    /// Reads all events there are; waits for none.
    fn empty_queue(&mut self) {
        let mut buffer = [0; BUFFER];
        loop {
            let Some(queue) = &mut self.queue else { return };
            match queue.read_events(&mut buffer) {
                Ok(events) => self.take(events),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(%error, "keeping an eye on files ended; it begins anew");
                    self.queue = None;
                    self.told.clear();
                    return;
                }
            }
        }
    }

    fn take(&mut self, events: Events<'_>) {
        for event in events {
            if event.mask.contains(EventMask::Q_OVERFLOW) {
                self.lose_all();
                continue;
            }
            let Some(told) = self.told.get_mut(&event.wd) else { continue };
            let name = event.name.filter(|_| !event.mask.intersects(ENDS));
            match name.map(|name| name.to_str()) {
                Some(Some(name)) => told.values_mut().for_each(|news| news.add(name)),
                // What has no name in UTF-8 is no item.
                Some(None) => {}
                None => told.values_mut().for_each(|news| *news = News::Lost),
            }
            if event.mask.contains(EventMask::IGNORED) {
                self.told.remove(&event.wd);
            }
        }
    }

    /// The queue was full, and events were lost: any of them may have been anything.
    fn lose_all(&mut self) {
        self.told.values_mut().flat_map(HashMap::values_mut).for_each(|news| *news = News::Lost);
    }
}

/// Whether every change in the directory is made through this kernel.
fn is_local(directory: &Path) -> bool {
    // Magic numbers have 32 bits; the field that holds them is of another width on each machine.
    rustix::fs::statfs(directory).is_ok_and(|it| LOCAL.contains(&(it.f_type as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::Write as _;
    use tempfile::TempDir;

    fn names<const N: usize>(names: [&str; N]) -> News {
        News::Of(names.map(str::to_owned).into())
    }

    fn kept(within: &str) -> (TempDir, std::path::PathBuf, Lookout, Sight) {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join(within);
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("old"), "old").unwrap();
        let lookout = Lookout::default();
        let sight = lookout.keep(&directory).unwrap();
        (root, directory, lookout, sight)
    }

    #[test]
    fn each_change_is_told_by_name_as_soon_as_it_is_made() {
        let (root, directory, _lookout, sight) = kept("d");
        assert_eq!(sight.news(), News::nothing());
        let old = directory.join("old");

        fs::write(directory.join("new"), "").unwrap();
        assert_eq!(sight.news(), names(["new"]), "made");
        let mut open = File::options().append(true).open(&old).unwrap();
        open.write_all(b"more").unwrap();
        assert_eq!(sight.news(), names(["old"]), "written while it is still open");
        open.write_all(b"and more").unwrap();
        assert_eq!(sight.news(), names(["old"]), "and written again");
        drop(open);
        assert_eq!(sight.news(), names(["old"]), "closed");
        File::options().write(true).open(&old).unwrap().set_len(0).unwrap();
        assert_eq!(sight.news(), names(["old"]), "cut");
        fs::rename(&old, directory.join("renamed")).unwrap();
        assert_eq!(sight.news(), names(["old", "renamed"]), "renamed");
        fs::write(root.path().join("outside"), "").unwrap();
        fs::rename(root.path().join("outside"), directory.join("new")).unwrap();
        assert_eq!(sight.news(), names(["new"]), "replaced");
        fs::hard_link(directory.join("new"), directory.join("linked")).unwrap();
        assert_eq!(sight.news(), names(["linked"]), "linked");
        fs::remove_file(directory.join("new")).unwrap();
        assert_eq!(sight.news(), names(["new"]), "deleted");
        fs::read(directory.join("renamed")).unwrap();
        assert_eq!(sight.news(), News::nothing(), "read");
    }

    #[test]
    fn nothing_is_known_once_the_directory_itself_went() {
        for away in [
            |directory: &Path| fs::rename(directory, directory.with_extension("away")),
            |directory: &Path| fs::remove_dir_all(directory),
        ] {
            let (_root, directory, lookout, sight) = kept("d");
            away(&directory).unwrap();
            fs::create_dir(&directory).unwrap();
            assert_eq!(sight.news(), News::Lost);
            assert_eq!(sight.news(), News::Lost, "for good");
            let another = lookout.keep(&directory).unwrap();
            assert_eq!(another.news(), News::nothing());
        }
    }

    #[test]
    fn more_names_than_are_kept_are_as_good_as_none() {
        let (_root, directory, lookout, sight) = kept("d");
        let make = |number: usize| fs::write(directory.join(number.to_string()), "").unwrap();
        (0..MAX_NAMES).for_each(make);
        assert!(matches!(sight.news(), News::Of(names) if names.len() == MAX_NAMES));
        (0..=MAX_NAMES).for_each(make);
        assert_eq!(sight.news(), News::Lost);
        assert_eq!(lookout.keep(&directory).unwrap().news(), News::nothing());
    }

    #[test]
    fn a_queue_that_was_full_loses_the_news_of_all() {
        let (root, directory, lookout, sight) = kept("d");
        let quiet = root.path().join("quiet");
        fs::create_dir(&quiet).unwrap();
        let other = lookout.keep(&quiet).unwrap();
        let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let limit: usize = limit.trim().parse().unwrap();
        let [a, b] = ["a", "b"].map(|name| directory.join(name));
        fs::write(&a, "").unwrap();
        // Two events each, and none like the one before, which would be left out.
        for _ in 0..=limit / 4 {
            fs::rename(&a, &b).unwrap();
            fs::rename(&b, &a).unwrap();
        }
        assert_eq!(other.news(), News::Lost);
        assert_eq!(sight.news(), News::Lost);
        let sight = lookout.keep(&directory).unwrap();
        fs::remove_file(&a).unwrap();
        assert_eq!(sight.news(), names(["a"]));
    }

    #[test]
    fn several_may_keep_an_eye_on_one_directory_and_nothing_is_left_behind() {
        let (root, directory, lookout, first) = kept("d");
        std::os::unix::fs::symlink(root.path(), root.path().join("alias")).unwrap();
        let second = lookout.keep(&root.path().join("alias/d")).unwrap();
        fs::write(directory.join("new"), "").unwrap();
        assert_eq!(first.news(), names(["new"]));
        assert_eq!(second.news(), names(["new"]));
        assert_eq!(lookout.state().told.len(), 1);
        drop(first);
        fs::write(directory.join("newer"), "").unwrap();
        assert_eq!(second.news(), names(["newer"]));
        drop(second);
        assert!(lookout.state().told.is_empty());
    }

    #[test]
    fn no_eye_is_kept_where_the_kernel_does_not_see_all_or_nothing_is() {
        let lookout = Lookout::default();
        assert!(lookout.keep(Path::new("/proc/self")).is_none(), "of a kind that is not known");
        let (_root, directory, ..) = kept("d");
        assert!(lookout.keep(&directory.join("old")).is_none(), "no directory");
        assert!(lookout.keep(&directory.join("gone")).is_none());
    }
}
