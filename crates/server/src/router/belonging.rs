//! At which connectors users are at home, also of those whom nobody has served yet.

use super::Router;
use super::explain::Said;
use dme_mailbox::{Account, Result};
use dme_model::{Class, RequestId, Timestamp};
use dme_routing::{Candidate, Objection};
use std::collections::BTreeSet;

impl Router {
    /// The connectors, by their names, at which somebody who has no route yet would be at home: those
    /// that say that the mailbox is theirs, in whose scope the user is, and whose right comes first.
    /// Somebody whose device waits to be let in has none: nobody opens a mailbox for it. Whether they
    /// can serve now is no matter; who cannot be asked is not among them (rule A7).
    ///
    /// # Errors
    /// Where the routes cannot be read.
    pub async fn would_be_at(
        &self,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
    ) -> Result<BTreeSet<String>> {
        let Said { endpoints, remembered } = self.asked(account, request).await?;
        let mut names = BTreeSet::new();
        for class in Class::ALL {
            let route = self.route(account, class.function(), now, &endpoints, &remembered.owns);
            let has_it: Vec<&Candidate> =
                route.candidates().iter().filter(|one| has(one)).collect();
            let first = has_it.iter().map(|one| one.tier).min();
            let by_right = has_it.into_iter().filter(|one| Some(one.tier) == first);
            names.extend(by_right.map(|one| self.connectors.name(&one.connector)));
        }
        Ok(names)
    }
}

/// Whether it is known that the user's mailbox is there, and may be served.
fn has(candidate: &Candidate) -> bool {
    candidate.objections.iter().all(|objection| {
        let is_unknown = [Objection::ScopeUnknown, Objection::OwnershipUnknown].contains(objection);
        objection.is_passing() && !is_unknown
    })
}
