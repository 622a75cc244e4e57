//! GetItemEstimate (MS-ASCMD 2.2.1.9).

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::folder_no;
use super::sync::filter_age;
use dme_eas::get_item_estimate::{Collection, Estimate, Request, Response, Status};
use dme_eas::sync::ItemClass;
use dme_sync::{FilterAge, SyncKey};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        return Ok(Response::failed(Status::InvalidCollection).to_element());
    };
    let mut estimates = Vec::with_capacity(request.collections.len());
    for collection in request.collections.into_iter().take(exchange.front.limits.folders) {
        let (status, count) = estimate(exchange, &collection).await?;
        let collection_id = collection.collection_id;
        estimates.push(Estimate { status, collection_id, count });
    }
    Ok(Response { status: None, estimates }.to_element())
}

async fn estimate(
    exchange: &Exchange<'_>,
    collection: &Collection,
) -> Result<(Status, Option<u64>), Failure> {
    let Some(folder) = folder_no(&collection.collection_id) else {
        return Ok((Status::InvalidCollection, None));
    };
    let key = SyncKey::new(collection.sync_key.as_str());
    if key.is_initial() {
        return Ok((Status::NotPrimed, None));
    }
    // MS-ASCMD 2.2.3.68.1: without a filter all is counted, whatever Sync was told.
    let filter = collection
        .options
        .iter()
        .find(|options| options.class.is_none_or(|class| class == ItemClass::Email))
        .and_then(|options| options.filter)
        .map_or(FilterAge::All, filter_age);
    let filter = Some(filter);
    let engine = exchange.engine();
    match engine.estimate(exchange.session(), folder, &key, filter).await {
        Ok(count) => Ok((Status::Success, Some(count))),
        Err(dme_sync::Error::InvalidKey) => Ok((Status::InvalidSyncKey, None)),
        Err(dme_sync::Error::FolderNotFound(_)) => Ok((Status::InvalidCollection, None)),
        Err(error) => Err(exchange.failed(error)),
    }
}
