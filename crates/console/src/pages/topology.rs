//! The whole at a glance: the server, its connectors and how each stands, what is behind them. Drawn
//! for the eye, and told as a list to everybody.

use super::{Frame, Visit, html, path};
use crate::{Console, Refusal, api};
use askama::Template;
use dme_server::connectors::Scope;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How high a connector is drawn, with the space to the next.
const STEP: usize = 92;
/// The letters of a line in a box; longer ones are cut.
const LETTERS: usize = 30;

#[derive(Template)]
#[template(path = "topology.html")]
struct Topology {
    frame: Frame,
    /// The server, as phones call it.
    host: String,
    devices: u64,
    connectors: Vec<Drawn>,
    /// How high all is drawn, and where the server's middle is.
    height: usize,
    middle: usize,
    realms: Vec<api::Realm>,
    /// Realms that no linked connector is the source of.
    orphans: Vec<String>,
}

impl Topology {
    /// A text that fits into a box.
    fn cut(&self, text: &str) -> String {
        match text.char_indices().nth(LETTERS) {
            Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
            None => text.to_owned(),
        }
    }
}

/// A connector and its place.
struct Drawn {
    connector: api::Connector,
    href: String,
    y: usize,
    tier: String,
    scope: String,
    functions: String,
    realms: String,
}

impl Drawn {
    /// Where its middle is.
    fn middle(&self) -> usize {
        self.y + (STEP - 16) / 2
    }
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let figures = console.device_figures(&visit.principal).await?;
    let all = visit.sees_all();
    let realms = if all { console.list_realms() } else { Vec::new() };
    let offered: BTreeMap<String, String> =
        console.front.connectors.all().into_iter().map(offer).collect();
    let frame = visit.frame;
    let mut sourced = BTreeSet::new();
    let mut connectors = Vec::new();
    for connector in console.list_connectors(&visit.principal).await? {
        if connector.state == "removed" {
            continue;
        }
        let set = console.front.connectors.effective(&connector.name);
        let of = |realm: &&api::Realm| realm.sources.contains(&connector.name);
        let own: Vec<String> = realms.iter().filter(of).map(|realm| realm.realm.clone()).collect();
        sourced.extend(own.iter().cloned());
        connectors.push(Drawn {
            href: path(&["connectors", &connector.name]),
            y: 8 + connectors.len() * STEP,
            tier: frame.t(&set.tier.to_string()),
            scope: match &*set.scope {
                Scope::Everyone => frame.t("scope-everyone"),
                Scope::Group(group) => format!("{} {group}", frame.t("scope-group")),
                Scope::Users(users) => frame.n("users-found", users.len()),
            },
            functions: offered.get(&connector.name).cloned().unwrap_or_default(),
            realms: own.join(", "),
            connector,
        });
    }
    let height = (connectors.len().max(1)) * STEP + 8;
    let orphans = realms.iter().filter(|realm| !sourced.contains(&realm.realm));
    html(&Topology {
        host: console.front.host.clone(),
        devices: figures.tally.all(),
        orphans: orphans.map(|realm| realm.realm.clone()).collect(),
        middle: height / 2,
        height,
        connectors,
        realms,
        frame,
    })
}

/// What a connector offers, or offered when it was last linked.
fn offer(endpoint: dme_server::connectors::Endpoint) -> (String, String) {
    let functions: Vec<&str> =
        endpoint.offer.functions().map(dme_model::Function::as_str).collect();
    (endpoint.name, functions.join(", "))
}
