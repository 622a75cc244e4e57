//! Messages that phones send while the connector of their mail is away, kept until it is back and
//! then sent once; where `sending.while_away` says so.
//!
//! What the phone was told is sent is on disk by then. It goes out when the connector is linked
//! again: at once where the connector opens mailboxes by its own right, else with the sender's next
//! request, which brings what opens the mailbox. What is refused for good comes back to the sender
//! as a mail, with the message.

use crate::connectors::Connectors;
use crate::front::Clock;
use crate::meeting_word;
use crate::records::events::Events;
use crate::records::{EventKind, Happened};
use crate::router::Router;
use crate::seal::Seal;
use dme_link::CredentialsNeeded;
use dme_mailbox::{Account, Credentials, Error, ErrorKind, Mailbox, Result, Submission, Submitted};
use dme_model::{RequestId, Role, UserId};
use dme_store::{OutboxLimits, Queued, Store};
use dme_sync::hand_over;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long all that waits for one user may take to go out at a time.
const DELIVERY: Duration = Duration::from_secs(600);
/// How often it is looked whether something can go out, though nothing was heard.
const EVERY: Duration = Duration::from_secs(60);
/// So many users' messages go out at once: the line may be thin, and others use it too.
const AT_ONCE: usize = 4;
/// So often a message is tried that the mail system answers in a way that says nothing.
const ATTEMPTS: u32 = 100;

/// The messages that wait.
pub struct Outbox {
    store: Store,
    seal: Seal,
    limits: OutboxLimits,
    clock: Clock,
    /// Those who have something waiting, and whether it is going out now.
    waiting: Mutex<BTreeMap<UserId, Progress>>,
    lanes: Semaphore,
    events: OnceLock<Events>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Waits,
    GoesOut,
    /// It goes out, and more has come meanwhile.
    More,
}

/// One user's messages going out. Dropped, they wait again, unless nothing is left.
struct GoingOut {
    outbox: Arc<Outbox>,
    user: UserId,
    done: bool,
}

impl GoingOut {
    /// All went out.
    fn end(mut self) {
        self.done = true;
    }
}

impl Drop for GoingOut {
    fn drop(&mut self) {
        let mut waiting = self.outbox.waiting();
        match waiting.get_mut(&self.user) {
            // What came after the last look is still to go.
            Some(progress) if *progress == Progress::More || !self.done => {
                *progress = Progress::Waits;
            }
            _ => drop(waiting.remove(&self.user)),
        }
    }
}

impl Outbox {
    /// Those that wait since before the server's start.
    ///
    /// # Errors
    /// The database's.
    pub async fn open(
        store: Store,
        seal: Seal,
        limits: OutboxLimits,
        clock: Clock,
    ) -> dme_store::Result<Arc<Self>> {
        let waiting = store.waiting_users().await?;
        let waiting = waiting.into_iter().map(|user| (user, Progress::Waits)).collect();
        let lanes = Semaphore::new(AT_ONCE);
        Ok(Arc::new(Self {
            store,
            seal,
            limits,
            clock,
            waiting: Mutex::new(waiting),
            lanes,
            events: OnceLock::new(),
        }))
    }

    /// Has the log told of each message from now on. Only the first is heard.
    pub fn tell(&self, events: Events) {
        let _ = self.events.set(events);
    }

    fn note(&self, kind: EventKind, user: &UserId, message: String) {
        if let Some(events) = self.events.get() {
            events.note(Happened::new(kind, message).user(user));
        }
    }

    /// Whether a user has something waiting: what is sent now waits behind it.
    pub fn has(&self, user: &UserId) -> bool {
        self.waiting().contains_key(user)
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
        let Some(message) = self.seal.seal(&submission.key.0, &submission.message) else {
            tracing::error!(user = %account.user, "a message could not be sealed");
            return Err(because.clone());
        };
        let sealed = Submission { message, ..submission.clone() };
        let kept = self.store.queue_message(&account.user, sender, &sealed, now, self.limits).await;
        if let Err(error) = kept {
            tracing::warn!(user = %account.user, %error, "a message could not be kept");
            return Err(because.clone());
        }
        tracing::info!(user = %account.user, %because, "a message waits for its connector");
        let words = format!("a message waits for its connector: {because}");
        self.note(EventKind::MailWaits, &account.user, words);
        self.waiting()
            .entry(account.user.clone())
            .and_modify(|progress| {
                if *progress == Progress::GoesOut {
                    *progress = Progress::More;
                }
            })
            .or_insert(Progress::Waits);
        // Which Message-ID it will have, its connector says.
        let message_id = submission.key.0.clone();
        let (refused, warnings) = (Vec::new(), Vec::new());
        Ok(Submitted { message_id, refused, warnings, unfinished: false })
    }

    /// Sends what waits for a user, by the user's own account; nothing where nothing does.
    pub fn deliver_soon(self: &Arc<Self>, router: &Arc<Router>, account: &Account) {
        let Some(going) = self.begin(&account.user) else { return };
        let (router, account) = (router.clone(), account.clone());
        tokio::spawn(async move {
            match going.outbox.deliver(&router, &account).await {
                Ok(()) => going.end(),
                Err(error) => {
                    tracing::info!(user = %account.user, %error, "messages still wait");
                }
            }
        });
    }

    /// Marks that a user's messages go out; none where there are none or they do already.
    fn begin(self: &Arc<Self>, user: &UserId) -> Option<GoingOut> {
        let mut waiting = self.waiting();
        let progress = waiting.get_mut(user).filter(|progress| **progress == Progress::Waits)?;
        *progress = Progress::GoesOut;
        Some(GoingOut { outbox: self.clone(), user: user.clone(), done: false })
    }

    /// Sends all that waits for a user, in the order it came.
    async fn deliver(&self, router: &Arc<Router>, account: &Account) -> Result<()> {
        let _lane = self.lanes.acquire().await.map_err(|error| kept(&error))?;
        let request = RequestId::from(format!("outbox-{}", account.user));
        let mailbox = router.open_for(account, &request, (self.clock)(), DELIVERY).await?;
        loop {
            let first = self.store.first_queued(&account.user).await;
            let Some(queued) = first.map_err(|error| kept(&error))? else { return Ok(()) };
            self.send(&*mailbox, queued).await?;
        }
    }

    /// Sends one. What went out is forgotten, and so is what was refused for good, once its sender
    /// has it back; what neither goes out nor can be given back is set aside, so that the next can.
    async fn send(&self, mailbox: &dyn Mailbox, mut queued: Queued) -> Result<()> {
        queued.attempts = queued.attempts.saturating_add(1);
        let mut submission = queued.submission.clone();
        match self.seal.unseal(&submission.key.0, &submission.message) {
            Ok(message) => submission.message = message,
            Err(error) => {
                let (user, number) = (&queued.user, queued.n);
                tracing::error!(%user, number, %error, "a message is set aside: see `dme outbox list`");
                queued.aside = true;
                queued.trouble = Some(error.to_string());
                return self.note_attempt(&queued).await;
            }
        }
        // Should the server die now, the next attempt looks first whether this one went out.
        queued.submission.uncertain = !submission.taken;
        queued.trouble = None;
        self.note_attempt(&queued).await?;
        let verb = submission.reference.as_ref().map(|reference| reference.verb);
        let meeting = meeting_word::of(&submission.message, verb).filter(|_| !submission.taken);
        let error = match hand_over(mailbox, &mut submission, meeting.as_ref()).await {
            Ok(submitted) if submitted.unfinished => {
                queued.submission =
                    Submission { taken: true, uncertain: false, ..submission.clone() };
                Error::new(ErrorKind::Unavailable, submitted.warnings.join("; "))
            }
            Ok(submitted) => {
                let (user, attempts) = (&queued.user, queued.attempts);
                tracing::info!(%user, attempts, "a message that waited is sent");
                self.note(EventKind::MailSent, user, "a message that waited is sent".into());
                if !submitted.refused.is_empty() {
                    let who = submitted.refused.join(", ");
                    let words = format!("The others have it. Refused were: {who}");
                    if let Err(error) = give_back(mailbox, &submission, &words).await {
                        tracing::warn!(%user, %error, refused = submitted.refused.len(),
                            "some recipients were refused, and the sender could not be told");
                    }
                }
                return self.forget(&queued).await;
            }
            Err(error) => error,
        };
        let user = &queued.user;
        let settled = match &error.kind {
            _ if error.is_transient() => false,
            // What opens the mailbox is wrong now, and may be right at the next request.
            ErrorKind::Auth => false,
            // It may have gone out, for all that can be told.
            ErrorKind::Protocol | ErrorKind::Bug => false,
            // It is out; what follows cannot be done.
            _ if submission.taken => {
                tracing::warn!(%user, %error, "a message is sent, but not all that follows is done");
                return self.forget(&queued).await;
            }
            _ => true,
        };
        if settled {
            tracing::warn!(%user, %error, "a message that waited is refused");
            let words = format!("a message that waited is refused: {error}");
            self.note(EventKind::MailRefused, user, words);
            match give_back(mailbox, &submission, &error.to_string()).await {
                Ok(()) => return self.forget(&queued).await,
                Err(error) if error.is_transient() => {}
                Err(_) => queued.aside = true,
            }
        }
        queued.aside |= queued.attempts >= ATTEMPTS && !error.is_transient();
        queued.trouble = Some(error.to_string());
        self.note_attempt(&queued).await?;
        if queued.aside {
            tracing::error!(%user, number = queued.n, %error,
                "a message is set aside: see `dme outbox list`");
            let words = format!("a message is set aside, and waits for an administrator: {error}");
            self.note(EventKind::MailRefused, user, words);
            return Ok(());
        }
        Err(error)
    }

    async fn note_attempt(&self, queued: &Queued) -> Result<()> {
        self.store.note_attempt(queued).await.map_err(|error| kept(&error))
    }

    async fn forget(&self, queued: &Queued) -> Result<()> {
        self.store.remove_queued(queued).await.map_err(|error| kept(&error))
    }

    /// Sends what waits whenever connectors come, where they need nothing of the user.
    pub async fn run(self: Arc<Self>, router: Arc<Router>, connectors: Arc<Connectors>) {
        let mut versions = connectors.versions();
        loop {
            if let Ok(users) = self.store.waiting_users().await {
                let mut waiting = self.waiting();
                waiting
                    .retain(|user, progress| *progress != Progress::Waits || users.contains(user));
                for user in users {
                    waiting.entry(user).or_insert(Progress::Waits);
                }
            }
            if !self.waiting().is_empty() {
                self.deliver_by_right(&router, &connectors).await;
            }
            let _ = tokio::time::timeout(EVERY, versions.changed()).await;
            versions.mark_unchanged();
        }
    }

    /// Those at connectors that open mailboxes by their own right; the others' phones will come.
    async fn deliver_by_right(self: &Arc<Self>, router: &Arc<Router>, connectors: &Connectors) {
        let Ok(all) = self.store.all_queued().await else { return };
        let mut seen = BTreeSet::new();
        let senders = all.into_iter().filter(|one| !one.aside && seen.insert(one.user.clone()));
        for one in senders.collect::<Vec<_>>() {
            let needs = router.home(&one.user).await;
            let needs = needs.and_then(|home| connectors.links().mailbox_needs(&home));
            if needs != Some(CredentialsNeeded::None) {
                continue;
            }
            let account = Account {
                user: one.user,
                address: one.address,
                display_name: one.display_name,
                credentials: Credentials::None,
            };
            self.deliver_soon(router, &account);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<UserId, Progress>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kept(error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Unavailable, error.to_string())
}

/// Puts a message that was refused into its sender's inbox, with the reason.
async fn give_back(mailbox: &dyn Mailbox, refused: &Submission, reason: &str) -> Result<()> {
    let collections = mailbox.collections().await?;
    let inbox = collections.iter().find(|one| one.role == Some(Role::Inbox));
    let nowhere = || Error::new(ErrorKind::NotFound, "the user has no inbox");
    let inbox = inbox.ok_or_else(nowhere)?;
    // The engine made it of user, device and act; a boundary has no such signs.
    let key = refused.key.0.bytes().filter(u8::is_ascii_alphanumeric).map(char::from);
    let boundary: String = "dme-".chars().chain(key.take(60)).collect();
    let reason: String = reason.chars().filter(|c| !c.is_control()).collect();
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
