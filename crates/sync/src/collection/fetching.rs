//! Items the phone asks for again (`Fetch`).

use super::commands::Commands;
use super::placeholder::placeholder;
use super::window::item_size;
use super::work::Work;
use super::{ClientCommand, CommandResult};
use crate::Result;
use dme_mailbox::FetchOutcome;
use dme_model::{BodyView, ItemId};
use std::collections::HashMap;

impl Work<'_> {
    /// Gives items out as far as they fit into the answer; the one with which it is full is still
    /// given. One asked for several times is read once. The whole of each where the phone never
    /// said what it wants.
    pub async fn fetch(&mut self, commands: &mut Commands<'_>, view: &BodyView) -> Result<()> {
        let view = view.or_native(None);
        let mut wanted: Vec<(&ItemId, Vec<usize>)> = Vec::new();
        let open: Vec<(usize, &ClientCommand)> = commands.open().collect();
        let mut places: HashMap<&ItemId, usize> = HashMap::new();
        for (at, command) in open {
            let ClientCommand::Fetch(item) = command else { continue };
            if !self.holds(item) {
                commands.settle(at, CommandResult::NotFound);
                continue;
            }
            let place = *places.entry(item).or_insert_with(|| {
                wanted.push((item, Vec::new()));
                wanted.len() - 1
            });
            if let Some((_, asked)) = wanted.get_mut(place) {
                asked.push(at);
            }
        }
        let items = wanted.iter().map(|(item, _)| (*item).clone()).collect();
        let mut reading = self.reading(items, &view);
        for (_, asked) in wanted {
            let outcome = match commands.left {
                0 => None,
                _ => reading.next().await?.map(|(_, outcome)| outcome),
            };
            let result = match outcome {
                None => CommandResult::Full,
                Some(FetchOutcome::Item(item)) => CommandResult::Fetched(item),
                Some(FetchOutcome::Gone) => CommandResult::NotFound,
                Some(FetchOutcome::Unconvertible(_)) => {
                    let shown = placeholder(self.class, self.session.now, &view);
                    CommandResult::Fetched(shown)
                }
            };
            for at in asked {
                commands.settle_within(at, &result);
            }
        }
        Ok(())
    }
}

impl Commands<'_> {
    /// Settles a fetch as far as there is room for it.
    fn settle_within(&mut self, at: usize, result: &CommandResult) {
        let settled = match result {
            CommandResult::Fetched(_) if self.left == 0 => CommandResult::Full,
            CommandResult::Fetched(item) => {
                self.left = self.left.saturating_sub(item_size(item));
                result.clone()
            }
            other => other.clone(),
        };
        self.settle(at, settled);
    }
}
