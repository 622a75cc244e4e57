//! Charts of what was counted: bars in SVG, each with its words, made on the server.

use super::Frame;
use super::bytes::bytes;
use super::time::moment;
use crate::{Console, Refusal, api};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A chart's size, in units of its own.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 120;
/// How long what was counted is shown before it is asked for again, in seconds: with many devices
/// it takes the database a while.
const KEPT: i64 = 60;

/// One chart.
pub(crate) struct Chart {
    pub title: String,
    /// What the highest bar stands for.
    pub most: String,
    pub bars: Vec<Bar>,
}

/// One bar.
pub(crate) struct Bar {
    pub x: u64,
    pub y: u64,
    pub width: u64,
    pub height: u64,
    pub words: String,
}

/// What is shown of the time before now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Span {
    pub hours: i64,
    /// What a bar stands for: `hour` or `day`.
    pub step: &'static str,
}

impl Span {
    /// The last day, by the hour.
    pub const DAY: Self = Self { hours: 24, step: "hour" };

    const fn seconds(self) -> i64 {
        match self.step.as_bytes() {
            b"day" => 86_400,
            _ => 3_600,
        }
    }
}

/// What was counted lately, as it was found last.
#[derive(Default)]
pub(crate) struct Measured(Mutex<HashMap<Span, (i64, Arc<Counts>)>>);

/// By the hour or day: what phones asked for, and what crossed the links.
struct Counts {
    phones: Vec<api::Count>,
    links: Vec<api::Count>,
}

impl Measured {
    async fn counts(
        &self,
        console: &Console,
        span: Span,
        now: i64,
    ) -> Result<Arc<Counts>, Refusal> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(&span).cloned();
        if let Some((_, counts)) = known.filter(|(at, _)| (now - KEPT..=now).contains(at)) {
            return Ok(counts);
        }
        let query = |command: Option<&str>| api::CountQuery {
            from: Some(now - span.hours * 3600),
            command: command.map(str::to_owned),
            by: vec![span.step.to_owned()],
            ..api::CountQuery::default()
        };
        let counts = Arc::new(Counts {
            phones: console.statistics(query(None)).await?,
            links: console.statistics(query(Some("link"))).await?,
        });
        lock().insert(span, (now, counts.clone()));
        Ok(counts)
    }
}

/// The charts of traffic, devices, latency and link bytes.
pub(super) async fn charts(
    console: &Console,
    frame: &Frame,
    span: Span,
) -> Result<Vec<Chart>, Refusal> {
    let now = (console.front.clock)().as_seconds();
    let counts = console.measured.counts(console, span, now).await?;
    let first = (now - span.hours * 3600).div_euclid(span.seconds()) * span.seconds();
    let places = usize::try_from((now - first) / span.seconds()).unwrap_or(0) + 1;
    let chart = |title: &str, of: &[api::Count], value: fn(&api::Count) -> u64, tell: Tell| {
        let mut values = vec![0; places];
        for count in of {
            let place = count.start.map(|start| (start - first) / span.seconds());
            let place = place.and_then(|place| usize::try_from(place).ok());
            if let Some(at) = place.and_then(|place| values.get_mut(place)) {
                *at = value(count);
            }
        }
        let at = |place: usize| first + i64::try_from(place).unwrap_or(0) * span.seconds();
        drawn(
            frame.t(title),
            &values,
            |place, value| format!("{}: {}", moment(Some(at(place))), tell(value)),
            tell,
        )
    };
    let number: Tell = |value| value.to_string();
    Ok(vec![
        chart("requests", &counts.phones, |one| one.requests, number),
        chart("devices", &counts.phones, |one| one.devices, number),
        chart(
            "latency",
            &counts.phones,
            |one| one.most_within_ms.unwrap_or(0),
            |ms| format!("{ms} ms"),
        ),
        chart("link-bytes", &counts.links, |one| one.received + one.sent, bytes),
    ])
}

/// How a value is told.
type Tell = fn(u64) -> String;

fn drawn(title: String, values: &[u64], words: impl Fn(usize, u64) -> String, tell: Tell) -> Chart {
    let most = values.iter().copied().max().unwrap_or(0);
    let width = WIDTH / u64::try_from(values.len()).unwrap_or(1).max(1);
    let bars = values.iter().enumerate().filter(|(_, value)| **value > 0).map(|(place, value)| {
        // At least a line, so that little is told from nothing.
        let height = u64::try_from(u128::from(*value) * u128::from(HEIGHT) / u128::from(most));
        let height = height.unwrap_or(HEIGHT).max(2);
        Bar {
            x: place as u64 * width,
            y: HEIGHT - height,
            width: width.saturating_sub(2).max(1),
            height,
            words: words(place, *value),
        }
    });
    Chart { title, most: tell(most), bars: bars.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_takes_the_height_and_nothing_has_none() {
        let words = |place: usize, value: u64| format!("{place}: {value}");
        let chart = drawn("x".into(), &[0, u64::MAX, 1, u64::MAX / 2], words, |it| it.to_string());
        let bars: Vec<_> = chart.bars.iter().map(|bar| (bar.x, bar.height, &*bar.words)).collect();
        let most = u64::MAX.to_string();
        assert_eq!(bars[0], (180, 120, &*format!("1: {most}")));
        assert_eq!((bars[1].0, bars[1].1), (360, 2));
        assert_eq!((bars[2].0, bars[2].1, bars.len()), (540, 59, 3));
        assert_eq!(chart.most, most);
        assert!(drawn("x".into(), &[], words, |it| it.to_string()).bars.is_empty());
    }
}
