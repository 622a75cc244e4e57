//! What the phone did in a collection: to the engine, and back as responses.

use super::Place;
use super::writing::Desk;
use crate::front::drafts;
use crate::front::exchange::Exchange;
use crate::front::failure::Failure;
use crate::front::fetch::item_elements;
use crate::front::ids::{item_of, server_id};
use dme_eas::sync::{ClientCommand as Said, Collection, ItemClass, ItemResponse, Status};
use dme_eas::{ProtocolVersion, email};
use dme_mailbox::ErrorKind;
use dme_model::{Class, ItemId, Role};
use dme_sync::{ClientCommand, ClientId, CommandResult, FolderNo, Outgoing};
use dme_wbxml::Element;

/// A collection's commands in their order; those the engine need not see have their answer.
pub(super) struct Commands(Vec<One>);

struct One {
    said: Said,
    meant: Result<ClientCommand, Status>,
}

impl Commands {
    /// Reads them; a draft's message is put together here.
    pub async fn read(
        exchange: &Exchange<'_>,
        place: Place,
        desk: Desk,
        collection: &Collection,
    ) -> Result<Self, Failure> {
        let mut all = Vec::with_capacity(collection.commands.len());
        for said in &collection.commands {
            let meant = match place.class {
                Class::Mail => mean(exchange, place.folder, said).await?,
                _ => mean_other(exchange, place.folder, &desk, said),
            };
            all.push(One { said: said.clone(), meant });
        }
        Ok(Self(all))
    }

    /// What the engine is to carry out.
    pub fn for_engine(&self) -> Vec<ClientCommand> {
        self.0.iter().filter_map(|one| one.meant.clone().ok()).collect()
    }

    /// The responses, given the engine's results. Changes and deletions that went well have none,
    /// except that a changed draft's are told from 16.0 on.
    pub fn responses(
        &self,
        exchange: &Exchange<'_>,
        place: Place,
        results: Vec<CommandResult>,
    ) -> Vec<ItemResponse> {
        let mut results = results.into_iter();
        let answers = self.0.iter().map(|one| {
            let result = match &one.meant {
                Ok(_) => results.next().ok_or(Status::ServerError),
                Err(status) => Err(*status),
            };
            response(exchange, place.folder, &one.said, result)
        });
        answers.flatten().collect()
    }
}

async fn mean(
    exchange: &Exchange<'_>,
    folder: FolderNo,
    said: &Said,
) -> Result<Result<ClientCommand, Status>, Failure> {
    let item = |id: &str| item_in(folder, id);
    let has_drafts = exchange.version >= ProtocolVersion::V16_0;
    Ok(match said {
        Said::Delete { server_id, .. } => item(server_id).map(ClientCommand::Delete),
        Said::Fetch { server_id } => item(server_id).map(ClientCommand::Fetch),
        Said::Add { class: Some(class), .. } if *class != ItemClass::Email => {
            Err(Status::ConversionError)
        }
        // "If a client attempts to add emails to the server, a Status element with a value of 6 is
        // returned" (MS-ASCMD 2.2.3.7.2): of mail only drafts are made by phones, from 16.0 on.
        Said::Add { .. } if !has_drafts => Err(Status::ConversionError),
        Said::Add { send: false, .. } if !is_drafts(exchange, folder).await? => {
            Err(Status::ConversionError)
        }
        Said::Add { client_id, send, data, .. } => {
            let name = ClientId(client_id.clone());
            drafts::compose(exchange, folder, None, data, client_id).await?.map(|written| {
                if *send {
                    ClientCommand::Send(Outgoing::New(name), written)
                } else {
                    ClientCommand::AddDraft(name, written)
                }
            })
        }
        Said::Change { server_id, send, data, .. } => match item(server_id) {
            Err(status) => Err(status),
            Ok(item) if has_drafts && (*send || drafts::changes_content(data)) => {
                change_draft(exchange, folder, item, *send, data).await?
            }
            Ok(item) => match email::patch_from_elements(data) {
                Ok(patch) => Ok(ClientCommand::Change(item, patch)),
                Err(_) => Err(Status::ConversionError),
            },
        },
    })
}

/// The same in a folder of another class.
fn mean_other(
    exchange: &Exchange<'_>,
    folder: FolderNo,
    desk: &Desk,
    said: &Said,
) -> Result<ClientCommand, Status> {
    match said {
        Said::Add { client_id, data, .. } => desk.create(exchange, client_id, data),
        Said::Change { server_id, instance_id, data, .. } => {
            desk.change(exchange, item_in(folder, server_id)?, instance_id.as_deref(), data)
        }
        Said::Delete { server_id, instance_id: Some(instance) } => {
            desk.drop_instance(exchange, item_in(folder, server_id)?, instance)
        }
        Said::Delete { server_id, instance_id: None } => {
            item_in(folder, server_id).map(ClientCommand::Delete)
        }
        Said::Fetch { server_id } => item_in(folder, server_id).map(ClientCommand::Fetch),
    }
}

/// The item of this folder with that id. One that names another folder, or none of ours, is of no
/// item here.
fn item_in(folder: FolderNo, server_id: &str) -> Result<ItemId, Status> {
    let item = item_of(server_id).filter(|(of, _)| *of == folder);
    item.map(|(_, item)| item).ok_or(Status::ObjectNotFound)
}

/// Whether it is the folder of drafts.
async fn is_drafts(exchange: &Exchange<'_>, folder: FolderNo) -> Result<bool, Failure> {
    let known = exchange.engine().known_folders(exchange.session()).await;
    let known = known.map_err(|error| exchange.failed(error))?;
    Ok(known.iter().any(|entry| entry.no == folder && entry.role == Some(Role::Drafts)))
}

async fn change_draft(
    exchange: &Exchange<'_>,
    folder: FolderNo,
    item: ItemId,
    send: bool,
    data: &[Element],
) -> Result<Result<ClientCommand, Status>, Failure> {
    let seed = server_id(folder, &item);
    let written = drafts::compose(exchange, folder, Some(&item), data, &seed).await?;
    Ok(written.map(|written| {
        if send {
            ClientCommand::Send(Outgoing::Draft(item), written)
        } else {
            ClientCommand::ChangeDraft(item, written)
        }
    }))
}

fn response(
    exchange: &Exchange<'_>,
    folder: FolderNo,
    said: &Said,
    result: Result<CommandResult, Status>,
) -> Option<ItemResponse> {
    let status = match &result {
        Ok(result) => status_of(result),
        Err(status) => *status,
    };
    match said {
        Said::Add { client_id, class, data, .. } => Some(ItemResponse::Add {
            client_id: client_id.clone(),
            server_id: match &result {
                Ok(CommandResult::Added(saved)) => Some(server_id(folder, &saved.item)),
                _ => None,
            },
            class: *class,
            status,
            data: attached(folder, &result, data),
        }),
        Said::Fetch { server_id } => {
            let data = match (&result, item_of(server_id)) {
                (Ok(CommandResult::Fetched(fetched)), Some((_, item))) => {
                    item_elements(exchange, folder, &item, fetched)
                }
                _ => Vec::new(),
            };
            Some(ItemResponse::Fetch { server_id: server_id.clone(), status, data })
        }
        Said::Change { server_id, instance_id, class, data, .. } => {
            let told = status != Status::Success
                || matches!(result, Ok(CommandResult::Replaced(_) | CommandResult::Sent));
            told.then(|| ItemResponse::Change {
                server_id: server_id.clone(),
                instance_id: instance_id.clone(),
                class: *class,
                status,
                data: attached(folder, &result, data),
            })
        }
        Said::Delete { server_id, instance_id } => {
            (status != Status::Success).then(|| ItemResponse::Delete {
                server_id: server_id.clone(),
                instance_id: instance_id.clone(),
                status,
            })
        }
    }
}

fn attached(
    folder: FolderNo,
    result: &Result<CommandResult, Status>,
    data: &[Element],
) -> Vec<Element> {
    match result {
        Ok(CommandResult::Added(saved) | CommandResult::Replaced(saved)) => {
            drafts::attached(folder, saved, data)
        }
        _ => Vec::new(),
    }
}

fn status_of(result: &CommandResult) -> Status {
    match result {
        CommandResult::Done
        | CommandResult::Added(_)
        | CommandResult::Replaced(_)
        | CommandResult::Sent
        | CommandResult::Fetched(_) => Status::Success,
        CommandResult::Full => Status::Retry,
        CommandResult::NotFound => Status::ObjectNotFound,
        CommandResult::Conflict => Status::Conflict,
        CommandResult::Refused(error) => match error.kind {
            ErrorKind::QuotaExceeded => Status::OutOfSpace,
            // To send it again is no use.
            ErrorKind::Unconvertible | ErrorKind::Invalid | ErrorKind::MessageTooLarge => {
                Status::ConversionError
            }
            _ => Status::ServerError,
        },
    }
}
