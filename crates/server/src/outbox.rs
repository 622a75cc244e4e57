//! Messages that phones send while the connector of their mail is away, kept until it is back and
//! then sent once; where `sending.while_away` says so.
//!
//! What the phone was told is sent is on disk by then. It goes out when the connector is linked
//! again: at once where the connector opens mailboxes by its own right, else with the sender's next
//! request, which brings what opens the mailbox. What is refused for good comes back to the sender
//! as a mail, with the message.

use crate::connectors::Connectors;
use crate::front::Clock;
use crate::router::Router;
use dme_link::CredentialsNeeded;
use dme_mailbox::{Account, Credentials, Error, ErrorKind, Mailbox, Result, Submission, Submitted};
use dme_model::{RequestId, Role, UserId};
use dme_store::{OutboxLimits, Queued, SqliteStore};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long all that waits for one user may take to go out at a time.
const DELIVERY: Duration = Duration::from_secs(600);
/// How often it is looked whether something can go out, though nothing was heard.
const EVERY: Duration = Duration::from_secs(60);

/// The messages that wait.
pub struct Outbox {
    store: SqliteStore,
    limits: OutboxLimits,
    clock: Clock,
    /// Those who have something waiting, and whether it is going out now.
    waiting: Mutex<BTreeMap<UserId, Progress>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Waits,
    GoesOut,
}

impl Outbox {
    /// Those that wait since before the server's start.
    ///
    /// # Errors
    /// The database's.
    pub async fn open(
        store: SqliteStore,
        limits: OutboxLimits,
        clock: Clock,
    ) -> dme_store::Result<Arc<Self>> {
        let waiting = store.all_queued().await?;
        let waiting = waiting.into_iter().map(|one| (one.user, Progress::Waits)).collect();
        Ok(Arc::new(Self { store, limits, clock, waiting: Mutex::new(waiting) }))
    }

    /// Has a message wait, because of this.
    ///
    /// # Errors
    /// The reason itself, where the user has as much waiting as may or it cannot be kept.
    pub async fn queue(
        &self,
        account: &Account,
        submission: &Submission,
        because: &Error,
    ) -> Result<Submitted> {
        let sender = (account.address.as_str(), account.display_name.as_deref());
        let now = (self.clock)();
        let kept =
            self.store.queue_message(&account.user, sender, submission, now, self.limits).await;
        if let Err(error) = kept {
            tracing::warn!(user = %account.user, %error, "a message could not be kept");
            return Err(because.clone());
        }
        tracing::info!(user = %account.user, %because, "a message waits for its connector");
        self.waiting().entry(account.user.clone()).or_insert(Progress::Waits);
        // Which Message-ID it will have, its connector says.
        let message_id = submission.key.0.clone();
        let (refused, warnings) = (Vec::new(), Vec::new());
        Ok(Submitted { message_id, refused, warnings, unfinished: false })
    }

    /// Sends what waits for a user, by the user's own account; nothing where nothing does.
    pub fn deliver_soon(self: &Arc<Self>, router: &Arc<Router>, account: &Account) {
        if !self.begin(&account.user) {
            return;
        }
        let (outbox, router, account) = (self.clone(), router.clone(), account.clone());
        tokio::spawn(async move {
            let left = outbox.deliver(&router, &account).await;
            if let Err(error) = &left {
                tracing::info!(user = %account.user, %error, "messages still wait");
            }
            let mut waiting = outbox.waiting();
            match left {
                Ok(()) => drop(waiting.remove(&account.user)),
                Err(_) => drop(waiting.insert(account.user.clone(), Progress::Waits)),
            }
        });
    }

    /// Marks that a user's messages go out; false where there are none or they do already.
    fn begin(&self, user: &UserId) -> bool {
        match self.waiting().get_mut(user) {
            Some(progress) if *progress == Progress::Waits => {
                *progress = Progress::GoesOut;
                true
            }
            _ => false,
        }
    }

    /// Sends all that waits for a user, in the order it came.
    async fn deliver(&self, router: &Arc<Router>, account: &Account) -> Result<()> {
        let request = RequestId::from(format!("outbox-{}", account.user));
        let mailbox = router.open_for(account, &request, (self.clock)(), DELIVERY).await?;
        while let Some(queued) = self.store.first_queued(&account.user).await.map_err(kept)? {
            self.send(&*mailbox, queued).await?;
        }
        Ok(())
    }

    /// Sends one. What went out is forgotten, and so is what was refused for good, once its sender
    /// was told.
    async fn send(&self, mailbox: &dyn Mailbox, queued: Queued) -> Result<()> {
        let Queued { n, user, mut submission, attempts, .. } = queued;
        let attempts = attempts.saturating_add(1);
        let note = |submission: Submission, trouble| async move {
            self.store.note_attempt(n, attempts, &submission, trouble).await.map_err(kept)
        };
        // Should the server die now, the next attempt looks first whether this one went out.
        let next = Submission { uncertain: !submission.taken, ..submission.clone() };
        note(next.clone(), None).await?;
        submission.uncertain = attempts > 1 && !submission.taken;
        match mailbox.submit(&submission).await {
            Ok(submitted) if submitted.unfinished => {
                let taken = Submission { taken: true, uncertain: false, ..submission };
                let trouble = submitted.warnings.join("; ");
                note(taken, Some(trouble.clone())).await?;
                return Err(Error::new(ErrorKind::Unavailable, trouble));
            }
            Ok(_) => tracing::info!(%user, attempts, "a message that waited is sent"),
            Err(error) if error.is_transient() || error.kind == ErrorKind::Auth => {
                note(next, Some(error.to_string())).await?;
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(%user, %error, "a message that waited is refused");
                give_back(mailbox, &submission, &error).await?;
            }
        }
        self.store.remove_queued(n).await.map_err(kept)
    }

    /// Sends what waits whenever connectors come, where they need nothing of the user.
    pub async fn run(self: Arc<Self>, router: Arc<Router>, connectors: Arc<Connectors>) {
        let mut versions = connectors.versions();
        loop {
            let waiting: BTreeSet<UserId> = self.waiting().keys().cloned().collect();
            if !waiting.is_empty() {
                self.deliver_by_right(&router, &connectors, &waiting).await;
            }
            let _ = tokio::time::timeout(EVERY, versions.changed()).await;
            versions.mark_unchanged();
        }
    }

    async fn deliver_by_right(
        self: &Arc<Self>,
        router: &Arc<Router>,
        connectors: &Connectors,
        waiting: &BTreeSet<UserId>,
    ) {
        let Ok(all) = self.store.all_queued().await else { return };
        let mut seen = BTreeSet::new();
        for one in all.into_iter().filter(|one| waiting.contains(&one.user)) {
            if !seen.insert(one.user.clone()) {
                continue;
            }
            let account = Account {
                user: one.user,
                address: one.address,
                display_name: one.display_name,
                credentials: Credentials::None,
            };
            let request = RequestId::from(format!("outbox-{}", account.user));
            let serving = router.serving_now(&account, &request, (self.clock)()).await;
            let mail = serving.ok().and_then(|all| all.into_iter().next());
            let needs = mail.and_then(|id| connectors.links().mailbox_needs(&id));
            if needs == Some(CredentialsNeeded::None) {
                self.deliver_soon(router, &account);
            }
        }
    }

    /// Forgets that a user has something waiting, after an administrator took the last away.
    pub async fn look_again(&self) {
        let Ok(all) = self.store.all_queued().await else { return };
        let users: BTreeSet<UserId> = all.into_iter().map(|one| one.user).collect();
        self.waiting().retain(|user, _| users.contains(user));
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<UserId, Progress>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kept(error: dme_store::Error) -> Error {
    Error::new(ErrorKind::Unavailable, error.to_string())
}

/// Puts a message that was refused into its sender's inbox, with the reason.
async fn give_back(mailbox: &dyn Mailbox, refused: &Submission, error: &Error) -> Result<()> {
    let collections = mailbox.collections().await?;
    let inbox = collections.iter().find(|one| one.role == Some(Role::Inbox));
    let Some(inbox) = inbox else { return Ok(()) };
    // The engine made it of user, device and act; a boundary has no such signs.
    let key = refused.key.0.bytes().filter(u8::is_ascii_alphanumeric).map(char::from);
    let boundary: String = "dme-".chars().chain(key.take(60)).collect();
    let reason: String = error.to_string().chars().filter(|c| !c.is_control()).collect();
    let head = format!(
        "From: Mobile access <postmaster@localhost>\r\nSubject: A message was not sent\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n\
         Your phone gave this message to the server while the mail system could not be reached. \
         Now the mail system refuses it:\r\n\r\n{reason}\r\n\r\nThe message is attached.\r\n\
         --{boundary}\r\nContent-Type: message/rfc822\r\n\r\n"
    );
    let mail =
        [head.as_bytes(), &refused.message, format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
    mailbox.deliver(&inbox.id, &mail).await.map(drop)
}
