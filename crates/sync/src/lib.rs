//! The sync engine: what a phone must be told, and what becomes of what it says.
//!
//! It knows no wire format and no mail system. It works on neutral items and two traits: the
//! [`Mailbox`](dme_mailbox::Mailbox) and the [`StateStore`]. It opens no socket and has no clock:
//! the time is part of every [`Session`].
//!
//! The rules S1 to S6 that it keeps are explained where they are kept: the two generations of a
//! sync key in `collection`, sending once in `submit`, the state's size in `collection::state`.

mod again;
mod collection;
mod engine;
mod error;
mod failing;
mod fingerprint;
mod hierarchy;
mod holding;
mod key;
mod locks;
mod meetings;
mod memory_store;
mod moves;
mod operations;
mod remember;
mod store;
mod submit;
mod wait;

#[cfg(any(test, feature = "property"))]
pub mod property;
#[cfg(any(test, feature = "conformance"))]
pub mod store_suite;

pub use again::Again;
pub use collection::{
    Changes, ClientCommand, ClientId, CollectionAnswer, CollectionOptions, CollectionRequest,
    CommandResult, ConflictRule, Deletion, FilterAge, Meant, Outgoing, Saved, ServerChange,
    UNASKED, Window, Written, item_size,
};
pub use engine::{Engine, Limits, Session};
pub use error::{Error, Result};
pub use failing::Coming;
pub use hierarchy::{Created, FolderEntry, FolderError, HierarchyAnswer, HierarchyChange};
pub use holding::{Held, Holding};
pub use key::{DeviceKey, FolderNo, SyncKey};
pub use locks::{Guard, Locks};
pub use meetings::{EventPlace, RespondError, RespondRequest};
pub use memory_store::MemoryStore;
pub use moves::{MoveError, MoveRequest};
pub use operations::{FolderHit, FolderSearch};
pub use remember::{LastPing, LastSync, RememberedCollection};
pub use store::{
    Journal, Slot, StateStore, StoreError, SubmissionLife, TRACE_LIMIT, TraceEntry, TraceEvent,
};
pub use submit::{MeetingWord, Sent, SubmitId, SubmitRequest, hand_over};
