//! GetItemEstimate (MS-ASCMD 2.2.1.9).

use super::exchange::Exchange;
use super::failure::Failure;
use super::ids::folder_no;
use super::sync::filter_age;
use dme_eas::CommonStatus;
use dme_eas::get_item_estimate::{Collection, Estimate, Request, Response, Status};
use dme_eas::sync::{FilterType, ItemClass, Options};
use dme_sync::{FilterAge, SyncKey};
use dme_wbxml::Element;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        return Ok(Response::failed(Status::InvalidCollection).to_element());
    };
    if request.collections.iter().filter_map(mail_filter).any(|filter| !is_of_mail(filter)) {
        // MS-ASCMD 2.2.3.68.1: the status is 110, and stands for the whole.
        return Err(CommonStatus::ServerError.into());
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
    let filter = Some(mail_filter(collection).map_or(FilterAge::All, filter_age));
    let engine = exchange.engine();
    match engine.estimate(exchange.session(), folder, &key, filter).await {
        Ok(count) => Ok((Status::Success, Some(count))),
        Err(dme_sync::Error::InvalidKey) => Ok((Status::InvalidSyncKey, None)),
        Err(dme_sync::Error::FolderNotFound(_)) => Ok((Status::InvalidCollection, None)),
        Err(error) => Err(exchange.failed(error)),
    }
}

/// How far back mail is wanted.
fn mail_filter(collection: &Collection) -> Option<FilterType> {
    let of_mail = |options: &&Options| options.class.is_none_or(|class| class == ItemClass::Email);
    collection.options.iter().find(of_mail).and_then(|options| options.filter)
}

/// Whether mail can be filtered so: the others are for calendars and tasks.
fn is_of_mail(filter: FilterType) -> bool {
    !matches!(filter, FilterType::ThreeMonths | FilterType::SixMonths | FilterType::IncompleteTasks)
}
