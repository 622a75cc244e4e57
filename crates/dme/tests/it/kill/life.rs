//! The phone's life: it does one thing after another, each until the server has done it.

use crate::property::chance::Chance;
use crate::site::{PATIENCE, Site};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use dme_eas::compose::Source;
use dme_eas::email::DraftContent;
use dme_eas::folder_sync::FolderType;
use dme_eas::smart_reply;
use dme_eas::sync::{ClientCommand, ItemResponse, Status};
use dme_model::{Address, BodyKind};
use dme_phone::{Error, Phone};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How soon the phone tries again. It does not obey `Retry-After`: what is wanted is trouble.
const PAUSE: Duration = Duration::from_millis(120);

/// A mail that the phone sent, and from its first attempt until it was told so.
#[derive(Clone, Debug)]
pub struct Sent {
    pub subject: String,
    pub begun: Instant,
    pub ended: Instant,
}

/// A phone, and what its user knows of what they did.
pub struct Life {
    pub phone: Phone,
    pub seed: u64,
    chance: Chance,
    pub inbox: String,
    pub drafts: String,
    pub trash: String,
    pub sent_folder: String,
    /// What was sent to Bob.
    pub sent: Vec<Sent>,
    /// The subjects of the drafts that are to be there.
    pub written: Vec<String>,
    count: u32,
    /// How often the phone had to try again, by the reason.
    pub retries: BTreeMap<String, u32>,
}

/// Does it until it is done; the number of attempts goes along with the answer.
macro_rules! insist {
    ($life:ident, $what:expr, $act:expr) => {{
        let end = Instant::now() + PATIENCE * 2;
        let mut attempts = 0_u32;
        loop {
            attempts += 1;
            let error = match $act.await {
                Ok(done) => break (done, attempts),
                Err(error) => error,
            };
            $life.bear(&error).with_context(|| format!("{}, attempt {attempts}", $what))?;
            ensure!(Instant::now() < end, "{}: never done: {error}", $what);
            tokio::time::sleep(PAUSE).await;
        }
    }};
}

impl Life {
    pub async fn begin(site: &Site, seed: u64) -> Result<Self> {
        let mut phone = site.phone("ann")?;
        phone.client.account.device = format!("kill{seed}").as_str().into();
        phone.folder_sync().await?;
        let [inbox, drafts, trash, sent_folder] =
            [FolderType::Inbox, FolderType::Drafts, FolderType::Deleted, FolderType::Sent]
                .map(|kind| phone.folder_of(kind));
        let (inbox, drafts, trash, sent_folder) = (inbox?, drafts?, trash?, sent_folder?);
        for folder in [&inbox, &drafts, &trash, &sent_folder] {
            phone.sync(folder).await?;
        }
        phone.longest_pause = Duration::ZERO;
        let written = phone.items(&drafts)?.values().map(|mail| mail.subject.clone()).collect();
        let (sent, retries) = (Vec::new(), BTreeMap::new());
        let (chance, count) = (Chance::new(seed), 0);
        Ok(Self {
            phone,
            seed,
            chance,
            inbox,
            drafts,
            trash,
            sent_folder,
            sent,
            written,
            count,
            retries,
        })
    }

    /// Whether a phone may be told this while parts are being killed.
    fn bear(&mut self, error: &Error) -> Result<()> {
        let reason = match error {
            Error::Connect { .. } | Error::Tls { .. } | Error::Timeout { .. } => "no connection",
            Error::Broken(_) => "connection lost",
            Error::Http { status: 503, .. } => "told to come later",
            // Sync's status 16: "the server is temporarily unavailable"; MoveItems' 7: "an item was
            // locked", both to be tried again (MS-ASCMD 2.2.3.177.11, 2.2.3.177.17).
            Error::Refused { step: "Sync", status: 16 } => "Sync's 16",
            Error::Refused { step: "MoveItems", status: 7 } => "MoveItems' 7",
            other => bail!("the phone was told: {other}"),
        };
        *self.retries.entry(reason.to_owned()).or_default() += 1;
        self.phone.client.disconnect();
        Ok(())
    }

    /// Lives until it is over.
    pub async fn live(&mut self, over: impl Fn() -> bool) -> Result<()> {
        while !over() {
            match self.chance.below(14) {
                0..3 => self.look().await?,
                3..5 => self.mark().await?,
                5 => self.relocate().await?,
                6 => self.delete().await?,
                7..9 => self.send().await?,
                9 => self.reply().await?,
                10 => self.save_draft().await?,
                11 => self.edit_draft().await?,
                12 => self.send_draft().await?,
                _ => self.send_new_by_sync().await?,
            }
        }
        Ok(())
    }

    fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what} {}.{}", self.seed, self.count)
    }

    async fn sync(&mut self, folder: &str) -> Result<()> {
        insist!(self, "sync", self.phone.sync(folder));
        Ok(())
    }

    async fn look(&mut self) -> Result<()> {
        for folder in [self.inbox.clone(), self.trash.clone()] {
            self.sync(&folder).await?;
        }
        Ok(())
    }

    fn any(&mut self, folder: &str) -> Result<Option<String>> {
        let ids: Vec<&String> = self.phone.items(folder)?.keys().collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let at = self.chance.below(ids.len() as u64) as usize;
        Ok(ids.get(at).map(|id| (*id).clone()))
    }

    async fn mark(&mut self) -> Result<()> {
        let inbox = self.inbox.clone();
        let Some(id) = self.any(&inbox)? else { return Ok(()) };
        let read = self.chance.one_in(2);
        insist!(self, "mark", self.phone.mark_read(&inbox, &id, read));
        Ok(())
    }

    /// Moves a mail to the deleted items, or one of those back.
    async fn relocate(&mut self) -> Result<()> {
        let (mut from, mut to) = (self.inbox.clone(), self.trash.clone());
        if self.chance.one_in(2) {
            std::mem::swap(&mut from, &mut to);
        }
        let Some(id) = self.any(&from)? else { return Ok(()) };
        let mut tried = 0;
        insist!(self, "move", async {
            tried += 1;
            match self.phone.move_to(&from, &id, &to).await {
                // An attempt whose answer was lost moved it: the next Sync of both will tell.
                Err(Error::Refused { step: "MoveItems", status: 1 }) if tried > 1 => Ok(()),
                moved => moved.map(drop),
            }
        });
        self.look().await
    }

    async fn delete(&mut self) -> Result<()> {
        let inbox = self.inbox.clone();
        let Some(id) = self.any(&inbox)? else { return Ok(()) };
        insist!(self, "delete", self.phone.delete(&inbox, &id));
        Ok(())
    }

    fn sent(&mut self, subject: String, begun: Instant) {
        self.sent.push(Sent { subject, begun, ended: Instant::now() });
    }

    async fn send(&mut self) -> Result<()> {
        let subject = self.name("mail");
        let message = self.phone.new_message(mime(&subject));
        let begun = Instant::now();
        insist!(self, "send", self.phone.send_message(&message));
        self.sent(subject, begun);
        Ok(())
    }

    async fn reply(&mut self) -> Result<()> {
        let inbox = self.inbox.clone();
        let Some(id) = self.any(&inbox)? else { return Ok(()) };
        let subject = self.name("answer");
        let message = self.phone.new_message(mime(&subject));
        let source = Source::Item { folder_id: Some(inbox), item_id: id, instance_id: None };
        let request = smart_reply::Request::from_mime(message, source);
        let begun = Instant::now();
        insist!(self, "reply", self.phone.send_reply(&request));
        self.sent(subject, begun);
        Ok(())
    }

    async fn save_draft(&mut self) -> Result<()> {
        let (drafts, subject) = (self.drafts.clone(), self.name("draft"));
        let (name, content) = (format!("c{}", self.count), draft(&subject));
        insist!(self, "draft", self.phone.save_draft_as(&name, &drafts, &content, false));
        self.written.push(subject);
        Ok(())
    }

    async fn send_new_by_sync(&mut self) -> Result<()> {
        let (drafts, subject) = (self.drafts.clone(), self.name("sync"));
        let (name, content) = (format!("c{}", self.count), draft(&subject));
        let begun = Instant::now();
        insist!(self, "send by Sync", self.phone.save_draft_as(&name, &drafts, &content, true));
        self.sent(subject, begun);
        Ok(())
    }

    /// A draft that is to be there, and its id.
    async fn some_draft(&mut self) -> Result<Option<(String, String)>> {
        let drafts = self.drafts.clone();
        self.sync(&drafts).await?;
        let Some(id) = self.any(&drafts)? else { return Ok(None) };
        let subject = self.phone.items(&drafts)?[&id].subject.clone();
        ensure!(self.written.contains(&subject), "{subject:?} is in the drafts");
        Ok(Some((id, subject)))
    }

    async fn edit_draft(&mut self) -> Result<()> {
        let Some((id, old)) = self.some_draft().await? else { return Ok(()) };
        let new = self.name("edited");
        let (status, attempts) = self.change_draft(&id, false, &draft(&new)).await?;
        // One whose answer was lost made a new item of it, which the next Sync brings.
        let done = status == Status::Success || status == Status::ObjectNotFound && attempts > 1;
        ensure!(done, "a new version of {old:?}: status {status:?} after {attempts} attempts");
        self.written.retain(|subject| *subject != old);
        self.written.push(new);
        Ok(())
    }

    async fn send_draft(&mut self) -> Result<()> {
        let Some((id, subject)) = self.some_draft().await? else { return Ok(()) };
        let body = Some((BodyKind::Plain, Bytes::from_static(b"Final.")));
        let content = DraftContent { body, ..DraftContent::default() };
        let begun = Instant::now();
        let (status, attempts) = self.change_draft(&id, true, &content).await?;
        ensure!(status == Status::Success, "sending {subject:?}: {status:?}, {attempts} attempts");
        self.written.retain(|written| *written != subject);
        self.sent(subject, begun);
        Ok(())
    }

    async fn change_draft(
        &mut self,
        id: &str,
        send: bool,
        content: &DraftContent,
    ) -> Result<(Status, u32)> {
        let drafts = self.drafts.clone();
        let change = ClientCommand::Change {
            server_id: id.to_owned(),
            instance_id: None,
            class: None,
            send,
            data: content.to_elements(),
        };
        let (round, attempts) =
            insist!(self, "change a draft", self.phone.sync_with(&drafts, vec![change.clone()]));
        let status = round.responses.iter().find_map(|response| match response {
            ItemResponse::Change { status, .. } => Some(*status),
            _ => None,
        });
        Ok((status.unwrap_or(Status::Success), attempts))
    }

    /// Lets the mail system come to rest, and the phone see all of it.
    pub async fn settle(&mut self, site: &Site) -> Result<()> {
        site.wait_ready()?;
        let end = Instant::now() + PATIENCE;
        while !has_delivered(site.postfix.dir())? {
            ensure!(Instant::now() < end, "postfix does not deliver: {}", site.postfix.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for folder in [&self.inbox, &self.drafts, &self.trash, &self.sent_folder].map(Clone::clone)
        {
            // The first may still meet a session that died.
            self.sync(&folder).await?;
            self.sync(&folder).await?;
        }
        eprintln!("sent {}, retries {:?}", self.sent.len(), self.retries);
        Ok(())
    }
}

/// Whether Postfix has delivered all it took. What it had not wholly received when it was killed
/// stays in the queue, is not executable, and is never looked at again (Postfix' cleanup(8)).
fn has_delivered(postfix: &Path) -> Result<bool> {
    for queue in ["incoming", "active", "deferred"] {
        let mut folders = vec![postfix.join("queue").join(queue)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                // It may go while we look.
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    folders.push(entry.path());
                } else if metadata.mode() & 0o100 != 0 {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

fn mime(subject: &str) -> Vec<u8> {
    format!("From: ann@example.org\r\nTo: bob@example.org\r\nSubject: {subject}\r\n\r\nHello\r\n")
        .into_bytes()
}

fn draft(subject: &str) -> DraftContent {
    DraftContent {
        to: Some(vec![Address { name: None, email: "bob@example.org".to_owned() }]),
        subject: Some(subject.to_owned()),
        body: Some((BodyKind::Plain, Bytes::from_static(b"Text."))),
        ..DraftContent::default()
    }
}
