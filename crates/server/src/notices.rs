//! What administrators should hear of at once: told to whoever listens here, as an event, which
//! webhooks are told of, and by mail where the configuration names addresses.

use crate::front::Front;
use crate::records::events::Events;
use crate::records::{EventKind, Happened};
use bytes::Bytes;
use dme_mailbox::{Account, Credentials, Submission, SubmissionKey};
use dme_model::{RequestId, Timestamp, UserId};
use dme_store::{Device, DeviceCertificate, Hold};
use dme_sync::DeviceKey;
use std::slice;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

/// So many notices are kept for a listener that is slow; it then misses the oldest.
const KEPT: usize = 256;

/// Something administrators should hear of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A device waits to be let in. Once for each device.
    Quarantined {
        /// Which.
        device: DeviceKey,
        /// What it calls its kind.
        device_type: String,
        /// Its `User-Agent`.
        agent: String,
        /// Why it waits; may be empty.
        reason: String,
    },
    /// A device misbehaves.
    Misbehaves {
        /// Which.
        device: DeviceKey,
        /// How, and what is done about it.
        hold: Hold,
    },
    /// Somebody signed in with the account for emergencies.
    EmergencyUsed {
        /// From which address.
        client: String,
    },
    /// An order to wipe waits for another administrator.
    WipeWaits {
        /// Of which device.
        device: DeviceKey,
        /// The order's number.
        number: u64,
        /// Who asked for it.
        by: String,
    },
}

/// Where they are told. Clones tell to the same listeners.
#[derive(Clone)]
pub struct Notices {
    listeners: broadcast::Sender<Notice>,
    administrators: Arc<Vec<String>>,
    events: Events,
}

impl Notices {
    /// With the addresses that are told by mail.
    pub(crate) fn new(administrators: &[String], events: Events) -> Self {
        let (listeners, _) = broadcast::channel(KEPT);
        Self { listeners, administrators: Arc::new(administrators.to_vec()), events }
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.listeners.subscribe()
    }

    pub(crate) fn tell(&self, notice: Notice) {
        if let Some(happened) = happened(&notice) {
            self.events.note(happened);
        }
        // Nobody may listen.
        let _ = self.listeners.send(notice);
    }
}

/// A notice as an event; none where another tells the same.
fn happened(notice: &Notice) -> Option<Happened> {
    match notice {
        Notice::Quarantined { device, device_type, agent, reason } => {
            let words = format!("a device waits for an administrator: {device_type}");
            let happened = Happened::new(EventKind::DeviceQuarantined, words).device(device);
            let happened = happened.detail("kind", device_type).detail("agent", agent);
            Some(happened.detail("reason", reason))
        }
        // That it misbehaves is noted with the rule, each time.
        Notice::Misbehaves { .. } => None,
        Notice::EmergencyUsed { client } => {
            let words = format!("the account for emergencies was used from {client}");
            Some(Happened::new(EventKind::EmergencyUsed, words).detail("client", client))
        }
        Notice::WipeWaits { device, number, by } => {
            let words = format!("order {number} to wipe waits for another administrator");
            let happened = Happened::new(EventKind::WipeWaits, words).device(device);
            Some(happened.detail("number", number).detail("by", by))
        }
    }
}

/// The pauses before a mail that did not go out is tried again.
const AGAIN: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(600), Duration::from_secs(3600)];

/// Tells of a device that is quarantined, once: whoever listens here, and by mail, in its owner's
/// name and by the way its owner's mail goes.
pub(crate) async fn quarantined(front: Arc<Front>, account: Account, device: Device) {
    let (key, now) = (device.key.clone(), (front.clock)());
    let first = move |device: &mut Device| {
        let first = device.notice_sent.is_none();
        device.notice_sent.get_or_insert(now);
        Ok(first)
    };
    match front.store.change_device(&key, first).await {
        Ok((_, true)) => {}
        Ok((_, false)) => return,
        Err(error) => {
            tracing::error!(%error, "a quarantined device could not be noted");
            return;
        }
    }
    front.notices.tell(Notice::Quarantined {
        device: key.clone(),
        reason: device.decision.as_ref().map(|one| one.reason.clone()).unwrap_or_default(),
        device_type: device.device_type.clone(),
        agent: device.user_agent.clone(),
    });
    let administrators = &front.notices.administrators;
    if administrators.is_empty() {
        return;
    }
    let text = words(&account, &device, administrators);
    let name = format!("quarantine/{}/{}", key.user, key.device);
    submit_until_sent(&front, &account, name, text, |error, again| {
        tracing::warn!(user = %key.user, device = %key.device, %error, ?again,
            "the administrators could not be told by mail of a quarantined device");
    })
    .await;
}

/// Tells that somebody signed in with the account for emergencies: whoever listens here, and by mail
/// where one of the administrators has a mailbox that opens by itself.
pub fn emergency_used(front: Arc<Front>, client: String) {
    front.notices.tell(Notice::EmergencyUsed { client: client.clone() });
    let administrators = front.notices.administrators.clone();
    if administrators.is_empty() {
        return;
    }
    tokio::spawn(async move {
        let now = (front.clock)();
        let key = format!("emergency/{}", now.as_millis());
        for sender in administrators.iter() {
            let account = Account {
                user: UserId::from(sender.as_str()),
                address: sender.clone(),
                display_name: None,
                credentials: Credentials::None,
            };
            let text = emergency_words(sender, &client, now, &administrators);
            match submit(&front, &account, key.clone(), text).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(sender, %error,
                    "the administrators could not be told by mail that the account for \
                     emergencies was used"),
            }
        }
    });
}

/// That mail.
fn emergency_words(
    sender: &str,
    client: &str,
    now: Timestamp,
    administrators: &[String],
) -> String {
    let body = format!(
        "Somebody signed in to the console with the account for emergencies at {now}, from \
         {client}.\r\n\r\nIf that was none of you, remove it at the server by `dme console \
         emergency remove`, and look at what was done by `dme audit list`. If it was, give it \
         another password by `dme console emergency make`.\r\n"
    );
    letter(sender, administrators, "The account for emergencies was used", &body)
}

/// Sends a mail in the name of whoever's account it is, once; tries again a few times where it does
/// not go out, and tells why, and after which pause, if any, it is tried again.
async fn submit_until_sent(
    front: &Front,
    account: &Account,
    key: String,
    text: String,
    tell: impl Fn(&dme_mailbox::Error, Option<Duration>),
) {
    for pause in AGAIN.into_iter().map(Some).chain([None]) {
        let sent = submit(front, account, key.clone(), text.clone()).await;
        let Err(error) = sent else { return };
        tell(&error, pause);
        let Some(pause) = pause else { return };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = front.stop.cancelled() => return,
        }
    }
}

/// Sends a mail in the name of whoever's account it is, once.
async fn submit(
    front: &Front,
    account: &Account,
    key: String,
    text: String,
) -> dme_mailbox::Result<()> {
    let submission = Submission {
        // An earlier attempt may have gone out.
        uncertain: true,
        key: SubmissionKey(key),
        taken: false,
        message: Bytes::from(text),
        reference: None,
        save_in_sent: false,
        draft: None,
    };
    let request = RequestId::from(format!("notice-{:x}", front.run));
    let mailbox = front.router.open(account, &request, (front.clock)()).await?;
    mailbox.submit(&submission).await.map(|_| ())
}

/// Tells a user by mail, and administrators by an event, that the certificate of a device ends soon:
/// once, though a mail that does not go out is tried again only while the server runs. The page at
/// `/my` says so, too.
pub(crate) async fn certificate_ends(
    front: Arc<Front>,
    account: Account,
    certificate: DeviceCertificate,
) {
    let DeviceCertificate { user, number, ends, .. } = &certificate;
    match front.store.notice_device_certificate(user, *number, (front.clock)()).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            tracing::error!(%error, "the end of a certificate could not be noted");
            return;
        }
    }
    let words = format!("certificate {number} of {user} for a device ends {ends}");
    let happened = Happened::new(EventKind::CertificateEnds, words).user(user);
    front.events.note(happened.detail("ends", ends).detail("serial", &certificate.serial));
    let text = end_of(&account, &certificate, &front.host);
    let key = format!("certificate/{user}/{number}");
    submit_until_sent(&front, &account, key, text, |error, again| {
        tracing::warn!(%user, number, %error, ?again,
            "a user could not be told by mail of the end of a certificate");
    })
    .await;
}

/// The mail of a certificate's end.
fn end_of(account: &Account, certificate: &DeviceCertificate, host: &str) -> String {
    let body = format!(
        "Your device \"{label}\" gets your mail by a certificate that ends on {ends}. After that it \
         gets none.\r\n\r\n\
         Sign in at https://{host}/my and add the device again: it is given a new certificate. \
         Then take back the old one there.\r\n",
        label = line(&certificate.label),
        ends = certificate.ends,
    );
    let own = &account.address;
    letter(own, slice::from_ref(own), "The certificate of your device ends soon", &body)
}

/// A mail as it is sent.
fn letter(from: &str, to: &[String], subject: &str, body: &str) -> String {
    let to: Vec<String> = to.iter().map(|to| format!("<{}>", line(to))).collect();
    format!(
        "From: <{from}>\r\nTo: {to}\r\nSubject: {subject}\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         {body}",
        from = line(from),
        to = to.join(", "),
    )
}

/// What somebody else wrote becomes no line of its own.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// The mail of a device that waits.
fn words(account: &Account, device: &Device, administrators: &[String]) -> String {
    let why = device.decision.as_ref().map(|decision| decision.reason.as_str()).unwrap_or_default();
    let why =
        if why.is_empty() { String::new() } else { format!("Why it waits: {}\r\n", line(why)) };
    let body = format!(
        "A device was added to the account {user} and waits to be approved.\r\n\r\n\
         Device: {id}\r\nKind: {kind}\r\nClient: {agent}\r\n{why}\r\n\
         Allow it by `dme device allow {user} {id}`, refuse it by `dme device block {user} {id}`.\r\n\
         This is told once for each device, and was sent in its owner's name.\r\n",
        user = line(device.key.user.as_str()),
        id = line(device.key.device.as_str()),
        kind = line(&device.device_type),
        agent = line(&device.user_agent),
    );
    letter(&account.address, administrators, "A device waits to be approved", &body)
}
