//! The door for the fuzz target `sieve_scripts`: everything that reads what stands in a script.

use super::note::Note;
use super::rule::{Abilities, Answering};
use super::{foreign, note_of, with_block, without_block};
use std::time::Duration;

/// Reads bytes as a script, and puts our block in and takes it out again. For the fuzz target alone.
pub fn read_script(script: &[u8]) {
    let _ = (note_of(script), foreign::vacations(script));
    let own = without_block(script).own;
    let answering = Answering { domains: &[], addresses: &[], interval: Duration::from_secs(1) };
    let note = Note::default();
    if without_block(&own).block.is_none() {
        let written = with_block(&own, &note, &answering, Abilities::default());
        let _ = without_block(&written);
    }
}
