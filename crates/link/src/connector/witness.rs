//! The connector as the witness of the server's record of administrators' acts.
//!
//! `audit-head.json` beside the connector's key holds what was signed last. It is written before the
//! signature leaves: what was signed is never forgotten. An administrator who has put the server's
//! database back to an older state on purpose removes that file on each connector.

use super::identity::Identities;
use super::serve::{Asked, Unanswerable, write};
use crate::clock::now;
use crate::wire::body::Outgoing;
use crate::wire::call::{Call, Head};
use crate::wire::countersign::{Countersign, Countersigned};
use crate::{Result, files};
use bytes::Bytes;
use dme_audit::{Hash, Memory, judge};
use dme_directory::Error;
use std::sync::{Mutex, PoisonError};
use tracing::error;

/// In the connector's directory.
const MEMORY: &str = "audit-head.json";

/// What a connector signs with, and what it remembers of it.
pub(super) struct Witness {
    identities: Identities,
    /// One head at a time.
    turn: Mutex<()>,
}

impl Witness {
    pub(super) fn new(identities: Identities) -> Self {
        Self { identities, turn: Mutex::default() }
    }

    /// Answers the call of this name.
    pub(super) fn dispatch(&self, asked: &Asked) -> Result<Outgoing, Unanswerable> {
        let head: Head<'_, Countersign> = asked.head()?;
        let answer = self.countersign(&head.args, &digests(&asked.blob()));
        let answer = answer.map_err(|failed| {
            error!(error = %failed, "the audit head could not be countersigned");
            Error::Unavailable(failed.to_string())
        });
        write(answer, Bytes::new())
    }

    fn countersign(&self, asked: &Countersign, digests: &[Hash]) -> Result<Countersigned> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.identities.dir().join(MEMORY);
        let memory: Option<Memory> = match files::read(&path)? {
            Some(text) => Some(serde_json::from_str(&text).map_err(|error| {
                crate::Error::Damaged { path: path.clone(), what: error.to_string() }
            })?),
            None => None,
        };
        match judge(memory, &asked.head, asked.from, digests) {
            Ok(Some(next)) => {
                if memory != Some(next) {
                    let text = serde_json::to_string(&next)
                        .map_err(|error| crate::Error::Protocol(error.to_string()))?;
                    files::write(&path, &text)?;
                }
                self.identities.countersign(asked.head, now()).map(Countersigned::Signed)
            }
            // There are digests to be asked for only where something is remembered.
            Ok(None) => Ok(Countersigned::From(memory.map_or(0, |memory| memory.number))),
            Err(contradiction) => {
                error!(
                    %contradiction,
                    head = asked.head.number,
                    "the server's record of administrators' acts is not the one that was \
                     countersigned here: compare with `dme audit verify` on the server. If its \
                     database was put back on purpose, remove {}",
                    path.display()
                );
                Ok(Countersigned::Refused(contradiction))
            }
        }
    }
}

fn digests(blob: &[u8]) -> Vec<Hash> {
    blob.as_chunks().0.iter().copied().map(Hash::new).collect()
}

/// Whether the call is the witness's to answer.
pub(super) fn answers(name: &str) -> bool {
    name == Countersign::NAME
}
