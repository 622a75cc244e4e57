//! The devices, by filters that are links.

use super::time::moment;
use super::{Frame, Visit, html, path};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

/// Devices on one page.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "devices.html")]
struct Devices {
    frame: Frame,
    text: String,
    filters: Vec<Filter>,
    found: usize,
    rows: Vec<Row>,
    earlier: Option<String>,
    later: Option<String>,
}

struct Filter {
    href: String,
    text: String,
    here: bool,
    count: usize,
}

pub(super) struct Row {
    pub device: api::Device,
    pub model: String,
    pub last: String,
    /// The device's page.
    pub href: String,
    /// Its user's.
    pub owner: String,
}

impl Row {
    pub fn new(device: api::Device) -> Self {
        let told = |name: &str| device.information.get(name).and_then(|it| it.as_str());
        let model = told("model").or(told("friendly_name")).unwrap_or(&device.kind).to_owned();
        let (user, id) = (device.user.as_str(), device.device.as_str());
        Self {
            href: path(&["devices", user, id]),
            owner: path(&["users", user]),
            last: moment(Some(device.last_seen)),
            model,
            device,
        }
    }
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let all = console.list_devices(&visit.principal).await?;
    let (text, state) = (visit.asked("q").to_owned(), visit.asked("admission").to_owned());
    let wipe = visit.asked("wipe").to_owned();
    let from: usize = visit.asked("from").parse().unwrap_or(0);
    let frame = visit.frame;
    let is_of = |state: &str, one: &api::Device| state.is_empty() || one.admission == state;
    let filters = ["", "allowed", "quarantined", "blocked"].into_iter().map(|one| Filter {
        href: href(&text, one, "", 0),
        text: frame.t(if one.is_empty() { "all" } else { one }),
        here: one == state && wipe.is_empty(),
        count: all.iter().filter(|device| is_of(one, device)).count(),
    });
    let filters = filters.collect();
    let sought = text.to_lowercase();
    let mut rows: Vec<Row> = all
        .into_iter()
        .filter(|one| is_of(&state, one) && one.wipe.starts_with(&wipe))
        .map(Row::new)
        .filter(|row| {
            let of = [&row.device.user, &row.device.device, &row.device.kind, &row.model];
            let agent = &row.device.user_agent;
            sought.is_empty()
                || of.into_iter().chain([agent]).any(|it| it.to_lowercase().contains(&sought))
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.device.last_seen));
    let found = rows.len();
    let rows: Vec<Row> = rows.into_iter().skip(from).take(ROWS).collect();
    let page = Devices {
        earlier: (from > 0).then(|| href(&text, &state, &wipe, from.saturating_sub(ROWS))),
        later: (from + ROWS < found).then(|| href(&text, &state, &wipe, from + ROWS)),
        frame,
        text,
        filters,
        found,
        rows,
    };
    html(&page)
}

fn href(text: &str, admission: &str, wipe: &str, from: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("q", text), ("admission", admission), ("wipe", wipe)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    if from > 0 {
        query.append_pair("from", &from.to_string());
    }
    match query.finish() {
        query if query.is_empty() => "/devices".to_owned(),
        query => format!("/devices?{query}"),
    }
}
