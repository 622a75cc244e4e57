//! Groups of devices: made, moved, taken away.

use super::{How, preview, set_levels};
use crate::commands::members::Members;
use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand};
use dme_console::api::{self, TypedCondition};
use dme_policy::Levels;

#[derive(Subcommand)]
pub enum Command {
    /// Make a group, as the strongest, with nothing set; or give one another name and other members,
    /// where it stands and with what it says.
    Make {
        #[command(flatten)]
        one: One,
        /// The group that is to be this one.
        #[arg(long, value_name = "GROUP")]
        instead_of: Option<String>,
        #[command(flatten)]
        members: Members,
    },
    /// Make a group stronger by one place.
    Raise(One),
    /// Take a group away, with what it says.
    Remove(One),
}

/// One group.
#[derive(Args)]
pub struct One {
    /// Its name.
    name: String,
    /// Say whom it would affect, and change nothing.
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    how: How,
}

impl Command {
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Make { one, instead_of, members } => {
                let members = TypedCondition::from(members).condition();
                if members.is_empty() {
                    bail!("say which devices are in it, for one by `--directory-group sales`");
                }
                let name = one.name.clone();
                one.change(|levels| {
                    match instead_of {
                        Some(other) => {
                            let place = place(levels, &other)?;
                            levels.change_group(place, name, members);
                        }
                        None => levels.make_group(name, members),
                    }
                    Ok(())
                })
                .await
            }
            Self::Raise(one) => {
                let name = one.name.clone();
                one.change(|levels| {
                    let place = place(levels, &name)?;
                    levels.raise_group(place);
                    Ok(())
                })
                .await
            }
            Self::Remove(one) => {
                let name = one.name.clone();
                one.change(|levels| {
                    let place = place(levels, &name)?;
                    levels.groups.remove(place);
                    Ok(())
                })
                .await
            }
        }
    }
}

impl One {
    async fn change(self, change: impl FnOnce(&mut Levels) -> Result<()>) -> Result<()> {
        let client = self.how.server.client()?;
        let held: api::PolicyLevels = client.get(&["policy"]).await?;
        let mut levels = held.levels;
        change(&mut levels)?;
        match self.preview {
            true => preview(&client, &levels).await,
            false => set_levels(&client, held.revision, &levels, self.how.push).await,
        }
    }
}

fn place(levels: &Levels, name: &str) -> Result<usize> {
    levels
        .place(name)
        .ok_or_else(|| anyhow!("there is no group {name}; `dme policy show` lists them"))
}
