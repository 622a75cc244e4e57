//! What a request has to tell the records: the log, the counts, the steps of its device.

use super::exchange::Exchange;
use super::ids::item_of;
use crate::records::steps::{Answer, Deed};
use crate::records::{EventKind, Happened};
use dme_eas::sync::ClientCommand as Said;
use dme_model::{Class, Timestamp};
use dme_store::Admission;
use dme_sync::{
    CollectionAnswer, CommandResult, DeviceKey, FolderNo, ServerChange, TraceEntry, TraceEvent,
};
use std::sync::atomic::Ordering;

/// One collection that was synchronised.
pub(super) struct Synchronised<'a> {
    pub folder: FolderNo,
    pub class: Class,
    /// What the phone did.
    pub said: &'a [Said],
    /// When the server knew that there is something.
    pub known: Timestamp,
    /// Bytes of the items in the answer.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// How many of each kind.
#[derive(Clone, Copy, Default, serde::Serialize)]
struct Count {
    added: u64,
    changed: u64,
    deleted: u64,
}

impl Count {
    fn sum(self) -> u64 {
        self.added + self.changed + self.deleted
    }

    fn words(self) -> String {
        let Self { added, changed, deleted } = self;
        format!("{added} added, {changed} changed, {deleted} deleted")
    }
}

/// Notes a collection's answer. One in which nothing went either way is not worth a line.
pub(super) fn synchronised(
    exchange: &Exchange<'_>,
    synced: &Synchronised<'_>,
    answer: &CollectionAnswer,
) {
    let front = exchange.front();
    traced(exchange, &answer.noted);
    let to_phone = to_phone(&answer.changes);
    let from_phone = from_phone(synced.said);
    let items = to_phone.sum() + from_phone.sum();
    if items == 0 {
        return;
    }
    exchange.items.fetch_add(items, Ordering::Relaxed);
    let Synchronised { folder, class, known, bytes, millis, .. } = *synced;
    let given = answer.changes.iter().map(|change| (change.item().clone(), deed(change)));
    let refused = |result: &CommandResult| {
        matches!(
            result,
            CommandResult::Conflict | CommandResult::NotFound | CommandResult::Refused(_)
        )
    };
    let results = answer.results.iter().map(Some).chain(std::iter::repeat(None));
    let came = synced.said.iter().zip(results).filter_map(|(said, result)| {
        let item = match (said, result) {
            (Said::Fetch { .. }, _) => return None,
            (Said::Add { .. }, Some(CommandResult::Added(saved))) => saved.item.clone(),
            (Said::Change { server_id, .. } | Said::Delete { server_id, .. }, _) => {
                item_of(server_id)?.1
            }
            _ => return None,
        };
        let deed = if result.is_some_and(refused) { Deed::Refused } else { Deed::FromDevice };
        Some((item, deed))
    });
    let steps = Answer {
        request: exchange.request.clone(),
        folder,
        known,
        sent: (front.clock)(),
        acknowledged: None,
        items: given.chain(came).collect(),
        further: 0,
        more: answer.more_available,
        key: answer.key.clone(),
    };
    front.steps.sent(&exchange.device, steps);
    let mut parts = Vec::new();
    if to_phone.sum() > 0 {
        parts.push(format!("to the phone: {}", to_phone.words()));
    }
    if from_phone.sum() > 0 {
        parts.push(format!("from the phone: {}", from_phone.words()));
    }
    let class = class.function();
    let words = format!("{class} in folder {folder}: {}", parts.join("; "));
    front.events.note(
        about(exchange, EventKind::Synchronised, words)
            .detail("folder", folder.0)
            .detail("class", class.to_string())
            .detail("to_phone", to_phone)
            .detail("from_phone", from_phone)
            .detail("bytes", bytes)
            .detail("millis", millis)
            .detail("more", answer.more_available)
            .detail("protocol", exchange.version.to_string()),
    );
}

/// Notes why a collection could not be synchronised.
pub(super) fn failed(exchange: &Exchange<'_>, folder: FolderNo, error: &dme_sync::Error) {
    let (kind, words) = match error {
        dme_sync::Error::InvalidKey | dme_sync::Error::FolderNotFound(_) => {
            (EventKind::Resync, format!("folder {folder} begins anew: {error}"))
        }
        _ => (EventKind::SyncFailed, format!("folder {folder}: {error}")),
    };
    let happened = about(exchange, kind, words).detail("folder", folder.0);
    exchange.front().events.note(happened.detail("protocol", exchange.version.to_string()));
}

/// An event of this request.
pub(super) fn about(
    exchange: &Exchange<'_>,
    kind: EventKind,
    words: impl Into<String>,
) -> Happened {
    Happened::new(kind, words)
        .device(&exchange.device)
        .request(&exchange.request)
        .connector(&exchange.front().router.serving(&exchange.device.user))
}

/// Notes that a device came for the first time, and that it may not in where it may not.
pub(crate) fn new_device(
    front: &super::Front,
    key: &DeviceKey,
    device_type: &str,
    admission: Admission,
) {
    let words = format!("a new device: {device_type}");
    front
        .events
        .note(Happened::new(EventKind::DeviceNew, words).device(key).detail("kind", device_type));
    match admission {
        // That it waits is noted where administrators are told so.
        Admission::Allowed | Admission::Quarantined => {}
        Admission::Blocked => blocked(front, key),
    }
}

/// Notes that a device came that may not in.
pub(super) fn blocked(front: &super::Front, key: &DeviceKey) {
    let words = "a device came that may not in";
    front.events.note(Happened::new(EventKind::DeviceBlocked, words).device(key));
}

/// Notes that an edge has not heard from its server for longer than it may serve without.
pub(super) fn lease_is_over(front: &super::Front, key: &DeviceKey) {
    let words = "a device is told to come later: this edge's lease is over";
    front.events.note(Happened::new(EventKind::LeaseOver, words).device(key));
}

/// What the engine wrote into the device's trace, as events.
fn traced(exchange: &Exchange<'_>, entries: &[TraceEntry]) {
    for TraceEntry { folder, event, .. } in entries {
        let (kind, words, item) = match event {
            TraceEvent::PhoneOverruled { item, wanted } => (
                EventKind::Conflict,
                format!("phone and mail system changed one item; the phone's is lost: {wanted}"),
                Some(item),
            ),
            TraceEvent::MailSystemOverruled { item, wanted } => (
                EventKind::Conflict,
                format!("phone and mail system changed one item; the phone's stands: {wanted}"),
                Some(item),
            ),
            TraceEvent::Unconvertible { item, reason } => (
                EventKind::ItemUnreadable,
                format!("an item cannot be read, and a placeholder stands for it: {reason}"),
                Some(item),
            ),
            TraceEvent::Resync { reason } => {
                (EventKind::Resync, format!("folder {folder} begins anew: {reason}"), None)
            }
        };
        let happened = about(exchange, kind, words).detail("folder", folder.0);
        exchange.front().events.note(match item {
            Some(item) => happened.detail("item", item),
            None => happened,
        });
    }
}

fn to_phone(changes: &[ServerChange]) -> Count {
    let mut count = Count::default();
    for change in changes {
        match deed(change) {
            Deed::Added => count.added += 1,
            Deed::Deleted => count.deleted += 1,
            _ => count.changed += 1,
        }
    }
    count
}

fn from_phone(said: &[Said]) -> Count {
    let mut count = Count::default();
    for said in said {
        match said {
            Said::Add { .. } => count.added += 1,
            Said::Change { .. } => count.changed += 1,
            Said::Delete { .. } => count.deleted += 1,
            Said::Fetch { .. } => {}
        }
    }
    count
}

fn deed(change: &ServerChange) -> Deed {
    match change {
        ServerChange::Add(..) => Deed::Added,
        ServerChange::Change(..) | ServerChange::Update(..) => Deed::Changed,
        ServerChange::Delete(_) | ServerChange::SoftDelete(_) => Deed::Deleted,
    }
}
