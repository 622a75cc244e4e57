//! Sync (MS-ASCMD 2.2.1.21): what the phone did in some collections, and what changed there. May
//! wait for a change like Ping.

mod commands;
mod request;
mod writing;

use super::exchange::Exchange;
use super::failure::Failure;
use super::fetch::item_elements;
use super::ids::{folder_no, server_id};
use super::reply::Reply;
use super::telling::{self, Synchronised};
use super::wait::{Outcome, wait_for_change};
use crate::behaviours::subject;
use commands::Commands;
use dme_policy::Behaviour;

use dme_eas::sync::{
    Collection, CollectionResponse, FilterType, ItemClass, Response, ServerCommand, Status,
};
use dme_eas::{ProtocolVersion, email};
use dme_mailbox::Mailbox;
use dme_model::{Class, ItemId};
use dme_sync::{
    Changes, CollectionAnswer, CollectionOptions, CollectionRequest, CommandResult, ConflictRule,
    Deletion, FilterAge, FolderNo, ServerChange, SyncKey, Window, item_size,
};
use dme_wbxml::Element;
pub(super) use request::is_of_mail;
use request::{Asked, Refusal};
use std::time::{Duration, Instant};
use writing::Desk;

/// A folder, and what it holds.
#[derive(Clone, Copy)]
struct Place {
    folder: FolderNo,
    class: Class,
}

/// Changes in an answer where the phone does not say (MS-ASCMD 2.2.3.199).
const WINDOW: u32 = 100;
/// Changes in an answer at the most (MS-ASCMD 2.2.3.199).
const LARGEST_WINDOW: u32 = 512;

pub(super) async fn handle(
    exchange: &Exchange<'_>,
    body: Option<Element>,
) -> Result<Reply, Failure> {
    let read = Box::pin(request::read(exchange, body.as_ref())).await?;
    drop(body);
    let asked = match read {
        Ok(asked) => asked,
        Err(Refusal::Status(status)) => return Ok(reply(exchange, Response::failed(status))),
        Err(Refusal::Limited(status, limit)) => {
            return Ok(reply(exchange, Response::limited(status, limit)));
        }
    };
    let first = Box::pin(round(exchange, &asked.collections, asked.window));
    let first = exchange.in_time(first).await?;
    let Some(wait) = asked.wait.filter(|_| first.is_empty()) else {
        return Ok(answer(exchange, first));
    };
    let second = Box::pin(wait_then_round(exchange, &asked, wait)).await?;
    Ok(answer(exchange, second))
}

/// Nothing to say is said by an empty body; the phone then keeps its keys.
fn answer(exchange: &Exchange<'_>, collections: Vec<CollectionResponse>) -> Reply {
    if collections.is_empty() {
        return Reply::Empty;
    }
    reply(exchange, Response { collections, ..Response::default() })
}

fn reply(exchange: &Exchange<'_>, response: Response) -> Reply {
    Reply::Element(response.into_element(exchange.version))
}

/// Waits until one of the collections has something to say, and lets those say it.
async fn wait_then_round(
    exchange: &Exchange<'_>,
    asked: &Asked,
    wait: Duration,
) -> Result<Vec<CollectionResponse>, Failure> {
    let folders: Vec<FolderNo> =
        asked.collections.iter().filter_map(|c| folder_no(&c.collection_id)).collect();
    match wait_for_change(exchange, &folders, wait).await? {
        Outcome::Expired => Ok(Vec::new()),
        Outcome::Hierarchy => Ok(asked
            .collections
            .iter()
            .take(1)
            .map(|c| failed(exchange, c, said_class(c), Status::FolderHierarchyChanged))
            .collect()),
        Outcome::Changed(changed) => {
            // What the phone did was carried out in the first round.
            let collections: Vec<Collection> = asked
                .collections
                .iter()
                .filter(|c| folder_no(&c.collection_id).is_some_and(|no| changed.contains(&no)))
                .map(|c| Collection { commands: Vec::new(), options: Vec::new(), ..c.clone() })
                .collect();
            Box::pin(exchange.in_time(round(exchange, &collections, asked.window))).await
        }
    }
}

/// Every collection once; those with nothing to say are left out.
async fn round(
    exchange: &Exchange<'_>,
    collections: &[Collection],
    window: u32,
) -> Result<Vec<CollectionResponse>, Failure> {
    let mailbox = exchange.fresh_mailbox().await?;
    let known = (exchange.front().clock)();
    for collection in collections {
        if let Some(folder) = folder_no(&collection.collection_id) {
            let key = SyncKey::new(collection.sync_key.as_str());
            exchange.front().steps.acknowledged(&exchange.device, folder, &key, known);
        }
    }
    let silent = silent(exchange, &*mailbox, collections).await?;
    let mut left = Window { items: window, bytes: exchange.front().limits.answer.0 };
    let mut responses = Vec::new();
    for collection in collections {
        let Some(folder) = folder_no(&collection.collection_id) else {
            let of = said_class(collection);
            responses.push(failed(exchange, collection, of, Status::FolderHierarchyChanged));
            continue;
        };
        if silent.contains(&folder) {
            continue;
        }
        let class = exchange.engine().folder_class(exchange.session_on(&*mailbox), folder).await;
        let place = Place { folder, class: class.map_err(|error| exchange.failed(error))? };
        if place.class == Class::Notes && collection.supported.is_some() {
            // Of a note nothing is left out (MS-ASNOTE 3.2.5.3).
            responses.push(failed(exchange, collection, place.class, Status::ProtocolError));
            continue;
        }
        let desk = match Desk::set(exchange, place, collection).await {
            Ok(desk) => desk,
            Err(error) => {
                responses.push(refuse(exchange, collection, place, collections.len(), error)?);
                continue;
            }
        };
        let commands = Commands::read(exchange, place, desk, collection).await?;
        let request = to_engine(exchange, collection, place, &commands, left);
        let meant = request.commands.iter().map(|one| one.item().cloned()).collect::<Vec<_>>();
        let begun = Instant::now();
        let answer = if request.commands.is_empty() {
            let session = exchange.session_on(&*mailbox);
            exchange.engine().sync_collection(session, &request).await
        } else {
            exchange
                .to_its_end_on(mailbox.clone(), move |engine, session| {
                    Box::pin(async move { engine.sync_collection(session, &request).await })
                })
                .await?
        };
        let response = match answer {
            Ok(answer) => {
                let used = u32::try_from(answer.changes.len()).unwrap_or(u32::MAX);
                left.items = left.items.saturating_sub(used);
                let bytes = size_of(&answer);
                left.bytes = left.bytes.saturating_sub(bytes);
                let said = &collection.commands;
                let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                let Place { folder, class } = place;
                let synced = Synchronised { folder, class, said, known, bytes, millis };
                telling::synchronised(exchange, &synced, &answer);
                Box::pin(watch_behaviour(exchange, collection, folder, &meant, &answer)).await;
                respond(exchange, collection, place, &commands, answer)
            }
            Err(error) => Some(refuse(exchange, collection, place, collections.len(), error)?),
        };
        responses.extend(response);
    }
    Ok(responses)
}

/// Counts that the phone comes with a key, where it gets another for it, and which of its items
/// failed.
async fn watch_behaviour(
    exchange: &Exchange<'_>,
    collection: &Collection,
    folder: FolderNo,
    meant: &[Option<ItemId>],
    answer: &CollectionAnswer,
) {
    let front = exchange.front();
    let now = (front.clock)();
    if answer.key.as_str() != collection.sync_key {
        let key = subject((folder, &collection.sync_key));
        front.behaviours.note(&exchange.device, Behaviour::RepeatedKey, key, now).await;
    }
    for (item, result) in meant.iter().zip(&answer.results) {
        if let (Some(item), CommandResult::Refused(_)) = (item, result) {
            let item = subject((folder, item));
            front.behaviours.note(&exchange.device, Behaviour::FailingItem, item, now).await;
        }
    }
}

/// Those of several collections that have nothing to say, found by one question to the mail
/// system instead of one for each. A phone that repeats a lost request shows an older key and is
/// looked at in full.
async fn silent(
    exchange: &Exchange<'_>,
    mailbox: &dyn Mailbox,
    collections: &[Collection],
) -> Result<Vec<FolderNo>, Failure> {
    let session = exchange.session_on(mailbox);
    let mut quiet = Vec::new();
    for collection in collections {
        let Some(folder) = folder_no(&collection.collection_id) else { continue };
        if !collection.commands.is_empty() || !collection.options.is_empty() {
            continue;
        }
        let current = exchange.engine().current_key(session, folder).await;
        let current = current.map_err(|error| exchange.failed(error))?;
        if current.is_some_and(|key| key.as_str() == collection.sync_key) {
            quiet.push(folder);
        }
    }
    if quiet.len() < 2 {
        return Ok(Vec::new());
    }
    let changed = exchange.engine().changed_folders(session, &quiet).await;
    let changed = changed.map_err(|error| exchange.failed(error))?;
    quiet.retain(|folder| !changed.contains(folder));
    Ok(quiet)
}

fn to_engine(
    exchange: &Exchange<'_>,
    collection: &Collection,
    place: Place,
    commands: &Commands,
    left: Window,
) -> CollectionRequest {
    let wanted = match collection.window_size {
        None => WINDOW,
        Some(0) => LARGEST_WINDOW,
        Some(size) => size,
    };
    let items = wanted.min(left.items).min(exchange.front().limits.window).min(LARGEST_WINDOW);
    let changes = if collection.wants_changes() && items > 0 && left.bytes > 0 {
        Changes::Send
    } else {
        Changes::Hold
    };
    CollectionRequest {
        folder: place.folder,
        key: SyncKey::new(collection.sync_key.as_str()),
        changes,
        window: Window { items: items.max(1), bytes: left.bytes },
        options: collection.options_for(place.class.into()).map(options),
        supported: supported(collection),
        deletion: deletion(collection),
        // Before, phones send invitations and cancellations themselves (MS-ASCMD 4.16).
        notify: exchange.version >= ProtocolVersion::V16_0,
        commands: commands.for_engine(),
    }
}

/// What the phone says of the elements it knows, as the engine keeps it.
fn supported(collection: &Collection) -> Option<String> {
    serde_json::to_string(&collection.ghosting()?).ok()
}

fn options(options: &dme_eas::sync::Options) -> CollectionOptions {
    CollectionOptions {
        filter: options.filter.map(filter_age).unwrap_or_default(),
        view: options.content.view(),
        conflict: match options.conflict {
            Some(dme_eas::sync::Conflict::ClientWins) => ConflictRule::ClientWins,
            _ => ConflictRule::ServerWins,
        },
    }
}

/// A filter in the engine's terms.
pub(super) fn filter_age(filter: FilterType) -> FilterAge {
    match filter {
        FilterType::OneDay => FilterAge::OneDay,
        FilterType::ThreeDays => FilterAge::ThreeDays,
        FilterType::OneWeek => FilterAge::OneWeek,
        FilterType::TwoWeeks => FilterAge::TwoWeeks,
        FilterType::OneMonth => FilterAge::OneMonth,
        FilterType::ThreeMonths => FilterAge::ThreeMonths,
        FilterType::SixMonths => FilterAge::SixMonths,
        FilterType::IncompleteTasks => FilterAge::Incomplete,
        FilterType::All => FilterAge::All,
    }
}

fn deletion(collection: &Collection) -> Deletion {
    if collection.deletes_as_moves.unwrap_or(true) { Deletion::ToTrash } else { Deletion::ForGood }
}

/// Bytes of items in an answer: new ones, changed ones, and those the phone asked for.
fn size_of(answer: &CollectionAnswer) -> u64 {
    let added = answer.changes.iter().filter_map(|change| match change {
        ServerChange::Add(_, item) | ServerChange::Update(_, item) => Some(item),
        _ => None,
    });
    let fetched = answer.results.iter().filter_map(|result| match result {
        CommandResult::Fetched(item) => Some(item),
        _ => None,
    });
    added.chain(fetched).map(item_size).sum()
}

/// The class of a collection as the phone said it, where it cannot be known otherwise.
fn said_class(collection: &Collection) -> Class {
    collection.class.and_then(ItemClass::to_model).unwrap_or(Class::Mail)
}

/// What the phone is told of a collection; nothing where there is nothing to tell.
fn respond(
    exchange: &Exchange<'_>,
    collection: &Collection,
    place: Place,
    commands: &Commands,
    answer: CollectionAnswer,
) -> Option<CollectionResponse> {
    let unchanged = answer.key.as_str() == collection.sync_key;
    let folder = place.folder;
    let responses = commands.responses(exchange, place, answer.results);
    if unchanged && answer.changes.is_empty() && responses.is_empty() && !answer.more_available {
        return None;
    }
    let id = |item: &ItemId| server_id(folder, item);
    let commands = answer.changes.into_iter().map(|change| match change {
        ServerChange::Add(item, added) => ServerCommand::Add {
            server_id: id(&item),
            class: None,
            data: item_elements(exchange, folder, &item, &added),
        },
        ServerChange::Update(item, now) => ServerCommand::Change {
            server_id: id(&item),
            class: None,
            data: item_elements(exchange, folder, &item, &now),
        },
        ServerChange::Change(item, flags) => ServerCommand::Change {
            server_id: id(&item),
            class: None,
            data: email::flags_to_elements(&flags, exchange.version),
        },
        ServerChange::Delete(item) => ServerCommand::Delete { server_id: id(&item) },
        ServerChange::SoftDelete(item) => ServerCommand::SoftDelete { server_id: id(&item) },
    });
    Some(CollectionResponse {
        class: class(exchange, place.class),
        more_available: answer.more_available,
        commands: commands.collect(),
        responses,
        ..CollectionResponse::new(&*collection.collection_id, answer.key.as_str())
    })
}

/// The class an answer names: in 12.1 only.
fn class(exchange: &Exchange<'_>, class: Class) -> Option<ItemClass> {
    (exchange.version == ProtocolVersion::V12_1).then_some(class.into())
}

fn failed(
    exchange: &Exchange<'_>,
    collection: &Collection,
    of: Class,
    status: Status,
) -> CollectionResponse {
    let key = if status == Status::InvalidSyncKey { "0" } else { &*collection.sync_key };
    CollectionResponse {
        class: class(exchange, of),
        ..CollectionResponse::failed(&*collection.collection_id, key, status)
    }
}

/// What an error of one collection means: for that one a status, unless it is the only one and the
/// phone had better come again.
fn refuse(
    exchange: &Exchange<'_>,
    collection: &Collection,
    place: Place,
    of: usize,
    error: dme_sync::Error,
) -> Result<CollectionResponse, Failure> {
    telling::failed(exchange, place.folder, &error);
    let status = match &error {
        dme_sync::Error::InvalidKey => Status::InvalidSyncKey,
        dme_sync::Error::FolderNotFound(_) => Status::FolderHierarchyChanged,
        dme_sync::Error::TooManyCommands { .. } => Status::ProtocolError,
        dme_sync::Error::Mailbox(inner) => match exchange.failed(error.clone()) {
            failure @ Failure::Later(_) if of == 1 => return Err(failure),
            _ if inner.is_transient() => Status::Retry,
            _ => Status::ServerError,
        },
        dme_sync::Error::Store(_) => return Err(exchange.failed(error)),
    };
    if !matches!(error, dme_sync::Error::Mailbox(_)) {
        tracing::info!(request = %exchange.request, user = %exchange.device.user,
            device = %exchange.device.device, collection = collection.collection_id, %error,
            "a collection was refused");
    }
    Ok(failed(exchange, collection, place.class, status))
}
