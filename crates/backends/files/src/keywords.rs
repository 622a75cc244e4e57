//! `dovecot-keywords`: which letter of a file's name stands for which keyword of the folder.
//!
//! One line a keyword, `<number> <keyword>`; number 0 is the letter `a`. The file is changed as
//! Dovecot does it: written whole to `dovecot-keywords.lock`, which is the lock too, and renamed.

use crate::index::Stamp;
use crate::name::{from_keyword, to_keyword};
use dme_model::{Flags, Followup};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

const FORWARDED: &str = "$Forwarded";
const COMPLETED: &str = "$Completed";

/// Keywords by which programs note things of their own; no user thinks of them as categories.
const OF_PROGRAMS: [&str; 27] = [
    FORWARDED,
    "Forwarded",
    COMPLETED,
    "$MDNSent",
    "$SubmitPending",
    "$Submitted",
    "$Junk",
    "Junk",
    "JunkRecorded",
    "$NotJunk",
    "NotJunk",
    "NonJunk",
    "$Phishing",
    "$NotPhishing",
    "$HasAttachment",
    "$HasNoAttachment",
    "$MailFlagBit0",
    "$MailFlagBit1",
    "$MailFlagBit2",
    "$IsTrusted",
    "$AutoSent",
    "$Memo",
    "$HasMemo",
    "$Followed",
    "$Ignored",
    "$CanUnsubscribe",
    "$Unsubscribed",
];

fn is_category(keyword: &str) -> bool {
    !keyword.is_empty() && !OF_PROGRAMS.iter().any(|program| program.eq_ignore_ascii_case(keyword))
}

/// The longest keyword, in bytes as it is written.
const MAX_KEYWORD: usize = 255;

/// A lock file older than this was left behind by a program that died; Dovecot thinks so too.
const STALE: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(10);

/// The keywords of a folder.
#[derive(Debug, Default)]
pub(crate) struct Keywords {
    names: Vec<String>,
    stamp: Option<Stamp>,
}

impl Keywords {
    /// Reads the file again where it changed.
    pub(crate) fn refresh(&mut self, folder: &Path) -> io::Result<()> {
        let path = folder.join("dovecot-keywords");
        let stamp = Stamp::of(&path)?;
        if stamp != self.stamp {
            self.names = match fs::read_to_string(&path) {
                Ok(text) => parse(&text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error),
            };
            self.stamp = stamp;
        }
        Ok(())
    }

    fn names_of<'a>(&'a self, letters: &'a str) -> impl Iterator<Item = &'a str> {
        let lower = letters.bytes().filter(u8::is_ascii_lowercase);
        lower
            .filter_map(|letter| self.names.get(usize::from(letter - b'a')))
            .filter(|name| !name.is_empty())
            .map(String::as_str)
    }

    /// The marks that these letters mean.
    pub(crate) fn flags(&self, letters: &str) -> Flags {
        let named =
            |keyword: &str| self.names_of(letters).any(|it| it.eq_ignore_ascii_case(keyword));
        Flags {
            seen: letters.contains('S'),
            answered: letters.contains('R'),
            forwarded: letters.contains('P') || named(FORWARDED),
            draft: letters.contains('D'),
            followup: match (letters.contains('F'), named(COMPLETED)) {
                (true, _) => Followup::Active,
                (false, true) => Followup::Complete,
                (false, false) => Followup::None,
            },
            categories: self
                .names_of(letters)
                .filter(|name| is_category(name))
                .map(from_keyword)
                .collect(),
        }
    }

    /// The letters for these marks; letters that mean something else stay as they were. Forwarded
    /// is written both as Maildir's `P` and as the keyword that Dovecot knows.
    ///
    /// # Errors
    /// `StorageFull` where the folder has 26 keywords already and another would be needed,
    /// `InvalidInput` where a name is too long.
    pub(crate) fn letters(
        &mut self,
        folder: &Path,
        before: &str,
        flags: &Flags,
    ) -> io::Result<String> {
        let categories = flags.categories.iter().map(|category| to_keyword(category));
        let mut wanted: Vec<String> = categories.filter(|name| is_category(name)).collect();
        if flags.forwarded {
            wanted.push(FORWARDED.into());
        }
        if flags.followup == Followup::Complete {
            wanted.push(COMPLETED.into());
        }
        if wanted.iter().any(|keyword| keyword.len() > MAX_KEYWORD) {
            let why = "the name of a category is too long";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.refresh(folder)?;
        if wanted.iter().any(|keyword| self.letter(keyword).is_none()) {
            self.add(folder, &wanted)?;
        }
        let ours = |letter: &char| match letter {
            'S' | 'R' | 'P' | 'D' | 'F' => true,
            'a'..='z' => self.names_of(letter.encode_utf8(&mut [0; 4])).any(|name| {
                is_category(name)
                    || [FORWARDED, COMPLETED].iter().any(|it| it.eq_ignore_ascii_case(name))
            }),
            _ => false,
        };
        let mut letters: Vec<char> = before.chars().filter(|letter| !ours(letter)).collect();
        for (holds, letter) in [
            (flags.seen, 'S'),
            (flags.answered, 'R'),
            (flags.forwarded, 'P'),
            (flags.draft, 'D'),
            (flags.followup == Followup::Active, 'F'),
        ] {
            letters.extend(holds.then_some(letter));
        }
        letters.extend(wanted.iter().filter_map(|keyword| self.letter(keyword)));
        letters.sort_unstable();
        letters.dedup();
        Ok(letters.into_iter().collect())
    }

    fn letter(&self, keyword: &str) -> Option<char> {
        let place = self.names.iter().position(|name| name.eq_ignore_ascii_case(keyword))?;
        u8::try_from(place).ok().filter(|place| *place < 26).map(|place| char::from(b'a' + place))
    }

    fn add(&mut self, folder: &Path, wanted: &[String]) -> io::Result<()> {
        let lock = DotLock::take(folder.join("dovecot-keywords"))?;
        self.refresh(folder)?;
        for keyword in wanted {
            if self.letter(keyword).is_none() {
                let free = self.names.iter().position(String::is_empty);
                match free.and_then(|free| self.names.get_mut(free)) {
                    Some(name) => name.clone_from(keyword),
                    None => self.names.push(keyword.clone()),
                }
            }
        }
        if self.names.len() > 26 {
            self.stamp = None;
            self.names.clear();
            let why = "a folder of a Maildir has room for 26 categories";
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        let lines = self.names.iter().enumerate().filter(|(_, name)| !name.is_empty());
        let text: String = lines.map(|(number, name)| format!("{number} {name}\n")).collect();
        lock.replace(&text)?;
        self.stamp = Stamp::of(&folder.join("dovecot-keywords"))?;
        Ok(())
    }
}

fn parse(text: &str) -> Vec<String> {
    let mut names = vec![String::new(); 26];
    for line in text.lines() {
        if let Some((number, name)) = line.split_once(' ')
            && let Ok(number) = number.parse::<usize>()
            && let Some(place) = names.get_mut(number)
        {
            *place = name.to_owned();
        }
    }
    let used = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    names.truncate(used);
    names
}

/// A lock file in which the new content is written.
struct DotLock {
    file: File,
    path: PathBuf,
    target: PathBuf,
    done: bool,
}

impl DotLock {
    fn take(target: PathBuf) -> io::Result<Self> {
        let mut path = target.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let end = Instant::now() + PATIENCE;
        loop {
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { file, path, target, done: false }),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => {}
            }
            let made = fs::metadata(&path).and_then(|metadata| metadata.modified());
            if let Ok(made) = made
                && SystemTime::now().duration_since(made).is_ok_and(|age| age > STALE)
            {
                let _ = fs::remove_file(&path);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn replace(mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(categories: &[&str]) -> Flags {
        let categories = categories.iter().map(|&name| name.to_owned()).collect();
        Flags { categories, ..Flags::default() }
    }

    #[test]
    fn keywords_of_programs_are_kept_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dovecot-keywords"), "0 $MDNSent\n1 Work\n3 Junk\n").unwrap();
        let mut keywords = Keywords::default();
        keywords.refresh(folder.path()).unwrap();
        assert_eq!(keywords.flags("STabd"), Flags { seen: true, ..flags(&["Work"]) });
        let letters = keywords.letters(folder.path(), "STabd", &flags(&["Private"])).unwrap();
        assert_eq!(letters, "Tacd");
        let text = fs::read_to_string(folder.path().join("dovecot-keywords")).unwrap();
        assert_eq!(text, "0 $MDNSent\n1 Work\n2 Private\n3 Junk\n");
    }

    #[test]
    fn a_folder_has_room_for_26_keywords() {
        let folder = tempfile::tempdir().unwrap();
        let mut keywords = Keywords::default();
        let names: Vec<String> = (0..26).map(|number| format!("k{number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all = keywords.letters(folder.path(), "", &flags(&names)).unwrap();
        assert_eq!(all, "abcdefghijklmnopqrstuvwxyz");
        let more = keywords.letters(folder.path(), "", &flags(&["more"])).unwrap_err();
        assert_eq!(more.kind(), io::ErrorKind::StorageFull);
        assert_eq!(keywords.letters(folder.path(), "", &flags(&["k25"])).unwrap(), "z");
    }

    #[test]
    fn names_that_cannot_be_categories_are_refused_or_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut keywords = Keywords::default();
        let long = "x".repeat(MAX_KEYWORD + 1);
        let refused = keywords.letters(folder.path(), "", &flags(&[&long])).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        fs::write(folder.path().join("dovecot-keywords"), "1 Work\n").unwrap();
        let letters = keywords.letters(folder.path(), "", &flags(&["", "Junk", "$Completed"]));
        assert_eq!(letters.unwrap(), "");
    }

    #[test]
    fn a_lock_left_behind_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dovecot-keywords.lock");
        let file = File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - STALE * 2).unwrap();
        let mut keywords = Keywords::default();
        assert_eq!(keywords.letters(folder.path(), "", &flags(&["a"])).unwrap(), "a");
        assert!(!path.exists());
    }
}
