//! A client that gets all items from Radicale by the fewest questions, one for the list and then
//! multigets, and does nothing with the answers. What a first sync takes longer is not Radicale's
//! alone: it is how it is asked.

use crate::items::{Items, ask};
use crate::world;
use anyhow::{Result, ensure};
use dme_eas::folder_sync::FolderType;
use dme_model::Class;
use std::fmt::Write;
use std::time::Instant;

/// Items asked for at once, as by the connector.
const BATCH: usize = 50;
const PREFIXES: &str = "xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" \
    xmlns:A=\"urn:ietf:params:xml:ns:carddav\"";

/// Reads all items of a kind; answers how many came in a second. None for local files.
///
/// # Errors
/// When Radicale does not give them.
pub fn read_all(items: &Items, kind: FolderType) -> Result<Option<f64>> {
    let Items::Radicale(radicale) = items else { return Ok(None) };
    let (class, name, ending) = match kind {
        FolderType::Contacts => (Class::Contacts, "contacts", ".vcf"),
        _ => (Class::Calendar, "calendar", ".ics"),
    };
    let (open, data) = match class {
        Class::Contacts => ("A:addressbook-multiget", "A:address-data"),
        _ => ("C:calendar-multiget", "C:calendar-data"),
    };
    let user = world::large();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(items.directory(&user, class))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        files.extend(Some(file).filter(|file| file.ends_with(ending)));
    }
    let what = format!("REPORT /{user}/{name}/");
    let began = Instant::now();
    let list = format!(
        "<sync-collection {PREFIXES}><sync-token/><sync-level>1</sync-level>\
         <prop><getetag/></prop></sync-collection>"
    );
    let listed = ask(radicale.port, &what, &user, &list)?;
    ensure!(listed.matches("<response>").count() >= files.len(), "Radicale listed too few");
    let mut came = 0;
    for batch in files.chunks(BATCH) {
        let mut hrefs = String::new();
        for file in batch {
            write!(hrefs, "<href>/{user}/{name}/{file}</href>")?;
        }
        let question =
            format!("<{open} {PREFIXES}><prop><getetag/><{data}/></prop>{hrefs}</{open}>");
        came += ask(radicale.port, &what, &user, &question)?.matches("<response>").count();
    }
    ensure!(came == files.len(), "{came} items came instead of {}", files.len());
    Ok(Some(came as f64 / began.elapsed().as_secs_f64()))
}
