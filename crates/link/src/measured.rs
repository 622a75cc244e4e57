//! What a connector counts of the calls it makes on the systems behind it, by function and backend.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Calls on one backend for one function, since the connector has these services.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    /// The function, as it is called in the configuration; `any` where a call is about several.
    pub function: String,
    /// What serves it: `imap`, `dav`, `files`, `ldap` and the like.
    pub backend: String,
    /// Calls that were answered, those that failed among them.
    pub calls: u64,
    /// Of them those that failed, by the name of what went wrong.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, u64>,
    /// Microseconds that all of them took together.
    pub micros: u64,
    /// Calls that took no longer than each of [`Measured::BOUNDS`] and longer than the one before.
    pub within: Vec<u64>,
}

/// Rows that are taken of one connector.
const ROWS: usize = 64;
/// Names of errors that are taken of one row.
const NAMES: usize = 32;
/// Bytes of a name.
const LONGEST: usize = 48;

impl Measured {
    /// Where the times of calls are parted, in milliseconds. What took longer is in none.
    pub const BOUNDS: [u64; 10] = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000];

    /// For a function and a backend, of which nothing is counted yet.
    pub fn of(function: &str, backend: &str) -> Self {
        let within = vec![0; Self::BOUNDS.len()];
        Self { function: function.into(), backend: backend.into(), within, ..Self::default() }
    }

    /// Counts one call.
    pub fn count(&mut self, took: Duration, failed: Option<&str>) {
        self.calls = self.calls.saturating_add(1);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros = self.micros.saturating_add(micros);
        let fits = Self::BOUNDS.iter().zip(&mut self.within);
        let mut fits = fits.filter(|(bound, _)| micros <= bound.saturating_mul(1_000));
        if let Some((_, within)) = fits.next() {
            *within = within.saturating_add(1);
        }
        if let Some(name) = failed {
            let count = self.failed.entry(name.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.micros = self.micros.saturating_add(other.micros);
        for (within, more) in self.within.iter_mut().zip(&other.within) {
            *within = within.saturating_add(*more);
        }
        for (name, more) in &other.failed {
            let count = self.failed.entry(name.clone()).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// All that failed.
    pub fn failures(&self) -> u64 {
        self.failed.values().fold(0, |all, each| all.saturating_add(*each))
    }

    /// How long a call took on average.
    pub fn mean(&self) -> Duration {
        Duration::from_micros(self.micros.checked_div(self.calls).unwrap_or(0))
    }

    fn name(&self) -> (&str, &str) {
        (&self.function, &self.backend)
    }

    /// With no more names than can be kept: whatever a connector says, it cannot fill the server.
    fn bounded(mut self) -> Option<Self> {
        if !is_name(&self.function) || !is_name(&self.backend) {
            return None;
        }
        self.failed.retain(|name, _| is_name(name));
        while self.failed.len() > NAMES {
            self.failed.pop_last();
        }
        self.within.resize(Self::BOUNDS.len(), 0);
        Some(self)
    }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'.' || byte == b'_';
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits)
}

/// What a connector tells its server of its counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// There are no rows but these: the first word on a link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// The rows that are not as they were told last.
    pub rows: Vec<Measured>,
}

impl Counts {
    /// What is to be told of these rows after those were told; nothing where there is no news.
    pub(crate) fn since(told: Option<&[Measured]>, rows: &[Measured]) -> Option<Self> {
        let all = told.is_none();
        let told = told.unwrap_or_default();
        let rows: Vec<_> = rows.iter().filter(|row| !told.contains(row)).cloned().collect();
        (all || !rows.is_empty()).then_some(Self { all, rows })
    }

    /// Takes what was told into what was told before.
    pub(crate) fn take_into(self, known: &mut Vec<Measured>) {
        if self.all {
            known.clear();
        }
        for row in self.rows.into_iter().filter_map(Measured::bounded) {
            known.retain(|one| one.name() != row.name());
            if known.len() < ROWS {
                known.push(row);
            }
        }
        known.sort_by(|one, other| one.name().cmp(&other.name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(calls: &[(u64, Option<&str>)]) -> Measured {
        let mut row = Measured::of("mail", "imap");
        for (millis, failed) in calls {
            row.count(Duration::from_millis(*millis), *failed);
        }
        row
    }

    #[test]
    fn a_call_is_counted_with_its_time_and_its_failure() {
        let row = counted(&[(1, None), (2, Some("mailbox.auth")), (40_000, Some("mailbox.auth"))]);
        assert_eq!((row.calls, row.failures(), row.micros), (3, 2, 40_003_000));
        assert_eq!(row.within.iter().sum::<u64>(), 2, "what took longer than all is in none");
        assert_eq!((row.within[0], row.within[1]), (1, 1));
        assert_eq!(row.mean(), Duration::from_micros(13_334_333));
    }

    #[test]
    fn only_news_are_told_and_the_server_knows_all() {
        let (other, mail) = (Measured::of("calendar", "dav"), counted(&[(1, None)]));
        let first = [other.clone(), mail];
        let mut known = Vec::new();
        Counts::since(None, &first).unwrap().take_into(&mut known);
        assert_eq!(known, first);
        assert_eq!(Counts::since(Some(&first), &first), None);
        let second = [other, counted(&[(1, None), (1, None)])];
        let news = Counts::since(Some(&first), &second).unwrap();
        assert_eq!((news.all, news.rows.len()), (false, 1));
        news.take_into(&mut known);
        assert_eq!(known, second);
        // With other services it begins anew.
        Counts::since(None, &[]).unwrap().take_into(&mut known);
        assert_eq!(known, []);
    }

    #[test]
    fn a_connector_cannot_fill_the_server_with_names() {
        let mut known = Vec::new();
        let name = |number: usize| {
            let digit = |place| char::from(b'a' + u8::try_from(number / place % 26).unwrap());
            format!("{}{}", digit(26), digit(1))
        };
        let mut rows: Vec<_> = (0..500).map(|one| Measured::of("mail", &name(one))).collect();
        rows[0].failed = (0..500).map(|one| (name(one), 1)).collect();
        rows[1].backend = "A label\n".into();
        rows[2].within = vec![1; 5_000];
        Counts { all: true, rows }.take_into(&mut known);
        assert_eq!(known.len(), ROWS);
        assert_eq!(known[0].failed.len(), NAMES);
        assert!(known.iter().all(|row| row.within.len() == Measured::BOUNDS.len()));
        assert!(known.iter().all(|row| is_name(&row.backend)));
    }
}
