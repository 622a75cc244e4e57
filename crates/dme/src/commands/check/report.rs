//! What came of each step, as it is said.

use crate::ask::say_line;
use dme_imap::Finding;
use std::fmt::Display;

/// Says each step, and counts what does not work.
#[derive(Default)]
pub struct Report {
    pub failures: usize,
}

impl Report {
    /// As it should be.
    pub fn good(&self, step: &str, what: impl Display) {
        say_line(format_args!("✓ {step}: {what}"));
    }

    /// It works, but somebody should look.
    pub fn warn(&self, step: &str, what: impl Display) {
        say_line(format_args!("! {step}: {what}"));
    }

    /// It does not work.
    pub fn bad(&mut self, step: &str, what: impl Display) {
        self.failures += 1;
        say_line(format_args!("✗ {step}: {what}"));
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
    pub fn unknown(&self, step: &str, what: impl Display) {
        say_line(format_args!("? {step}: {what}"));
    }
}
