//! Mail as it stands in `ApplicationData` and `Properties` (MS-ASEMAIL, MS-ASAIRS).
//!
//! The server writes a neutral mail with [`to_elements`] and new marks with [`flags_to_elements`];
//! it reads what a phone changed with [`patch_from_elements`], and what a phone wrote (16.0 on)
//! with [`DraftContent`]. [`EmailView`] is what a phone makes of the server's elements.

mod draft;
mod flag;
mod marks;
mod meeting;
mod recurrence;
mod view;
mod write;

pub use crate::attachment::{AttachedFile, NewAttachment, attached_to_elements};
pub use draft::DraftContent;
pub use marks::{flags_to_elements, patch_from_elements, patch_to_elements};
pub use view::{AttachmentView, EmailView, MeetingView};
pub use write::to_elements;

use crate::sensitivity::importance_code;
use dme_model::{Importance, InvitationMethod, MailKind};

/// `MessageClass` (MS-ASEMAIL 2.2.2.49).
fn message_class(kind: &MailKind) -> &'static str {
    match kind {
        MailKind::Note => "IPM.Note",
        MailKind::SmimeSigned => "IPM.Note.SMIME.MultipartSigned",
        MailKind::SmimeEncrypted => "IPM.Note.SMIME",
        MailKind::NonDelivery => "REPORT.IPM.Note.NDR",
        MailKind::Delivery => "REPORT.IPM.Note.DR",
        MailKind::Read => "REPORT.IPM.Note.IPNRN",
        MailKind::Meeting(invitation) => match invitation.method {
            InvitationMethod::Request => "IPM.Schedule.Meeting.Request",
            InvitationMethod::Cancel => "IPM.Schedule.Meeting.Canceled",
            InvitationMethod::Accepted => "IPM.Schedule.Meeting.Resp.Pos",
            // What counters is no less than a perhaps.
            InvitationMethod::Tentative | InvitationMethod::Counter => {
                "IPM.Schedule.Meeting.Resp.Tent"
            }
            InvitationMethod::Declined => "IPM.Schedule.Meeting.Resp.Neg",
        },
    }
}

/// `Importance` (MS-ASEMAIL 2.2.2.38).
fn importance_from_code(code: u8) -> Option<Importance> {
    match code {
        0 => Some(Importance::Low),
        1 => Some(Importance::Normal),
        2 => Some(Importance::High),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
