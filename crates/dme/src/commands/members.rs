//! Which devices a group or a rule is meant for, as options.

use clap::Args;
use dme_console::api::TypedCondition;

/// Each may be given several times: one of its values must fit, and each kind that is given. `*` stands
/// for anything but in directory groups.
#[derive(Args)]
pub struct Members {
    /// Whose users are in this directory group, at any depth.
    #[arg(long)]
    directory_group: Vec<String>,
    /// Whose user is this one, such as ann@example.org.
    #[arg(long)]
    user: Vec<String>,
    /// Whose client calls itself so, such as Apple-iPhone*.
    #[arg(long)]
    agent: Vec<String>,
    /// With this operating system, such as iOS 18*.
    #[arg(long)]
    os: Vec<String>,
    /// Of this model, such as iPhone15*.
    #[arg(long)]
    model: Vec<String>,
    /// That call their kind so, such as iPhone.
    #[arg(long)]
    device_type: Vec<String>,
    /// That speak this version of the protocol, such as 14.*.
    #[arg(long)]
    protocol: Vec<String>,
}

impl From<Members> for TypedCondition {
    fn from(members: Members) -> Self {
        Self {
            group: typed(&members.directory_group),
            user: typed(&members.user),
            agent: typed(&members.agent),
            os: typed(&members.os),
            model: typed(&members.model),
            device_type: typed(&members.device_type),
            protocol: typed(&members.protocol),
        }
    }
}

/// As a form has them: each with a semicolon behind it, as one may have commas.
fn typed(patterns: &[String]) -> Option<String> {
    let all: String = patterns.iter().map(|pattern| format!("{pattern};")).collect();
    (!all.is_empty()).then_some(all)
}
