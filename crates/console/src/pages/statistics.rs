//! What was counted: charts and a table of whom, of what and of when is wanted, told apart by whatever
//! is wanted.

use super::chart::{Chart, Range, charts_of};
use super::time::Times;
use super::{Frame, Visit, html, moment};
use crate::form;
use crate::{Console, Refusal, api, csv};
use askama::Template;
use dme_model::Timestamp;
use std::fmt::Write;
use std::sync::Arc;

/// The times before now that one can look at, in hours; any other is typed.
const SPANS: [(&str, i64); 3] = [("day", 24), ("week", 168), ("month", 744)];
/// What a table can be told apart by.
const BY: [&str; 6] = ["command", "connector", "user", "device", "hour", "day"];
/// What it can be narrowed by.
const FILTERS: [&str; 4] = ["user", "device", "connector", "command"];
/// As what bytes of connectors' links are counted.
const LINK: &str = "link";
/// So many lines of a table are shown.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "statistics.html")]
struct Statistics {
    frame: Frame,
    spans: Vec<(String, String, bool)>,
    apart: Vec<(String, String, bool)>,
    /// What the form keeps.
    kept: Vec<(&'static str, &'static str)>,
    filters: Vec<(&'static str, String)>,
    from: String,
    until: String,
    charts: Vec<Chart>,
    by: String,
    rows: Vec<Row>,
    /// Lines that are not shown.
    further: usize,
    csv: String,
    /// What crossed links, and the same for a spreadsheet; none where it is asked about phones alone.
    links: Option<(Vec<api::Count>, String)>,
}

/// One line of a table.
struct Row {
    of: String,
    /// What else was counted of that alone.
    href: Option<String>,
    count: api::Count,
}

/// What is asked for.
struct Asked {
    /// The time before now, where no other is typed.
    span: Option<&'static str>,
    range: Range,
    by: &'static str,
    /// What it is narrowed by, and to what.
    filters: Vec<(&'static str, String)>,
    /// Times as they were typed.
    typed: [String; 2],
}

impl Asked {
    fn of(console: &Console, visit: &Visit) -> Result<Self, Refusal> {
        let now = (console.front.clock)().as_seconds();
        let span = SPANS.into_iter().find(|(name, _)| *name == visit.asked("span"));
        let (span, hours) = span.unwrap_or(SPANS[0]);
        let by = BY.into_iter().find(|name| *name == visit.asked("by"));
        let filters = FILTERS.into_iter().filter_map(|name| Some((name, visit.wanted(name)?)));
        let Times { from, until } = Times::of(visit)?;
        let typed = [from.text, until.text];
        let (from, until) = (from.seconds, until.seconds);
        let range = match (from, until) {
            (None, None) => Range::before(now, hours),
            (from, until) => {
                // Until the end of this second, and of the hour that it is in.
                let until = until.unwrap_or(now + 1);
                Range::new(from.unwrap_or(until - hours * 3600), until)
            }
        };
        if range.from >= range.until {
            return Err(Refusal::wrong("no-time-between", ""));
        }
        let span = (from.is_none() && until.is_none()).then_some(span);
        let by = by.unwrap_or(BY[0]);
        Ok(Self { span, range, by, filters: filters.collect(), typed })
    }

    fn narrowed(&self, name: &str) -> Option<String> {
        let found = self.filters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    }

    fn query(&self, by: &str) -> api::CountQuery {
        api::CountQuery {
            from: Some(self.range.from),
            until: self.span.is_none().then_some(self.range.until),
            user: self.narrowed("user"),
            device: self.narrowed("device"),
            connector: self.narrowed("connector"),
            command: self.narrowed("command"),
            by: vec![by.to_owned()],
        }
    }

    /// Whether bytes of links may be meant: they are no user's, device's or command's.
    fn has_links(&self) -> bool {
        self.filters.iter().all(|(name, _)| *name == "connector")
    }

    /// The same, but for these; what is empty is left out.
    fn address(&self, page: &str, other: &[(&str, &str)]) -> String {
        let [from, until] = &self.typed;
        let asked = [("span", self.span.unwrap_or_default()), ("by", self.by)];
        let filters = self.filters.iter().map(|(name, value)| (*name, value.as_str()));
        let times = [("from", from.as_str()), ("until", until.as_str())];
        let all = asked.into_iter().chain(filters).chain(times);
        let kept = all.filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
        let all = kept.chain(other.iter().copied()).filter(|(_, value)| !value.is_empty());
        format!("{page}?{}", form::query(&all.collect::<Vec<_>>()))
    }
}

/// Whether a table is told apart by time.
fn is_time(by: &str) -> bool {
    ["hour", "day"].contains(&by)
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let asked = Asked::of(&console, &visit)?;
    let by = asked.by;
    let mut rows = console.statistics(asked.query(by)).await?;
    match is_time(by) {
        true => rows.sort_by_key(|row| std::cmp::Reverse(row.start)),
        false => rows.sort_by_key(|row| std::cmp::Reverse(row.requests)),
    }
    let further = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let rows = rows.into_iter().map(|count| {
        if is_time(by) {
            return Row { of: moment(count.start), href: None, count };
        }
        let of = count.of().to_owned();
        // Told apart by something else, of which there is more than one.
        let next = if by == "command" { "user" } else { "command" };
        let href = (!of.is_empty() && asked.narrowed(by).is_none())
            .then(|| asked.address("/statistics", &[(by, &of), ("by", next)]));
        Row { of, href, count }
    });
    let rows = rows.collect();
    let frame = visit.frame;
    let (of, links) = (asked.query(asked.range.step()), asked.has_links());
    let charts =
        charts_of(&console, &frame, (asked.range, asked.span.is_some()), of, links).await?;
    let links = match links {
        true => {
            let query = asked.query("connector");
            let query = api::CountQuery { command: Some(LINK.to_owned()), ..query };
            let of_links = [("command", LINK), ("by", "connector")];
            let csv = asked.address("/statistics.csv", &of_links);
            Some((console.statistics(query).await?, csv))
        }
        false => None,
    };
    let spans = SPANS.iter().map(|(name, _)| {
        let other = [("span", *name), ("from", ""), ("until", "")];
        (asked.address("/statistics", &other), frame.t(name), Some(*name) == asked.span)
    });
    let apart = BY
        .iter()
        .map(|name| (asked.address("/statistics", &[("by", name)]), frame.t(name), *name == by));
    let field = |name| (name, asked.narrowed(name).unwrap_or_default());
    let kept = [("by", by), ("span", asked.span.unwrap_or_default())];
    let [from, until] = asked.typed.clone();
    html(&Statistics {
        spans: spans.collect(),
        apart: apart.collect(),
        kept: kept.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        filters: FILTERS.map(field).into(),
        from,
        until,
        charts,
        by: frame.t(by),
        rows,
        further,
        csv: asked.address("/statistics.csv", &[]),
        links,
        frame,
    })
}

/// The table, for a spreadsheet (RFC 4180).
pub(super) async fn csv(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let asked = Asked::of(&console, &visit)?;
    let by = asked.by;
    let rows = console.statistics(asked.query(by)).await?;
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
