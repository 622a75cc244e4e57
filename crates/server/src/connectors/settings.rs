//! What administrators want of single connectors: in the configuration, by name, and set later by
//! command, which goes before.

use super::{Connectors, EdgeLease, Known};
use dme_model::{Function, Timestamp};
use dme_routing::{Scope, Tier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is set of one connector. Whatever is absent is left to the configuration, and there to the
/// default.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectorSettings {
    /// Whom it may serve; everyone by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Whose logins it may check, and of whom its directory may speak; those of its scope by default.
    /// With more, connectors that have a directory in common stand in for each other there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logins: Option<Scope>,
    /// Whether it serves by right, which is the default, or only when no primary can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The functions that are switched off, whatever it offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off: Option<BTreeSet<Function>>,
    /// Calls at once on it; `links.parallel_calls` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_calls: Option<u32>,
    /// Calls that may wait; `links.queued_calls` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued_calls: Option<u32>,
    /// It is given nothing new: it is to be maintained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<bool>,
    /// Whether it may be an edge, and how long its lease is; it may not by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<EdgeLease>,
}

/// What holds for one connector, all told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effective {
    /// Whom it may serve.
    pub scope: Arc<Scope>,
    /// Whose logins it may check.
    pub logins: Arc<Scope>,
    /// By right or as a substitute.
    pub tier: Tier,
    /// The functions that are switched off.
    pub off: BTreeSet<Function>,
    /// What it may have to do.
    pub limits: Limits,
    /// It is given nothing new.
    pub drain: bool,
    /// Whether it may be an edge, and how long its lease is.
    pub edge: EdgeLease,
    /// When any of it was last set by command, where it ever was.
    pub changed: Option<Timestamp>,
}

/// How much a connector may have to do (rule R6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many calls run at once.
    pub parallel: u32,
    /// How many more may wait.
    pub queue: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { parallel: 25, queue: 200 }
    }
}

impl ConnectorSettings {
    /// With what was set later, wherever that says something.
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        Self {
            scope: later.scope.clone().or_else(|| self.scope.clone()),
            logins: later.logins.clone().or_else(|| self.logins.clone()),
            tier: later.tier.or(self.tier),
            off: later.off.clone().or_else(|| self.off.clone()),
            parallel_calls: later.parallel_calls.or(self.parallel_calls),
            queued_calls: later.queued_calls.or(self.queued_calls),
            drain: later.drain.or(self.drain),
            edge: later.edge.or(self.edge),
        }
    }

    /// With the defaults for what is absent.
    pub fn effective(&self, limits: Limits) -> Effective {
        let scope = Arc::new(self.scope.clone().unwrap_or(Scope::Everyone));
        Effective {
            logins: self.logins.clone().map_or_else(|| scope.clone(), Arc::new),
            scope,
            tier: self.tier.unwrap_or_default(),
            off: self.off.clone().unwrap_or_default(),
            limits: Limits {
                parallel: self.parallel_calls.unwrap_or(limits.parallel),
                queue: self.queued_calls.unwrap_or(limits.queue),
            },
            drain: self.drain.unwrap_or(false),
            edge: self.edge.unwrap_or_default(),
            changed: None,
        }
    }

    /// What makes no sense in it.
    pub fn problem(&self) -> Option<SettingsProblem> {
        if self.parallel_calls == Some(0) {
            return Some(SettingsProblem::NoCalls);
        }
        [&self.scope, &self.logins].into_iter().flatten().find_map(|scope| match scope {
            Scope::Group(group) if group.trim().is_empty() => Some(SettingsProblem::NoGroup),
            Scope::Users(users) if users.iter().any(|user| user.realm().is_none()) => {
                Some(SettingsProblem::PartsOfUsers)
            }
            _ => None,
        })
    }
}

/// What of a connector's settings makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SettingsProblem {
    /// It would be called by nobody.
    #[error("parallel_calls must be at least 1")]
    NoCalls,
    /// It is for a group, and for none.
    #[error("scope.group must name a directory group")]
    NoGroup,
    /// A user among those it is for has no realm.
    #[error("scope.users must be whole users, such as ann@example.org")]
    PartsOfUsers,
}

impl Connectors {
    /// What holds for a connector of this name.
    pub fn effective(&self, name: &str) -> Arc<Effective> {
        self.set(&self.known(), name)
    }

    /// What would hold by what the configuration says alone.
    pub fn configured(&self, settings: &ConnectorSettings) -> Effective {
        settings.effective(self.limits)
    }

    /// What the configuration says of a connector, what was set by command, and the version of the
    /// latter, 0 where nothing was.
    ///
    /// # Errors
    /// The database's.
    pub async fn settings(
        &self,
        name: &str,
    ) -> dme_store::Result<(ConnectorSettings, ConnectorSettings, u64)> {
        let configured = self.configured.get(name).cloned().unwrap_or_default();
        let stored = self.store.connector_settings().await?;
        let Some(record) = stored.into_iter().find(|record| record.name == name) else {
            return Ok((configured, ConnectorSettings::default(), 0));
        };
        let set = serde_json::from_str(&record.settings).map_err(|error| {
            let place = "connector_setting.settings";
            dme_store::Error::Unreadable { place, reason: error.to_string() }
        })?;
        Ok((configured, set, record.version))
    }

    /// Sets what an administrator wants of a connector, from now on. Gives the new version.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_settings(
        &self,
        name: &str,
        settings: &ConnectorSettings,
        now: Timestamp,
    ) -> dme_store::Result<u64> {
        // Settings always have a JSON form.
        let text = serde_json::to_string(settings).unwrap_or_default();
        let version = self.store.put_connector_settings(name, text, now).await?;
        self.reload().await;
        Ok(version)
    }

    /// Whose logins a connector of this name may check, linked or not.
    pub fn logins(&self, name: &str) -> Arc<Scope> {
        self.set(&self.known(), name).logins.clone()
    }

    /// The names of the connectors that may not check everyone's logins, linked or not.
    pub fn apart_by_logins(&self) -> Vec<String> {
        let known = self.known();
        let apart = known.set.iter().filter(|(_, set)| *set.logins != Scope::Everyone);
        apart.map(|(name, _)| name.clone()).collect()
    }

    /// What holds by what is known.
    pub(super) fn set(&self, known: &Known, name: &str) -> Arc<Effective> {
        let none = || Arc::new(ConnectorSettings::default().effective(self.limits));
        known.set.get(name).cloned().unwrap_or_else(none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_later_goes_before_and_the_rest_stays() {
        let file = ConnectorSettings {
            tier: Some(Tier::Failover),
            scope: Some(Scope::Group("staff".into())),
            ..ConnectorSettings::default()
        };
        let later = ConnectorSettings {
            scope: Some(Scope::Everyone),
            drain: Some(true),
            ..ConnectorSettings::default()
        };
        let both = file.then(&later).effective(Limits::default());
        assert_eq!(both.tier, Tier::Failover);
        assert_eq!(*both.scope, Scope::Everyone);
        assert!(both.drain && both.off.is_empty());
        assert_eq!(both.logins, both.scope, "where nothing else is said");
        let logins = ConnectorSettings { logins: Some(Scope::Everyone), ..file };
        assert_eq!(*logins.effective(Limits::default()).logins, Scope::Everyone);
    }

    #[test]
    fn scopes_are_written_as_they_are_called() {
        let read = |text: &str| toml::from_str::<ConnectorSettings>(text).unwrap().scope.unwrap();
        assert_eq!(read("scope = \"everyone\""), Scope::Everyone);
        assert_eq!(read("scope = { group = \"staff\" }"), Scope::Group("staff".into()));
        let ann = ["ann@example.org".into()].into();
        assert_eq!(read("scope = { users = [\"ann@example.org\"] }"), Scope::Users(ann));
    }
}
