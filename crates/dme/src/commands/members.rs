//! Which devices a group or a rule is meant for, as options.

use clap::Args;
use dme_console::api::TypedCondition;

/// All that are given must fit; several of one kind are parted by commas, or by semicolons where one
/// has a comma itself. `*` stands for anything but in directory groups.
#[derive(Args)]
pub struct Members {
    /// Directory groups of the devices' users.
    #[arg(long)]
    group: Option<String>,
    /// Users, such as ann@example.org.
    #[arg(long)]
    user: Option<String>,
    /// Clients, as they call themselves, such as Apple-iPhone*.
    #[arg(long)]
    agent: Option<String>,
    /// Operating systems, such as iOS 18*.
    #[arg(long)]
    os: Option<String>,
    /// Models, such as iPhone15*.
    #[arg(long)]
    model: Option<String>,
    /// What they call their kind, such as iPhone.
    #[arg(long)]
    device_type: Option<String>,
    /// Versions of the protocol, such as 14.*.
    #[arg(long)]
    protocol: Option<String>,
}

impl From<Members> for TypedCondition {
    fn from(members: Members) -> Self {
        let Members { group, user, agent, os, model, device_type, protocol } = members;
        Self { group, user, agent, os, model, device_type, protocol }
    }
}
