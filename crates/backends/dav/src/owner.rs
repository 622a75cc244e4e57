//! Whose a calendar or address book is (RFC 3744 §5.1, and CalendarServer's `caldav-sharing`).
//!
//! Servers list what others share with a user in the user's own home, often under a path of the
//! user's. Whoever may write there still does so for its owner.

use crate::error::WireError;
use crate::href::{Origin, Path};
use crate::lately::Lately;
use crate::mailbox::DavMailbox;
use crate::multistatus::Response;
use crate::principal::Principal;
use crate::xml::Ns;
use dme_model::{Owner, UserId};

/// What is asked of each collection where nothing but its owner matters. Where it stands is dear to
/// ask: some servers look at every member for that.
const OWNED: &str = "<resourcetype/><owner/><C:supported-calendar-component-set/>";

/// What people call owners of shared collections, as told to each user.
pub(crate) type OwnerNames = Lately<(UserId, Path), String>;

/// What a server says of whose a collection is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Belongs {
    /// The principal that owns it (`DAV:owner`).
    owner: Option<Path>,
    /// Whether it is marked as one that somebody shares with the user. Some servers then still give
    /// the user as the owner.
    shared: bool,
}

impl Belongs {
    pub(crate) fn of(response: &Response, origin: &Origin) -> Self {
        let owner = response.prop(Ns::Dav, "owner").and_then(|owner| owner.hrefs().next());
        let kind = response.prop(Ns::Dav, "resourcetype");
        Self {
            owner: owner.and_then(|href| Path::read(href, origin)).map(Path::into_collection),
            shared: kind.is_some_and(|kind| kind.holds(Ns::CalendarServer, "shared")),
        }
    }

    /// What lies in a home is its owner's where nothing else is said.
    pub(crate) fn in_home(&mut self, home: &Self) {
        if self.owner.is_none() {
            self.owner.clone_from(&home.owner);
        }
    }

    /// Whether it is the user's own. It is where nothing is said: it is listed as the user's.
    pub(crate) fn to(&self, principal: &Principal) -> bool {
        !self.shared && self.owner.as_ref().is_none_or(|owner| principal.is(owner))
    }
}

impl DavMailbox {
    /// Whose a collection is, by the name that its owner has on the server.
    pub(crate) async fn owner_of(&self, belongs: &Belongs, principal: &Principal) -> Owner {
        if belongs.to(principal) {
            return Owner::User;
        }
        let Some(owner) = belongs.owner.as_ref().filter(|owner| !principal.is(owner)) else {
            return Owner::Other { name: None };
        };
        let key = (self.account.user.clone(), owner.clone());
        let known = self.shared.owners.of(&key);
        let name = match known {
            Some(name) => name,
            None => {
                // Not everybody may read who somebody is, and that must not stop the list.
                let told = self.propfind(owner, "0", "<displayname/>").await;
                let told = told.ok().and_then(|told| told.responses.into_iter().next());
                let name = told.as_ref().and_then(|told| told.text(Ns::Dav, "displayname"));
                let name = name.map_or_else(|| owner.plain_name(), str::to_owned);
                self.shared.owners.keep(key, name.clone());
                name
            }
        };
        Owner::Other { name: Some(name).filter(|name| !name.is_empty()) }
    }

    /// Whether a collection is somebody else's.
    pub(crate) async fn is_shared(&self, path: &Path) -> Result<bool, WireError> {
        let principal = self.principal().await?;
        let remotes = self.remotes_told(&principal, OWNED).await?;
        Ok(remotes.get(path).is_some_and(|remote| !remote.belongs.to(&principal)))
    }
}
