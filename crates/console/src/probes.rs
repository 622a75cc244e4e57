//! What monitoring asks, without a token: alive, ready, counts.

use crate::{Console, api, reply};
use dme_server::site::SiteBody;
use http::{Response, StatusCode};

/// What `prometheus-client` writes is OpenMetrics.
const COUNTS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Console {
    /// The answer to a probe; none where it is none.
    pub(crate) async fn probe(&self, path: &str) -> Option<Response<SiteBody>> {
        match path {
            "/healthz" => Some(reply::answer("text/plain; charset=utf-8", "ok\n")),
            "/readyz" => Some(self.ready().await),
            "/metrics" => Some(self.metrics().await),
            _ => None,
        }
    }

    /// Ready when phones can be served: the database answers, each realm's groups are known and let
    /// somebody in, a connector is linked.
    async fn ready(&self) -> Response<SiteBody> {
        let mut missing = Vec::new();
        if let Err(error) = self.front.store.health().await {
            missing.push(error.to_string());
        }
        for realm in self.front.gate.states() {
            if realm.groups_as_of.is_none() {
                let why = realm.trouble.map_or_else(String::new, |error| format!(": {error}"));
                missing.push(format!("the groups of realm {} are not known yet{why}", realm.realm));
            }
            if realm.admits_nobody {
                let wrong: Vec<String> =
                    realm.wrong_groups.iter().map(ToString::to_string).collect();
                let wrong = wrong.join("; ");
                missing.push(format!("nobody of realm {} may in: {wrong}", realm.realm));
            }
        }
        if self.links.connectors().is_empty() {
            missing.push("no connector is linked".into());
        }
        let ready = missing.is_empty();
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        reply::with_status(reply::json(&api::Ready { ready, missing }), status)
    }

    async fn metrics(&self) -> Response<SiteBody> {
        self.front.metrics.carried(&self.links.connectors());
        self.front.metrics.events_dropped(self.front.events.dropped());
        match self.front.connectors.standings((self.front.clock)()).await {
            Ok(all) => self.front.metrics.stand(&all),
            Err(error) => tracing::warn!(%error, "the connectors could not be read"),
        }
        reply::answer(COUNTS, self.front.metrics.to_text())
    }
}
