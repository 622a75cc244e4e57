//! What is set of a connector.

use crate::language::Language;
use crate::{Console, Refusal, api};
use dme_link::{ConnectorRecord, ConnectorState};
use dme_model::{Function, UserId};
use dme_server::connectors::{ConnectorSettings, EdgeLease, Scope, SettingsProblem, Tier};
use dme_server::records::audit::changed;

impl Console {
    /// What is set of a connector, where, and what holds all told.
    pub(crate) async fn connector_settings(&self, name: &str) -> Result<api::Settings, Refusal> {
        self.known_name(name).await?;
        let (configured, set, version) = self.front.connectors.settings(name).await?;
        let all = self.front.connectors.effective(name);
        let effective = ConnectorSettings {
            scope: Some((*all.scope).clone()),
            logins: Some((*all.logins).clone()),
            tier: Some(all.tier),
            off: Some(all.off.clone()),
            parallel_calls: Some(all.limits.parallel),
            queued_calls: Some(all.limits.queue),
            drain: Some(all.drain),
            edge: Some(all.edge),
        };
        // The one in this process is in no book: its services are in the server's own file.
        let configuration = match self.enrolled(name).await {
            Ok(record) => Some(self.configuration_of(&record.id).await?),
            Err(_) => None,
        };
        let name = name.to_owned();
        let wrong_scope = self.wrong_scope(&name, Language::English);
        Ok(api::Settings { name, version, configured, set, effective, wrong_scope, configuration })
    }

    /// Sets some of a connector's settings; the others stay.
    pub(crate) async fn set_connector(
        &self,
        name: &str,
        change: api::SettingsChange,
    ) -> Result<api::Settings, Refusal> {
        self.known_name(name).await?;
        let api::SettingsChange { reset, mut settings } = change;
        if let Some(problem) = settings.problem() {
            return Err(Refusal::bad(problem.to_string()).said(said(problem), ""));
        }
        for users in [&mut settings.scope, &mut settings.logins].into_iter().flatten() {
            let Scope::Users(users) = users else { continue };
            // As they are known to the server: else nobody would be who was meant.
            let canonical = users.iter().map(|user| self.resolve(user.as_str()));
            *users = canonical.collect::<Result<_, _>>()?;
        }
        let before = match reset {
            true => ConnectorSettings::default(),
            false => self.front.connectors.settings(name).await?.1,
        };
        let after = before.then(&settings);
        let was = self.front.connectors.settings(name).await?.1;
        let text = |settings| serde_json::to_string(settings).ok();
        changed("settings", text(&was), text(&after));
        self.put_settings(name, &after).await
    }

    /// Sets all of a connector's settings but whether it is drained. What is the same as in the
    /// configuration is left to that.
    pub(crate) async fn edit_connector(
        &self,
        name: &str,
        edit: api::ConnectorEdit,
    ) -> Result<api::Settings, Refusal> {
        self.known_name(name).await?;
        let (configured, was, _) = self.front.connectors.settings(name).await?;
        let tier = match edit.tier.as_str() {
            "primary" => Tier::Primary,
            "failover" => Tier::Failover,
            other => return Err(Refusal::wrong("no-tier", other)),
        };
        let functions = edit
            .off
            .iter()
            .map(|name| Function::named(name).ok_or_else(|| Refusal::wrong("no-function", name)));
        let scoped = scope(&edit.scope, edit.scope_names.as_deref())?;
        let logins = match edit.logins.as_str() {
            // Those of its scope, which nobody has to say unless the configuration says others.
            "scope" => configured.logins.is_some().then(|| scoped.clone()),
            word => Some(scope(word, edit.logins_names.as_deref())?),
        };
        let off = functions.collect::<Result<_, _>>()?;
        let held = self.front.connectors.configured(&configured);
        let edge = match edit.edge.as_deref().map(str::trim) {
            None => self.front.connectors.effective(name).edge,
            Some("") => EdgeLease::Off,
            Some(lease) => lease.parse().map_err(|_| Refusal::wrong("no-lease", lease))?,
        };
        let settings = ConnectorSettings {
            scope: (scoped != *held.scope).then_some(scoped),
            logins: logins.filter(|logins| configured.logins.as_ref() != Some(logins)),
            tier: (tier != held.tier).then_some(tier),
            off: (off != held.off).then_some(off),
            parallel_calls: edit.parallel_calls.filter(|calls| *calls != held.limits.parallel),
            queued_calls: edit.queued_calls.filter(|calls| *calls != held.limits.queue),
            drain: was.drain,
            edge: (edge != held.edge).then_some(edge),
        };
        self.set_connector(name, api::SettingsChange { reset: true, settings }).await
    }

    /// Gives a connector nothing new, or work again.
    pub(crate) async fn drain(&self, name: &str, drain: bool) -> Result<api::Settings, Refusal> {
        let settings = ConnectorSettings { drain: Some(drain), ..ConnectorSettings::default() };
        self.set_connector(name, api::SettingsChange { reset: false, settings }).await
    }

    async fn put_settings(
        &self,
        name: &str,
        settings: &ConnectorSettings,
    ) -> Result<api::Settings, Refusal> {
        let now = (self.front.clock)();
        let version = self.front.connectors.set_settings(name, settings, now).await?;
        tracing::info!(connector = name, version, ?settings, "settings changed");
        self.connector_settings(name).await
    }

    /// Settings are of names: one that nobody has is a slip of the hand.
    async fn known_name(&self, name: &str) -> Result<(), Refusal> {
        if self.links.connectors().iter().any(|link| link.name == name) {
            return Ok(());
        }
        // Also one that is not unlocked yet: whom it may serve is best said before.
        let records = self.links.registrar().book().list().await.map_err(Refusal::failed)?;
        let known =
            |one: &ConnectorRecord| one.name == name && one.state != ConnectorState::Removed;
        match records.iter().any(known) {
            true => Ok(()),
            false => Err(Refusal::lacks("no-connector-named", name)),
        }
    }
}

/// Users or a group as a form has them.
fn scope(word: &str, names: Option<&str>) -> Result<Scope, Refusal> {
    let names = names.unwrap_or_default();
    match word {
        "everyone" => Ok(Scope::Everyone),
        "group" => Ok(Scope::Group(names.trim().to_owned())),
        "users" => {
            let users = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            Ok(Scope::Users(users.map(UserId::from).collect()))
        }
        other => Err(Refusal::wrong("no-scope", other)),
    }
}

/// The text that says on pages what makes no sense.
const fn said(problem: SettingsProblem) -> &'static str {
    match problem {
        SettingsProblem::NoCalls => "settings-no-calls",
        SettingsProblem::NoGroup => "settings-no-group",
        SettingsProblem::PartsOfUsers => "settings-parts-of-users",
    }
}
