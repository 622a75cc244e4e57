//! FolderDelete (MS-ASCMD 2.2.1.4).

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::folder_no;
use dme_eas::folder_delete::{Request, Response, Status};
use dme_sync::{FolderError, SyncKey};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let failed = |status| Ok(Response::failed(status).to_element());
    let Ok(request) = Request::from_element(body) else {
        return failed(Status::ProtocolError);
    };
    let Some(folder) = folder_no(&request.server_id) else { return failed(Status::NotFound) };
    let key = SyncKey::new(request.sync_key);
    let deleted = exchange
        .to_its_end(move |engine, session| {
            Box::pin(async move { engine.folder_delete(session, &key, folder).await })
        })
        .await?;
    match deleted {
        Ok(key) => {
            let sync_key = Some(key.to_string());
            Ok(Response { status: Status::Success, sync_key }.to_element())
        }
        Err(FolderError::Special) => failed(Status::SpecialFolder),
        Err(FolderError::Engine(dme_sync::Error::InvalidKey)) => failed(Status::InvalidSyncKey),
        Err(FolderError::Engine(error)) => Err(exchange.failed(error)),
        Err(_) => failed(Status::NotFound),
    }
}
