//! Logs: structured, to standard error, as text or JSON.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, registry};

/// How logs are written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// What is written: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by
    /// component, `info,dme_link=debug`.
    pub level: Level,
}

impl LogConfig {
    /// Warnings only: for commands that speak to people.
    pub fn quiet() -> Self {
        Self { level: Level("warn".into()), ..Self::default() }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line of text an event.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A filter of `tracing-subscriber`, checked when it is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Level(String);

impl Default for Level {
    fn default() -> Self {
        Self("info".into())
    }
}

impl TryFrom<String> for Level {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match EnvFilter::try_new(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(format!("{text:?} is no log level: {error}")),
        }
    }
}

impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.0
    }
}

/// Begins to log. Later calls change nothing.
pub fn begin(config: &LogConfig) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.level.0))
        .with_writer(std::io::stderr);
    let _ = match config.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Begins to log, and keeps the last warnings and errors at hand. Later calls change nothing.
pub fn begin_and_keep(config: &LogConfig) -> Recent {
    let recent = Recent::default();
    let registry = registry().with(kept(recent.clone()));
    let filter = EnvFilter::new(&config.level.0);
    let shown = fmt::layer().with_writer(std::io::stderr);
    let _ = match config.format {
        LogFormat::Text => registry.with(shown.with_ansi(false).with_filter(filter)).try_init(),
        LogFormat::Json => {
            registry.with(shown.json().flatten_event(true).with_filter(filter)).try_init()
        }
    };
    recent
}

/// So many lines are kept.
const LINES: usize = 200;
/// And so much of each, in characters.
const LINE: usize = 2_000;

/// The last warnings and errors. Clones are the same.
#[derive(Clone, Default)]
pub struct Recent(Arc<Mutex<VecDeque<String>>>);

impl Recent {
    /// The newest last.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, line: &[u8]) {
        let line: String = String::from_utf8_lossy(line).trim_end().chars().take(LINE).collect();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Each write is one event's whole line.
impl Write for Recent {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Warnings and errors are kept here.
fn kept<S>(recent: Recent) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let written = fmt::layer().with_ansi(false).with_writer(move || recent.clone());
    written.with_filter(LevelFilter::WARN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_warnings_are_kept_and_nothing_below() {
        let recent = Recent::default();
        let registry = registry().with(kept(recent.clone()));
        tracing::subscriber::with_default(registry, || {
            for number in 0..=LINES {
                tracing::warn!(number, "it went wrong");
                tracing::info!(number, "all is well");
            }
        });
        let lines = recent.lines();
        assert_eq!(lines.len(), LINES);
        assert!(lines.iter().all(|line| line.contains("WARN")), "{lines:?}");
        assert!(lines[0].ends_with("number=1") && lines[LINES - 1].ends_with("number=200"));
    }
}
