//! What is in a collection, and what changed: by the server's own memory (RFC 6578) where it has
//! one, else by comparing marks.

use crate::client::Request;
use crate::collections::{Place, Remote, Tag};
use crate::error::WireError;
use crate::href::Path;
use crate::mailbox::DavMailbox;
use crate::multistatus::{Multistatus, Response};
use crate::object;
use crate::quirks::{Certainty, may_be_bad_token, may_be_full_list};
use crate::report::{self, Told, Wanted, component};
use crate::token::{Buckets, MAX_SERVER_TOKEN, Token};
use crate::xml::Ns;
use dme_mailbox::{
    ChangeToken, Changes, ContentMark, Error, ErrorKind, ItemFilter, ItemState, Listing, Result,
    StateNow,
};
use dme_model::{Class, CollectionId, ItemId, ItemSet, Timestamp};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Answers followed for one question about changes.
const MAX_ROUNDS: usize = 1_000;

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
            // The token first: what changes between the two is then told once more, not lost.
            let remote = self.remote(&place.path).await?;
            remote.must_hold(place.class)?;
            let (marks, all) = match &remote.tag {
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
            let token = marks.unwrap_or(match remote.tag {
                Tag::Sync(token) | Tag::Marks(token) => {
                    Token::Sync { members: members.len(), token }
                }
            });
            let items = set(&members);
            Ok(Listing { items, token: token.write() })
        };
        listed.await.map_err(|error: WireError| error.told("list a collection"))
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
        let document = report::calendar_query(component, Wanted::Within(day, None), Told::Mark);
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
        // What cannot be read counts as one: it is shown as broken.
        self.queried(place, "VEVENT", Wanted::Recurring, |object| {
            object.is_none_or(|object| object::reaches(object, day))
        })
        .await
    }

    async fn open_tasks(&self, place: &Place) -> Result<Vec<Member>, WireError> {
        // Servers differ too much in what they take for a filter by property.
        self.queried(place, "VTODO", Wanted::Within(None, None), |object| {
            object.is_none_or(|object| !object::is_done(object))
        })
        .await
    }

    /// Those that a query finds whose content is wanted too; what cannot be read has none.
    async fn queried(
        &self,
        place: &Place,
        component: &str,
        wanted: Wanted<'_>,
        is_wanted: impl Fn(Option<&[u8]>) -> bool + Send + Sync,
    ) -> Result<Vec<Member>, WireError> {
        let document = report::calendar_query(component, wanted, Told::Size);
        let told = self.report(&place.path, document).await?;
        let mut kept = Vec::new();
        self.read_each(place, self.members_in(&place.path, &told), |member, object| {
            if is_wanted(object) {
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

    /// The name of a member that a response is about; none for the collection and all else.
    fn name_in(&self, path: &Path, response: &Response) -> Option<String> {
        let member = Path::read(&response.href, &self.shared.client.origin)?;
        path.name_within(&member).map(str::to_owned)
    }

    pub(crate) async fn report(
        &self,
        path: &Path,
        document: String,
    ) -> Result<Multistatus, WireError> {
        self.send(Request::xml("REPORT", path, document).depth("1")).await?.multistatus()
    }

    pub(crate) async fn changes_since(
        &self,
        collection: &CollectionId,
        since: &ChangeToken,
    ) -> Result<Changes> {
        let place = Place::read(collection)?;
        let told = async {
            match Token::read(since).ok_or_else(|| invalid("it is not one of ours"))? {
                Token::Sync { members, token } => self.sync(&place, members, token).await,
                Token::Marks { buckets, ctag } => self.compare(&place, buckets, ctag).await,
            }
        };
        told.await.map_err(|error: WireError| error.told("ask for changes"))
    }

    /// Asks the server what changed.
    async fn sync(
        &self,
        place: &Place,
        mut members: usize,
        mut token: String,
    ) -> Result<Changes, WireError> {
        let mut upserted: BTreeMap<String, ItemState> = BTreeMap::new();
        let mut removed = ItemSet::new();
        let mut named = 0_usize;
        for round in 0.. {
            let told = match self.sync_report(&place.path, &token).await {
                Err(WireError::Refused(refusal)) => match may_be_bad_token(&refusal) {
                    Some(Certainty::Certain) => return Err(invalid("the server forgot it")),
                    Some(Certainty::Perhaps) if self.tells_from_empty(&place.path).await => {
                        return Err(invalid("the server no longer takes it"));
                    }
                    _ => return Err(WireError::Refused(refusal)),
                },
                told => told?,
            };
            let mut more = false;
            for response in &told.responses {
                let Some(name) = self.name_in(&place.path, response) else {
                    // Of the collection itself: there is more to come (RFC 6578 §3.6).
                    more |= response.status == Some(507);
                    continue;
                };
                let id = ItemId::new(name.as_str());
                if response.is_gone() {
                    upserted.remove(&name);
                    removed.insert(&id);
                } else if response.status.is_none_or(|status| status < 300) {
                    named += 1;
                    if may_be_of(place.class, response) {
                        removed.remove(&id);
                        let mark = response.text(Ns::Dav, "getetag");
                        let mark = mark.map(|mark| ContentMark(mark.to_owned()));
                        upserted.insert(name, ItemState { id, now: StateNow::Other(mark) });
                    }
                }
            }
            let next = told.sync_token.filter(|next| next.len() <= MAX_SERVER_TOKEN);
            let next = next.ok_or_else(|| {
                WireError::Nonsense("changes without a token to go on from".to_owned())
            })?;
            let stuck = more && (next == token || round >= MAX_ROUNDS);
            token = next;
            if stuck {
                return Err(WireError::Nonsense("changes without end".to_owned()));
            }
            if !more {
                break;
            }
        }
        let mut present = None;
        if may_be_full_list(named, members) {
            let there = self.members(&place.path).await?;
            members = there.len();
            present = Some(set(&there));
        } else {
            members = members.saturating_sub(removed.len());
        }
        Ok(Changes {
            upserted: upserted.into_values().collect(),
            removed,
            present,
            token: Token::Sync { members, token }.write(),
        })
    }

    async fn sync_report(&self, path: &Path, token: &str) -> Result<Multistatus, WireError> {
        // The level is in the document; the depth must be 0 (RFC 6578 §3.2).
        let request = Request::xml("REPORT", path, report::sync_collection(token)).depth("0");
        self.send(request).await?.multistatus()
    }

    /// Whether the server answers the same question without a token: then it was the token that it
    /// refused.
    pub(crate) async fn tells_from_empty(&self, path: &Path) -> bool {
        self.sync_report(path, "").await.is_ok()
    }

    /// Finds by comparing marks what changed.
    async fn compare(
        &self,
        place: &Place,
        buckets: Buckets,
        ctag: String,
    ) -> Result<Changes, WireError> {
        let remote = self.remote(&place.path).await?;
        let now = match remote.tag {
            Tag::Marks(now) => now,
            Tag::Sync(_) => return Err(invalid("the server remembers changes now")),
        };
        let nothing = |token: Token| Changes {
            upserted: Vec::new(),
            removed: ItemSet::new(),
            present: None,
            token: token.write(),
        };
        if !now.is_empty() && now == ctag {
            return Ok(nothing(Token::Marks { buckets, ctag }));
        }
        let members = self.members(&place.path).await?;
        let there = pairs(&members);
        let Some(changed) = buckets.changed(&there) else {
            return Ok(nothing(Token::Marks { buckets, ctag: now }));
        };
        let marks: BTreeMap<&str, &str> = there.iter().copied().collect();
        let state = |name: &str| {
            let mark = marks.get(name).filter(|mark| !mark.is_empty());
            let mark = mark.map(|mark| ContentMark((*mark).to_owned()));
            ItemState { id: ItemId::new(name), now: StateNow::Other(mark) }
        };
        Ok(Changes {
            upserted: changed.into_iter().map(state).collect(),
            removed: ItemSet::new(),
            present: Some(set(&members)),
            token: Token::of_marks(&members, &now).write(),
        })
    }

    /// One question for each home tells of all collections in it.
    pub(crate) async fn changed_collections(
        &self,
        since: &[(CollectionId, ChangeToken)],
    ) -> Result<Vec<CollectionId>> {
        if since.is_empty() {
            return Ok(Vec::new());
        }
        let remotes = self.remotes().await.map_err(|error| error.told("ask what changed"))?;
        let mut changed = Vec::new();
        // A collection of several classes is asked for its members once.
        let mut members = BTreeMap::new();
        for (id, token) in since {
            let remote = Place::read(id).ok().and_then(|place| remotes.get(&place.path));
            let same = match (remote, Token::read(token)) {
                (Some(remote), Some(token)) => self.stands_at(remote, &token, &mut members).await,
                _ => false,
            };
            if !same {
                changed.push(id.clone());
            }
        }
        Ok(changed)
    }

    /// Whether a collection stands where a token says. `members` are those of collections that were
    /// asked for them; none of one that did not tell.
    async fn stands_at<'a>(
        &self,
        remote: &'a Remote,
        token: &Token,
        members: &mut BTreeMap<&'a Path, Option<Vec<Member>>>,
    ) -> bool {
        match (&remote.tag, token) {
            (Tag::Sync(now), Token::Sync { token, .. }) => now == token,
            (Tag::Marks(now), Token::Marks { ctag, .. }) if !now.is_empty() => now == ctag,
            (Tag::Marks(_), Token::Marks { buckets, .. }) => {
                let told = match members.entry(&remote.path) {
                    Entry::Occupied(told) => told.into_mut(),
                    Entry::Vacant(none) => none.insert(self.members(&remote.path).await.ok()),
                };
                let told = told.as_deref().map(pairs);
                told.is_some_and(|told| buckets.changed(&told).is_none())
            }
            _ => false,
        }
    }
}

impl Token {
    /// Of these members as they are marked.
    fn of_marks(members: &[Member], ctag: &str) -> Self {
        let buckets = Buckets::of(pairs(members).into_iter());
        Self::Marks { buckets, ctag: ctag.to_owned() }
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

/// Whether a member may be of the class, as far as its media type tells (RFC 5545 §8.1).
fn may_be_of(class: Class, response: &Response) -> bool {
    let Some(component) = component(class) else { return true };
    let kind = response.text(Ns::Dav, "getcontenttype").unwrap_or_default().to_ascii_uppercase();
    let said = kind.split(';').find_map(|part| part.trim().strip_prefix("COMPONENT="));
    said.is_none_or(|said| said.trim_matches('"') == component)
}

fn pairs(members: &[Member]) -> Vec<(&str, &str)> {
    members.iter().map(|member| (member.name.as_str(), member.mark.as_str())).collect()
}

fn set(members: &[Member]) -> ItemSet {
    let mut set = ItemSet::new();
    for member in members {
        set.insert(&ItemId::new(member.name.as_str()));
    }
    set
}

fn invalid(why: &str) -> WireError {
    Error::new(ErrorKind::InvalidToken, format!("dav: the change token: {why}")).into()
}
