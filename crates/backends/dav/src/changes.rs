//! What changed in a collection: by the server's own memory (RFC 6578) where it has one, else by
//! comparing marks.

use crate::client::Request;
use crate::collections::Place;
use crate::error::WireError;
use crate::href::Path;
use crate::listing::{Member, set};
use crate::mailbox::DavMailbox;
use crate::multistatus::{Multistatus, Response};
use crate::quirks::{Certainty, may_be_bad_token, may_be_full_list};
use crate::report::{self, component};
use crate::standing::Tag;
use crate::token::{Buckets, MAX_SERVER_TOKEN, Token};
use crate::xml::Ns;
use dme_mailbox::{
    ChangeToken, Changes, ContentMark, Error, ErrorKind, ItemState, Result, StateNow,
};
use dme_model::{Class, CollectionId, ItemId, ItemSet};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Answers followed for one question about changes.
const MAX_ROUNDS: usize = 1_000;

impl DavMailbox {
    /// The name of a member that a response is about; none for the collection and all else.
    pub(crate) fn name_in(&self, path: &Path, response: &Response) -> Option<String> {
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

    pub(crate) async fn sync_report(
        &self,
        path: &Path,
        token: &str,
    ) -> Result<Multistatus, WireError> {
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
        let (_, tag) = self.standing(&place.path).await?;
        let now = match tag {
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
        let standings = self.standings().await.map_err(|error| error.told("ask what changed"))?;
        let mut changed = Vec::new();
        // A collection of several classes is asked for its members once.
        let mut members = BTreeMap::new();
        for (id, token) in since {
            let place = Place::read(id).ok();
            let stands = place.and_then(|place| standings.get_key_value(&place.path));
            let same = match (stands, Token::read(token)) {
                (Some((path, (_, tag))), Some(token)) => {
                    self.stands_at(path, tag, &token, &mut members).await
                }
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
        path: &'a Path,
        tag: &Tag,
        token: &Token,
        members: &mut BTreeMap<&'a Path, Option<Vec<Member>>>,
    ) -> bool {
        match (tag, token) {
            (Tag::Sync(now), Token::Sync { token, .. }) => now == token,
            (Tag::Marks(now), Token::Marks { ctag, .. }) if !now.is_empty() => now == ctag,
            // Its properties do not say where it stands (a fault: RFC 6578 §4), but it can be asked.
            (Tag::Marks(_), Token::Sync { token, .. }) => {
                let told = self.sync_report(path, token).await;
                told.is_ok_and(|told| {
                    told.responses.is_empty() && told.sync_token.as_ref() == Some(token)
                })
            }
            (Tag::Marks(_), Token::Marks { buckets, .. }) => {
                let told = match members.entry(path) {
                    Entry::Occupied(told) => told.into_mut(),
                    Entry::Vacant(none) => none.insert(self.members(path).await.ok()),
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
    pub(crate) fn of_marks(members: &[Member], ctag: &str) -> Self {
        let buckets = Buckets::of(pairs(members).into_iter());
        Self::Marks { buckets, ctag: ctag.to_owned() }
    }
}

/// Whether a member may be of the class, as far as its media type tells (RFC 5545 §8.1).
pub(crate) fn may_be_of(class: Class, response: &Response) -> bool {
    let Some(component) = component(class) else { return true };
    let kind = response.text(Ns::Dav, "getcontenttype").unwrap_or_default().to_ascii_uppercase();
    let said = kind.split(';').find_map(|part| part.trim().strip_prefix("COMPONENT="));
    said.is_none_or(|said| said.trim_matches('"') == component)
}

fn pairs(members: &[Member]) -> Vec<(&str, &str)> {
    members.iter().map(|member| (member.name.as_str(), member.mark.as_str())).collect()
}

fn invalid(why: &str) -> WireError {
    Error::new(ErrorKind::InvalidToken, format!("dav: the change token: {why}")).into()
}
