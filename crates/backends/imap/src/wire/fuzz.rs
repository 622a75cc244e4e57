//! The door for the fuzz target `imap_responses`: everything that reads what a server said.

use super::line::Line;
use super::name;
use super::response::{Response, Untagged};
use crate::marks;
use std::io::Cursor;
use std::time::Duration;
use tokio::time::Instant;

/// Reads bytes as a server's responses, in pieces as long as the first byte says. For the fuzz
/// target alone.
pub fn read_responses(bytes: &[u8]) {
    let Some((&step, rest)) = bytes.split_first() else { return };
    let stream = Box::new(Cursor::new(Vec::new()));
    let mut line = Line::new(stream, 1 << 16, Duration::from_secs(1), Instant::now());
    for piece in rest.chunks(usize::from(step).saturating_add(1)) {
        line.push(piece);
        loop {
            match line.take_response() {
                Ok(Some(raw)) => {
                    let Ok(response) = Response::read(&raw) else { return };
                    look_at(response);
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

/// What the session and those above it do with any response.
fn look_at(response: Response) {
    match response {
        Response::Untagged(told) => {
            let _ = told.weight();
            match told {
                Untagged::Fetch(fetch) => {
                    let _ = marks::read(&fetch.flags.unwrap_or_default());
                }
                Untagged::List(listed) => {
                    let _ = name::decode(&listed.name);
                }
                Untagged::StatusOf(status) => {
                    let _ = name::decode(&status.name);
                }
                Untagged::Status(status) => {
                    let _ = status.number::<u32>("UIDVALIDITY");
                }
                _ => {}
            }
        }
        Response::Tagged { status, .. } => {
            let _ = status.argument("CAPABILITY");
        }
        Response::Continue => {}
    }
}
