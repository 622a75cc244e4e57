//! The directories: what is known of each realm's groups, and how old that is.

use super::time::moment;
use super::{Act, Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "directory.html")]
struct Directory {
    frame: Frame,
    /// Each realm, who gave its groups and how old those are, when they were read, and how old they
    /// are all in all.
    rows: Vec<(api::Realm, String, String, String)>,
    acts: Vec<Act>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let rows = console.list_realms(visit.frame.look.language).into_iter().map(|realm| {
        let each = realm.groups_from.iter().map(|from| match realm.groups_from.len() {
            1 => from.connector.clone(),
            _ => format!("{} ({})", from.connector, age(from.age_seconds)),
        });
        let from = each.collect::<Vec<_>>().join(", ");
        let (read, age) = (moment(realm.groups_as_of), realm.age_seconds.map(age));
        (realm, from, read, age.unwrap_or_else(|| "–".to_owned()))
    });
    let rows = rows.collect();
    let frame = visit.frame;
    let acts = vec![Act::new(&["directory", "refresh"], frame.t("refresh"))];
    html(&Directory { rows, acts, frame })
}

/// In the largest unit that it is two of.
fn age(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
