//! What a phone writes of events, contacts, tasks and notes, in the engine's terms.
//!
//! Until 14.1 a change says all of an item, from 16.0 on of an event only what changes; what either
//! means can only be told beside what the phone was shown. So the items that are changed are read
//! first, in the view the phone has of the folder.

use super::Place;
use crate::front::exchange::Exchange;
use crate::front::ids::item_of;
use dme_eas::calendar::Context;

use dme_eas::sync::{ClientCommand as Said, Collection, Status};
use dme_eas::{Ghosting, Result, Writing, calendar, item};
use dme_mailbox::FetchOutcome;
use dme_model::{Class, Item, ItemEdit, ItemId, ItemPatch};
use dme_sync::{ClientCommand, ClientId, Meant};
use dme_wbxml::pages::air_sync;
use dme_wbxml::{Element, encode};
use std::collections::HashMap;

/// What must be known to read what a phone writes in one folder.
pub(super) struct Desk {
    class: Class,
    ghosting: Ghosting,
    /// The items that are changed, or lose an instance, as the phone was shown them; none where one cannot be read.
    present: HashMap<ItemId, Option<Item>>,
}

impl Desk {
    /// Reads what is needed; of mail, nothing is.
    pub async fn set(
        exchange: &Exchange<'_>,
        place: Place,
        collection: &Collection,
    ) -> dme_sync::Result<Self> {
        let mut desk =
            Self { class: place.class, ghosting: Ghosting::default(), present: HashMap::new() };
        let changed = collection.commands.iter().filter_map(|said| match said {
            Said::Change { server_id, .. } | Said::Delete { server_id, instance_id: Some(_) } => {
                item_of(server_id)
            }
            _ => None,
        });
        let mut items: Vec<ItemId> =
            changed.filter(|(folder, _)| *folder == place.folder).map(|(_, item)| item).collect();
        items.sort_unstable();
        items.dedup();
        if place.class == Class::Mail || items.is_empty() {
            return Ok(desk);
        }
        let engine = exchange.engine();
        let (options, supported) = engine.held(exchange.session(), place.folder).await?;
        // What cannot be read any more was another release's: as if nothing had been said.
        let supported = supported.and_then(|text| serde_json::from_str(&text).ok());
        desk.ghosting = supported.unwrap_or_default();
        let view = options.view.or_native(Some(dme_sync::UNASKED));
        let fetched = engine.fetch_items(exchange.session(), place.folder, &items, &view).await;
        let fetched = match fetched {
            // The engine says so to each command.
            Err(dme_sync::Error::FolderNotFound(_)) => Vec::new(),
            fetched => fetched?,
        };
        desk.present = fetched
            .into_iter()
            .filter_map(|one| match one.outcome {
                FetchOutcome::Item(item) => Some((one.id, Some(item))),
                FetchOutcome::Unconvertible(_) => Some((one.id, None)),
                FetchOutcome::Gone => None,
            })
            .collect();
        Ok(desk)
    }

    /// A new item.
    pub fn create(
        &self,
        exchange: &Exchange<'_>,
        client_id: &str,
        data: &[Element],
    ) -> std::result::Result<ClientCommand, Status> {
        let context = context(exchange);
        let patch =
            item::patch_from_elements(self.class, data, exchange.version, Writing::Add, &context);
        let patch = readable(exchange, patch)?.ok_or(Status::ConversionError)?;
        Ok(ClientCommand::Create(ClientId(client_id.to_owned()), Meant::new(&words(data), patch)))
    }

    /// A change of an item, or of one instance of it.
    pub fn change(
        &self,
        exchange: &Exchange<'_>,
        id: ItemId,
        instance: Option<&str>,
        data: &[Element],
    ) -> std::result::Result<ClientCommand, Status> {
        let edit = match self.present.get(&id) {
            // The engine knows it to be gone, unless this is the repetition of a change that was
            // carried out before.
            None => ItemEdit::Patch(ItemPatch::Note(Box::default())),
            Some(None) => return Err(Status::ConversionError),
            Some(Some(present)) => {
                readable(exchange, self.edit(exchange, present, instance, data))?
            }
        };
        let words = [instance.unwrap_or_default().as_bytes(), &words(data)].concat();
        Ok(ClientCommand::Edit(id, Meant::new(&words, edit)))
    }

    /// One instance of a series is taken out.
    pub fn drop_instance(
        &self,
        exchange: &Exchange<'_>,
        id: ItemId,
        instance: &str,
    ) -> std::result::Result<ClientCommand, Status> {
        let series = match self.present.get(&id) {
            Some(Some(Item::Event(series))) => Some(&**series),
            _ => None,
        };
        let home = &exchange.front().home;
        let edit = readable(exchange, calendar::drop_instance(instance, series, home))?;
        Ok(ClientCommand::Edit(id, Meant::new(instance.as_bytes(), edit)))
    }

    fn edit(
        &self,
        exchange: &Exchange<'_>,
        present: &Item,
        instance: Option<&str>,
        data: &[Element],
    ) -> Result<ItemEdit> {
        let (version, context) = (exchange.version, context(exchange));
        if let (Item::Event(event), Some(instance)) = (present, instance) {
            return calendar::instance_from_elements(instance, data, version, event, &context);
        }
        let writing = Writing::Change { ghosting: &self.ghosting, present: Some(present) };
        let patch = item::patch_from_elements(self.class, data, version, writing, &context)?;
        // Of mail there are no patches, nor is there mail in these folders.
        Ok(ItemEdit::Patch(patch.unwrap_or_else(|| ItemPatch::Note(Box::default()))))
    }
}

fn context<'a>(exchange: &'a Exchange<'_>) -> Context<'a> {
    Context { home: &exchange.front().home, now: exchange.now }
}

fn words(data: &[Element]) -> Vec<u8> {
    encode(&Element::parent(air_sync::APPLICATION_DATA, data.to_vec()))
}

fn readable<T>(exchange: &Exchange<'_>, read: Result<T>) -> std::result::Result<T, Status> {
    read.map_err(|error| {
        tracing::info!(request = %exchange.request, device = %exchange.device.device, %error,
            "what the phone wrote was refused");
        Status::ConversionError
    })
}
