//! Reading the groups: whole, or where the directory can tell what has changed, only that.

use super::changes::{CONTAINERS, Controller, GUID, Mark};
use super::config::{Follow, Nesting, Settings};
use super::follow::{Change, Demand, Followed, Read, parents};
use super::query::{Amount, Entry, Failure, Query, search};
use super::{LdapDirectory, MEMBER_OF, dn, now};
use crate::{Error, Group, GroupId, GroupSnapshot, Result};
use ldap3::Ldap;
use std::collections::HashMap;
use std::time::Instant;

/// How many groups are asked for in one search.
const AT_ONCE: usize = 20;

/// The groups, and what it took to read them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupReading {
    /// The groups.
    pub snapshot: GroupSnapshot,
    /// How much was read.
    pub extent: Extent,
    /// How many entries the directory gave.
    pub entries: usize,
    /// How the next reading learns of changes; [`Follow::Never`] where it will be whole.
    pub follow: Follow,
    /// Why it does not learn of them, where it should.
    pub obstacle: Option<String>,
}

/// How much was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All groups.
    Whole,
    /// What has changed since the reading before.
    Changes,
}

/// What is known of the groups from one reading to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    point: Option<Point>,
    /// Why changes could not be learnt of at the last reading.
    obstacle: Option<String>,
}

/// The groups up to a mark.
#[derive(Debug)]
struct Point {
    mark: Mark,
    followed: Followed,
    whole_at: Instant,
}

impl LdapDirectory {
    /// Reads the groups: what has changed since the last reading where that is known, else all.
    ///
    /// # Errors
    /// When the directory cannot be reached or refuses the search.
    pub async fn read_groups(&self) -> Result<GroupReading> {
        // Readings go one after another, so that each knows what the one before has read.
        let mut memory = self.memory.lock().await;
        self.primary.forget();
        let reading = match self.settings.follow {
            None => self.read_plainly().await?,
            Some(follow) => self.read_following(&mut memory, follow).await?,
        };
        if memory.obstacle != reading.obstacle {
            if let Some(obstacle) = &reading.obstacle {
                tracing::warn!(%obstacle, "all groups are read at each refresh");
            }
            memory.obstacle.clone_from(&reading.obstacle);
        }
        let GroupReading { extent, entries, follow, .. } = &reading;
        tracing::debug!(?extent, entries, ?follow, "groups read");
        Ok(reading)
    }

    /// All groups, of any kind of directory.
    async fn read_plainly(&self) -> Result<GroupReading> {
        let as_of = now();
        let Settings { group_filter, group_name, member, nesting, .. } = &*self.settings;
        let links = match nesting {
            Nesting::Member => member.as_str(),
            Nesting::MemberOf => MEMBER_OF,
        };
        let attributes = vec![group_name.clone(), links.to_owned()];
        let entries = self.all_groups(group_filter, attributes).await?;
        let mut index: HashMap<GroupId, usize> = HashMap::with_capacity(entries.len());
        let mut groups: Vec<Group> = Vec::with_capacity(entries.len());
        for entry in &entries {
            let id = GroupId(dn::normalise(&entry.dn));
            let name = entry.first(group_name).unwrap_or(&id.0).to_owned();
            // Bases may overlap.
            index.entry(id.clone()).or_insert_with(|| {
                groups.push(Group { id, name, parents: Vec::new() });
                groups.len() - 1
            });
        }
        for entry in &entries {
            let id = GroupId(dn::normalise(&entry.dn));
            for other in entry.all(links).iter().map(|dn| GroupId(dn::normalise(dn))) {
                let (child, parent) = match nesting {
                    Nesting::Member => (other, id.clone()),
                    Nesting::MemberOf => (id.clone(), other),
                };
                // A member that is not a group is a person.
                if let Some(child) = index.get(&child).and_then(|n| groups.get_mut(*n))
                    && !child.parents.contains(&parent)
                {
                    child.parents.push(parent);
                }
            }
        }
        Ok(GroupReading {
            snapshot: GroupSnapshot { groups, as_of },
            extent: Extent::Whole,
            entries: entries.len(),
            follow: Follow::Never,
            obstacle: None,
        })
    }

    /// All of it on one connection, so that it is the same server that answers.
    async fn read_following(&self, memory: &mut Memory, follow: Follow) -> Result<GroupReading> {
        loop {
            let mut lease = self.searching.lease().await?;
            match self.round(&mut lease.connection.ldap, memory, follow).await {
                Ok(answer) => {
                    if answer.is_ok() {
                        self.searching.give_back(lease);
                    }
                    return answer;
                }
                Err(Failure::Broken(_)) if lease.reused => self.searching.drop_idle(),
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    async fn round(
        &self,
        ldap: &mut Ldap,
        memory: &mut Memory,
        follow: Follow,
    ) -> Result<Result<GroupReading>, Failure> {
        let settings = &*self.settings;
        let Some(controller) = Controller::ask(ldap, settings).await? else {
            return Ok(Err(Error::Refused(
                "the server does not say that it is a domain controller, or which; set \
                 groups.follow to \"never\", or correct kind"
                    .to_owned(),
            )));
        };
        if let Some(point) = &mut memory.point
            && controller.is_of(&point.mark)
            && point.whole_at.elapsed() < settings.reread
        {
            match self.catch_up(ldap, &controller, point).await? {
                Ok(Some(reading)) => return Ok(Ok(reading)),
                Ok(None) => {}
                Err(error @ (Error::Unavailable(_) | Error::Busy(_))) => return Ok(Err(error)),
                Err(error) => {
                    tracing::warn!(%error, "changes of groups could not be read; all are read");
                }
            }
        }
        self.read_whole(ldap, &controller, memory, follow).await
    }

    /// Learns of the changes since the point; none where all must be read again.
    async fn catch_up(
        &self,
        ldap: &mut Ldap,
        controller: &Controller,
        point: &mut Point,
    ) -> Result<Result<Option<GroupReading>>, Failure> {
        let as_of = now();
        let settings = &*self.settings;
        let (changes, mark) = match controller.since(ldap, settings, &point.mark).await? {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let Demand::Groups { guids, parents } = point.followed.judge(&changes) else {
            return Ok(Ok(None));
        };
        let of_guid = guids.iter().map(|guid| format!("({GUID}={})", escaped(guid)));
        let of_parent =
            parents.iter().map(|dn| format!("({MEMBER_OF}={})", ldap3::ldap_escape(dn.as_str())));
        let wanted: Vec<String> = of_guid.chain(of_parent).collect();
        let (mut read, mut entries) = (Vec::new(), changes.len());
        for wanted in wanted.chunks(AT_ONCE) {
            let filter = format!("(&{}(|{}))", settings.group_filter, wanted.concat());
            match self.groups_matching(ldap, controller, &filter).await? {
                Ok(found) => {
                    entries += found.len();
                    read.extend(found);
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        // Renamed since its change was told of: who is in it was asked for by its name then.
        let is_other = |change: &Change| {
            read.iter().any(|read| read.guid == change.guid && read.group.id != change.id)
        };
        if changes.iter().any(is_other) {
            return Ok(Ok(None));
        }
        point.followed.apply(&changes, read);
        point.mark = mark;
        Ok(Ok(Some(GroupReading {
            snapshot: GroupSnapshot { groups: point.followed.groups(), as_of },
            extent: Extent::Changes,
            entries,
            follow: point.mark.follow(),
            obstacle: None,
        })))
    }

    async fn read_whole(
        &self,
        ldap: &mut Ldap,
        controller: &Controller,
        memory: &mut Memory,
        follow: Follow,
    ) -> Result<Result<GroupReading>, Failure> {
        let as_of = now();
        let settings = &*self.settings;
        let whole_at = Instant::now();
        // Before anything is read: what changes meanwhile is told of again.
        let domain = dn::normalise(&controller.domain);
        let mut bases = settings.group_bases.iter();
        let mark = match bases.find(|base| !is_inside(&dn::normalise(base), &domain)) {
            Some(base) => {
                Err(Error::Refused(format!("{base} is outside of {}", controller.domain)))
            }
            None => controller.mark(ldap, settings, follow).await?,
        };
        let read = match self.groups_matching(ldap, controller, &settings.group_filter).await? {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        let mut entries = read.len();
        let mut containers = Vec::new();
        if mark.is_ok() {
            match containers_of(ldap, settings, controller).await? {
                Ok(found) => containers = found,
                Err(error) => return Ok(Err(error)),
            }
        }
        entries += containers.len();
        let followed = Followed::new(read, containers);
        let snapshot = GroupSnapshot { groups: followed.groups(), as_of };
        let (follow, obstacle) = match &mark {
            Ok(mark) => (mark.follow(), None),
            Err(error) => (Follow::Never, Some(error.to_string())),
        };
        memory.point = mark.ok().map(|mark| Point { mark, followed, whole_at });
        Ok(Ok(GroupReading { snapshot, extent: Extent::Whole, entries, follow, obstacle }))
    }

    async fn groups_matching(
        &self,
        ldap: &mut Ldap,
        controller: &Controller,
        filter: &str,
    ) -> Result<Result<Vec<Read>>, Failure> {
        let settings = &*self.settings;
        let attributes = [GUID, &settings.group_name, MEMBER_OF].map(str::to_owned);
        let mut all = Vec::new();
        for base in &settings.group_bases {
            let base = if base.is_empty() { &controller.domain } else { base };
            let amount = Amount::All(settings.page_size);
            let query = Query { base, filter, attributes: &attributes, amount };
            match search(ldap, &query, settings.groups_timeout).await? {
                Ok(found) => all.extend(found),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(all.iter().map(|entry| read(entry, &settings.group_name)).collect())
    }
}

/// Whether a base, normalised, is in a controller's own domain, so that its changes tell of it. What
/// has a longer name may be another domain, or the configuration, which all domains share.
fn is_inside(base: &str, domain: &str) -> bool {
    if base.is_empty() || base == domain {
        return true;
    }
    let within = base.strip_suffix(domain).and_then(|within| within.strip_suffix(','));
    within.is_some_and(|within| {
        let within = format!(",{within}");
        !within.contains(",dc=") && !within.ends_with(",cn=configuration")
    })
}

async fn containers_of(
    ldap: &mut Ldap,
    settings: &Settings,
    controller: &Controller,
) -> Result<Result<Vec<(Vec<u8>, String)>>, Failure> {
    let attributes = [GUID.to_owned()];
    let amount = Amount::All(settings.page_size);
    let query =
        Query { base: &controller.domain, filter: CONTAINERS, attributes: &attributes, amount };
    let found = search(ldap, &query, settings.groups_timeout).await?;
    let named = |entry: &Entry| Some((entry.bytes(GUID)?.to_vec(), dn::normalise(&entry.dn)));
    Ok(found.map(|entries| entries.iter().filter_map(named).collect()))
}

fn read(entry: &Entry, name: &str) -> Result<Read> {
    let guid = entry.bytes(GUID).ok_or_else(|| {
        Error::Refused(format!("the account may not read {GUID} of {}; let it", entry.dn))
    })?;
    let id = GroupId(dn::normalise(&entry.dn));
    let name = entry.first(name).unwrap_or(&id.0).to_owned();
    let parents = parents(entry.all(MEMBER_OF).iter().map(|dn| GroupId(dn::normalise(dn))));
    Ok(Read { guid: guid.to_vec(), group: Group { id, name, parents } })
}

/// A value that is not text, in a filter (RFC 4515 §3).
pub(super) fn escaped(value: &[u8]) -> String {
    value.iter().map(|byte| format!("\\{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_in_another_domain_is_not_in_this_one() {
        for (base, inside) in [
            ("", true),
            ("dc=corp,dc=example", true),
            ("ou=a,dc=corp,dc=example", true),
            ("ou=a,ou=b,dc=corp,dc=example", true),
            ("dc=sub,dc=corp,dc=example", false),
            ("ou=a,dc=sub,dc=corp,dc=example", false),
            ("dc=mycorp,dc=example", false),
            ("cn=configuration,dc=corp,dc=example", false),
            ("cn=sites,cn=configuration,dc=corp,dc=example", false),
            ("dc=example", false),
        ] {
            assert_eq!(is_inside(base, "dc=corp,dc=example"), inside, "{base}");
        }
    }
}
