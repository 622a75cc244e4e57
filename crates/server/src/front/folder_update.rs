//! FolderUpdate (MS-ASCMD 2.2.1.6).

use super::exchange::Exchange;
use super::failure::Failure;
use super::folder_sync::parent_no;
use super::ids::folder_no;
use dme_eas::folder_update::{Request, Response, Status};
use dme_sync::{FolderError, SyncKey};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let failed = |status| Ok(Response::failed(status).to_element());
    let Ok(request) = Request::from_element(body) else {
        return failed(Status::ProtocolError);
    };
    let Some(folder) = folder_no(&request.server_id) else { return failed(Status::NotFound) };
    let Ok(parent) = parent_no(&request.parent_id) else { return failed(Status::ParentNotFound) };
    let key = SyncKey::new(request.sync_key);
    let updated = exchange
        .to_its_end(move |engine, session| {
            let name = request.display_name;
            Box::pin(
                async move { engine.folder_update(session, &key, folder, parent, &name).await },
            )
        })
        .await?;
    match updated {
        Ok(key) => {
            let sync_key = Some(key.to_string());
            Ok(Response { status: Status::Success, sync_key }.to_element())
        }
        // 2 in either case; 3 is for the recipient information only (MS-ASCMD 2.2.3.177.6).
        Err(FolderError::AlreadyExists | FolderError::Special) => failed(Status::AlreadyExists),
        Err(FolderError::NotFound) => failed(Status::NotFound),
        Err(FolderError::ParentNotFound) => failed(Status::ParentNotFound),
        Err(FolderError::BadName(_)) => failed(Status::ProtocolError),
        Err(FolderError::Engine(dme_sync::Error::InvalidKey)) => failed(Status::InvalidSyncKey),
        Err(FolderError::Engine(error)) => Err(exchange.failed(error)),
    }
}
