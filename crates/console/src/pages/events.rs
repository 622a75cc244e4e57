//! The last events of something, on its own page.

use super::Visit;
use super::time::to_the_second;
use crate::principal::{Allowed, Duty};
use crate::{Console, Refusal, api};

/// So many are shown.
const SHOWN: u32 = 10;

/// The last events of something, and where the others are.
#[derive(Default)]
pub(super) struct Events {
    /// Whether whoever looks may see them.
    pub shown: bool,
    pub rows: Vec<(String, api::Event)>,
    pub all: String,
}

/// The last events that are asked for, if whoever looks may read the log.
pub(super) async fn lately(
    console: &Console,
    visit: &Visit,
    query: api::EventQuery,
) -> Result<Events, Refusal> {
    if visit.principal.may(Duty::Audit) != Allowed::Everywhere {
        return Ok(Events::default());
    }
    last(console, query).await
}

/// The last events that are asked for, for whoever may look at the page they are on: those of a device
/// are of nobody else.
pub(super) async fn last(console: &Console, query: api::EventQuery) -> Result<Events, Refusal> {
    let all = all(&query);
    let page = console.events(api::EventQuery { limit: Some(SHOWN), ..query }).await?;
    let rows = page.events.into_iter().map(|event| (to_the_second(Some(event.time)), event));
    Ok(Events { rows: rows.collect(), all, shown: true })
}

/// Where all of them are.
fn all(query: &api::EventQuery) -> String {
    let mut all = form_urlencoded::Serializer::new(String::new());
    for (name, value) in
        [("user", &query.user), ("device", &query.device), ("connector", &query.connector)]
    {
        if let Some(value) = value {
            all.append_pair(name, value);
        }
    }
    format!("/log?{}", all.finish())
}
