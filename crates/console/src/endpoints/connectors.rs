//! Connectors: list, tokens, unlock, lock, remove.

use crate::language::Language;
use crate::principal::{Allowed, Duty, Principal};
use crate::{Console, Refusal, api};
use dme_link::{Approval, ConnectorRecord, ConnectorState, Enrolment, Kind, LinkState, Measured};
use dme_model::{Function, Timestamp, UserId};
use dme_server::connectors::{ConnectorSettings, Reason, Scope, Standing, Tier};
use dme_server::records::audit::changed;
use http::StatusCode;
use std::time::Duration;

/// The longest a token may be good for.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// The longest a code may be good for: it is short, and may be overheard.
const LONGEST_CODE: Duration = Duration::from_secs(3_600);

impl Console {
    pub(crate) async fn list_connectors(
        &self,
        principal: &Principal,
        language: Language,
    ) -> Result<Vec<api::Connector>, Refusal> {
        let all = self.front.connectors.standings((self.front.clock)()).await?;
        let seen = |one: &&Standing| match principal.may(Duty::See) {
            Allowed::Everywhere => true,
            Allowed::Within(boundaries) => boundaries.connectors.contains(&one.name),
            Allowed::No => false,
        };
        let mut shown: Vec<_> =
            all.iter().filter(seen).map(|one| self.connector(one, language)).collect();
        // Read once for all of them: there may be a thousand.
        for waiting in self.front.store.connector_orders().await? {
            let id = waiting.connector.as_str();
            if let Some(one) = shown.iter_mut().find(|one| one.id == id) {
                one.waiting.push(api::ConnectorOrder::from(waiting));
            }
        }
        Ok(shown)
    }

    pub(crate) async fn issue_token(
        &self,
        new: api::NewToken,
    ) -> Result<api::IssuedToken, Refusal> {
        if self.link_addresses.is_empty() {
            return Err(Refusal::wrong("no-link-port", ""));
        }
        let valid = Duration::from_secs(new.valid_seconds);
        if valid.is_zero() || valid > LONGEST {
            return Err(Refusal::wrong("token-time", ""));
        }
        let sound = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if new.name.is_empty() || new.name.len() > 64 || !new.name.chars().all(sound) {
            return Err(Refusal::wrong("connector-name", ""));
        }
        let known = self.links.registrar().book().list().await.map_err(Refusal::failed)?;
        let taken = |one: &ConnectorRecord| {
            one.state != ConnectorState::Removed
                && (one.name == new.name || one.id.as_str() == new.name)
        };
        if known.iter().any(taken) {
            return Err(Refusal::wrong("connector-there", new.name));
        }
        let approval = if new.approved { Approval::Given } else { Approval::Needed };
        let registrar = self.links.registrar();
        let servers = self.link_addresses.clone();
        let token = registrar.issue_token(&new.name, servers, approval, valid).await;
        let token = token.map_err(Refusal::failed)?.to_text();
        changed("token", None, Some(new.name.clone()));
        changed("approved", None, Some(new.approved.to_string()));
        changed("valid_seconds", None, Some(new.valid_seconds.to_string()));
        tracing::info!(connector = new.name, approved = new.approved, "token issued");
        Ok(api::IssuedToken { token })
    }

    /// A code for a connector that has to be known again.
    pub(crate) async fn issue_code(
        &self,
        name: &str,
        new: api::NewCode,
    ) -> Result<api::IssuedCode, Refusal> {
        let valid = Duration::from_secs(new.valid_seconds);
        if valid.is_zero() || valid > LONGEST_CODE {
            return Err(Refusal::wrong("code-time", ""));
        }
        let record = self.enrolled(name).await?;
        let code = self.links.registrar().issue_code(&record.id, valid).await;
        let code = code.map_err(Refusal::failed)?.to_text();
        tracing::info!(connector = record.name, id = %record.id, "code issued");
        Ok(api::IssuedCode { code })
    }

    pub(crate) async fn list_tokens(&self) -> Result<Vec<api::Token>, Refusal> {
        let now = (self.front.clock)();
        let all = self.links.registrar().enrolments().list().await.map_err(Refusal::failed)?;
        Ok(all.into_iter().map(|one| token(one, now)).collect())
    }

    /// Takes back the tokens of this name that nobody used yet.
    pub(crate) async fn revoke_tokens(&self, name: &str) -> Result<Vec<api::Token>, Refusal> {
        let enrolments = self.links.registrar().enrolments();
        let all = enrolments.list().await.map_err(Refusal::failed)?;
        let now = (self.front.clock)();
        let (gone, _): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.name == name && one.used_by.is_none());
        if gone.is_empty() {
            return Err(Refusal::lacks("no-unused-token", name));
        }
        enrolments.revoke(name).await.map_err(Refusal::failed)?;
        tracing::info!(connector = name, tokens = gone.len(), "tokens revoked");
        Ok(gone.into_iter().map(|one| token(one, now)).collect())
    }

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
        };
        // The one in this process is in no book: its services are in the server's own file.
        let configuration = match self.enrolled(name).await {
            Ok(record) => Some(self.configuration_of(&record.id).await?),
            Err(_) => None,
        };
        let name = name.to_owned();
        let wrong_scope = self.wrong_scope(&name);
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
            return Err(Refusal::new(StatusCode::BAD_REQUEST, problem));
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
        let settings = ConnectorSettings {
            scope: (scoped != *held.scope).then_some(scoped),
            logins: logins.filter(|logins| configured.logins.as_ref() != Some(logins)),
            tier: (tier != held.tier).then_some(tier),
            off: (off != held.off).then_some(off),
            parallel_calls: edit.parallel_calls.filter(|calls| *calls != held.limits.parallel),
            queued_calls: edit.queued_calls.filter(|calls| *calls != held.limits.queue),
            drain: was.drain,
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

    pub(crate) async fn set_connector_state(
        &self,
        name: &str,
        state: ConnectorState,
    ) -> Result<api::Connector, Refusal> {
        let record = self.enrolled(name).await?;
        self.links.set_state(&record.id, state).await.map_err(Refusal::failed)?;
        if state == ConnectorState::Removed {
            // It comes no more.
            self.front.store.forget_connector_orders(&record.id).await?;
        }
        let word = |state: ConnectorState| Some(format!("{state:?}").to_lowercase());
        changed("state", word(record.state), word(state));
        self.front.connectors.reload().await;
        dme_server::connectors::count(&self.links, &self.front.metrics).await;
        tracing::info!(connector = name, id = %record.id, ?state, "connector changed");
        let all = self.front.connectors.standings((self.front.clock)()).await?;
        let changed = all.iter().find(|one| one.id == record.id);
        let changed = changed.ok_or_else(|| Refusal::lacks("no-connector-named", name))?;
        let waiting = self.front.store.connector_orders_of(&record.id).await?;
        let waiting = waiting.into_iter().map(Into::into).collect();
        Ok(api::Connector { waiting, ..self.connector(changed, Language::English) })
    }

    /// What is wrong with the group that a connector's scope is.
    fn wrong_scope(&self, name: &str) -> Option<String> {
        match &*self.front.connectors.effective(name).scope {
            Scope::Group(group) => self.front.gate.wrong_group(group).map(|why| why.to_string()),
            Scope::Everyone | Scope::Users(_) => None,
        }
    }

    fn connector(&self, standing: &Standing, language: Language) -> api::Connector {
        let wrong_scope = self.wrong_scope(&standing.name);
        let reason = reason(&standing.reason, language);
        api::Connector { wrong_scope, reason, ..connector(standing) }
    }
}

/// Why a connector stands as it does, in words.
fn reason(reason: &Reason, language: Language) -> String {
    let text = |name: &str| language.text(name, &[]);
    match (language, reason) {
        // As the server itself says it, in logs too.
        (Language::English, reason) => reason.to_string(),
        (_, Reason::Nothing) => String::new(),
        (_, Reason::Embedded) => text("reason-embedded"),
        (_, Reason::Removed) => text("reason-removed"),
        (_, Reason::Waits) => text("reason-waits"),
        (_, Reason::Until(back)) => language.of("reason-until", &back.to_string()),
        (_, Reason::Unlinked) => text("reason-unlinked"),
        (_, Reason::Lost(why)) => language.of("reason-lost", why),
        (_, Reason::Drained) => text("reason-drained"),
        (_, Reason::Leaving) => text("reason-leaving"),
        (_, Reason::Full { runs, waits }) => {
            language.of("reason-full", &format!("{runs} + {waits}"))
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

fn token(enrolment: Enrolment, now: Timestamp) -> api::Token {
    let state = match enrolment.used_by {
        Some(_) => "used",
        None if now >= enrolment.expires => "expired",
        None => "unused",
    };
    api::Token {
        name: enrolment.name,
        approved: enrolment.approval == Approval::Given,
        expires: enrolment.expires.as_seconds(),
        state: state.into(),
        code: enrolment.again.is_some(),
    }
}

fn connector(standing: &Standing) -> api::Connector {
    let record = standing.record.as_ref();
    let state = match record.map(|record| record.state) {
        None => "embedded",
        Some(ConnectorState::Locked) => "locked",
        Some(ConnectorState::Unlocked) => "unlocked",
        Some(ConnectorState::Removed) => "removed",
    };
    let keys = record.map(|record| record.keys.as_slice()).unwrap_or_default();
    api::Connector {
        name: standing.name.clone(),
        id: standing.id.to_string(),
        state: state.into(),
        standing: standing.state.as_str().into(),
        reason: String::new(),
        since: standing.since.map(Timestamp::as_seconds),
        users: standing.users,
        wrong_scope: None,
        fingerprints: keys.iter().map(dme_link::Fingerprint::grouped).collect(),
        last_seen: record.and_then(|record| record.last_seen).map(Timestamp::as_seconds),
        link: standing.link.as_ref().map(link),
        away_until: standing.away_until.map(Timestamp::as_seconds),
        waiting: Vec::new(),
        backends: standing.measured.iter().map(backend).collect(),
    }
}

fn backend(measured: &Measured) -> api::Backend {
    api::Backend {
        function: measured.function.clone(),
        backend: measured.backend.clone(),
        calls: measured.calls,
        failed: measured.failed.clone(),
        mean_us: u64::try_from(measured.mean().as_micros()).unwrap_or(u64::MAX),
    }
}

fn traffic(traffic: &dme_link::Traffic) -> api::Traffic {
    let flow = |flow: dme_link::Flow| api::Flow { received: flow.received, sent: flow.sent };
    let wire = [("calls", traffic.calls), ("bulk", traffic.bulk)];
    let records = Kind::ALL.map(|kind| (kind.as_str(), traffic.records(kind)));
    api::Traffic {
        wire: wire.map(|(lane, bytes)| (lane.to_owned(), flow(bytes))).into(),
        records: records.map(|(kind, bytes)| (kind.to_owned(), flow(bytes))).into(),
    }
}

fn link(state: &LinkState) -> api::Link {
    api::Link {
        since: state.since.as_seconds(),
        peer: state.peer.clone(),
        software: state.software.clone(),
        functions: state
            .capabilities
            .functions()
            .map(Function::as_str)
            .map(str::to_owned)
            .collect(),
        realms: state.realms.iter().flatten().map(ToString::to_string).collect(),
        round_trip_us: state
            .round_trip
            .map(|trip| u64::try_from(trip.as_micros()).unwrap_or(u64::MAX)),
        segments: state.segments.map(|segments| segments.sent),
        segments_again: state.segments.map(|segments| segments.again),
        traffic: traffic(&state.traffic),
        used: state.used.map(|used| api::Used { bytes: used.bytes, budget: used.budget }),
        outstanding: state.outstanding,
        queued: state.queued,
        watches: state.watches,
        draining: state.draining,
        certificate_made: state.certificate.map(|it| it.made),
        certificate_ends: state.certificate.map(|it| it.ends),
    }
}
