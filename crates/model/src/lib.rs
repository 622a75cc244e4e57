//! The words of the domain: ids, mailbox data, flags, items of each class. No I/O, no clock, no protocol.
//!
//! Every other crate speaks in these terms. Names are those of JMAP (RFC 8620/8621), JSCalendar (RFC
//! 8984) and JSContact (RFC 9553) where they have one; the glossary in `ARCHITECTURE.md` has the rest. Nothing here depends on a wire format, and
//! nothing here may.

mod base64_bytes;
mod body;
pub mod civil;
mod collection;
mod contact;
mod edit;
mod event;
mod flags;
mod function;
mod id;
mod invitation;
mod irregular;
mod item;
mod item_set;
mod mail;
mod note;
mod patch;
mod quantity;
mod recurrence;
mod secret;
mod task;
mod text;
mod time;
mod vacation;
mod zone;

pub use body::{Body, BodyKind, BodyPreference, BodyView, MimeSupport};
pub use collection::{Access, Class, Collection, Owner, Role};
pub use contact::{Contact, ContactField, ContactPatch, ContactText, Picture};
pub use edit::{Answer, ItemEdit, Notice, Occasion};
pub use event::{
    Attendee, AttendeeKind, BusyStatus, Event, EventField, EventPatch, EventStatus, Exception,
    InstanceChange, NewAttachment, Participation, Place, Privacy, Proposal,
};
pub use flags::{FlagPatch, Flags, Followup};
pub use function::Function;
pub use id::{
    CollectionId, ConnectorId, ConversationId, DeviceId, ItemId, PartId, Realm, RequestId, UserId,
};
pub use invitation::{Invitation, InvitationMethod};
pub use irregular::{Irregular, Onward};
pub use item::{Item, ItemPatch};
pub use item_set::ItemSet;
pub use mail::{Address, Attachment, AttachmentKind, Importance, Mail, MailKind};
pub use note::{Note, NoteField, NotePatch};
pub use patch::{Fields, Patch};
pub use quantity::{ByteSize, OutOfRange, QuantityError, Span, within};
pub use recurrence::{Frequency, NthDay, Recurrence, RecurrenceEnd, Weekday};
pub use secret::Secret;
pub use task::{Regeneration, Task, TaskField, TaskPatch};
pub use text::Text;
pub use time::{Date, LocalTime, Timestamp};
pub use vacation::{MAX_VACATION_TEXT, Vacation, VacationAudience, VacationState, VacationText};
pub use zone::ZoneId;
