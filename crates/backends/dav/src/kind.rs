//! What a collection of the server is, as its properties tell.

use crate::error::WireError;
use crate::href::Path;
use crate::mailbox::DavMailbox;
use crate::multistatus::Response;
use crate::report::component;
use crate::xml::Ns;
use dme_model::{Access, Class};

/// What tells it. Cheap everywhere: to tell where a collection stands, some servers look at every
/// member of it.
const PROPS: &str = "<resourcetype/><C:supported-calendar-component-set/><supported-report-set/>";

/// What a calendar or address book holds, and what it can be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kind {
    /// What it may hold, in the order of [`Class`].
    pub(crate) classes: Vec<Class>,
    /// Whether it tells what changed (RFC 6578).
    pub(crate) syncs: bool,
}

impl Kind {
    /// None where the resource is no calendar or address book: a scheduling inbox, the home itself.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        let kind = response.prop(Ns::Dav, "resourcetype")?;
        let classes = if kind.holds(Ns::CalDav, "calendar") {
            let set = response.prop(Ns::CalDav, "supported-calendar-component-set");
            let said: Option<Vec<&str>> = set
                .map(|set| set.children.iter().filter_map(|comp| comp.named.as_deref()).collect());
            let all = [Class::Calendar, Class::Tasks, Class::Notes];
            // Without the property anything may be in it (RFC 4791 §5.2.3).
            let holds = |class: &Class| {
                said.as_ref().is_none_or(|said| {
                    component(*class).is_some_and(|component| said.contains(&component))
                })
            };
            all.into_iter().filter(holds).collect()
        } else if kind.holds(Ns::CardDav, "addressbook") {
            vec![Class::Contacts]
        } else {
            return None;
        };
        let reports = response.prop(Ns::Dav, "supported-report-set");
        let syncs = reports.is_some_and(|reports| reports.holds(Ns::Dav, "sync-collection"));
        Some(Self { classes, syncs })
    }
}

/// Whoever may neither write content nor add may only look (RFC 3744 §3, RFC 5397). A server
/// without access control does not say.
pub(crate) fn access(response: &Response) -> Access {
    let Some(privileges) = response.prop(Ns::Dav, "current-user-privilege-set") else {
        return Access::ReadWrite;
    };
    let has = |name| privileges.holds(Ns::Dav, name);
    match has("all") || has("write") || (has("write-content") && has("bind")) {
        true => Access::ReadWrite,
        false => Access::ReadOnly,
    }
}

impl DavMailbox {
    /// What a collection is; none where it is no calendar or address book.
    pub(crate) async fn kind(&self, path: &Path) -> Result<Option<Kind>, WireError> {
        let told = self.propfind(path, "0", PROPS).await?;
        Ok(told.responses.first().and_then(Kind::of))
    }
}
