//! Where collections stand, asked for by as little as tells it.
//!
//! Some servers look at every member of a collection to tell its `sync-token`, and at every member
//! again to tell its `getctag`. One of the two is enough. A server is taken to give tokens until it
//! does not; what a home or a collection must be asked instead is remembered for a while, so that a
//! server that begins to give tokens, or ceases to, is soon asked as is right for it.

use crate::collections::{PROPS, Question, Remote, no_collection};
use crate::error::WireError;
use crate::href::Path;
use crate::kind::Kind;
use crate::lately::Lately;
use crate::mailbox::DavMailbox;
use crate::multistatus::{Multistatus, Response};
use crate::xml::Ns;
use std::collections::BTreeMap;

/// What tells whether anything in a collection changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Tag {
    /// A token to ask for changes with (RFC 6578).
    Sync(String),
    /// A text that differs when something did (`getctag`); empty where there is none.
    Marks(String),
}

/// What must be asked of homes and collections that do not give a token for everything.
pub(crate) type Untokened = Lately<Path, Asked>;

/// What is asked to learn where collections stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Asked {
    #[default]
    Tokens,
    Marks,
    /// Some of a home's collections have a token, others have none.
    Both,
}

impl Asked {
    fn props(self) -> String {
        let stands = match self {
            Self::Tokens => "<supported-report-set/><sync-token/>",
            Self::Marks => "<S:getctag/>",
            Self::Both => "<supported-report-set/><sync-token/><S:getctag/>",
        };
        format!("{PROPS}{stands}")
    }

    /// What is to be asked of collections of which these have a token.
    fn by(have_token: impl Iterator<Item = bool>) -> Self {
        let (mut some, mut all) = (false, true);
        for has in have_token {
            some |= has;
            all &= has;
        }
        match (all, some) {
            (true, _) => Self::Tokens,
            (false, true) => Self::Both,
            (false, false) => Self::Marks,
        }
    }
}

impl Tag {
    fn of(response: &Response) -> Self {
        let ctag = response.text(Ns::CalendarServer, "getctag").unwrap_or_default();
        token(response).map_or_else(|| Self::Marks(ctag.to_owned()), Self::Sync)
    }
}

/// The token of a collection that can be asked for changes with it.
fn token(response: &Response) -> Option<String> {
    let syncs = Kind::of(response).is_some_and(|kind| kind.syncs);
    response.text(Ns::Dav, "sync-token").filter(|_| syncs).map(str::to_owned)
}

impl DavMailbox {
    /// Every calendar and address book in the user's homes, and where it stands. As
    /// [`DavMailbox::remotes`].
    pub(crate) async fn standings(&self) -> Result<BTreeMap<Path, (Remote, Tag)>, WireError> {
        let principal = self.principal().await?;
        let told_of = |response: &Response, remote| (remote, Tag::of(response));
        self.in_homes(&principal, Question::Standing, told_of).await
    }

    /// One calendar or address book, and where it stands.
    pub(crate) async fn standing(&self, path: &Path) -> Result<(Remote, Tag), WireError> {
        let told = self.propfind_standing(path, "0").await?;
        let origin = &self.shared.client.origin;
        let told = told.responses.first();
        let stands =
            told.and_then(|told| Some((Remote::of(told, path.clone(), origin)?, Tag::of(told))));
        stands.ok_or_else(|| no_collection(path).into())
    }

    /// Asks for [`PROPS`] of a resource, and of those in it by depth, and where they stand.
    pub(crate) async fn propfind_standing(
        &self,
        path: &Path,
        depth: &str,
    ) -> Result<Multistatus, WireError> {
        let asked = self.shared.untokened.of(path).unwrap_or_default();
        let told = self.propfind(path, depth, &asked.props()).await?;
        if asked != Asked::Tokens {
            return Ok(told);
        }
        let collections = told
            .responses
            .iter()
            .filter(|response| Kind::of(response).is_some_and(|kind| self.wants(&kind.classes)));
        match Asked::by(collections.map(|response| token(response).is_some())) {
            Asked::Tokens => Ok(told),
            instead => {
                self.shared.untokened.keep(path.clone(), instead);
                self.propfind(path, depth, &instead.props()).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_token_is_not_asked_for_a_mark() {
        assert_eq!(Asked::by([].into_iter()), Asked::Tokens);
        assert_eq!(Asked::by([true, true].into_iter()), Asked::Tokens);
        assert_eq!(Asked::by([true, false].into_iter()), Asked::Both);
        assert_eq!(Asked::by([false, false].into_iter()), Asked::Marks);
    }
}
