//! A client that gets all items from a DAV server by the fewest questions, one for the list and then
//! multigets, and does nothing with the answers. What a first sync takes longer is not the server's
//! alone: it is how it is asked.

use crate::items::{Items, ask, ending, members};
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
/// When the server does not give as many as there are.
pub fn read_all(items: &Items, kind: FolderType, count: usize) -> Result<Option<f64>> {
    let class = if kind == FolderType::Contacts { Class::Contacts } else { Class::Calendar };
    let user = world::large();
    let Some((port, path)) = items.dav(&user, class) else { return Ok(None) };
    let (open, data) = match class {
        Class::Contacts => ("A:addressbook-multiget", "A:address-data"),
        _ => ("C:calendar-multiget", "C:calendar-data"),
    };
    let what = format!("REPORT {path}");
    let began = Instant::now();
    let list = format!(
        "<sync-collection {PREFIXES}><sync-token/><sync-level>1</sync-level>\
         <prop><getetag/></prop></sync-collection>"
    );
    let listed = members(&ask(port, &what, &user, &list)?, ending(class));
    let mut came = 0;
    for batch in listed.chunks(BATCH) {
        let mut hrefs = String::new();
        for member in batch {
            write!(hrefs, "<href>{member}</href>")?;
        }
        let question =
            format!("<{open} {PREFIXES}><prop><getetag/><{data}/></prop>{hrefs}</{open}>");
        came += members(&ask(port, &what, &user, &question)?, ending(class)).len();
    }
    ensure!(came == count, "{came} items came instead of {count}");
    Ok(Some(came as f64 / began.elapsed().as_secs_f64()))
}
