//! Connectors within the server's own process.

use super::{LinkEvent, LinkState, Links, lock};
use crate::Services;
use crate::traffic::Traffic;
use dme_model::{ConnectorId, Timestamp};
use std::time::Duration;

/// One of them.
pub(super) struct Local {
    pub name: String,
    pub services: Services,
    pub since: Timestamp,
}

impl Local {
    pub fn state(&self, id: &ConnectorId) -> LinkState {
        LinkState {
            id: id.clone(),
            name: self.name.clone(),
            capabilities: self.services.capabilities(),
            realms: Some(self.services.realms.clone()),
            is_edge: false,
            software: crate::SOFTWARE.into(),
            peer: None,
            since: self.since,
            round_trip: Some(Duration::ZERO),
            traffic: Traffic::default(),
            segments: None,
            used: None,
            outstanding: 0,
            queued: 0,
            watches: 0,
            draining: false,
            exhausted: false,
            certificate: None,
        }
    }
}

impl Links {
    /// A connector within this process: no certificates, no wire, no limits but its own.
    pub fn attach_local(&self, id: ConnectorId, name: &str, services: Services) {
        let local = Local { name: name.into(), services, since: self.begins() };
        lock(&self.0.local).insert(id.clone(), local);
        self.tell(LinkEvent::Connected(id));
    }

    /// Takes a connector within this process away again.
    pub fn detach_local(&self, id: &ConnectorId) {
        if lock(&self.0.local).remove(id).is_some() {
            let reason = "it was taken away".to_owned();
            self.tell(LinkEvent::Lost { id: id.clone(), reason });
        }
    }
}
