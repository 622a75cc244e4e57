//! The words of the domain: ids, mailbox data, flags, mail. No I/O, no clock, no protocol.
//!
//! Every other crate speaks in these terms. Names are those of JMAP (RFC 8620/8621) where JMAP has
//! one; the glossary in `ARCHITECTURE.md` has the rest. Nothing here depends on a wire format, and
//! nothing here may.

mod body;
mod collection;
mod flags;
mod function;
mod id;
mod item_set;
mod mail;
mod quantity;
mod secret;
mod time;
mod vacation;

pub use body::{Body, BodyKind, BodyPreference, BodyView, MimeSupport};
pub use collection::{Access, Class, Collection, Role};
pub use flags::{FlagPatch, Flags, Followup};
pub use function::Function;
pub use id::{
    CollectionId, ConnectorId, ConversationId, DeviceId, ItemId, PartId, Realm, RequestId, UserId,
};
pub use item_set::ItemSet;
pub use mail::{
    Address, Attachment, AttachmentKind, Importance, Invitation, InvitationMethod, Mail, MailKind,
};
pub use quantity::{ByteSize, OutOfRange, QuantityError, Span, within};
pub use secret::Secret;
pub use time::Timestamp;
pub use vacation::{MAX_VACATION_TEXT, Vacation, VacationAudience, VacationState, VacationText};
