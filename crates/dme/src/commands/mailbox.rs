//! `dme mailbox`: the mailboxes of the local-files mail system. Those of other mail systems are made
//! there.

use crate::ask::say_line;
use crate::settings::Sections;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use dme_connector::config::{DirectoryConfig, EmbeddedConfig, MailConfig};
use dme_directory::{DirectoryService, FileDirectory, LdapDirectory, Person};
use dme_files::{FilesConfig, FilesMailSystem};
use dme_model::UserId;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Make a user's mailbox: Inbox and the usual folders, a calendar, an address book, tasks and
    /// notes. What is there already stays.
    Make {
        /// Whose, as the directory knows them: `name@realm`.
        user: String,
        /// A further address whose mail comes here; the one in the directory does anyway. May be
        /// given several times.
        #[arg(long = "alias")]
        aliases: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List whose mailboxes there are.
    List {
        #[command(flatten)]
        place: Place,
    },
}

/// Where they are.
#[derive(Args)]
pub struct Place {
    /// The configuration with `[mail.files]`: a connector's, or a server's with `[embedded]`.
    #[arg(long, default_value = "/etc/dme/connector.toml")]
    config: PathBuf,
}

impl Command {
    pub async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Make { user, mut aliases, place } => {
                let user = UserId::from(user.trim().to_lowercase());
                let (files, people) = place.read()?;
                belongs_to_us(&files.root)?;
                if let Some(people) = people {
                    let known = find(people, &user).await?;
                    let person = known.with_context(|| {
                        format!(
                            "the directory knows no {user}; the name is that of the login with its \
                             realm, in a file it is added by `dme user add`"
                        )
                    })?;
                    aliases.push(person.address);
                }
                aliases.retain(|alias| !alias.eq_ignore_ascii_case(user.as_str()));
                let root = files.root.clone();
                FilesMailSystem::new(files)
                    .create_user(&user, &aliases)
                    .await
                    .with_context(|| format!("cannot make a mailbox in {}", root.display()))?;
                say_line(format_args!("{user} has a mailbox in {}", root.display()));
            }
            Self::List { place } => {
                for user in FilesMailSystem::new(place.read()?.0).users().await? {
                    say_line(user);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Place {
    fn read(&self) -> Result<(FilesConfig, Option<DirectoryConfig>)> {
        let mut sections = Sections::read(&self.config)?;
        let (mail, people) = match sections.take::<EmbeddedConfig>("embedded")? {
            Some(embedded) => (embedded.mail, embedded.directory_service),
            None => (sections.take("mail")?, sections.take("people")?),
        };
        match mail {
            Some(MailConfig::Files(files)) => Ok((files, people)),
            _ => bail!(
                "{} has no [mail.files]: mailboxes are made where the mail is; for a server's own \
                 connector name its file with --config",
                self.config.display()
            ),
        }
    }
}

/// Whether what is made there will be the service's own: it could not write what is another's.
fn belongs_to_us(root: &Path) -> Result<()> {
    let shown = root.display();
    let there = std::fs::metadata(root).with_context(|| {
        format!(
            "{shown}: make it, owned by the user the service runs as: \
             install -d -m 700 -o dme -g dme {shown}"
        )
    })?;
    // The kernel says as whom we run by who owns what it tells of us.
    let us = std::fs::metadata("/proc/self").context("cannot tell as whom this runs")?;
    if there.uid() != us.uid() {
        let owner = there.uid();
        bail!(
            "{shown} belongs to user {owner}, and so must the mailboxes: run this as that user, \
             with `runuser -u dme -- dme mailbox make …`"
        );
    }
    Ok(())
}

/// Who it is, where the directory knows.
async fn find(people: DirectoryConfig, user: &UserId) -> Result<Option<Person>> {
    Ok(match people {
        DirectoryConfig::File(config) => FileDirectory::open(config)?.find(user).await?,
        DirectoryConfig::Ldap(config) => LdapDirectory::new(*config)?.find(user).await?,
    })
}
