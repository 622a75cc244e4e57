//! The door for the fuzz target `link_frames`: everything that reads what a peer sent.

use super::call::Head;
use super::control::{ToConnector, ToServer};
use super::countersign::{Countersign, Countersigned};
use super::edge::{Exchange, Exchanged, Give, Given, Take};
use super::hello::{EnrollReply, EnrollRequest, Hello, Reply};
use super::mailbox::{SetVacation, Submit, Watch, WireFetched, error};
use super::record::{Assembler, Limits};
use super::upkeep::{Diagnose, Diagnosis};
use crate::Replica;
use bytes::Bytes;

/// Reads bytes as records, in pieces as long as the first byte says, and each record as every
/// message there is. For the fuzz target alone.
pub fn read_frames(bytes: &[u8]) {
    let Some((&step, mut rest)) = bytes.split_first() else { return };
    let mut assembler =
        Assembler::new(Limits { head: 1 << 16, blob: 1 << 16, packed: Some(1 << 16) });
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.len().min(usize::from(step).saturating_add(1)));
        rest = later;
        assembler.push(Bytes::copy_from_slice(piece));
        loop {
            let record = match assembler.next() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(_) => return,
            };
            if let Ok(hello) = record.parse::<Hello>() {
                let _ = (hello.agree(), hello.keepalive());
            }
            let _ = record.parse::<Reply>();
            let _ = record.parse::<EnrollRequest>();
            let _ = record.parse::<EnrollReply>();
            let _ = record.parse::<ToConnector>();
            let _ = record.parse::<ToServer>();
            if let Ok(head) = record.parse::<Head<'_, Submit<'_>>>() {
                let _ = head.context();
            }
            let _ = record.parse::<Head<'_, Watch<'_>>>();
            let _ = record.parse::<Head<'_, SetVacation<'_>>>();
            if let Ok(fetched) = record.parse::<WireFetched>() {
                let _ = fetched.put_together(record.blob.clone());
            }
            let _ = record.parse::<Head<'_, Diagnose>>();
            let _ = record.parse::<Diagnosis>();
            let _ = record.parse::<Head<'_, Countersign>>();
            let _ = record.parse::<Countersigned>();
            let _ = record.parse::<Head<'_, Exchange>>();
            if let Ok(exchanged) = record.parse::<Exchanged>() {
                let _ = Replica::default().apply(exchanged.delta);
            }
            let _ = record.parse::<Head<'_, Give<'_>>>();
            let _ = record.parse::<Given>();
            let _ = record.parse::<Head<'_, Take<'_>>>();
            if let Ok(value) = record.parse() {
                let _ = error(value);
            }
        }
    }
}
