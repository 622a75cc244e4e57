//! The door for the fuzz target `sieve_responses`: everything that reads what a server said.

use super::{Response, take};
use crate::session::Capabilities;

/// Reads bytes as a server's responses, and all data as what a server can. For the fuzz target
/// alone.
pub fn read_responses(bytes: &[u8]) {
    let mut rest = bytes;
    let mut capabilities = Capabilities::default();
    while let Ok(Some((response, length))) = take(rest) {
        if let Response::Data(tokens) = &response {
            capabilities.add(tokens);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    let _ = capabilities.abilities();
}
