//! What came of each step, as it is said.

use crate::ask::say_line;
use dme_imap::Finding;
use dme_link::{Check, CheckVerdict};
use std::fmt::Display;

/// Says each step, and counts what does not work.
#[derive(Default)]
pub struct Report {
    pub failures: usize,
    /// Steps are kept here, where they are not to be said.
    kept: Option<Vec<Check>>,
}

impl Report {
    /// One that says nothing, but keeps it.
    pub fn silent() -> Self {
        Self { kept: Some(Vec::new()), ..Self::default() }
    }

    /// What was kept.
    pub fn kept(self) -> Vec<Check> {
        self.kept.unwrap_or_default()
    }

    fn note(&mut self, step: &str, verdict: CheckVerdict, what: impl Display) {
        if let Some(kept) = &mut self.kept {
            return kept.push(Check { step: step.to_owned(), verdict, said: what.to_string() });
        }
        let sign = match verdict {
            CheckVerdict::Good => '✓',
            CheckVerdict::Warning => '!',
            CheckVerdict::Bad => '✗',
            CheckVerdict::Unknown => '?',
        };
        say_line(format_args!("{sign} {step}: {what}"));
    }

    /// As it should be.
    pub fn good(&mut self, step: &str, what: impl Display) {
        self.note(step, CheckVerdict::Good, what);
    }

    /// It works, but somebody should look.
    pub fn warn(&mut self, step: &str, what: impl Display) {
        self.note(step, CheckVerdict::Warning, what);
    }

    /// It does not work.
    pub fn bad(&mut self, step: &str, what: impl Display) {
        self.failures += 1;
        self.note(step, CheckVerdict::Bad, what);
    }

    /// What a mail system's own check found.
    pub fn found(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            match finding.outcome {
                Ok(said) => self.good(finding.step, said),
                Err(said) => self.bad(finding.step, said),
            }
        }
    }

    /// It could not be found out.
    pub fn unknown(&mut self, step: &str, what: impl Display) {
        self.note(step, CheckVerdict::Unknown, what);
    }
}
