//! The administrators' pages. Each shows what endpoints give and offers forms that ask for other
//! endpoints; none does anything itself.

mod account;
mod admission;
mod api_tokens;
mod audit;
mod behaviour;
mod bytes;
mod chart;
mod connector;
mod connectors;
mod device;
mod device_policy;
mod devices;
mod directory;
mod events;
mod frame;
mod log;
mod meant;
mod outbox;
mod overview;
mod policies;
mod refused;
mod routes;
mod setting;
mod statistics;
mod terms;
mod time;
mod topology;
mod trials;
mod user;
mod users;
mod webhooks;
mod wipe;

pub(crate) use chart::Measured;
use frame::Act;
pub(crate) use frame::path;
pub(crate) use frame::{Alone, Frame, Look};
pub(crate) use refused::refused;
pub(crate) use time::moment;

use crate::endpoint::Args;
use crate::principal::{Duty, Principal, Reach};
use crate::reply::Written;
use crate::{Console, Refusal};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

type Render =
    Box<dyn Fn(Arc<Console>, Visit) -> BoxFuture<'static, Result<Written, Refusal>> + Send + Sync>;

/// A page.
pub struct Page {
    /// With the names of its variable segments in braces.
    pub path: &'static str,
    /// Which duty it takes to see it.
    pub duty: Duty,
    /// How far it reaches.
    pub reach: Reach,
    /// What it is written in.
    pub kind: &'static str,
    render: Render,
}

/// Somebody who may looks at a page.
pub(crate) struct Visit {
    pub principal: Arc<Principal>,
    pub args: Args,
    pub query: BTreeMap<String, String>,
    /// What follows the `?`, as it was written.
    pub asked: String,
    /// Whether the page asks by itself, for what changed in a part of it.
    pub by_itself: bool,
    /// The id of the session by which it is looked at.
    pub session: String,
    pub frame: Frame,
}

impl Visit {
    /// The variable segment of this name.
    pub fn arg(&self, name: &str) -> &str {
        let found = self.args.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Whether nothing is hidden from whoever looks.
    pub fn sees_all(&self) -> bool {
        self.principal.sees_all()
    }

    /// All that follows the `?` under this name, where it is there several times.
    pub fn each(&self, name: &str) -> Vec<String> {
        let pairs = form_urlencoded::parse(self.asked.as_bytes());
        pairs.filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
    }

    /// What follows the `?` under this name; nothing where it is not there or empty.
    pub fn wanted(&self, name: &str) -> Option<String> {
        Some(self.asked(name).trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// What follows the `?` under this name; nothing where it is not there.
    pub fn asked(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

impl Page {
    /// What it shows.
    pub(crate) async fn render(
        &self,
        console: Arc<Console>,
        visit: Visit,
    ) -> Result<Written, Refusal> {
        (self.render)(console, visit).await
    }
}

fn page<T, F, R>(path: &'static str, render: R) -> Page
where
    T: Into<Written> + Send + 'static,
    F: Future<Output = Result<T, Refusal>> + Send + 'static,
    R: Fn(Arc<Console>, Visit) -> F + Send + Sync + 'static,
{
    let reach = match path {
        path if path.contains("{user}") => Reach::User,
        path if path.contains("{connector}") => Reach::Connector,
        _ => Reach::Filtered,
    };
    let render: Render = Box::new(move |console, visit| {
        let written = render(console, visit);
        async move { written.await.map(Into::into) }.boxed()
    });
    let kind = "text/html; charset=utf-8";
    Page { path, duty: Duty::See, reach, kind, render }
}

impl Page {
    /// For those with this duty, and without boundaries.
    fn for_all(self, duty: Duty) -> Self {
        Self { duty, reach: Reach::Everyone, ..self }
    }

    /// For those with this duty.
    fn of(self, duty: Duty) -> Self {
        Self { duty, ..self }
    }

    /// Written in this.
    fn written_in(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }
}

/// Every page.
pub fn table() -> Vec<Page> {
    vec![
        page("/", overview::render),
        page("/account", account::render),
        page("/devices", devices::render),
        page("/devices/bulk", devices::bulk),
        page("/devices/{user}/{device}", device::render),
        page("/devices/{user}/{device}/policy", device_policy::render),
        page("/devices/{user}/{device}/wipe", wipe::render).of(Duty::Operate),
        page("/users", users::render),
        page("/users/{user}", user::render),
        page("/connectors", connectors::render),
        page("/connectors/{connector}", connector::render),
        page("/connectors/{connector}/diagnosis.json", connector::diagnosis)
            .written_in("application/json"),
        page("/topology", topology::render),
        page("/routes", routes::render).for_all(Duty::See),
        page("/directory", directory::render).for_all(Duty::See),
        page("/outbox", outbox::render).for_all(Duty::See),
        page("/tokens", api_tokens::render).for_all(Duty::Audit),
        page("/policies", policies::render).for_all(Duty::See),
        page("/policies/try", trials::setting).for_all(Duty::See),
        page("/policies/try-group", trials::group).for_all(Duty::See),
        page("/admission", admission::render).for_all(Duty::See),
        page("/admission/try-rules", admission::trial).for_all(Duty::See),
        page("/behaviour", behaviour::render).for_all(Duty::See),
        page("/terms", terms::render).for_all(Duty::See),
        page("/webhooks", webhooks::render).for_all(Duty::See),
        page("/wipes", policies::wipes),
        page("/log", log::render).for_all(Duty::Audit),
        page("/log.jsonl", log::export)
            .for_all(Duty::Audit)
            .written_in("application/jsonl; charset=utf-8"),
        page("/audit", audit::render).for_all(Duty::Audit),
        page("/statistics", statistics::render).for_all(Duty::See),
        page("/statistics.csv", statistics::csv)
            .for_all(Duty::See)
            .written_in("text/csv; charset=utf-8"),
    ]
}

/// A page's text.
fn html(template: &impl askama::Template) -> Result<String, Refusal> {
    template.render().map_err(Refusal::failed)
}
