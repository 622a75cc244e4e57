//! What is in a collection: by the server's own memory (RFC 6578) where that has all that is
//! wanted, else by what it finds.

use crate::changes::may_be_of;
use crate::collections::{Place, Remote};
use crate::error::{Refusal, WireError};
use crate::href::Path;
use crate::mailbox::DavMailbox;
use crate::multistatus::Multistatus;
use crate::object;
use crate::report::{self, Told, Wanted, component};
use crate::standing::Tag;
use crate::token::{MAX_SERVER_TOKEN, Token};
use crate::xml::Ns;
use dme_mailbox::{Error, ErrorKind, ItemFilter, Listing, Result};
use dme_model::{Class, CollectionId, ItemId, ItemSet, Timestamp};
use std::collections::BTreeSet;

/// A member of a collection: the name within it and its mark.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) mark: String,
    /// Bytes; 0 where that was not asked for or not told.
    pub(crate) size: u64,
}

impl DavMailbox {
    pub(crate) async fn list_items(
        &self,
        collection: &CollectionId,
        filter: &ItemFilter,
    ) -> Result<Listing> {
        let place = Place::read(collection)?;
        let listed = async {
            if wants_all(place.class, filter)
                && let Some((members, token)) = self.remembered(&place).await?
            {
                return Ok(listing(&members, &Token::Sync { members: members.len(), token }));
            }
            // The token first: what changes between the two is then told once more, not lost.
            let (remote, tag) = self.standing(&place.path).await?;
            remote.must_hold(place.class)?;
            let (marks, all) = match &tag {
                Tag::Sync(_) => (None, None),
                Tag::Marks(ctag) => {
                    let all = self.members(&place.path).await?;
                    (Some(Token::of_marks(&all, ctag)), Some(all))
                }
            };
            let members = match (filter.incomplete, place.class, all) {
                (true, Class::Tasks, _) => self.open_tasks(&place).await?,
                (_, Class::Contacts, Some(all)) => all,
                _ => self.members_of_class(&place, filter.since).await?,
            };
            let token = marks.unwrap_or(match tag {
                Tag::Sync(token) | Tag::Marks(token) => {
                    Token::Sync { members: members.len(), token }
                }
            });
            Ok(listing(&members, &token))
        };
        listed.await.map_err(|error: WireError| error.told("list a collection"))
    }

    /// Every member that may be of the class, and the token of just this list: what is there is
    /// what changed since never (RFC 6578 §3.8). A server that keeps books of changes answers
    /// that without a look at each member. None where other classes are among them, or the answer
    /// is not to be relied on.
    async fn remembered(&self, place: &Place) -> Result<Option<(Vec<Member>, String)>, WireError> {
        let kind = self.kind(&place.path).await?;
        if !kind.is_some_and(|kind| kind.syncs && kind.classes == [place.class]) {
            return Ok(None);
        }
        let mut told = match self.sync_report(&place.path, "").await {
            Err(WireError::Refused(refusal)) if may_list_otherwise(&refusal) => {
                tracing::debug!(%refusal, "a collection is listed by its members");
                return Ok(None);
            }
            told => told?,
        };
        let token = told.sync_token.take().filter(|token| token.len() <= MAX_SERVER_TOKEN);
        // The rest of a list that was cut short may be lost with some servers.
        let Some(token) = token.filter(|_| !told.is_cut_short()) else { return Ok(None) };
        told.responses.retain(|response| may_be_of(place.class, response));
        Ok(Some((self.members_in(&place.path, &told), token)))
    }

    /// The members of a collection that are of its class, perhaps only those from a day on.
    pub(crate) async fn members_of_class(
        &self,
        place: &Place,
        since: Option<Timestamp>,
    ) -> Result<Vec<Member>, WireError> {
        let Some(component) = component(place.class) else {
            return self.members(&place.path).await;
        };
        let day = since.map(|since| Timestamp::from_seconds(since.as_days() * 86_400));
        let day = day.filter(|_| place.class == Class::Calendar);
        // To the server times without a zone are on its own clock; those that are over are left out
        // when they are read.
        let earliest = day.map(|day| Timestamp::from_seconds(day.as_seconds() - 86_400));
        let document =
            report::calendar_query(component, Wanted::Within(earliest, None), Told::Mark);
        let told = self.report(&place.path, document).await?;
        let mut members = self.members_in(&place.path, &told);
        if let Some(day) = day {
            let known: BTreeSet<String> = members.iter().map(|it| it.name.clone()).collect();
            let series = self.series_reaching(place, day).await?;
            members.extend(series.into_iter().filter(|it| !known.contains(&it.name)));
        }
        Ok(members)
    }

    /// The series that go on until a day or beyond. Servers look at no more instances than they
    /// like, some at the first alone, so a question by time misses some.
    async fn series_reaching(
        &self,
        place: &Place,
        day: Timestamp,
    ) -> Result<Vec<Member>, WireError> {
        let reaches = |object: &[u8]| object::reaches(object, &self.clock, day);
        self.queried(place, "VEVENT", Wanted::Recurring, reaches).await
    }

    async fn open_tasks(&self, place: &Place) -> Result<Vec<Member>, WireError> {
        // Servers differ too much in what they take for a filter by property.
        self.queried(place, "VTODO", Wanted::Within(None, None), |object| !object::is_done(object))
            .await
    }

    /// Those that a query finds whose content is wanted too. What cannot be read counts as wanted: it
    /// is shown as broken.
    async fn queried(
        &self,
        place: &Place,
        component: &str,
        wanted: Wanted<'_>,
        is_wanted: impl Fn(&[u8]) -> bool + Send + Sync,
    ) -> Result<Vec<Member>, WireError> {
        let document = report::calendar_query(component, wanted, Told::Size);
        let told = self.report(&place.path, document).await?;
        let mut kept = Vec::new();
        self.read_each(place, self.members_in(&place.path, &told), |member, object| {
            if object.is_none_or(&is_wanted) {
                kept.push(member);
            }
        })
        .await?;
        Ok(kept)
    }

    /// Every member of a collection, of whatever class.
    pub(crate) async fn members(&self, path: &Path) -> Result<Vec<Member>, WireError> {
        let told = self.propfind(path, "1", "<getetag/><resourcetype/>").await?;
        Ok(self.members_in(path, &told))
    }

    pub(crate) fn members_in(&self, path: &Path, told: &Multistatus) -> Vec<Member> {
        let there = told.responses.iter().filter(|response| !response.is_gone());
        let members = there.filter_map(|response| {
            let kind = response.prop(Ns::Dav, "resourcetype");
            if kind.is_some_and(|kind| kind.holds(Ns::Dav, "collection")) {
                return None;
            }
            let size = response.text(Ns::Dav, "getcontentlength");
            Some(Member {
                name: self.name_in(path, response)?,
                mark: response.text(Ns::Dav, "getetag").unwrap_or_default().to_owned(),
                size: size.and_then(|size| size.parse().ok()).unwrap_or_default(),
            })
        });
        members.collect()
    }
}

impl Remote {
    /// # Errors
    /// `NotFound` where it holds nothing of this class.
    pub(crate) fn must_hold(&self, class: Class) -> Result<(), Error> {
        match self.classes.contains(&class) {
            true => Ok(()),
            false => {
                let context = format!("dav: {} is no collection of {class:?}", self.path);
                Err(Error::new(ErrorKind::NotFound, context))
            }
        }
    }
}

/// Whether everything of a class is wanted.
fn wants_all(class: Class, filter: &ItemFilter) -> bool {
    match class {
        Class::Calendar => filter.since.is_none(),
        Class::Tasks => !filter.incomplete,
        Class::Contacts | Class::Notes | Class::Mail => true,
    }
}

/// Whether a refusal may concern the question alone, so that another may be answered.
fn may_list_otherwise(refusal: &Refusal) -> bool {
    matches!(refusal.status, 400 | 403 | 405 | 409 | 412 | 500 | 501 | 507)
}

fn listing(members: &[Member], token: &Token) -> Listing {
    Listing { items: set(members), token: token.write() }
}

pub(crate) fn set(members: &[Member]) -> ItemSet {
    members.iter().map(|member| ItemId::new(member.name.as_str())).collect()
}
