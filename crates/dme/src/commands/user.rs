//! `dme user`: users as the server sees them, and the in-file directory.

mod ways_in;

use super::device;
use crate::admin::AdminOptions;
use crate::ask::{password, say_each, say_json, say_line};
use anyhow::Result;
use clap::{Args, Subcommand};
use dme_console::api;
use dme_directory::{self as directory, FileConfig, NewUser};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// So many users are asked for at once.
const PAGE: usize = 1_000;

#[derive(Subcommand)]
pub enum Command {
    /// Who a user is, why they may in or not, who serves their mail, their devices.
    Show {
        /// A login, in any form a phone may send.
        user: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// Shut a user out, whatever the directory says.
    Disable(One),
    /// Let a user in again.
    Enable(One),
    /// Have the directory asked again at the user's next request.
    Forget(One),
    /// Take away the second factor of whoever has lost it: they sign in to the console by their
    /// password, and set another one up where everybody must have one.
    ResetSecondFactor(One),
    /// Where a user is signed in with a browser: since when, from where, by what; and end that.
    Sessions(ways_in::Sessions),
    /// The passwords that a user made for single devices; what they say is not kept.
    Passwords(ways_in::OfDevices),
    /// The certificates that a user's devices show.
    Certificates(ways_in::OfDevices),
    /// The users who have devices, by name, with how many; `list` is for in-file directories.
    Find {
        /// With this in their name.
        text: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: AdminOptions,
    },
    /// In-file directory: add a user; the password is asked for.
    Add {
        /// The name; a realm in it must be that of the file.
        name: String,
        /// The mail address; `name@realm` if not given.
        #[arg(long)]
        address: Option<String>,
        /// The name for people.
        #[arg(long)]
        display_name: Option<String>,
        /// A group the user is in; may be given several times.
        #[arg(long = "group")]
        groups: Vec<String>,
        #[command(flatten)]
        people: People,
        /// Read the password from this file.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    /// In-file directory: remove a user.
    Remove {
        /// The name without realm.
        name: String,
        #[command(flatten)]
        people: People,
    },
    /// In-file directory: set a user's password.
    Passwd {
        /// The name without realm.
        name: String,
        #[command(flatten)]
        people: People,
        /// Read the password from this file.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    /// In-file directory: list the users.
    List {
        #[command(flatten)]
        people: People,
    },
}

/// One user.
#[derive(Args)]
pub struct One {
    /// A login, in any form a phone may send.
    user: String,
    #[command(flatten)]
    server: AdminOptions,
}

/// Which in-file directory.
#[derive(Args)]
pub struct People {
    /// The directory's file.
    #[arg(long = "file", default_value = "/etc/dme/people.toml")]
    path: PathBuf,
    /// The realm it is the source of.
    #[arg(long)]
    realm: String,
}

impl People {
    fn config(&self) -> FileConfig {
        FileConfig::new(&*self.realm, &self.path)
    }
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Show { user, json, server } => {
                let user: api::User = server.client()?.get(&["users", &user]).await?;
                if json {
                    say_json(&user)?;
                } else {
                    say(&user);
                }
            }
            Self::Disable(one) => one.change(&["disable"]).await?,
            Self::Enable(one) => one.change(&["enable"]).await?,
            Self::Forget(one) => one.change(&["forget"]).await?,
            Self::ResetSecondFactor(one) => one.change(&["second-factor", "reset"]).await?,
            Self::Sessions(sessions) => sessions.run().await?,
            Self::Passwords(of) => of.passwords().await?,
            Self::Certificates(of) => of.certificates().await?,
            Self::Find { text, json, server } => find(&server, text, json).await?,
            Self::Add { name, address, display_name, groups, people, password_file } => {
                let password = password(password_file.as_deref(), &format!("password of {name}"))?;
                let new = NewUser { name, address, display_name, groups };
                directory::add_user(&people.config(), &new, &password).await?;
                say_line(format_args!(
                    "{} is added; where mail is in local files, `dme mailbox make` makes the mailbox",
                    new.name
                ));
            }
            Self::Remove { name, people } => {
                directory::remove_user(&people.config(), &name).await?;
                say_line(format_args!("{name} is removed"));
            }
            Self::Passwd { name, people, password_file } => {
                let password = password(password_file.as_deref(), &format!("password of {name}"))?;
                directory::set_password(&people.config(), &name, &password).await?;
                say_line(format_args!("the password of {name} is set"));
            }
            Self::List { people } => {
                for person in directory::list_users(&people.config()).await? {
                    let groups: Vec<&str> =
                        person.groups.iter().map(|group| group.0.as_str()).collect();
                    let (user, address) = (&person.user, &person.address);
                    say_line(format_args!("{user} <{address}> {}", groups.join(", ")));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl One {
    async fn change(&self, action: &[&str]) -> Result<()> {
        let path = [&["users", &*self.user], action].concat();
        let user: api::User = self.server.client()?.post(&path, &json!({})).await?;
        say(&user);
        Ok(())
    }
}

/// Prints all of them, however many.
async fn find(server: &AdminOptions, text: Option<String>, json: bool) -> Result<()> {
    let (client, mut users) = (server.client()?, Vec::new());
    loop {
        let mut query = vec![("after", users.len().to_string()), ("limit", PAGE.to_string())];
        query.extend(text.clone().map(|text| ("text", text)));
        let page: api::UserPage = client.ask(&["users"], &query).await?;
        let is_last = page.users.len() < PAGE;
        users.extend(page.users);
        if is_last {
            break;
        }
    }
    say_each(&users, json, "nobody of that name has a device", |one| {
        say_line(format_args!("{} {}", one.user, one.devices));
    })
}

fn say(user: &api::User) {
    let name = user.display_name.as_deref().unwrap_or("");
    let address = user.address.as_deref().unwrap_or("not in the directory");
    say_line(format_args!("{} {name} <{address}>", user.user));
    say_line(format_args!("  access {}", user.access));
    if user.disabled {
        say_line("  disabled here; `dme user enable` lets them in again");
    }
    say_line(format_args!("  password checked {}", user.authentication));
    say_line(format_args!("  mail {}", user.route.replace('\n', "\n    ")));
    user.devices.iter().for_each(device::say);
}
