//! The directories: what is known of their groups, and reading them now.

use crate::endpoint::{Endpoint, get, post};
use crate::language::Language;
use crate::{Console, api};
use dme_model::Timestamp;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/directory", "The realms, and how old what is known of their groups is")
            .by(|console, call| async move { Ok(console.list_realms(call.language)) }),
        post("/api/directory/refresh", "Read groups and people again, now").by(
            |console, call| async move { Ok(console.refresh_directories(call.language).await) },
        ),
    ]
}

impl Console {
    pub(crate) fn list_realms(&self, language: Language) -> Vec<api::Realm> {
        let now = (self.front.clock)();
        let age = |as_of: Timestamp| {
            u64::try_from(now.as_seconds().saturating_sub(as_of.as_seconds())).unwrap_or(0)
        };
        let realms = self.front.gate.states().into_iter().map(|mut state| {
            state.groups_from.sort_by_key(|from| from.as_of);
            let groups_from = state.groups_from.into_iter().map(|from| api::GroupsFrom {
                as_of: from.as_of.as_seconds(),
                age_seconds: age(from.as_of),
                connector: from.connector,
                trouble: from.trouble.map(|error| language.unanswered(&error)),
            });
            let directory = self.front.directories.get(&state.realm);
            let wrong_groups = state.wrong_groups.iter().map(|wrong| language.reason(wrong));
            api::Realm {
                realm: state.realm.to_string(),
                sources: directory.map(|one| one.sources()).unwrap_or_default(),
                groups: state.groups,
                groups_from: groups_from.collect(),
                groups_as_of: state.groups_as_of.map(Timestamp::as_seconds),
                age_seconds: state.groups_as_of.map(age),
                trouble: state.trouble.map(|error| language.unanswered(&error)),
                wrong_groups: wrong_groups.collect(),
            }
        });
        realms.collect()
    }

    /// Reads groups and people again, now.
    pub(crate) async fn refresh_directories(&self, language: Language) -> Vec<api::Realm> {
        self.front.gate.refresh().await;
        // Scopes are groups: whom they cover may have changed.
        self.front.connectors.reload().await;
        self.list_realms(language)
    }
}
