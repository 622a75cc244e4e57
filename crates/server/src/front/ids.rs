//! Ids between phone and engine.

use dme_eas::server_id::{FileReference, ServerId, parse_folder};
use dme_model::{ItemId, PartId};
use dme_sync::FolderNo;

/// The number in a folder's server id; none where it is not one of ours.
pub(super) fn folder_no(server_id: &str) -> Option<FolderNo> {
    parse_folder(server_id).ok().map(FolderNo)
}

/// An item's server id.
pub(super) fn server_id(folder: FolderNo, item: &ItemId) -> String {
    ServerId::new(folder.0, item.clone()).to_string()
}

/// The folder and the item of a server id; none where it is not one of ours.
pub(super) fn item_of(server_id: &str) -> Option<(FolderNo, ItemId)> {
    let id: ServerId = server_id.parse().ok()?;
    Some((FolderNo(id.folder), id.item))
}

/// The folder and the item of a `LongId`; the same as a server id.
pub(super) fn item_of_long_id(long_id: &str) -> Option<(FolderNo, ItemId)> {
    item_of(long_id)
}

/// The folder, the item and the part of an attachment's file reference.
pub(super) fn part_of(reference: &str) -> Option<(FolderNo, ItemId, PartId)> {
    let reference: FileReference = reference.parse().ok()?;
    Some((FolderNo(reference.item.folder), reference.item.item, reference.part))
}
