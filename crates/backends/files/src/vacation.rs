//! The out-of-office message, in `dme-vacation.json` beside the user's Maildir. It is kept and
//! shown; mail that is put into the tree is answered by nobody.

use crate::durable::write_whole;
use crate::error::while_trying;
use crate::home::Home;
use dme_mailbox::{Error, ErrorKind, Result, check_vacation};
use dme_model::Vacation;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// Two texts of 64 KB, each of whose bytes may be written as six.
const MAX_FILE: u64 = 1 << 20;

fn path(home: &Home) -> PathBuf {
    home.directory_of_user().join("dme-vacation.json")
}

/// What is kept; nobody who never set one is away.
///
/// # Errors
/// `Unconvertible` where the file is damaged; those of the file system.
pub(crate) fn read(home: &Home) -> Result<Vacation> {
    let reading = while_trying("read the out-of-office message");
    let mut text = String::new();
    match File::open(path(home)) {
        Ok(file) => file.take(MAX_FILE).read_to_string(&mut text).map_err(reading)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vacation::default()),
        Err(error) => return Err(reading(error)),
    };
    serde_json::from_str(&text).map_err(|error| {
        let path = path(home).display().to_string();
        Error::new(ErrorKind::Unconvertible, format!("{path}: {error}; delete it to begin anew"))
    })
}

/// Keeps it; durable when this returns, and never half of it.
///
/// # Errors
/// `Invalid` where it makes no sense; those of the file system.
pub(crate) fn write(home: &Home, vacation: &Vacation) -> Result<()> {
    check_vacation(vacation)?;
    let writing = while_trying("keep the out-of-office message");
    let text = serde_json::to_vec_pretty(vacation)
        .map_err(|error| Error::new(ErrorKind::Bug, format!("write a message: {error}")))?;
    write_whole(&home.maildir().join("tmp"), &path(home), &text).map(drop).map_err(writing)
}
