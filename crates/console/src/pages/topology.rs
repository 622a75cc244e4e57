//! The whole at a glance: the server, its connectors and how each stands, what is behind them. Drawn
//! for the eye, and told as a list to everybody.

use super::{Frame, Visit, html, path};
use crate::{Console, Refusal, api};
use askama::Template;
use dme_server::connectors::Scope;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How high a connector is drawn, with the space to the next.
const STEP: usize = 92;
/// The letters of a name in a box; longer ones are cut.
const LETTERS: usize = 30;
/// The letters of a line of functions.
const LINE: usize = 38;
/// The lines of a box.
const LINES: usize = 4;

#[derive(Template)]
#[template(path = "topology.html")]
struct Topology {
    frame: Frame,
    /// The server, as phones call it.
    host: String,
    devices: usize,
    connectors: Vec<Drawn>,
    /// How high all is drawn, and where the server's middle is.
    height: usize,
    middle: usize,
    realms: Vec<api::Realm>,
    /// Realms that no linked connector is the source of.
    orphans: Vec<String>,
}

/// A connector and its place.
struct Drawn {
    connector: api::Connector,
    href: String,
    name: String,
    y: usize,
    tier: String,
    scope: String,
    functions: String,
    realms: String,
    /// What is behind it, as lines that fit into a box.
    lines: Vec<String>,
}

impl Drawn {
    /// Where its middle is.
    fn middle(&self) -> usize {
        self.y + (STEP - 16) / 2
    }
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let counted = api::DeviceQuery { limit: Some(0), ..api::DeviceQuery::default() };
    let devices = console.find_devices(&visit.principal, &counted).await?.tally.all();
    let all = visit.sees_all();
    let realms = if all { console.list_realms(visit.frame.look.language) } else { Vec::new() };
    let frame = visit.frame;
    let offers = console.front.connectors.all().into_iter();
    let offered: BTreeMap<String, String> = offers.map(|one| offer(&frame, one)).collect();
    let mut connectors = Vec::new();
    let listed = console.list_connectors(&visit.principal, frame.look.language).await?;
    for connector in listed {
        if connector.state == "removed" {
            continue;
        }
        let set = console.front.connectors.effective(&connector.name);
        let of = |realm: &&api::Realm| realm.sources.contains(&connector.name);
        let own: Vec<String> = realms.iter().filter(of).map(|realm| realm.realm.clone()).collect();
        let functions = offered.get(&connector.name).cloned().unwrap_or_else(|| "–".to_owned());
        connectors.push(Drawn {
            href: path(&["connectors", &connector.name]),
            name: cut(&connector.name),
            y: 8 + connectors.len() * STEP,
            tier: frame.t(&set.tier.to_string()),
            scope: match &*set.scope {
                Scope::Everyone => frame.t("scope-everyone"),
                Scope::Group(group) => format!("{} {group}", frame.t("scope-group")),
                Scope::Users(users) => frame.n("users-found", users.len()),
            },
            lines: lines(&functions, &own.join(", ")),
            functions,
            realms: own.join(", "),
            connector,
        });
    }
    let height = (connectors.len().max(1)) * STEP + 8;
    let orphans = realms.iter().filter(|realm| realm.sources.is_empty());
    html(&Topology {
        host: cut(&console.front.host),
        devices: usize::try_from(devices).unwrap_or(usize::MAX),
        orphans: orphans.map(|realm| realm.realm.clone()).collect(),
        middle: height / 2,
        height,
        connectors,
        realms,
        frame,
    })
}

/// A text that fits into a box.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LETTERS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Functions, parted where a line is full, and realms.
fn lines(functions: &str, realms: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in functions.split_inclusive(", ") {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() <= LINE => line.push_str(word),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.truncate(LINES - 1);
    if !realms.is_empty() {
        lines.push(cut(realms));
    }
    lines
}

/// What a connector offers, or offered when it was last linked.
fn offer(frame: &Frame, endpoint: dme_server::connectors::Endpoint) -> (String, String) {
    let functions = endpoint.offer.functions().map(|one| one.as_str().to_owned());
    (endpoint.name, frame.functions(&functions.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_parted_between_words_and_long_names_are_cut() {
        let all = "authentication, directory, mail, calendar, contacts, tasks, notes, search";
        assert_eq!(
            lines(all, "example.org"),
            [
                "authentication, directory, mail, ",
                "calendar, contacts, tasks, notes, ",
                "search",
                "example.org"
            ]
        );
        assert_eq!(lines("mail", ""), ["mail"]);
        assert_eq!(cut(&"ü".repeat(31)), format!("{}…", "ü".repeat(30)));
        assert_eq!(cut("short"), "short");
    }
}
