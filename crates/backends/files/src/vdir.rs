//! Calendars, address books, task lists and notes as files, beside the Maildir: the layout that
//! `vdirsyncer`, `khal`, `todoman` and `khard` share and change at the same time.
//!
//! ```text
//! <root>/<user>/vdir/<collection>/<item>.ics     an event or series, a task, a note
//! <root>/<user>/vdir/<collection>/<item>.vcf     a person
//! <root>/<user>/vdir/<collection>/displayname    the collection's name; without it its directory's
//! <root>/<user>/vdir/<collection>/color          its colour, which phones are not told
//! <root>/<user>/vdir/<collection>/.dme-class     calendar, contacts, tasks or notes
//! <root>/<user>/vdir/.dme/<collection>.items     the journal
//! ```
//!
//! A collection holds one class. Where no `.dme-class` says which, the first item does. What is of
//! another class, a group of people, a file that begins with a dot or ends in `.tmp`, a link: none
//! of them is an item. A file that can't be read is one, which phones see as a placeholder.
//!
//! The journal remembers what was there when (see `items.rs`); it may be deleted at any time, and
//! costs phones one resync.

mod collection;
mod collections;
mod directory;
mod items;
mod journal;
mod mailbox;
mod object;
mod view;

pub(crate) use collection::Collection;
pub use collection::NewObject;
pub(crate) use collections::Vdir;
pub(crate) use mailbox::VdirSystem;
