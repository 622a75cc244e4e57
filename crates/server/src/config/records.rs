//! The settings of what is kept of what happened, and of whom it is told.

use super::problems::Problems;
use crate::records::EventKind;
use crate::records::webhooks::Target;
use dme_model::{Secret, Span, within};
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

const DAY: u64 = 86_400;
/// The shortest secret of a webhook.
const SECRET: usize = 16;

/// What is kept of what happened, and for how long. The record of administrators' acts is kept for
/// ever.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordsConfig {
    /// How long events are kept.
    pub events_for: Span,
    /// How many events are kept; the oldest go.
    pub events: u64,
    /// How long statistics are kept by the hour; then they are by the day.
    pub statistics_hours_for: Span,
    /// How long statistics are kept.
    pub statistics_for: Span,
    /// How often connectors are asked to countersign the record of acts, beside when they link.
    pub countersign_every: Span,
}

impl Default for RecordsConfig {
    fn default() -> Self {
        Self {
            events_for: Span::seconds(90 * DAY),
            events: 1_000_000,
            statistics_hours_for: Span::seconds(7 * DAY),
            statistics_for: Span::seconds(400 * DAY),
            countersign_every: Span::seconds(3_600),
        }
    }
}

/// Somebody who is told of events by HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where each event is sent to, by POST.
    pub url: String,
    /// With what each is signed.
    pub secret: Secret,
    /// The kinds of events.
    pub kinds: Vec<String>,
    /// PEM file of the authorities that may have signed the receiver's certificate, in the place of
    /// the system's.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// Networks of our own that the URL may lead into.
    #[serde(default)]
    pub allow_networks: Vec<IpNet>,
    /// No TLS.
    #[serde(default)]
    pub plain_http: bool,
}

pub(super) fn check(
    records: &RecordsConfig,
    webhooks: &BTreeMap<String, WebhookConfig>,
    found: &mut Problems,
) {
    let days = |days: u64| Span::seconds(days * DAY);
    found.span("records.events_for", records.events_for, days(1), days(3650));
    found.see(within("records.events", records.events, 1_000..=100_000_000));
    let hours = records.statistics_hours_for;
    found.span("records.statistics_hours_for", hours, days(1), days(100));
    found.span("records.statistics_for", records.statistics_for, hours, days(3650));
    let every = records.countersign_every;
    found.span("records.countersign_every", every, Span::seconds(60), days(7));
    for (name, webhook) in webhooks {
        if let Err(what) = Target::parse(&webhook.url, webhook.plain_http) {
            found.say(format!("webhooks.{name}.url {what}"));
        }
        if webhook.secret.expose().len() < SECRET {
            found.say(format!("webhooks.{name}.secret has less than {SECRET} signs"));
        }
        if webhook.kinds.is_empty() {
            found.say(format!("webhooks.{name}.kinds: at least one kind of event is needed"));
        }
        for kind in webhook.kinds.iter().filter(|kind| EventKind::named(kind).is_none()) {
            found.say(format!(
                "webhooks.{name}.kinds: no kind of event is called {kind}; `dme log kinds` tells all"
            ));
        }
    }
}
