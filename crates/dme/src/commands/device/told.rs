//! What a device holds, and what it was told.

use super::One;
use crate::ask::say_line;
use crate::commands::when_millis;
use anyhow::Result;
use dme_console::api;

impl One {
    /// The folders it knows, each with what it has of it.
    pub(super) async fn folders(&self) -> Result<()> {
        let path = ["devices", &*self.user, &*self.device, "folders"];
        let folders: Vec<api::Folder> = self.server.client()?.get(&path).await?;
        if folders.is_empty() {
            say_line("it knows no folder");
        }
        for folder in folders {
            let api::Folder { folder, name, class, items, outstanding, placeholders, .. } = folder;
            let has = items.map_or_else(|| "never began".to_owned(), |has| format!("has {has}"));
            say_line(format_args!(
                "{folder}: {name} ({class}), {has}, {outstanding} to be told, {placeholders} \
                 placeholders"
            ));
        }
        Ok(())
    }

    /// What it was told lately, item by item.
    pub(super) async fn steps(&self) -> Result<()> {
        let path = ["devices", &*self.user, &*self.device, "steps"];
        let steps: Vec<api::Told> = self.server.client()?.get(&path).await?;
        if steps.is_empty() {
            say_line("it was told nothing since the server's start");
        }
        for told in steps {
            let has = told.acknowledged.map_or_else(
                || "not acknowledged".to_owned(),
                |at| format!("acknowledged {}", when_millis(at)),
            );
            say_line(format_args!(
                "folder {}: known {}, sent {}, {has} [{}]",
                told.folder,
                when_millis(told.known),
                when_millis(told.sent),
                told.request
            ));
            for (item, deed) in &told.items {
                say_line(format_args!("  {deed} {item}"));
            }
            if told.further > 0 {
                say_line(format_args!("  and {} more", told.further));
            }
        }
        Ok(())
    }
}
