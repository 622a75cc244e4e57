//! Items the phone asks for again (`Fetch`).

use super::commands::Commands;
use super::placeholder::placeholder;
use super::window::mail_size;
use super::work::Work;
use super::{ClientCommand, CommandResult};
use crate::Result;
use dme_mailbox::FetchOutcome;
use dme_model::{BodyView, ItemId};
use std::collections::HashMap;

impl Work<'_> {
    /// Gives items out as far as they fit into the answer; the one with which it is full is still
    /// given. One asked for several times is read once.
    pub async fn fetch(&mut self, commands: &mut Commands<'_>) -> Result<()> {
        type Wanted<'c> = Vec<(&'c ItemId, Vec<usize>)>;
        let mut views: Vec<(&BodyView, Wanted<'_>)> = Vec::new();
        let open: Vec<(usize, &ClientCommand)> = commands.open().collect();
        let mut places: HashMap<(usize, &ItemId), usize> = HashMap::new();
        for (at, command) in open {
            let ClientCommand::Fetch(item, view) = command else { continue };
            if !self.holds(item) {
                commands.settle(at, CommandResult::NotFound);
                continue;
            }
            let number = views.iter().position(|(known, _)| *known == view).unwrap_or_else(|| {
                views.push((view, Vec::new()));
                views.len() - 1
            });
            let Some((_, wanted)) = views.get_mut(number) else { continue };
            let place = *places.entry((number, item)).or_insert_with(|| {
                wanted.push((item, Vec::new()));
                wanted.len() - 1
            });
            if let Some((_, asked)) = wanted.get_mut(place) {
                asked.push(at);
            }
        }
        for (view, wanted) in views {
            let items = wanted.iter().map(|(item, _)| (*item).clone()).collect();
            let mut reading = self.reading(items, view);
            for (_, asked) in wanted {
                let outcome = match commands.left {
                    0 => None,
                    _ => reading.next().await?.map(|(_, outcome)| outcome),
                };
                let result = match outcome {
                    None => CommandResult::Full,
                    Some(FetchOutcome::Item(mail)) => CommandResult::Fetched(mail),
                    Some(FetchOutcome::Gone) => CommandResult::NotFound,
                    Some(FetchOutcome::Unconvertible(_)) => {
                        CommandResult::Fetched(Box::new(placeholder(self.session.now, view)))
                    }
                };
                for at in asked {
                    commands.settle_within(at, &result);
                }
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
            CommandResult::Fetched(mail) => {
                self.left = self.left.saturating_sub(mail_size(mail));
                result.clone()
            }
            other => other.clone(),
        };
        self.settle(at, settled);
    }
}
