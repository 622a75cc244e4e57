//! FolderSync (MS-ASCMD 2.2.1.5).

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::folder_no;
use super::reply::Reply;
use dme_eas::folder_sync::{Changes, Folder, FolderType, Request, Response, Status};
use dme_eas::item;
use dme_model::{Class, Role};
use dme_sync::{FolderEntry, FolderNo, HierarchyChange, SyncKey};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Reply, Failure> {
    let failed = |status| Ok(Reply::Element(Response::failed(status).to_element()));
    let Ok(request) = Request::from_element(body) else {
        return failed(Status::ProtocolError);
    };
    let key = SyncKey::new(request.sync_key);
    let answer = match exchange.engine().folder_sync(exchange.session(), &key).await {
        Ok(answer) => answer,
        Err(dme_sync::Error::InvalidKey) => return failed(Status::InvalidSyncKey),
        Err(error) => return Err(exchange.failed(error)),
    };
    let mut changes = Changes::default();
    for change in answer.changes {
        match change {
            // A version without notes has no name for their folders.
            HierarchyChange::Add(entry) | HierarchyChange::Update(entry)
                if exchange.version < item::since(entry.class) => {}
            HierarchyChange::Add(entry) => changes.added.push(folder(&entry)),
            HierarchyChange::Update(entry) => changes.updated.push(folder(&entry)),
            HierarchyChange::Delete(no) => changes.deleted.push(no.to_string()),
        }
    }
    let sync_key = Some(answer.key.to_string());
    let element = Response { status: Status::Success, sync_key, changes }.to_element();
    Ok(if key.is_initial() { Reply::Beginning(element) } else { Reply::Element(element) })
}

fn folder(entry: &FolderEntry) -> Folder {
    Folder {
        server_id: entry.no.to_string(),
        parent_id: entry.parent.map_or_else(|| "0".to_owned(), |no| no.to_string()),
        display_name: entry.name.clone(),
        kind: folder_type(entry),
    }
}

/// What kind of folder the phone shows.
fn folder_type(entry: &FolderEntry) -> FolderType {
    match (entry.class, entry.role) {
        (Class::Mail, Some(Role::Inbox)) => FolderType::Inbox,
        (Class::Mail, Some(Role::Drafts)) => FolderType::Drafts,
        (Class::Mail, Some(Role::Sent)) => FolderType::Sent,
        (Class::Mail, Some(Role::Trash)) => FolderType::Deleted,
        (Class::Mail, _) => FolderType::UserMail,
        (Class::Calendar, Some(Role::Calendar)) => FolderType::Calendar,
        (Class::Contacts, Some(Role::Contacts)) => FolderType::Contacts,
        (Class::Tasks, Some(Role::Tasks)) => FolderType::Tasks,
        (Class::Notes, Some(Role::Notes)) => FolderType::Notes,
        (Class::Calendar, _) => FolderType::UserCalendar,
        (Class::Contacts, _) => FolderType::UserContacts,
        (Class::Tasks, _) => FolderType::UserTasks,
        (Class::Notes, _) => FolderType::UserNotes,
    }
}

/// The number of a parent: none for the top level, an error where it is not one of ours.
pub(super) fn parent_no(server_id: &str) -> Result<Option<FolderNo>, ()> {
    if server_id == "0" { Ok(None) } else { folder_no(server_id).map(Some).ok_or(()) }
}
