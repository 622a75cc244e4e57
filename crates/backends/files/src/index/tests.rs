//! The journal against a Maildir that others change, crashes, and its own loss.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use tempfile::TempDir;

struct Maildir {
    dir: TempDir,
    next: u32,
}

impl Maildir {
    fn new() -> Self {
        // In memory where there is such a place: much is written durably here.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let dir = dir.unwrap();
        for name in ["tmp", "new", "cur"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir, next: 0 }
    }

    fn index(&self) -> Index {
        let mut index = Index::new(self.dir.path().to_owned());
        index.sync().unwrap();
        index
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Another program delivers; answers the base.
    fn arrive(&mut self) -> String {
        self.next += 1;
        let base = format!("{:04}.other", self.next);
        fs::write(self.path("new").join(&base), "Subject: x\n\n").unwrap();
        base
    }

    fn files(&self) -> BTreeSet<(String, String)> {
        let names = ["new", "cur"].map(|dir| fs::read_dir(self.path(dir)).unwrap());
        let names = names.into_iter().flatten();
        names
            .map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let (base, info) = maildir::split(&name).unwrap();
                (base.to_owned(), maildir::letters(info))
            })
            .collect()
    }

    /// As if nothing had happened for a while.
    fn settle(&self) {
        for dir in ["new", "cur"] {
            let long_ago = SystemTime::now() - std::time::Duration::from_secs(60);
            File::open(self.path(dir)).unwrap().set_modified(long_ago).unwrap();
        }
    }

    fn journal(&self) -> String {
        fs::read_to_string(self.path("dme-uidlist")).unwrap()
    }
}

fn held(index: &Index) -> BTreeSet<(String, String)> {
    let one = |item: &Item| (item.base.to_string(), item.letters.to_string());
    index.items.values().map(one).collect()
}

fn numbers(index: &Index) -> Vec<u32> {
    index.items.keys().copied().collect()
}

#[test]
fn what_other_programs_do_is_found() {
    let mut maildir = Maildir::new();
    let mut index = maildir.index();
    let (one, two) = (maildir.arrive(), maildir.arrive());
    index.sync().unwrap();
    assert_eq!(numbers(&index), [1, 2]);
    let before = index.token();

    fs::rename(maildir.path("new").join(&one), maildir.path("cur").join(format!("{one}:2,S")))
        .unwrap();
    fs::remove_file(maildir.path("new").join(&two)).unwrap();
    maildir.arrive();
    index.sync().unwrap();
    let (changed, removed) = index.since(&before).unwrap();
    assert_eq!(changed, [1, 3]);
    assert_eq!(removed.to_sequence(), "2");
    assert_eq!(&*index.items[&1].letters, "S");
    assert_eq!(index.path(1).unwrap(), maildir.path("cur").join(format!("{one}:2,S")));
}

#[test]
fn moving_from_new_to_cur_is_no_change() {
    let mut maildir = Maildir::new();
    let one = maildir.arrive();
    let mut index = maildir.index();
    let before = index.token();
    fs::rename(maildir.path("new").join(&one), maildir.path("cur").join(format!("{one}:2,")))
        .unwrap();
    index.sync().unwrap();
    assert_eq!(index.token(), before);
    assert!(index.path(1).unwrap().exists());
}

#[test]
fn nothing_new_costs_no_reading_of_directories() {
    let mut maildir = Maildir::new();
    for _ in 0..10 {
        maildir.arrive();
    }
    maildir.settle();
    let mut index = maildir.index();
    let scans = index.scans;
    for _ in 0..5 {
        index.sync().unwrap();
    }
    assert_eq!(index.scans, scans);
    maildir.arrive();
    index.sync().unwrap();
    assert_eq!(index.scans, scans + 1);
    assert_eq!(index.items.len(), 11);
}

#[test]
fn a_directory_that_changed_just_now_is_not_trusted_to_show_the_next_change() {
    let mut maildir = Maildir::new();
    maildir.arrive();
    let mut index = maildir.index();
    // The next change leaves the directory's time as it is, as one within the same tick does.
    let time = fs::metadata(maildir.path("new")).unwrap().modified().unwrap();
    maildir.arrive();
    File::open(maildir.path("new")).unwrap().set_modified(time).unwrap();
    index.sync().unwrap();
    assert_eq!(index.items.len(), 2);
}

#[test]
fn a_restart_changes_nothing() {
    let mut maildir = Maildir::new();
    let one = maildir.arrive();
    maildir.arrive();
    let mut index = maildir.index();
    fs::remove_file(maildir.path("new").join(one)).unwrap();
    index.sync().unwrap();
    let again = maildir.index();
    assert_eq!(again.token(), index.token());
    assert_eq!(again.items, index.items);
    assert_eq!(again.removed, index.removed);
    assert_eq!(again.next, 3);
}

#[test]
fn a_torn_line_is_cut_off_and_found_again() {
    let mut maildir = Maildir::new();
    maildir.arrive();
    let whole = maildir.journal_after_sync();
    maildir.arrive();
    let after = maildir.journal_after_sync();
    for cut in whole.len() + 1..after.len() {
        fs::write(maildir.path("dme-uidlist"), &after[..cut]).unwrap();
        let index = maildir.index();
        assert_eq!(numbers(&index), [1, 2], "cut at {cut}");
        assert_eq!(held(&index), maildir.files());
        assert_eq!(maildir.journal(), after, "cut at {cut}");
    }
}

impl Maildir {
    fn journal_after_sync(&self) -> String {
        self.index();
        self.journal()
    }
}

#[test]
fn a_torn_line_of_another_process_is_cut_off_by_one_that_runs_on() {
    let mut maildir = Maildir::new();
    maildir.arrive();
    let mut index = maildir.index();
    let mut file = File::options().append(true).open(maildir.path("dme-uidlist")).unwrap();
    file.write_all(b"9 + 2 17000").unwrap();
    maildir.arrive();
    index.sync().unwrap();
    assert_eq!(numbers(&index), [1, 2]);
    assert_eq!(maildir.index().items, index.items);
}

#[test]
fn a_journal_lost_or_spoilt_makes_all_tokens_invalid() {
    let mut maildir = Maildir::new();
    maildir.arrive();
    let good = maildir.journal_after_sync();
    let spoilt = [
        String::new(),
        "nonsense\n".into(),
        good.replace("dme-uidlist 1", "dme-uidlist 2"),
        good.replace(" + ", " * "),
        format!("{good}9 = 77 S\n"),
        format!("{good}\u{0}\n"),
    ];
    for text in spoilt {
        let before = maildir.index().token();
        fs::write(maildir.path("dme-uidlist"), &text).unwrap();
        let index = maildir.index();
        assert!(index.since(&before).is_none(), "{text:?}");
        assert_eq!(held(&index), maildir.files());
    }
    let mut index = maildir.index();
    let before = index.token();
    fs::remove_file(maildir.path("dme-uidlist")).unwrap();
    index.sync().unwrap();
    assert!(index.since(&before).is_none());
}

#[test]
fn history_is_cut_and_newer_tokens_hold() {
    let mut maildir = Maildir::new();
    let mut index = maildir.index();
    let begin = index.token();
    let mut recent = None;
    for round in 0..REMOVALS_KEPT / 1000 + 4 {
        let bases: Vec<String> = (0..1000).map(|_| maildir.arrive()).collect();
        index.sync().unwrap();
        for base in bases {
            fs::remove_file(maildir.path("new").join(base)).unwrap();
        }
        index.sync().unwrap();
        if round == 8 {
            recent = Some(index.token());
        }
    }
    assert!(index.since(&begin).is_none(), "removals from before the floor are still told");
    let (changed, removed) = index.since(&recent.unwrap()).unwrap();
    assert!(changed.is_empty());
    assert_eq!(removed.to_sequence(), "9001:14000");
    let lines = maildir.journal().lines().count();
    assert!(lines < REMOVALS_KEPT * 2 + SLACK + 2000, "{lines} lines");
    let again = maildir.index();
    assert_eq!(again.token(), index.token());
    assert_eq!((again.floor, again.next), (index.floor, 14001));
}

#[test]
fn half_written_messages_and_strange_files_are_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let mut maildir = Maildir::new();
    fs::write(maildir.path("tmp").join("0001.crashed"), "half a mess").unwrap();
    fs::write(maildir.path("cur").join(".hidden"), "").unwrap();
    fs::write(maildir.path("cur").join("two\nlines"), "").unwrap();
    fs::write(maildir.path("cur").join(std::ffi::OsStr::from_bytes(b"\xff:2,S")), "").unwrap();
    fs::create_dir(maildir.path("cur").join("directory")).unwrap();
    fs::write(maildir.path("cur").join("with space:2,S"), "").unwrap();
    maildir.arrive();
    let index = maildir.index();
    let bases: Vec<_> = held(&index).into_iter().map(|(base, _)| base).collect();
    assert_eq!(bases, ["0001.other", "with space"]);
    assert_eq!(maildir.index().items, index.items);
}

#[derive(Clone, Debug)]
enum Act {
    Arrive,
    Mark(usize, &'static str),
    Remove(usize),
    Sync(usize),
    Restart(usize),
    Tear(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let letters = prop::sample::select(vec!["", "S", "FS", "RSa"]);
    prop_oneof![
        3 => Just(Act::Arrive),
        3 => (0..50_usize, letters).prop_map(|(which, letters)| Act::Mark(which, letters)),
        2 => (0..50_usize).prop_map(Act::Remove),
        4 => (0..2_usize).prop_map(Act::Sync),
        1 => (0..2_usize).prop_map(Act::Restart),
        1 => (1..40_usize).prop_map(Act::Tear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Two processes, another program, restarts and torn journals: whoever follows the changes of
    /// either process knows what the files say.
    #[test]
    fn following_the_changes_leads_to_the_files(acts in prop::collection::vec(act(), 1..60)) {
        let mut maildir = Maildir::new();
        let mut indexes = [maildir.index(), maildir.index()];
        let mut token = indexes[0].token();
        let mut known: BTreeMap<u32, (String, String)> = BTreeMap::new();
        for act in acts.into_iter().chain([Act::Sync(0), Act::Sync(1)]) {
            let files: Vec<_> = maildir.files().into_iter().collect();
            let pick = |which: usize| files.get(which % files.len().max(1)).cloned();
            let path = |(base, letters): &(String, String)| {
                let cur = maildir.path("cur").join(format!("{base}:2,{letters}"));
                if cur.exists() { cur } else { maildir.path("new").join(base) }
            };
            match act {
                Act::Arrive => { maildir.arrive(); }
                Act::Mark(which, letters) => if let Some(file) = pick(which) {
                    let to = maildir.path("cur").join(format!("{}:2,{letters}", file.0));
                    fs::rename(path(&file), to).unwrap();
                },
                Act::Remove(which) => if let Some(file) = pick(which) {
                    fs::remove_file(path(&file)).unwrap();
                },
                Act::Restart(which) => indexes[which] = maildir.index(),
                Act::Tear(length) => {
                    let mut file =
                        File::options().append(true).open(maildir.path("dme-uidlist")).unwrap();
                    file.write_all(&b"12 + 99 1700000000000 FS 0001.torn,S=1,W=1"[..length]).unwrap();
                }
                Act::Sync(which) => {
                    let index = &mut indexes[which];
                    index.sync().unwrap();
                    let (changed, removed) = index.since(&token).unwrap();
                    known.retain(|number, _| !removed.contains(&number.to_string().into()));
                    for number in changed {
                        let item = &index.items[&number];
                        known.insert(number, (item.base.to_string(), item.letters.to_string()));
                    }
                    token = index.token();
                    let followed: BTreeSet<_> = known.values().cloned().collect();
                    prop_assert_eq!(followed, maildir.files());
                }
            }
        }
        prop_assert_eq!(&indexes[0].items.keys().collect::<Vec<_>>(), &known.keys().collect::<Vec<_>>());
    }
}
