//! What a collection holds, kept true to its directory.
//!
//! The directory is looked through whole, unless an eye was kept on it since that was done last:
//! then only those files are looked at of which there is news, mostly none.

use super::directory::{Directory, Identity};
use super::items::{Items, Seen, Stamp};
use super::object::{self, Sort};
use crate::error::while_trying;
use crate::lookout::{Lookout, News, Sight};
use crate::maildir::{content_mark, fingerprint};
use dme_mailbox::Result;
use std::collections::HashSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant, SystemTime};

/// After this time a directory is looked through whole again, whatever the kernel tells: a program
/// can change a file without an event, by another name that it gave it elsewhere, or in memory.
const MAX_AGE: Duration = Duration::from_secs(600);

/// What a collection holds.
pub(super) struct View {
    pub(super) items: Items,
    /// Since when nothing can have happened unseen.
    kept: Option<Kept>,
}

/// A directory that was looked through, and on which an eye is kept since before that.
struct Kept {
    sight: Sight,
    of: Identity,
    at: Instant,
}

impl Kept {
    /// Whether it is about this directory, and not too long ago.
    fn is_current(&self, of: Identity, now: Instant) -> bool {
        self.of == of && now.saturating_duration_since(self.at) < MAX_AGE
    }
}

/// Whether events tell all that happens to a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Told {
    All,
    /// It has another name, or had one that is gone, by which it may be written unseen.
    NotAll,
}

impl View {
    /// What the journal says, of which nothing was compared with the directory yet.
    pub(super) fn new(items: Items) -> Self {
        Self { items, kept: None }
    }

    /// Finds out what happened in the directory, and notes it.
    pub(super) fn compare(&mut self, directory: &Directory, lookout: &Lookout) -> Result<()> {
        let of = directory.identity()?;
        let kept = self.kept.take().filter(|kept| kept.is_current(of, Instant::now()));
        if let Some(kept) = kept
            && let News::Of(names) = kept.sight.news()
        {
            let now = SystemTime::now();
            let mut told = Told::All;
            for name in names.iter().filter(|name| directory.is_item(name)) {
                told = told.max(self.look_at(directory, name, now));
            }
            if told == Told::All {
                self.kept = Some(kept);
                return Ok(());
            }
        }
        // First the eye, then the look: what happens between is told.
        let sight = lookout.keep(&directory.path);
        let at = Instant::now();
        let told = self.look_through(directory)?;
        let same = directory.identity()? == of && told == Told::All;
        self.kept = sight.filter(|_| same).map(|sight| Kept { sight, of, at });
        Ok(())
    }

    fn look_through(&mut self, directory: &Directory) -> Result<Told> {
        let reading = while_trying("read a collection");
        let now = SystemTime::now();
        let mut told = Told::All;
        let mut there = HashSet::new();
        for file in directory.files().map_err(&reading)? {
            let (name, metadata) = file.map_err(&reading)?;
            told = told.max(self.note(directory, &name, &metadata, now));
            there.insert(name);
        }
        let gone: Vec<String> =
            self.items.file_names().filter(|name| !there.contains(*name)).cloned().collect();
        gone.iter().for_each(|name| self.items.note_gone(name));
        Ok(told)
    }

    fn look_at(&mut self, directory: &Directory, name: &str, now: SystemTime) -> Told {
        match directory.file(name) {
            Some(metadata) => {
                // The clock that stamps files ticks too slowly to tell of every change.
                self.items.unsettle(name);
                self.note(directory, name, &metadata, now)
            }
            None => {
                self.items.note_gone(name);
                Told::NotAll
            }
        }
    }

    /// Notes what a file holds now, which is read unless its stamp says that it is as before.
    fn note(
        &mut self,
        directory: &Directory,
        name: &str,
        metadata: &Metadata,
        now: SystemTime,
    ) -> Told {
        let told = if metadata.nlink() == 1 { Told::All } else { Told::NotAll };
        let stamp = Stamp::from(metadata);
        let known = self.items.entry(name);
        if known.is_some_and(|known| known.stamp == Some(stamp)) {
            return told;
        }
        let settled = |stamp: Stamp| Some(stamp).filter(|it| it.is_settled(now));
        match directory.read(name) {
            Ok(Some((object, stamp))) => {
                let mark = content_mark(&object);
                let (sort, uid) = match known.filter(|known| known.mark == mark && !known.outdated)
                {
                    Some(known) => (known.sort, known.uid.clone()),
                    None => {
                        let (sort, uid) = object::sort(directory.class, &object);
                        (sort, fingerprint(&[&uid]))
                    }
                };
                self.items.note(name, Seen { stamp: settled(stamp), mark, uid, sort });
            }
            Ok(None) => self.items.note_gone(name),
            Err(_) => {
                let mark = content_mark(format!("{stamp:?}").as_bytes());
                let uid = fingerprint(&[""]);
                let sort = Sort::Broken;
                self.items.note(name, Seen { stamp: settled(stamp), mark, uid, sort });
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::Class;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::fs::{self, File};
    use std::path::Path;
    use tempfile::TempDir;

    struct World {
        root: TempDir,
        directory: Directory,
        lookout: Lookout,
        view: View,
    }

    fn note(title: usize) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VJOURNAL\r\nUID:u\r\nSUMMARY:{title:04}\r\nEND:VJOURNAL\r\n\
             END:VCALENDAR\r\n"
        )
    }

    impl World {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let (path, aside) = (root.path().join("notes"), root.path().join("aside"));
            fs::create_dir(&path).unwrap();
            fs::create_dir(&aside).unwrap();
            let directory = Directory { path, aside, class: Class::Notes };
            let (lookout, view) = (Lookout::default(), View::new(Items::begin()));
            Self { root, directory, lookout, view }
        }

        fn path(&self, file: usize) -> std::path::PathBuf {
            self.directory.path.join(format!("{file}.ics"))
        }

        /// What is there, as it is known after looking.
        fn look(&mut self) -> BTreeMap<String, String> {
            self.view.compare(&self.directory, &self.lookout).unwrap();
            marks(&self.view)
        }
    }

    fn marks(view: &View) -> BTreeMap<String, String> {
        let mark = |name: &String| Some((name.clone(), view.items.entry(name)?.mark.clone()));
        view.items.file_names().filter_map(mark).collect()
    }

    /// What is there, by whoever knows nothing before.
    fn whole(directory: &Directory) -> BTreeMap<String, String> {
        let mut fresh = View::new(Items::begin());
        fresh.compare(directory, &Lookout::default()).unwrap();
        marks(&fresh)
    }

    /// What another program does, on one of a few files.
    #[derive(Clone, Debug)]
    enum Act {
        /// Writes it elsewhere and renames it into its place.
        RenameIn(usize, usize),
        /// Writes it where it is; all contents have one length, and the clock may not have ticked.
        EditInPlace(usize, usize),
        Delete(usize),
        Rename(usize, usize),
        Link(usize, usize),
        /// More files than names are kept.
        Flood(usize),
        /// Puts another directory with one file in the place of this one.
        Replace(usize),
        /// Deletes the directory and makes it again.
        MakeAnew,
        Look,
    }

    fn act() -> impl Strategy<Value = Act> {
        let (file, text) = (0..6_usize, 0..100_usize);
        let two = (file.clone(), 0..6_usize);
        let written = (file.clone(), text);
        prop_oneof![
            4 => written.clone().prop_map(|(file, text)| Act::RenameIn(file, text)),
            4 => written.prop_map(|(file, text)| Act::EditInPlace(file, text)),
            3 => file.clone().prop_map(Act::Delete),
            3 => two.clone().prop_map(|(from, to)| Act::Rename(from, to)),
            2 => two.prop_map(|(from, to)| Act::Link(from, to)),
            1 => file.clone().prop_map(Act::Flood),
            1 => file.prop_map(Act::Replace),
            1 => Just(Act::MakeAnew),
            8 => Just(Act::Look),
        ]
    }

    fn carry_out(world: &World, act: &Act) {
        let aside = world.root.path().join("unfinished");
        let path = &world.directory.path;
        // What is not there cannot be renamed or deleted: nothing happens then.
        match act {
            Act::RenameIn(file, text) => {
                fs::write(&aside, note(*text)).unwrap();
                fs::rename(&aside, world.path(*file)).unwrap();
            }
            Act::EditInPlace(file, text) => fs::write(world.path(*file), note(*text)).unwrap(),
            Act::Delete(file) => drop(fs::remove_file(world.path(*file))),
            Act::Rename(from, to) => drop(fs::rename(world.path(*from), world.path(*to))),
            Act::Link(from, to) => drop(fs::hard_link(world.path(*from), world.path(*to))),
            Act::Flood(text) => {
                (10..150).for_each(|file| fs::write(world.path(file), note(*text)).unwrap());
            }
            Act::Replace(file) => {
                let another = world.root.path().join("another");
                fs::create_dir(&another).unwrap();
                fs::write(another.join(format!("{file}.ics")), note(0)).unwrap();
                fs::rename(path, world.root.path().join("away")).unwrap();
                fs::rename(&another, path).unwrap();
                fs::remove_dir_all(world.root.path().join("away")).unwrap();
            }
            Act::MakeAnew => {
                fs::remove_dir_all(path).unwrap();
                fs::create_dir(path).unwrap();
            }
            Act::Look => {}
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

        #[test]
        fn what_is_known_is_what_is_there(acts in prop::collection::vec(act(), 1..60)) {
            let mut world = World::new();
            for act in &acts {
                carry_out(&world, act);
                // A second name that comes and goes between two looks is not known of.
                if matches!(act, Act::Look | Act::Link(..)) {
                    prop_assert_eq!(world.look(), whole(&world.directory));
                }
            }
            prop_assert_eq!(world.look(), whole(&world.directory));
        }
    }

    /// Writes a file's content without an event, by a name that it has in another directory.
    fn write_unseen(world: &World, file: usize, text: usize) {
        let elsewhere = world.root.path().join("elsewhere");
        let _ = fs::remove_file(&elsewhere);
        fs::hard_link(world.path(file), &elsewhere).unwrap();
        fs::write(&elsewhere, note(text)).unwrap();
    }

    fn stamp_long_ago(path: &Path) {
        let long_ago = SystemTime::now() - Duration::from_secs(1000);
        File::open(path).unwrap().set_modified(long_ago).unwrap();
    }

    #[test]
    fn a_directory_with_no_news_is_not_looked_through() {
        let mut world = World::new();
        fs::write(world.path(1), note(1)).unwrap();
        fs::write(world.path(2), note(1)).unwrap();
        let before = world.look();
        write_unseen(&world, 1, 2);
        assert_eq!(world.look(), before, "the kernel told nothing, and nobody looked");
        fs::write(world.path(2), note(2)).unwrap();
        let after = world.look();
        assert_ne!(after["2.ics"], before["2.ics"], "what it told was looked at");
        assert_eq!(after["1.ics"], before["1.ics"], "and nothing else");
        fs::remove_file(world.root.path().join("elsewhere")).unwrap();
        world.view.kept = None;
        assert_eq!(world.look(), whole(&world.directory));
    }

    #[test]
    fn a_file_that_has_another_name_elsewhere_is_looked_at_each_time() {
        let mut world = World::new();
        fs::write(world.path(1), note(1)).unwrap();
        fs::hard_link(world.path(1), world.root.path().join("elsewhere")).unwrap();
        for text in 2..5 {
            let before = world.look();
            write_unseen(&world, 1, text);
            assert_ne!(world.look(), before, "{text}");
        }
        // From the next look on, where it is gone there.
        fs::remove_file(world.root.path().join("elsewhere")).unwrap();
        world.look();
        assert!(world.view.kept.is_some());
        // One that comes by news counts as well.
        fs::write(world.path(2), note(1)).unwrap();
        fs::hard_link(world.path(2), world.root.path().join("second")).unwrap();
        fs::write(world.root.path().join("second"), note(2)).unwrap();
        assert_eq!(world.look(), whole(&world.directory));
        assert!(world.view.kept.is_none());
    }

    #[test]
    fn an_edit_by_a_second_name_is_seen_by_the_first() {
        let mut world = World::new();
        fs::write(world.path(1), note(1)).unwrap();
        for last in [Act::Look, Act::Delete(2)] {
            world.look();
            [Act::Link(1, 2), Act::EditInPlace(2, 7), last]
                .iter()
                .for_each(|it| carry_out(&world, it));
            assert_eq!(world.look(), whole(&world.directory));
            fs::write(world.path(1), note(1)).unwrap();
        }
    }

    #[test]
    fn news_is_not_trusted_for_ever() {
        let mut world = World::new();
        world.look();
        let kept = world.view.kept.take().unwrap();
        let of = world.directory.identity().unwrap();
        let just_before = kept.at + MAX_AGE - Duration::from_millis(1);
        assert!(kept.is_current(of, just_before));
        assert!(!kept.is_current(of, kept.at + MAX_AGE));
        let another = Directory { path: world.root.path().into(), ..world.directory };
        assert!(!kept.is_current(another.identity().unwrap(), kept.at));
    }

    #[test]
    fn an_edit_in_place_is_seen_though_size_and_time_stay() {
        let mut world = World::new();
        fs::write(world.path(1), note(1)).unwrap();
        stamp_long_ago(&world.path(1));
        let modified = fs::metadata(world.path(1)).unwrap().modified().unwrap();
        let mut before = world.look();
        for text in 2..5 {
            fs::write(world.path(1), note(text)).unwrap();
            File::open(world.path(1)).unwrap().set_modified(modified).unwrap();
            let after = world.look();
            assert_ne!(after, before, "{text}");
            before = after;
        }
    }

    #[test]
    fn an_end_that_an_older_journal_counted_by_utc_is_read_anew_and_no_change() {
        let mut world = World::new();
        world.directory.class = Class::Calendar;
        let event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART;VALUE=DATE:19700102\r\n\
                     END:VEVENT\r\nEND:VCALENDAR\r\n";
        fs::write(world.path(1), event).unwrap();
        stamp_long_ago(&world.path(1));
        world.look();
        let now = world.view.items.to_text();
        assert!(now.contains(" f172800 1.ics"), "{now}");
        let before = now.replace("dme-items 2", "dme-items 1").replace(" f172800 ", " e172800000 ");
        world.view = View::new(Items::parse(&before).unwrap());
        world.look();
        assert_eq!(world.view.items.to_text(), now);
    }

    #[test]
    fn where_no_eye_can_be_kept_the_directory_is_looked_through_each_time() {
        let mut world = World::new();
        fs::write(world.path(1), note(1)).unwrap();
        stamp_long_ago(&world.path(1));
        for text in 2..5 {
            let before = world.look();
            // As if no watch had been given.
            world.view.kept = None;
            write_unseen(&world, 1, text);
            assert_ne!(world.look(), before, "{text}");
        }
    }
}
