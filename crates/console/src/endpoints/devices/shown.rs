//! A device as it is told of.

use crate::endpoints::parts::word;
use crate::language::Language;
use crate::{Console, api};
use dme_model::Timestamp;
use dme_server::elsewhere::Whereabouts;
use dme_store::{Admission, Decider, Decision, Device, Held, Hold, Wipe, WipeKind};

impl Console {
    pub(crate) fn device(&self, device: &Device) -> api::Device {
        self.device_in(device, Language::English)
    }

    /// A device, with what was decided of it in words of a language.
    pub(crate) fn device_in(&self, device: &Device, language: Language) -> api::Device {
        let kind = |kind: WipeKind| match kind {
            WipeKind::Account => "account",
            WipeKind::Device => "device",
        };
        let wipe = match device.wipe {
            Wipe::None => "none".to_owned(),
            Wipe::Requested { kind: of, .. } => format!("requested ({})", kind(of)),
            Wipe::Sent { kind: of, .. } => format!("sent ({})", kind(of)),
            Wipe::Acknowledged { kind: of, .. } => format!("acknowledged ({})", kind(of)),
        };
        let admission = match device.admission {
            Admission::Allowed => "allowed",
            Admission::Quarantined => "quarantined",
            Admission::Blocked => "blocked",
        };
        api::Device {
            user: device.key.user.to_string(),
            device: device.key.device.to_string(),
            kind: device.device_type.clone(),
            user_agent: device.user_agent.clone(),
            protocol: device.protocol.clone(),
            first_seen: device.first_seen.as_seconds(),
            last_seen: device.last_seen.as_seconds(),
            admission: admission.into(),
            wipe,
            policy: self.front.policies.has_taken(device),
            information: serde_json::from_str(&device.information).unwrap_or_default(),
            compliance: word(&self.front.policies.compliance(device)),
            decision: device.decision.as_ref().map(|one| decision(one, language)),
            hold: device.hold.as_ref().map(|one| hold(one, language)),
            waiting: self.front.pending(device).len() as u64,
            told: device.notice_sent.map(Timestamp::as_seconds),
            edge: match self.front.elsewhere.whereabouts(&device.key) {
                Whereabouts::Edge(name, _) => Some(name),
                Whereabouts::Here(_) | Whereabouts::Server => None,
            },
        }
    }
}

/// Who decided of a device's admission, in words.
fn decision(decision: &Decision, language: Language) -> String {
    let by = match &decision.by {
        Decider::Rules(Some(rule)) => language.of("by-rule", rule),
        Decider::Rules(None) => language.text("by-no-rule", &[]),
        Decider::Person(name) => language.of("by-person", name),
        Decider::Behaviour(rule) => language.of("by-behaviour", rule),
    };
    if decision.reason.is_empty() { by } else { format!("{by}: {}", decision.reason) }
}

/// How a device misbehaves, in words.
fn hold(hold: &Hold, language: Language) -> String {
    let held = match hold.held {
        Held::Slowed { until } => language.of("held-slowed", &until.to_string()),
        Held::Blocked { .. } => language.text("held-blocked", &[]),
        Held::Told => language.text("held-told", &[]),
    };
    format!("{held}, {}: {}", language.of("by-rule", &hold.rule), hold.reason)
}
