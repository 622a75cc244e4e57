//! Who checks a user's password, tells of them and searches for them, and why (rule R5). These are
//! not routed by user: the realm's configuration and the connectors' scopes decide.

use super::{RealmDirectory, Source, claimant};
use crate::connectors::Endpoint;
use crate::router::{Explained, Judged};
use dme_model::{Function, UserId};
use dme_routing::{Known, Link, Lock, Objection, covers};

impl RealmDirectory {
    /// Who is asked about a user for this function, `authentication`, `directory` or `search`, who
    /// would be if that one failed, and what speaks against the others. An address search goes to
    /// all directories of the realm that scopes keep apart; of these the user's own is told as the
    /// one that serves, where it is among them.
    pub async fn explain(&self, user: &UserId, function: Function) -> Explained {
        let (asked, why) = match self.source_for(user).await {
            Ok(Some(source)) => {
                let why = self.why(&source.endpoint);
                (Some(source), why)
            }
            Ok(None) => (None, "no connector's scope covers the user".to_owned()),
            Err(error) => (None, error.to_string()),
        };
        let why = match function {
            Function::Search => {
                let all = self.sources().join(", ");
                format!("{why}; address searches ask {all}")
            }
            _ => why,
        };
        let order = self.linked().map(|linked| linked.sources).unwrap_or_default();
        let next = asked.as_ref().and_then(|asked| self.next(&order, asked, user));
        let mut candidates: Vec<_> = self
            .connectors
            .snapshot()
            .iter()
            .map(|endpoint| {
                let place = order.iter().position(|one| one.state.id == endpoint.state.id);
                let judged = self.judged(endpoint, user);
                let rank = (!judged.objections.is_empty(), place.unwrap_or(order.len()));
                (rank, judged)
            })
            .collect();
        candidates.sort_by(|(a, one), (b, other)| {
            a.cmp(b).then_with(|| one.connector.cmp(&other.connector))
        });
        Explained {
            function,
            serving: asked.map(|source| source.endpoint.name),
            why,
            since: None,
            home: None,
            next,
            candidates: candidates.into_iter().map(|(_, judged)| judged).collect(),
        }
    }

    /// Why this one is asked and not another.
    fn why(&self, endpoint: &Endpoint) -> String {
        let realm = &self.realm;
        if !self.named.0.is_empty() {
            return format!("the first named for the realm {realm} that may speak for the user");
        }
        if endpoint.in_process {
            return "it runs in the server's process".to_owned();
        }
        format!("its directory is of the realm {realm}, and it may speak for the user")
    }

    /// Who would be asked if that one failed.
    fn next(&self, order: &[Endpoint], asked: &Source, user: &UserId) -> Option<String> {
        let others = order.iter().filter(|one| {
            one.state.id != asked.endpoint.state.id && self.covers_user(one, user) == Known::Yes
        });
        let others: Vec<Endpoint> = others.cloned().collect();
        Some(self.one(&others).ok()??.endpoint.name)
    }

    fn covers_user(&self, endpoint: &Endpoint, user: &UserId) -> Known {
        covers(&endpoint.state, user, |group| self.membership.of_user(user, group))
    }

    /// The verdict on one connector.
    fn judged(&self, endpoint: &Endpoint, user: &UserId) -> Judged {
        let mut endpoint = endpoint.clone();
        endpoint.state.scope = self.connectors.logins(&endpoint.name);
        let mut objections = Vec::new();
        if endpoint.state.lock == Lock::Locked {
            objections.push(Objection::Locked.to_string());
        }
        match endpoint.state.link {
            Link::Linked { .. } => {}
            Link::Lost => objections.push(Objection::Unlinked.to_string()),
            Link::OffHours { until } => {
                objections.push(Objection::OffHours { until }.to_string());
            }
        }
        if !endpoint.state.functions.contains(&Function::Authentication) {
            objections.push("it checks no logins: it has no directory, or that is off".to_owned());
        }
        if !self.named.0.is_empty() && !self.named.0.contains(&endpoint.name) {
            objections.push(format!("others are named for the realm {}", self.realm));
        }
        let claims = dme_routing::sources([claimant(&endpoint)], &self.assignment()).is_ok();
        if objections.is_empty() && !claims {
            objections.push(format!("its directory is not of the realm {}", self.realm));
        }
        match self.covers_user(&endpoint, user) {
            Known::Yes => {}
            Known::No => objections.push(Objection::OutOfScope.to_string()),
            Known::Unknown => objections.push(Objection::ScopeUnknown.to_string()),
        }
        Judged {
            tier: endpoint.state.tier,
            objections,
            turn_in: 0,
            outstanding: endpoint.state.load.outstanding,
            parallel: endpoint.state.load.parallel,
            connector: endpoint.name,
        }
    }
}
