//! What happens by itself: links that come and go, directories and mail systems that fail,
//! certificates that end.

use super::events::Events;
use super::happened::{EventKind, Happened, name_or_id};
use crate::connectors::{Connectors, Turn};
use crate::front::Clock;
use dme_directory::Gate;
use dme_link::LinkEvent;
use dme_model::{Realm, Timestamp};
use dme_store::Level;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// How often directories are looked at.
const OFTEN: Duration = Duration::from_secs(60);
/// How often it is looked at how the systems behind connectors fare: as often as connectors tell.
const SYSTEMS: Duration = Duration::from_secs(15);
/// How often certificates are.
const CERTIFICATES: Duration = Duration::from_secs(6 * 3600);
/// How long before its end a certificate is told of.
const ENDS_SOON: Duration = Duration::from_secs(14 * 86_400);

/// What is looked at.
pub(crate) struct Lookout {
    pub events: Events,
    pub gate: Arc<Gate>,
    pub connectors: Arc<Connectors>,
    pub clock: Clock,
    /// The phones' certificate, where an administrator keeps it.
    pub certificate: Option<PathBuf>,
}

/// Notes what happens, as long as it is polled.
pub(crate) async fn look_out(lookout: Lookout) {
    let mut links = lookout.connectors.links().subscribe();
    let mut often = tokio::time::interval(OFTEN);
    let mut systems = tokio::time::interval(SYSTEMS);
    let mut certificates = tokio::time::interval(CERTIFICATES);
    let mut troubled = BTreeSet::new();
    loop {
        tokio::select! {
            event = links.recv() => match event {
                Ok(event) => lookout.link(event),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            _ = often.tick() => lookout.directories(&mut troubled),
            _ = systems.tick() => lookout.systems(),
            _ = certificates.tick() => lookout.certificates().await,
        }
    }
}

impl Lookout {
    fn link(&self, event: LinkEvent) {
        match event {
            LinkEvent::Connected(id) => {
                let Some(link) = self.connectors.links().connector(&id) else { return };
                let Some(peer) = &link.peer else { return };
                let name = name_or_id(&link.name, &id);
                let words = format!("connector {name} is linked");
                let happened = Happened::new(EventKind::ConnectorLinked, words).connector(&name);
                self.events.note(happened.detail("peer", peer).detail("release", &link.software));
            }
            LinkEvent::Lost { id, reason } => {
                let name = self.connectors.name(&id);
                let words = format!("connector {name} is not linked any more: {reason}");
                // One that hung up until its next hours is no trouble.
                let away = self.connectors.links().away().contains_key(&id);
                let level = if away { Level::Info } else { Level::Warning };
                let happened = Happened::new(EventKind::ConnectorLost, words).connector(&name);
                self.events.note(happened.level(level));
            }
            LinkEvent::News(_) => {}
        }
    }

    fn directories(&self, troubled: &mut BTreeSet<Realm>) {
        for state in self.gate.states() {
            let realm = state.realm;
            match state.trouble {
                Some(error) if troubled.insert(realm.clone()) => {
                    let words = format!("the directory of {realm} cannot be read: {error}");
                    let happened = Happened::new(EventKind::DirectoryTrouble, words);
                    self.events.note(happened.detail("realm", &realm));
                }
                None if troubled.remove(&realm) => {
                    let words = format!("the directory of {realm} can be read again");
                    let happened = Happened::new(EventKind::DirectoryBack, words);
                    self.events.note(happened.detail("realm", &realm));
                }
                _ => {}
            }
        }
    }

    fn systems(&self) {
        for turn in self.connectors.look() {
            let (kind, id, failing, how) = match &turn {
                Turn::Fails(id, failing) => {
                    (EventKind::BackendFailing, id, failing, "fails most calls")
                }
                Turn::Answers(id, failing) => {
                    (EventKind::BackendBack, id, failing, "answers again")
                }
            };
            let name = self.connectors.name(id);
            let (backend, function) = (&failing.backend, &failing.function);
            let words = format!("{backend} for {function} behind connector {name} {how}");
            let words = match kind {
                EventKind::BackendFailing => format!("{words}: {}", failing.error),
                _ => words,
            };
            let happened = Happened::new(kind, words).connector(&name).detail("backend", backend);
            let happened = happened.detail("function", function).detail("since", failing.since);
            self.events.note(happened);
        }
    }

    async fn certificates(&self) {
        let now = (self.clock)();
        let mut ends = BTreeMap::new();
        for link in self.connectors.links().connectors() {
            if let Some(certificate) = link.certificate {
                let life = Duration::from_secs(
                    u64::try_from(certificate.ends.saturating_sub(certificate.made)).unwrap_or(0),
                );
                // A link's renews itself at two thirds: at nine tenths something is wrong.
                let name = name_or_id(&link.name, &link.id);
                let what = format!("the link's certificate of connector {name}");
                ends.insert(what, (certificate.ends, life / 10, name));
            }
        }
        if let Some(path) = self.certificate.clone() {
            let read = tokio::task::spawn_blocking(move || crate::tls::ends(&path)).await;
            if let Ok(Some(end)) = read {
                ends.insert("the phones' certificate".into(), (end, ENDS_SOON, String::new()));
            }
        }
        for (what, (end, soon, connector)) in ends {
            let end = Timestamp::from_seconds(end);
            if now.plus(soon) >= end {
                let (words, level) = if now >= end {
                    (format!("{what} has ended ({end})"), Level::Error)
                } else {
                    (format!("{what} ends {end}"), Level::Warning)
                };
                let happened = Happened::new(EventKind::CertificateEnds, words).level(level);
                self.events.note(happened.connector(&connector).detail("ends", end));
            }
        }
    }
}
