//! The note in a script: what was set, what the user's own script is, and what the rest of the text
//! was, so that a change by another client shows.

use dme_model::Vacation;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a line begins with that is the note of our script.
pub(crate) const MARK: &str = "# dme-vacation ";

/// The version of the note that is written. One of a newer release is still read: what this release
/// does not know of it, it passes over.
const VERSION: u32 = 1;

/// What we know of a script.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Note {
    /// What was set.
    pub(crate) vacation: Vacation,
    /// The user's own script, which is active when nobody is away.
    pub(crate) own: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    own: Option<String>,
    digest: String,
    vacation: Vacation,
}

impl Note {
    /// The note for a script whose rest is `body`, on one line.
    pub(crate) fn json(&self, body: &str) -> String {
        let written = Written {
            version: VERSION,
            own: self.own.clone(),
            digest: digest(body.as_bytes()),
            vacation: self.vacation.clone(),
        };
        // Of strings and numbers only, which JSON always can.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// The same as a comment.
    pub(crate) fn line(&self, body: &str) -> String {
        format!("{MARK}{}", self.json(body))
    }

    /// Reads a note, and what the digest of the rest was.
    pub(crate) fn read(json: &[u8]) -> Option<(Self, String)> {
        let written: Written = serde_json::from_slice(json).ok()?;
        Some((Self { vacation: written.vacation, own: written.own }, written.digest))
    }
}

/// What tells one text from another; how lines end and what space is round it does not matter.
pub(crate) fn digest(body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for line in body.trim_ascii().split(|byte| *byte == b'\n') {
        hash.update(line.strip_suffix(b"\r").unwrap_or(line));
        hash.update(b"\n");
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
