//! GetItemEstimate (MS-ASCMD 2.2.1.9).

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::folder_no;
use super::sync::{filter_age, is_of_mail};
use dme_eas::CommonStatus;
use dme_eas::get_item_estimate::{Collection, Estimate, Request, Response, Status};
use dme_eas::sync::{FilterType, ItemClass, Options};
use dme_model::Class;
use dme_sync::{FilterAge, SyncKey};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        return Ok(Response::failed(Status::InvalidCollection).to_element());
    };
    for collection in &request.collections {
        let filter = filter_for(collection, Class::Mail);
        if filter.is_none_or(is_of_mail) {
            continue;
        }
        if class_of(exchange, collection).await? == Class::Mail {
            // MS-ASCMD 2.2.3.68.1: the status is 110, and stands for the whole.
            return Err(CommonStatus::ServerError.into());
        }
    }
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
    let class = class_of(exchange, collection).await?;
    let filter = Some(filter_for(collection, class).map_or(FilterAge::All, filter_age));
    let engine = exchange.engine();
    match engine.estimate(exchange.session(), folder, &key, filter).await {
        Ok(count) => Ok((Status::Success, Some(count))),
        Err(dme_sync::Error::InvalidKey) => Ok((Status::InvalidSyncKey, None)),
        Err(dme_sync::Error::FolderNotFound(_)) => Ok((Status::InvalidCollection, None)),
        Err(error) => Err(exchange.failed(error)),
    }
}

/// What a collection holds; mail where it is not known.
async fn class_of(exchange: &Exchange<'_>, collection: &Collection) -> Result<Class, Failure> {
    let Some(folder) = folder_no(&collection.collection_id) else { return Ok(Class::Mail) };
    let class = exchange.engine().folder_class(exchange.session(), folder).await;
    class.map_err(|error| exchange.failed(error))
}

/// How far back items of a class are wanted.
fn filter_for(collection: &Collection, class: Class) -> Option<FilterType> {
    let class = ItemClass::from(class);
    let of_class = |options: &&Options| options.class.is_none_or(|named| named == class);
    collection.options.iter().find(of_class).and_then(|options| options.filter)
}
