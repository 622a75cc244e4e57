//! Logs: structured, to standard error, as text or JSON.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

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
