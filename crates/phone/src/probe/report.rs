//! What the probe found, for people and for programs.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Instant;

/// What was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// Whether certificates are checked at all.
    Trust,
    /// Autodiscover by JSON, at one place.
    AutodiscoverJson,
    /// Autodiscover by XML, at one place.
    AutodiscoverXml,
    /// Autodiscover as a whole.
    Autodiscover,
    /// The host's addresses.
    Dns,
    /// A connection.
    Tcp,
    /// TLS: certificate, name, expiry.
    Tls,
    /// Versions and commands.
    Options,
    /// User name and password.
    Login,
    /// The policy.
    Provision,
    /// The list of folders.
    Folders,
    /// The first mails of the inbox.
    Inbox,
    /// A parked request.
    Ping,
    /// Calendar, contacts, tasks and notes.
    Beside,
}

impl StepName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::AutodiscoverJson => "autodiscover json",
            Self::AutodiscoverXml => "autodiscover xml",
            Self::Autodiscover => "autodiscover",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Options => "options",
            Self::Login => "login",
            Self::Provision => "provision",
            Self::Folders => "folders",
            Self::Inbox => "inbox",
            Self::Ping => "ping",
            Self::Beside => "beside mail",
        }
    }
}

/// How it went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should.
    Passed,
    /// It works, but something should be mended.
    Warned,
    /// It does not work; the steps after it were not tried.
    Failed,
}

/// One step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// What was tried.
    pub name: StepName,
    /// How it went.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What was seen.
    pub detail: String,
    /// How to mend it, where something is wrong.
    pub advice: Option<String>,
}

/// All steps, in the order they were tried.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Report {
    /// Whether a phone can work there: no step failed.
    pub fn passed(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.outcome != Outcome::Failed)
    }

    /// The report as JSON.
    pub fn to_json(&self) -> String {
        let report = serde_json::json!({ "passed": self.passed(), "steps": self.steps });
        format!("{report:#}")
    }

    pub(super) fn add(&mut self, name: StepName, begun: Instant, finding: Finding) -> bool {
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Finding { outcome, detail, advice } = finding;
        self.steps.push(Step { name, outcome, took_ms, detail, advice });
        outcome != Outcome::Failed
    }
}

impl fmt::Display for Report {
    /// One line a step, with advice below where there is some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let mark = match step.outcome {
                Outcome::Passed => "ok  ",
                Outcome::Warned => "warn",
                Outcome::Failed => "FAIL",
            };
            writeln!(
                f,
                "{mark} {:<18} {:>6} ms  {}",
                step.name.as_str(),
                step.took_ms,
                step.detail
            )?;
            if let Some(advice) = &step.advice {
                writeln!(f, "{:33}to mend: {advice}", "")?;
            }
        }
        f.write_str(if self.passed() {
            "a phone can work there\n"
        } else {
            "a phone cannot work there\n"
        })
    }
}

/// What was seen in one step.
pub(super) struct Finding {
    outcome: Outcome,
    detail: String,
    advice: Option<String>,
}

impl Finding {
    pub(super) fn passed(detail: impl Into<String>) -> Self {
        Self { outcome: Outcome::Passed, detail: detail.into(), advice: None }
    }

    pub(super) fn warned(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { outcome: Outcome::Warned, detail: detail.into(), advice: Some(advice.into()) }
    }

    pub(super) fn failed(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, detail: detail.into(), advice: Some(advice.into()) }
    }
}
