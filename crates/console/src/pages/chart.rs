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
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Up to so long, bars stand for hours; beyond, for days.
const HOURLY: i64 = 3 * DAY;
/// So many bars are drawn at the most.
const MOST: i64 = 720;

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

/// A stretch of time, in seconds: from this one until before that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    pub from: i64,
    pub until: i64,
}

impl Range {
    pub const fn new(from: i64, until: i64) -> Self {
        Self { from, until }
    }

    /// So many hours before now.
    pub const fn before(now: i64, hours: i64) -> Self {
        Self { from: now - hours * HOUR, until: now + 1 }
    }

    /// What a bar stands for.
    pub const fn step(self) -> &'static str {
        if self.seconds() == DAY { "day" } else { "hour" }
    }

    const fn seconds(self) -> i64 {
        if self.until.saturating_sub(self.from) > HOURLY { DAY } else { HOUR }
    }

    /// The beginning of the first bar, and how many there are. Of more than can be drawn the last.
    fn bars(self) -> (i64, usize) {
        let step = self.seconds();
        let last = (self.until - 1).div_euclid(step);
        let first = self.from.div_euclid(step).max(last.saturating_sub(MOST - 1));
        (first * step, usize::try_from(last - first + 1).unwrap_or(0))
    }
}

/// What was counted of the last so many hours, as it was found last.
#[derive(Default)]
pub(crate) struct Measured(Mutex<HashMap<i64, (i64, Arc<Counts>)>>);

/// By the hour or day: what phones asked for, and what crossed the links, where that is wanted.
struct Counts {
    phones: Vec<api::Count>,
    links: Option<Vec<api::Count>>,
}

impl Counts {
    async fn of(
        console: &Console,
        query: api::CountQuery,
        with_links: bool,
    ) -> Result<Self, Refusal> {
        let of_links = api::CountQuery { command: Some("link".to_owned()), ..query.clone() };
        let links = match with_links {
            true => Some(console.statistics(of_links).await?),
            false => None,
        };
        Ok(Self { phones: console.statistics(query).await?, links })
    }
}

impl Measured {
    async fn counts(
        &self,
        console: &Console,
        (range, now): (Range, i64),
        query: api::CountQuery,
    ) -> Result<Arc<Counts>, Refusal> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let length = range.until - range.from;
        let known = lock().get(&length).cloned();
        if let Some((_, counts)) = known.filter(|(at, _)| (now - KEPT..=now).contains(at)) {
            return Ok(counts);
        }
        let counts = Arc::new(Counts::of(console, query, true).await?);
        lock().insert(length, (now, counts.clone()));
        Ok(counts)
    }
}

/// The charts of traffic, devices, latency and link bytes of the last day.
pub(super) async fn charts(console: &Console, frame: &Frame) -> Result<Vec<Chart>, Refusal> {
    let range = Range::before((console.front.clock)().as_seconds(), 24);
    let query = api::CountQuery {
        from: Some(range.from),
        by: vec![range.step().to_owned()],
        ..api::CountQuery::default()
    };
    charts_of(console, frame, (range, true), query, true).await
}

/// The same of what is asked for. `before_now`: it is of the time before now, which is asked for often.
pub(super) async fn charts_of(
    console: &Console,
    frame: &Frame,
    (range, before_now): (Range, bool),
    query: api::CountQuery,
    with_links: bool,
) -> Result<Vec<Chart>, Refusal> {
    let now = (console.front.clock)().as_seconds();
    let narrowed = [&query.user, &query.device, &query.connector, &query.command];
    let counts = match before_now && narrowed.iter().all(|one| one.is_none()) {
        true => console.measured.counts(console, (range, now), query).await?,
        false => Arc::new(Counts::of(console, query, with_links).await?),
    };
    let ((first, places), step) = (range.bars(), range.seconds());
    let chart = |title: &str, of: &[api::Count], value: fn(&api::Count) -> u64, tell: Tell| {
        let mut values = vec![0; places];
        for count in of {
            let place = count.start.map(|start| (start - first).div_euclid(step));
            let place = place.and_then(|place| usize::try_from(place).ok());
            if let Some(at) = place.and_then(|place| values.get_mut(place)) {
                *at = value(count);
            }
        }
        let at = |place: usize| first + i64::try_from(place).unwrap_or(0) * step;
        drawn(
            frame.t(title),
            &values,
            |place, value| format!("{}: {}", moment(Some(at(place))), tell(value)),
            tell,
        )
    };
    let number: Tell = |value| value.to_string();
    let mut charts = vec![
        chart("requests", &counts.phones, |one| one.requests, number),
        chart("devices", &counts.phones, |one| one.devices, number),
        chart(
            "latency",
            &counts.phones,
            |one| one.most_within_ms.unwrap_or(0),
            |ms| format!("{ms} ms"),
        ),
    ];
    if let Some(links) = &counts.links {
        charts.push(chart("link-bytes", links, |one| one.received + one.sent, bytes));
    }
    Ok(charts)
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
    fn bars_stand_for_hours_or_days_and_are_no_more_than_can_be_drawn() {
        let noon = 1_790_000_000_i64.div_euclid(DAY) * DAY + 12 * HOUR;
        let (first, bars) = Range::before(noon, 24).bars();
        assert_eq!((first, bars, Range::before(noon, 24).step()), (noon - 24 * HOUR, 25, "hour"));
        let week = Range::before(noon, 168);
        assert_eq!((week.bars(), week.step()), ((noon - 7 * DAY - 12 * HOUR, 8), "day"));
        // What ends with an hour has nothing of the next.
        assert_eq!(Range::new(noon - HOUR, noon).bars(), (noon - HOUR, 1));
        let (first, bars) = Range::new(i64::MIN, noon).bars();
        assert_eq!((first, bars), (noon - 12 * HOUR - 719 * DAY, 720));
    }

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
