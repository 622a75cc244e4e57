//! What connectors are to serve, and how they are. Their secrets come sealed: they are never
//! readable here.

use crate::{Console, Refusal, api};
use dme_link::{ConnectorRecord, ConnectorState, NotAnswered};
use dme_model::{ConnectorId, Timestamp};
use dme_server::records::audit::changed;
use http::StatusCode;
use std::time::Duration;

/// How long a diagnosis may take: less than whoever asks for it waits.
const DIAGNOSIS: Duration = Duration::from_secs(50);

impl Console {
    /// The one connector of this name or id that was not removed.
    pub(crate) async fn enrolled(&self, name: &str) -> Result<ConnectorRecord, Refusal> {
        let records = self.links.registrar().book().list().await.map_err(Refusal::failed)?;
        let mut found = records.into_iter().filter(|record| {
            record.state != ConnectorState::Removed
                && (record.name == name || record.id.as_str() == name)
        });
        match (found.next(), found.next()) {
            (Some(record), None) => Ok(record),
            (None, _) => Err(Refusal::lacks("no-connector-named", name)),
            (Some(_), Some(_)) => Err(Refusal::clash("several-connectors", name)),
        }
    }

    /// What is wanted of a connector and what it says of it.
    pub(crate) async fn configuration(&self, name: &str) -> Result<api::Configuration, Refusal> {
        let id = self.enrolled(name).await?.id;
        self.configuration_of(&id).await
    }

    pub(crate) async fn configuration_of(
        &self,
        id: &ConnectorId,
    ) -> Result<api::Configuration, Refusal> {
        let store = &self.front.store;
        let wanted = store.configuration(id).await?;
        let report = store.configuration_report(id).await?;
        let refused = report.as_ref().and_then(|(report, _)| report.refused.as_ref());
        Ok(api::Configuration {
            linked: self.links.is_linked(id),
            serves: self.links.capabilities(id).map(|offer| offer.functions().next().is_some()),
            key: report.as_ref().map(|(report, _)| report.key.to_string()),
            key_fingerprint: report.as_ref().map(|(report, _)| report.key.fingerprint().grouped()),
            in_force: report.as_ref().and_then(|(report, _)| report.in_force),
            refused: refused.map(|refused| refused.version),
            reason: refused.map(|refused| refused.reason.clone()),
            reported: report.as_ref().map(|(_, reported)| reported.as_seconds()),
            wanted: wanted.as_ref().map(|(wanted, _)| wanted.version),
            changed: wanted.as_ref().map(|(_, changed)| changed.as_seconds()),
            text: wanted.map(|(wanted, _)| wanted.text),
        })
    }

    /// Wants this of a connector from now on, and sends it where it is linked.
    pub(crate) async fn configure(
        &self,
        name: &str,
        new: api::NewConfiguration,
    ) -> Result<api::Configuration, Refusal> {
        let id = self.enrolled(name).await?.id;
        let now = self.configuration_of(&id).await?;
        if now.key.as_ref() != Some(&new.key) {
            return Err(Refusal::clash("other-sealing-key", name));
        }
        let moment: Timestamp = (self.front.clock)();
        let store = &self.front.store;
        let version = store.put_configuration(&id, new.text, new.sealed, moment).await?;
        changed("version", None, Some(version.to_string()));
        tracing::info!(connector = name, %id, version, "configuration wanted");
        self.links.configure(&id).await.map_err(Refusal::failed)?;
        self.configuration_of(&id).await
    }

    /// Takes back what is wanted of a connector, which serves on by what it has.
    pub(crate) async fn withdraw(&self, name: &str) -> Result<api::Configuration, Refusal> {
        let id = self.enrolled(name).await?.id;
        if !self.front.store.withdraw_configuration(&id).await? {
            return Err(Refusal::lacks("no-configuration", name));
        }
        tracing::info!(connector = name, %id, "configuration withdrawn");
        self.configuration_of(&id).await
    }

    /// Has a connector try out all that it depends on.
    pub(crate) async fn diagnose(&self, name: &str) -> Result<api::Diagnosed, Refusal> {
        let id = self.enrolled(name).await?.id;
        match self.links.diagnose(&id, DIAGNOSIS).await {
            Ok(diagnosis) => {
                let now = (self.front.clock)();
                self.front.store.put_diagnosis(&id, &diagnosis, now).await?;
                Ok(api::Diagnosed(diagnosis))
            }
            Err(why) => {
                let words = format!("{name}: {why}");
                let (status, text, said) = match why {
                    NotAnswered::Unsupported => {
                        (StatusCode::NOT_IMPLEMENTED, "diagnosis-unsupported", String::new())
                    }
                    NotAnswered::Unavailable(said) => {
                        (StatusCode::CONFLICT, "diagnosis-unavailable", said)
                    }
                    NotAnswered::Late(said) => (StatusCode::BAD_GATEWAY, "diagnosis-late", said),
                    NotAnswered::Unreadable(said) => {
                        (StatusCode::BAD_GATEWAY, "diagnosis-unreadable", said)
                    }
                };
                Err(Refusal::new(status, words).said(text, said))
            }
        }
    }

    /// What a connector found out when it was last asked to.
    pub(crate) async fn diagnosis(&self, name: &str) -> Result<api::LastDiagnosis, Refusal> {
        let id = self.enrolled(name).await?.id;
        let last = self.front.store.diagnosis(&id).await?;
        Ok(api::LastDiagnosis {
            made: last.as_ref().map(|(_, made)| made.as_seconds()),
            diagnosis: last.map(|(diagnosis, _)| api::Diagnosed(diagnosis)),
        })
    }
}
