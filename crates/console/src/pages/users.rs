//! The users who have devices.

use super::{Frame, Visit, html};
use crate::{Console, Refusal};
use askama::Template;
use std::sync::Arc;

/// Users on one page.
const ROWS: u32 = 200;

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    frame: Frame,
    text: String,
    found: usize,
    rows: Vec<(String, u64)>,
    earlier: Option<String>,
    later: Option<String>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let text = visit.asked("q").trim().to_owned();
    let after: u32 = visit.asked("from").parse().unwrap_or(0);
    let (mut rows, found) = console.device_owners(&visit.principal, &text, after, ROWS).await?;
    // Whom nobody has met yet: the directory may know.
    if rows.is_empty() && !text.is_empty() {
        rows.push((text.clone(), 0));
    }
    let href = |from: u32| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &text).append_pair("from", &from.to_string());
        format!("/users?{}", query.finish())
    };
    html(&Users {
        earlier: (after > 0).then(|| href(after.saturating_sub(ROWS))),
        later: (u64::from(after.saturating_add(ROWS)) < found).then(|| href(after + ROWS)),
        found: usize::try_from(found).unwrap_or(usize::MAX),
        frame: visit.frame,
        text,
        rows,
    })
}
