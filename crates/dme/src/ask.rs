//! The terminal: what the command line prints and asks.

use anyhow::{Context, Result, bail};
use dme_model::Secret;
use serde::Serialize;
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

/// Prints as it is. That nobody reads on, as with `| head`, is no error.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line.
pub fn say_line(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints as JSON, for scripts.
pub fn say_json(value: &impl Serialize) -> Result<()> {
    say_line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints each, or that there is none; all of them as JSON where that is wanted.
pub fn say_each<T: Serialize>(all: &[T], json: bool, none: &str, each: impl Fn(&T)) -> Result<()> {
    if json {
        return say_json(&all);
    }
    if all.is_empty() {
        say_line(none);
    }
    all.iter().for_each(each);
    Ok(())
}

/// Prints an error with its causes.
pub fn complain(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr(), "dme: {error:#}");
}

/// A password: from a file where one is named, else typed without being shown, else the first line
/// of standard input where that is no terminal.
pub fn password(file: Option<&Path>, prompt: &str) -> Result<Secret> {
    let line = match file {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the password from {}", path.display()))?,
        None if std::io::stdin().is_terminal() => {
            rpassword::prompt_password(format!("{prompt}: ")).context("cannot read the password")?
        }
        None => {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line
        }
    };
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("the password is empty; give one with --password-file or on standard input");
    }
    Ok(Secret::new(password))
}
