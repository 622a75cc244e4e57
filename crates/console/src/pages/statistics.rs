//! What was counted: charts of the last days, and tables by whatever is wanted.

use super::chart::{Chart, Span, charts};
use super::{Frame, Visit, html};
use crate::{Console, Refusal, api, csv};
use askama::Template;
use std::fmt::Write;
use std::sync::Arc;

/// The spans one can look at: a name, hours, and what a bar of the chart stands for.
const SPANS: [(&str, i64, &str); 3] =
    [("day", 24, "hour"), ("week", 168, "day"), ("month", 744, "day")];
/// What a table can be told apart by.
const BY: [&str; 4] = ["command", "connector", "user", "device"];

#[derive(Template)]
#[template(path = "statistics.html")]
struct Statistics {
    frame: Frame,
    spans: Vec<(String, String, bool)>,
    apart: Vec<(String, String, bool)>,
    charts: Vec<Chart>,
    by: String,
    rows: Vec<api::Count>,
    csv: String,
}

fn chosen(visit: &Visit) -> ((&'static str, i64, &'static str), &'static str) {
    let span = SPANS.into_iter().find(|(name, ..)| *name == visit.asked("span"));
    let by = BY.into_iter().find(|name| *name == visit.asked("by"));
    (span.unwrap_or(SPANS[0]), by.unwrap_or(BY[0]))
}

fn query(console: &Console, hours: i64, by: &[&str]) -> api::CountQuery {
    let from = (console.front.clock)().as_seconds() - hours * 3600;
    let by = by.iter().map(|name| (*name).to_owned()).collect();
    api::CountQuery { from: Some(from), by, ..api::CountQuery::default() }
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let ((span, hours, step), by) = chosen(&visit);
    let mut rows = console.statistics(query(&console, hours, &[by])).await?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.requests));
    rows.truncate(200);
    let frame = visit.frame;
    let charts = charts(&console, &frame, Span { hours, step }).await?;
    let link = |span: &str, by: &str| format!("/statistics?span={span}&by={by}");
    let spans = SPANS.iter().map(|(name, ..)| (link(name, by), frame.t(name), *name == span));
    let apart = BY.iter().map(|name| (link(span, name), frame.t(name), *name == by));
    html(&Statistics {
        spans: spans.collect(),
        apart: apart.collect(),
        charts,
        by: frame.t(by),
        rows,
        csv: format!("/statistics.csv?span={span}&by={by}"),
        frame,
    })
}

/// The table, for a spreadsheet (RFC 4180).
pub(super) async fn csv(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let ((_, hours, _), by) = chosen(&visit);
    let rows = console.statistics(query(&console, hours, &[by])).await?;
    let mut text = format!("{by},{}\r\n", csv::COUNTED.join(","));
    for row in rows {
        let counted = csv::counted(&row).join(",");
        write!(text, "{},{counted}\r\n", csv::field(row.of())).map_err(Refusal::failed)?;
    }
    Ok(text)
}

impl api::Count {
    /// What it is about, of those that a page tells apart one at a time.
    fn of(&self) -> &str {
        [&self.command, &self.connector, &self.user, &self.device]
            .into_iter()
            .find_map(Option::as_deref)
            .unwrap_or_default()
    }
}
