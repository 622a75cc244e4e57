//! How far each act of sending has got: `dme-submissions` in the sender's Maildir.
//!
//! One line a step, written durably after the step was done, under a lock that is held for the
//! whole act. A repeated request, also after a crash, takes the steps that are missing and no
//! other (rule S2).
//!
//! ```text
//! <seconds> <act> begun <message-id>
//! <seconds> <act> to <recipient>
//! <seconds> <act> refused <recipient>
//! <seconds> <act> filed
//! <seconds> <act> done
//! ```

use crate::clock;
use crate::durable::write_whole;
use crate::error::while_trying;
use crate::maildir::fingerprint;
use dme_mailbox::{Result, SubmissionKey};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How long an act is remembered; no phone repeats a request after so many seconds.
const REMEMBERED: u64 = 14 * 24 * 60 * 60;
/// A journal larger than this is rid of what is older than that, where it is half of it.
const LARGE: u64 = 256 * 1024;
/// The largest journal that is read at all; a larger one is begun anew.
const ABSURD: u64 = 64 << 20;

/// The sender's journal, locked for one act.
pub(crate) struct Journal {
    file: File,
    _lock: File,
    act: String,
    /// How far the act has got.
    pub(crate) progress: Progress,
}

/// The steps that were taken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Progress {
    /// The `Message-ID` with which sending began.
    pub(crate) begun: Option<String>,
    pub(crate) delivered: Vec<String>,
    pub(crate) refused: Vec<String>,
    /// The copy is in Sent, or was not wanted.
    pub(crate) filed: bool,
    pub(crate) done: bool,
}

/// A step of an act of sending.
pub(crate) enum Step<'a> {
    Begun(&'a str),
    To(&'a str),
    Refused(&'a str),
    Filed,
    Done,
}

impl Journal {
    /// Waits for other acts of the same sender, then reads how far this one has got.
    pub(crate) fn open(maildir: &Path, key: &SubmissionKey) -> Result<Self> {
        let opening = while_trying("open the journal of sent mail");
        Self::try_open(maildir, fingerprint(&[&key.0])).map_err(opening)
    }

    fn try_open(maildir: &Path, act: String) -> io::Result<Self> {
        let path = maildir.join("dme-submissions");
        let lock = maildir.join("dme-submissions.lock");
        let lock = File::options().create(true).truncate(false).write(true).open(lock)?;
        lock.lock()?;
        let (mut file, mut text) = read(&path)?;
        if text.len() as u64 > LARGE {
            let oldest = now().saturating_sub(REMEMBERED);
            let young = text.split_inclusive('\n').filter(|line| is_younger(line, oldest));
            let kept: String = young.collect();
            // Not at every act, where there are many young ones.
            if kept.len() < text.len() / 2 {
                file = write_whole(&maildir.join("tmp"), &path, kept.as_bytes())?;
                text = kept;
            }
        }
        let progress = progress(&text, &act);
        Ok(Self { file, _lock: lock, act, progress })
    }

    /// What names this act in the names of files.
    pub(crate) fn act(&self) -> &str {
        &self.act
    }

    /// Writes down that a step was taken.
    pub(crate) fn note(&mut self, step: &Step<'_>) -> Result<()> {
        let (word, of) = match step {
            Step::Begun(id) => ("begun", *id),
            Step::To(recipient) => ("to", *recipient),
            Step::Refused(recipient) => ("refused", *recipient),
            Step::Filed => ("filed", ""),
            Step::Done => ("done", ""),
        };
        // A line is a line, whatever stands in a header.
        let of: String = of.chars().filter(|c| !c.is_control()).collect();
        let line = format!("{} {} {word} {of}\n", now(), self.act);
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(while_trying("note a step of sending"))?;
        self.progress.take(word, &of);
        Ok(())
    }
}

impl Progress {
    fn take(&mut self, word: &str, of: &str) {
        match word {
            "begun" => self.begun = Some(of.to_owned()),
            "to" => self.delivered.push(of.to_owned()),
            "refused" => self.refused.push(of.to_owned()),
            "filed" => self.filed = true,
            "done" => self.done = true,
            _ => {}
        }
    }
}

fn progress(text: &str, act: &str) -> Progress {
    let mut progress = Progress::default();
    for line in text.lines() {
        let mut fields = line.splitn(4, ' ').skip(1);
        if fields.next() == Some(act)
            && let Some(word) = fields.next()
        {
            progress.take(word, fields.next().unwrap_or_default());
        }
    }
    progress
}

fn is_younger(line: &str, oldest: u64) -> bool {
    let seconds = line.split(' ').next().and_then(|seconds| seconds.parse::<u64>().ok());
    seconds.is_some_and(|seconds| seconds >= oldest)
}

/// The journal and its whole lines; a torn last one is cut off.
fn read(path: &PathBuf) -> io::Result<(File, String)> {
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    if size <= ABSURD {
        file.read_to_end(&mut bytes)?;
    }
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    if whole as u64 != size {
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
    }
    bytes.truncate(whole);
    Ok((file, String::from_utf8_lossy(&bytes).into_owned()))
}

fn now() -> u64 {
    u64::try_from(clock::now().as_seconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn open(maildir: &Path, key: &str) -> Journal {
        Journal::open(maildir, &SubmissionKey(key.into())).unwrap()
    }

    fn maildir() -> tempfile::TempDir {
        let maildir = tempfile::tempdir().unwrap();
        fs::create_dir(maildir.path().join("tmp")).unwrap();
        maildir
    }

    #[test]
    fn an_act_is_taken_up_where_it_was_left() {
        let maildir = maildir();
        let mut journal = open(maildir.path(), "a");
        assert_eq!(journal.progress, Progress::default());
        for step in [Step::Begun("id@x"), Step::To("bob@x"), Step::Refused("eve x@y"), Step::Filed]
        {
            journal.note(&step).unwrap();
        }
        let left = journal.progress.clone();
        drop(journal);
        assert_eq!(open(maildir.path(), "b").progress, Progress::default());
        let journal = open(maildir.path(), "a");
        assert_eq!(journal.progress, left);
        assert_eq!(left.refused, ["eve x@y"]);
        assert!(left.filed && !left.done);
    }

    #[test]
    fn a_torn_line_counts_as_not_written() {
        let maildir = maildir();
        open(maildir.path(), "a").note(&Step::Begun("id@x")).unwrap();
        let path = maildir.path().join("dme-submissions");
        let mut text = fs::read_to_string(&path).unwrap();
        let torn = text.replace("begun id@x\n", "to bob");
        text.push_str(&torn);
        fs::write(&path, &text).unwrap();
        let mut journal = open(maildir.path(), "a");
        assert!(journal.progress.delivered.is_empty());
        journal.note(&Step::To("carol@x")).unwrap();
        drop(journal);
        assert_eq!(open(maildir.path(), "a").progress.delivered, ["carol@x"]);
    }

    #[test]
    fn old_acts_are_forgotten_when_the_journal_is_large() {
        let maildir = maildir();
        let act = fingerprint(&["a"]);
        let old = now() - REMEMBERED - 10;
        let mut text = format!("{} {act} to young@x\n", now());
        while text.len() as u64 <= LARGE {
            text.push_str(&format!("{old} {act} to old@x\n"));
        }
        fs::write(maildir.path().join("dme-submissions"), text).unwrap();
        let mut journal = open(maildir.path(), "a");
        assert_eq!(journal.progress.delivered, ["young@x"]);
        journal.note(&Step::Done).unwrap();
        drop(journal);
        assert!(open(maildir.path(), "a").progress.done);
        let size = fs::metadata(maildir.path().join("dme-submissions")).unwrap().len();
        assert!(size < 200, "{size}");
    }
}
