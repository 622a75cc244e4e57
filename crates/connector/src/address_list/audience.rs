//! Who is shown the address list: everyone of the realm, or the members of groups of the directory.

use dme_directory::{
    Access, AccessGroups, DirectoryService, GroupGraph, Reason, Result, Right, Users,
};
use dme_model::UserId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long the groups in groups are taken to be as they were read. Which groups list somebody is
/// asked anew each time.
const FRESH: Duration = Duration::from_secs(60);

/// Who is shown it.
pub(super) struct Audience {
    people: Arc<dyn DirectoryService>,
    access: AccessGroups,
    /// The groups. Who reads them holds the lock, so that it is done once.
    groups: Mutex<Groups>,
}

/// The groups as they were read last.
#[derive(Default)]
struct Groups {
    graph: Option<Arc<GroupGraph>>,
    /// When they were read, or could not be.
    asked: Option<Instant>,
    /// What was wrong with the names of the settings.
    told: Vec<Reason>,
}

impl Audience {
    /// These users of the directory.
    pub fn new(users: Users, people: Arc<dyn DirectoryService>) -> Self {
        let access = AccessGroups { users, ..AccessGroups::default() };
        Self { people, access, groups: Mutex::default() }
    }

    /// Whether somebody is of it. Who the directory does not know is not.
    ///
    /// # Errors
    /// When the directory does not answer; about groups, when it never did.
    pub async fn has(&self, user: &UserId) -> Result<bool> {
        // Those who ask were let in: they are of the realm.
        if self.access.users == Users::Everyone {
            return Ok(true);
        }
        let Some(person) = self.people.find(user).await? else { return Ok(false) };
        let graph = self.graph().await?;
        Ok(match self.access.check(Right::User, &person, &graph) {
            Access::Allowed(_) => true,
            Access::Refused(reason) => {
                tracing::debug!(%user, %reason, "is not shown the address list");
                false
            }
        })
    }

    /// The groups; those of before where they cannot be read now.
    async fn graph(&self) -> Result<Arc<GroupGraph>> {
        let mut groups = self.groups.lock().await;
        let is_fresh = groups.asked.is_some_and(|asked| asked.elapsed() < FRESH);
        if let Some(graph) = groups.graph.as_ref().filter(|_| is_fresh) {
            return Ok(graph.clone());
        }
        let read = self.people.groups().await;
        groups.asked = Some(Instant::now());
        match (read, &groups.graph) {
            (Ok(read), _) => {
                let graph = Arc::new(GroupGraph::new(&[read]));
                let wrong = self.access.users.wrong_names(&graph);
                for reason in wrong.iter().filter(|reason| !groups.told.contains(reason)) {
                    tracing::warn!(%reason, "address_list.shown_to");
                }
                (groups.graph, groups.told) = (Some(graph.clone()), wrong);
                Ok(graph)
            }
            (Err(error), Some(graph)) => {
                let as_of = graph.as_of().as_seconds();
                tracing::warn!(%error, as_of, "who is shown the address list goes by older groups");
                Ok(graph.clone())
            }
            (Err(error), None) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
