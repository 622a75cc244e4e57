//! FolderCreate (MS-ASCMD 2.2.1.3).

use super::exchange::Exchange;
use super::failure::Failure;
use super::folder_sync::parent_no;
use dme_eas::folder_create::{Created, Request, Response, Status};
use dme_eas::folder_sync::FolderType;
use dme_mailbox::ErrorKind;
use dme_model::Class;
use dme_sync::{FolderError, SyncKey};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let failed = |status| Ok(Response::failed(status).to_element());
    let Ok(request) = Request::from_element(body) else {
        return failed(Status::ProtocolError);
    };
    if request.kind == FolderType::RecipientInformation {
        // "The specified folder is the Recipient information folder" (MS-ASCMD 2.2.3.177.3).
        return failed(Status::SpecialParent);
    }
    let class = match request.kind {
        FolderType::UserMail | FolderType::UserGeneric => Class::Mail,
        FolderType::UserCalendar => Class::Calendar,
        FolderType::UserContacts => Class::Contacts,
        FolderType::UserTasks => Class::Tasks,
        FolderType::UserNotes => Class::Notes,
        // The others are there or are not; phones make none.
        _ => return failed(Status::ProtocolError),
    };
    let Ok(parent) = parent_no(&request.parent_id) else { return failed(Status::ParentNotFound) };
    let key = SyncKey::new(request.sync_key);
    let made = exchange
        .to_its_end(move |engine, session| {
            let name = request.display_name;
            Box::pin(async move { engine.folder_create(session, &key, parent, &name, class).await })
        })
        .await?;
    match made {
        Ok(created) => {
            let created =
                Created { sync_key: created.key.to_string(), server_id: created.no.to_string() };
            Ok(Response { status: Status::Success, created: Some(created) }.to_element())
        }
        Err(FolderError::AlreadyExists) => failed(Status::AlreadyExists),
        Err(FolderError::ParentNotFound | FolderError::NotFound) => failed(Status::ParentNotFound),
        Err(FolderError::Special) => failed(Status::SpecialParent),
        Err(FolderError::BadName(_)) => failed(Status::ProtocolError),
        // Such a folder cannot be made, there or at all.
        Err(FolderError::Engine(dme_sync::Error::Mailbox(error)))
            if matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Forbidden) =>
        {
            failed(Status::SpecialParent)
        }
        Err(FolderError::Engine(dme_sync::Error::InvalidKey)) => failed(Status::InvalidSyncKey),
        Err(FolderError::Engine(error)) => Err(exchange.failed(error)),
    }
}
