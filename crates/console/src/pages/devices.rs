//! The devices, by filters that are links, and acts on many of them.

use super::time::moment;
use super::{Frame, Visit, html, path};
use crate::endpoints::word;
use crate::{Console, Refusal, api};
use askama::Template;
use dme_eas::ProtocolVersion;
use dme_model::UserId;
use dme_server::policies::Compliance;
use dme_store::WipeKind;
use std::sync::Arc;

/// Devices on one page.
const ROWS: u32 = 100;
/// The acts on many, with what each is called.
const ACTS: [&str; 5] = ["allow", "quarantine", "block", "resync", "wipe-account"];
/// What narrows the list, as it is asked for.
const FILTERS: [&str; 11] = [
    "q",
    "admission",
    "kind",
    "protocol",
    "compliance",
    "connector",
    "contact",
    "group",
    "os",
    "wipe",
    "held",
];
/// How long ago devices came last, as it is asked for: within so many days, or not since.
const CONTACTS: [(&str, Option<u32>, Option<u32>); 4] = [
    ("today", Some(1), None),
    ("idle-week", None, Some(7)),
    ("idle-month", None, Some(30)),
    ("idle-quarter", None, Some(90)),
];

#[derive(Template)]
#[template(path = "devices.html")]
struct Devices {
    frame: Frame,
    text: String,
    os: String,
    group: String,
    /// What the form keeps of what narrows the list otherwise.
    kept: Vec<(&'static str, String)>,
    filters: Vec<Filters>,
    /// Whether one of the rarer filters holds.
    narrowed: bool,
    found: usize,
    rows: Vec<Row>,
    acts: Vec<(&'static str, String)>,
    earlier: Option<String>,
    later: Option<String>,
}

/// Links that narrow the list by one thing.
struct Filters {
    of: String,
    links: Vec<Filter>,
}

struct Filter {
    href: String,
    text: String,
    here: bool,
    count: Option<u64>,
}

pub(super) struct Row {
    pub device: api::Device,
    pub model: String,
    pub os: String,
    pub last: String,
    /// The connectors that serve its user, where that was asked for.
    pub route: String,
    /// The device's page.
    pub href: String,
    /// Its user's.
    pub owner: String,
    /// As acts on many name it.
    pub named: String,
}

impl Row {
    pub fn new(device: api::Device) -> Self {
        let told = |name: &str| device.information.get(name).and_then(|it| it.as_str());
        let model = told("model").or(told("friendly_name")).unwrap_or(&device.kind).to_owned();
        let os = told("os").unwrap_or_default().to_owned();
        let (user, id) = (device.user.as_str(), device.device.as_str());
        Self {
            href: path(&["devices", user, id]),
            owner: path(&["users", user]),
            named: path(&[user, id]).trim_start_matches('/').to_owned(),
            last: moment(Some(device.last_seen)),
            route: String::new(),
            model,
            os,
            device,
        }
    }
}

/// What is asked for.
fn query(visit: &Visit) -> api::DeviceQuery {
    let contact = CONTACTS.into_iter().find(|(word, ..)| *word == visit.asked("contact"));
    api::DeviceQuery {
        text: visit.wanted("q"),
        admission: visit.wanted("admission"),
        wipe: visit.wanted("wipe"),
        kind: visit.wanted("kind"),
        protocol: visit.wanted("protocol"),
        os: visit.wanted("os"),
        compliance: visit.wanted("compliance"),
        connector: visit.wanted("connector"),
        group: visit.wanted("group"),
        within_days: contact.and_then(|(_, within, _)| within),
        idle_days: contact.and_then(|(_, _, idle)| idle),
        held: visit.wanted("held").is_some(),
        after: visit.asked("from").parse().unwrap_or(0),
        limit: Some(ROWS),
    }
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let query = query(&visit);
    let found = console.find_devices(&visit.principal, &query).await?;
    let connectors = console.list_connectors(&visit.principal, visit.frame.look.language).await?;
    let frame = &visit.frame;

    let states = [
        ("", found.tally.all()),
        ("allowed", found.tally.allowed),
        ("quarantined", found.tally.quarantined),
        ("blocked", found.tally.blocked),
    ];
    let state = |(word, count): (&str, u64)| {
        let text = frame.t(if word.is_empty() { "all" } else { word });
        Filter { count: Some(count), ..link(&visit, "admission", word, text) }
    };
    let mut filters =
        vec![Filters { of: frame.t("state"), links: states.into_iter().map(state).collect() }];
    let mut narrow = |name: &str, of: &str, words: Vec<(String, String, Option<u64>)>| {
        if words.is_empty() {
            return;
        }
        let all = link(&visit, name, "", frame.t("all"));
        let words = words.into_iter();
        let words =
            words.map(|(word, text, count)| Filter { count, ..link(&visit, name, &word, text) });
        filters
            .push(Filters { of: frame.t(of), links: std::iter::once(all).chain(words).collect() });
    };
    let told = |kind: (String, u64)| (kind.0.clone(), kind.0, Some(kind.1));
    narrow("kind", "kind", found.kinds.into_iter().map(told).collect());
    let protocols = ProtocolVersion::ALL.map(|one| (one.to_string(), one.to_string(), None));
    narrow("protocol", "protocol", protocols.into());
    let compliances = [
        Compliance::Compliant,
        Compliance::Pending,
        Compliance::Partial,
        Compliance::Refused,
        Compliance::NotAsked,
    ];
    let compliances = compliances.map(|one| {
        let word = word(&one);
        let text = frame.word("compliance", &word);
        (word, text, None)
    });
    narrow("compliance", "policy", compliances.into());
    let named = connectors.iter().filter(|one| one.state != "removed" && one.users > 0);
    let named = named.map(|one| (one.name.clone(), one.name.clone(), None));
    narrow("connector", "connector", named.collect());
    let contacts = CONTACTS.map(|(word, ..)| (word.to_owned(), frame.t(word), None));
    narrow("contact", "last-contact", contacts.into());
    let more = [("held", "1", "misbehaves"), ("wipe", "requested", "wipe-requested")];
    let more = more.map(|(name, word, text)| {
        let here = visit.wanted(name).as_deref() == Some(word);
        let href = href(&visit, name, if here { "" } else { word }, 0);
        Filter { href, text: frame.t(text), here, count: None }
    });
    filters.push(Filters { of: frame.t("more"), links: more.into() });

    let asked = query.admission.as_deref().unwrap_or_default();
    let wanted = states.into_iter().find(|(word, _)| *word == asked).map_or(0, |(_, count)| count);
    let (after, wanted) = (query.after, u32::try_from(wanted).unwrap_or(u32::MAX));
    let page = |from: u32| href(&visit, "", "", from);
    let serving = console.serving(&found.devices).await?;
    let served = |row: Row| {
        let connectors = serving.get(&UserId::from(row.device.user.as_str()));
        let names = connectors.into_iter().flatten().map(String::as_str);
        Row { route: names.collect::<Vec<_>>().join(", "), ..row }
    };
    let rarer = ["protocol", "compliance", "connector", "contact", "wipe", "held"];
    let typed = ["q", "os", "group"];
    let kept = FILTERS.into_iter().filter(|name| !typed.contains(name));
    html(&Devices {
        text: visit.asked("q").to_owned(),
        os: visit.asked("os").to_owned(),
        group: visit.asked("group").to_owned(),
        kept: kept.filter_map(|name| Some((name, visit.wanted(name)?))).collect(),
        filters,
        narrowed: rarer.iter().any(|name| visit.wanted(name).is_some()),
        found: wanted as usize,
        rows: found.devices.into_iter().map(Row::new).map(served).collect(),
        acts: ACTS.map(|act| (act, frame.t(act))).into(),
        earlier: (after > 0).then(|| page(after.saturating_sub(ROWS))),
        later: (after.saturating_add(ROWS) < wanted).then(|| page(after.saturating_add(ROWS))),
        frame: visit.frame,
    })
}

fn link(visit: &Visit, name: &str, word: &str, text: String) -> Filter {
    let here = visit.asked(name) == word;
    Filter { href: href(visit, name, word, 0), text, here, count: None }
}

/// The list narrowed as it is, but for one thing.
fn href(visit: &Visit, changed: &str, word: &str, from: u32) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in FILTERS {
        let value = if name == changed { word } else { visit.asked(name) };
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

#[derive(Template)]
#[template(path = "devices_bulk.html")]
struct Bulk {
    frame: Frame,
    act: String,
    /// The endpoint's path without `/api`.
    endpoint: &'static str,
    rows: Vec<Chosen>,
    /// Orders to wipe that need nobody else within this hour, and how many may be given in one.
    limit: Option<(u32, u32)>,
    back: String,
}

/// A device that something is to be done to.
struct Chosen {
    row: Row,
    /// What would be erased on it.
    erased: Option<String>,
}

/// What is to be done to many devices, before it is.
pub(super) async fn bulk(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let act = ACTS.into_iter().find(|act| *act == visit.asked("act"));
    let (wipes, language) = (act == Some("wipe-account"), visit.frame.look.language);
    let mut rows = Vec::new();
    for named in visit.each("devices").iter().take(ROWS as usize) {
        let segments = crate::dispatch::segments(named);
        let [user, id] = segments.as_slice() else { continue };
        let Some(device) = console.seen_device(&visit.principal, user, id).await? else {
            continue;
        };
        let foretold =
            || language.erasure(&console.front.wipes.foretell(&device, WipeKind::Account));
        let erased = wipes.then(foretold);
        rows.push(Chosen { row: Row::new(console.device(&device)), erased });
    }
    let limit = match wipes {
        true => Some(console.front.wipes.left((console.front.clock)()).await?),
        false => None,
    };
    html(&Bulk {
        act: act.unwrap_or_default().to_owned(),
        endpoint: if wipes { "/bulk/wipe-account" } else { "/bulk/devices" },
        rows,
        limit,
        back: "/devices".to_owned(),
        frame: if wipes { visit.frame.asking_each_time() } else { visit.frame },
    })
}
