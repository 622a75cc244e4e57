//! Drafts of 16.0 on: from what the phone says of one to a whole message.

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::part_of;
use dme_eas::calendar::{self, AttachedFile};
use dme_eas::email::DraftContent;
use dme_eas::server_id::{FileReference, ServerId};
use dme_eas::sync::Status;
use dme_mailbox::ErrorKind;
use dme_mime::compose::{DraftChange, NewAttachment, draft};
use dme_model::{Address, ItemId, PartId};
use dme_sync::{FolderNo, Saved, Written};
use dme_wbxml::pages::air_sync;
use dme_wbxml::{Element, encode};

/// What the phone wrote as a message; of a changed draft the old message with the change made to
/// it. `name` makes the `Message-ID` of a new one, the same when the phone repeats itself.
///
/// Where the old draft is gone there is no message: the phone may be repeating a change whose
/// answer it lost, and only the engine knows what that was answered.
pub(super) async fn compose(
    exchange: &Exchange<'_>,
    folder: FolderNo,
    old: Option<&ItemId>,
    data: &[Element],
    name: &str,
) -> Result<Result<Written, Status>, Failure> {
    let Ok(content) = DraftContent::from_elements(data) else {
        return Ok(Err(Status::ConversionError));
    };
    let words = encode(&Element::parent(air_sync::APPLICATION_DATA, data.to_vec()));
    let old = match old {
        Some(item) => {
            let whole =
                exchange.engine().fetch_part(exchange.session(), folder, item, None, None).await;
            match whole {
                Ok(part) => Some(part.data),
                Err(dme_sync::Error::Mailbox(error)) if error.kind == ErrorKind::NotFound => {
                    return Ok(Ok(Written::new(&words, None)));
                }
                Err(error) => return Err(exchange.failed(error)),
            }
        }
        None => None,
    };
    let Some(detach) = detached(&content.detach) else { return Ok(Err(Status::ConversionError)) };
    let author = Address {
        name: exchange.account.display_name.clone(),
        email: exchange.account.address.clone(),
    };
    let change = DraftChange {
        from: old.is_none().then_some(author),
        to: content.to,
        cc: content.cc,
        bcc: content.bcc,
        reply_to: content.reply_to,
        subject: content.subject,
        importance: content.importance,
        body: content.body,
        attach: content.attach.into_iter().map(attachment).collect(),
        detach,
    };
    let seed = format!("{}/{}/{name}", exchange.device.user, exchange.device.device);
    let drafted = draft(old.as_ref(), &change, exchange.now, &seed);
    Ok(drafted
        .map_err(|_| Status::ConversionError)
        .map(|drafted| Written::new(&words, Some(drafted.message)).with_attached(drafted.attached)))
}

/// What the phone is told of the files it attached to a draft or an event: by which references they
/// can be fetched and taken off again (MS-ASAIRS 2.2.2.7, 2.2.2.14).
pub(super) fn attached(folder: FolderNo, saved: &Saved, data: &[Element]) -> Vec<Element> {
    let Ok(names) = calendar::attachment_client_ids(data) else { return Vec::new() };
    let id = ServerId::new(folder.0, saved.item.clone());
    let files = names.into_iter().zip(&saved.attached).filter_map(|(client_id, part)| {
        let reference = FileReference { item: id.clone(), part: part.clone()? };
        Some(AttachedFile { client_id, reference: reference.to_string() })
    });
    calendar::attached_to_elements(files)
}

/// Whether a Change is of the message itself rather than of its marks. What cannot be read counts
/// as one, so that it is refused as such.
pub(super) fn changes_content(data: &[Element]) -> bool {
    DraftContent::from_elements(data).map_or(true, |content| content.changes_content())
}

fn attachment(new: dme_eas::email::NewAttachment) -> NewAttachment {
    NewAttachment {
        name: new.display_name,
        media_type: new.content_type,
        content_id: new.content_id,
        data: new.content,
    }
}

/// The parts that file references name; none where one is not ours.
fn detached(references: &[String]) -> Option<Vec<PartId>> {
    references.iter().map(|reference| part_of(reference).map(|(_, _, part)| part)).collect()
}
