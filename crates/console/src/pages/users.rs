//! The users who have devices.

use super::{Frame, Visit, html};
use crate::{Console, Refusal};
use askama::Template;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    frame: Frame,
    text: String,
    rows: Vec<(String, usize)>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let text = visit.asked("q").trim().to_owned();
    let mut devices: BTreeMap<String, usize> = BTreeMap::new();
    for device in console.list_devices(&visit.principal).await? {
        *devices.entry(device.user).or_default() += 1;
    }
    let sought = text.to_lowercase();
    let mut rows: Vec<_> =
        devices.into_iter().filter(|(user, _)| user.to_lowercase().contains(&sought)).collect();
    // Whom nobody has met yet: the directory may know.
    if rows.is_empty() && !text.is_empty() {
        rows.push((text.clone(), 0));
    }
    html(&Users { frame: visit.frame, text, rows })
}
