//! Reading groups and people again, at intervals (rules A1 and A5).

use super::{Admitted, Gate, Part, Revocation};
use crate::{Access, Error, GroupGraph, Reason, Right};
use dme_model::{Timestamp, UserId};
use futures_util::{StreamExt, future, stream};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How many people of a realm are looked up at once.
const PARALLEL: usize = 8;

impl Gate {
    /// Refreshes at the configured interval until `shutdown` is ready.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()>) {
        let every = self.config.refresh.0.max(Duration::from_secs(1));
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                _ = ticks.tick() => {}
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = self.refresh() => {}
            }
        }
    }

    /// Reads the groups of every realm and asks about everyone who came lately; who may no longer
    /// be in is announced.
    pub async fn refresh(&self) {
        future::join_all(self.parts.values().map(|part| self.refresh_part(part))).await;
    }

    async fn refresh_part(&self, part: &Part) {
        let read_at = part.read_at();
        // The last good graph serves where there is no new one.
        let graph = match part.read_groups(self, read_at).await {
            Ok(graph) => {
                part.note_answer();
                Some(graph)
            }
            Err(error) => {
                part.note_failure(&error, (self.clock)());
                part.graph()
            }
        };
        let people = self.memory.recent(&part.realm, (self.clock)());
        stream::iter(people)
            .for_each_concurrent(PARALLEL, |(user, confirmed)| {
                self.refresh_person(part, graph.as_deref(), user, confirmed)
            })
            .await;
    }

    async fn refresh_person(
        &self,
        part: &Part,
        graph: Option<&GroupGraph>,
        user: UserId,
        confirmed: Timestamp,
    ) {
        let now = (self.clock)();
        let found = if part.is_down(now) {
            Err(Error::Unavailable("down".into()))
        } else {
            self.in_time(part.directory.find(&user)).await
        };
        let now = (self.clock)();
        let why = match found {
            Ok(Some(person)) if person.user == user => {
                let access = graph.map_or(Access::Refused(Reason::GroupsUnknown), |graph| {
                    part.access.check(Right::User, &person, graph)
                });
                match (access, graph) {
                    (Access::Refused(reason), _) => Revocation::NotAllowed(reason),
                    (Access::Allowed(_), graph) => {
                        let rights = graph.map(|graph| part.access.rights(&person, graph));
                        let rights = rights.unwrap_or_default();
                        return self.memory.confirm(Admitted { person, rights }, now);
                    }
                }
            }
            Ok(_) => Revocation::Gone,
            Err(error) => {
                if !part.is_down(now) {
                    part.note_failure(&error, now);
                }
                if self.memory.is_bearable(confirmed, now) {
                    return;
                }
                Revocation::GraceOver
            }
        };
        self.revoke(&user, why);
    }
}
