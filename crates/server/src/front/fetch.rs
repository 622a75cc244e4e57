//! Items and attachments as phones get them, for every command that gives some out.

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::part_of;
use dme_eas::body::{BodyType, ContentOptions};
use dme_eas::calendar::Context;
use dme_eas::server_id::ServerId;
use dme_eas::{CommonStatus, ProtocolVersion};
use dme_mailbox::{ByteRange, PartContent};
use dme_model::{Item, ItemId};
use dme_sync::FolderNo;
use dme_wbxml::Element;

/// An item's elements in the phone's version.
pub(super) fn item_elements(
    exchange: &Exchange<'_>,
    folder: FolderNo,
    id: &ItemId,
    item: &Item,
) -> Vec<Element> {
    let id = ServerId::new(folder.0, id.clone());
    let context = Context { home: &exchange.front().home, now: exchange.now };
    dme_eas::item::to_elements(item, &id, exchange.version, &context)
}

/// Refuses body parts in a form there is none of: they are HTML (MS-ASAIRS 2.2.2.11). Before 14.1
/// there are none, and what is said of them is passed over.
pub(super) fn check_parts(
    exchange: &Exchange<'_>,
    content: &ContentOptions,
) -> Result<(), CommonStatus> {
    let other = content.part_preference.is_some_and(|part| part.kind != BodyType::Html);
    if other && exchange.version >= ProtocolVersion::V14_1 {
        return Err(CommonStatus::BodyPartPreferenceTypeNotSupported);
    }
    Ok(())
}

/// An attachment, or a range of it, within the limit on attachments.
pub(super) async fn attachment(
    exchange: &Exchange<'_>,
    reference: &str,
    range: Option<ByteRange>,
) -> Result<PartContent, Failure> {
    let front = exchange.front();
    if !front.policies.of(&exchange.record).allows_attachments() {
        return Err(CommonStatus::AccessDenied.into());
    }
    let limit = front.limits.attachment.0;
    let (folder, item, part) = part_of(reference).ok_or(CommonStatus::ItemNotFound)?;
    // Never more than the limit crosses the link, whatever is asked for: one byte beyond it tells
    // that there is more.
    let asked = range.unwrap_or(ByteRange { start: 0, length: u64::MAX });
    let capped = ByteRange { length: asked.length.min(limit.saturating_add(1)), ..asked };
    let content = exchange
        .engine()
        .fetch_part(exchange.session(), folder, &item, Some(&part), Some(capped))
        .await
        .map_err(|error| exchange.failed(error))?;
    if content.data.len() as u64 > limit || (range.is_none() && content.full_size > limit) {
        return Err(CommonStatus::AttachmentIsTooLarge.into());
    }
    Ok(content)
}
