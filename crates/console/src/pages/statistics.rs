//! What was counted: charts of the last days, and tables by whatever is wanted.

use super::chart::{Chart, Span, charts};
use super::{Frame, Visit, html, moment};
use crate::{Console, Refusal, api, csv};
use askama::Template;
use dme_model::Timestamp;
use std::fmt::Write;
use std::sync::Arc;

/// The spans one can look at: a name, hours, and what a bar of the chart stands for.
const SPANS: [(&str, i64, &str); 3] =
    [("day", 24, "hour"), ("week", 168, "day"), ("month", 744, "day")];
/// What a table can be told apart by.
const BY: [&str; 6] = ["command", "connector", "user", "device", "hour", "day"];
/// So many lines of a table are shown.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "statistics.html")]
struct Statistics {
    frame: Frame,
    spans: Vec<(String, String, bool)>,
    apart: Vec<(String, String, bool)>,
    charts: Vec<Chart>,
    by: String,
    rows: Vec<Row>,
    /// Lines that are not shown.
    further: usize,
    csv: String,
}

/// One line of a table.
struct Row {
    of: String,
    count: api::Count,
}

/// Whether a table is told apart by time.
fn is_time(by: &str) -> bool {
    ["hour", "day"].contains(&by)
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
    match is_time(by) {
        true => rows.sort_by_key(|row| std::cmp::Reverse(row.start)),
        false => rows.sort_by_key(|row| std::cmp::Reverse(row.requests)),
    }
    let further = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let rows = rows.into_iter().map(|count| {
        let of = if is_time(by) { moment(count.start) } else { count.of().to_owned() };
        Row { of, count }
    });
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
        rows: rows.collect(),
        further,
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
        let of = match row.start.filter(|_| is_time(by)) {
            Some(start) => Timestamp::from_seconds(start).to_string(),
            None => csv::field(row.of()),
        };
        write!(text, "{of},{counted}\r\n").map_err(Refusal::failed)?;
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
