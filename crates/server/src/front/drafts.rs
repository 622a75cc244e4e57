//! Drafts of 16.0 on: from what the phone says of one to a whole message.

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::part_of;
use bytes::Bytes;
use dme_eas::email::DraftContent;
use dme_eas::sync::Status;
use dme_mailbox::ErrorKind;
use dme_mime::compose::{DraftChange, NewAttachment, draft};
use dme_model::{Address, ItemId, PartId};
use dme_sync::{ClientId, FolderNo};
use dme_wbxml::{Element, encode};

/// The draft's message; of a changed one the old message with the change made to it. `name` makes
/// the `Message-ID` of a new one, the same when the phone repeats itself.
pub(super) async fn compose(
    exchange: &Exchange<'_>,
    folder: FolderNo,
    old: Option<&ItemId>,
    data: &[Element],
    name: &str,
) -> Result<Result<Bytes, Status>, Failure> {
    let Ok(content) = DraftContent::from_elements(data) else {
        return Ok(Err(Status::ConversionError));
    };
    let old = match old {
        Some(item) => {
            let whole =
                exchange.engine().fetch_part(exchange.session(), folder, item, None, None).await;
            match whole {
                Ok(part) => Some(part.data),
                Err(dme_sync::Error::Mailbox(error)) if error.kind == ErrorKind::NotFound => {
                    return Ok(Err(Status::ObjectNotFound));
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
    Ok(draft(old.as_ref(), &change, exchange.now, &seed).map_err(|_| Status::ConversionError))
}

/// Tells one version of a draft from another, by what the phone said of it.
pub(super) fn name(id: &str, data: &[Element]) -> ClientId {
    let said: Vec<Vec<u8>> = data.iter().map(encode).collect();
    let said: Vec<&[u8]> = said.iter().map(Vec::as_slice).collect();
    ClientId::of(&[&[id.as_bytes()], &said[..]].concat())
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
