//! The phone's way from OPTIONS to a parked Ping.

use super::Probe;
use super::report::{Finding, StepName};
use crate::error::Error;
use crate::phone::{Phone, Provisioned, Woken};
use dme_eas::QUARANTINE_SUBJECT;
use dme_eas::folder_sync::FolderType;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The interval of the Ping: short enough for every server's limits.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// Answers a probe fetches before its Ping: 5,000 mails.
const ROUNDS: usize = 50;
/// The folders beside mail, and what is in them.
const BESIDE: [(FolderType, &str); 4] = [
    (FolderType::Calendar, "events"),
    (FolderType::Contacts, "contacts"),
    (FolderType::Tasks, "tasks"),
    (FolderType::Notes, "notes"),
];

impl Probe<'_> {
    pub(super) async fn session(&mut self, phone: &mut Phone) {
        let _ = self.options(phone).await
            && self.login(phone).await
            && self.inbox(phone).await
            && self.ping(phone).await
            && self.beside(phone).await;
    }

    async fn options(&mut self, phone: &mut Phone) -> bool {
        let begun = Instant::now();
        let finding = match phone.client.options().await {
            Ok(offered) => match offered.newest_up_to(self.options.version) {
                Some(version) => {
                    phone.client.account.version = version;
                    let all: Vec<&str> = offered.versions.iter().map(|v| v.as_str()).collect();
                    let (all, commands) = (all.join(", "), offered.commands.len());
                    Finding::passed(format!("speaks {all}, {commands} commands; using {version}"))
                }
                None => Finding::failed(
                    "no protocol version is offered that is spoken here (12.1 to 16.1)",
                    "check that the address is that of ActiveSync and not of a web page",
                ),
            },
            Err(Error::Unauthorized) => {
                return self.report.add(StepName::Login, begun, explain(&Error::Unauthorized));
            }
            Err(error) => explain(&error),
        };
        self.report.add(StepName::Options, begun, finding)
    }

    /// Login, policy and folders. The first request may be refused for any of the three.
    async fn login(&mut self, phone: &mut Phone) -> bool {
        let begun = Instant::now();
        if let Err(error) = phone.folder_sync().await {
            let step = match &error {
                Error::Unauthorized | Error::Http { status: 403, .. } => StepName::Login,
                Error::Wiped(_) => StepName::Provision,
                Error::Refused { step: "provisioning" | "the policy", .. } => StepName::Provision,
                Error::Refused { status: 126..=131, .. } => StepName::Login,
                _ => StepName::Folders,
            };
            return self.report.add(step, begun, explain(&error));
        }
        let login = Finding::passed(format!("as {}", phone.client.account.user));
        self.report.add(StepName::Login, begun, login);

        let begun = Instant::now();
        let finding = if phone.events.provisioned > 0 {
            Finding::passed("a policy is required, and was applied")
        } else {
            match phone.provision().await {
                Ok(Provisioned::Key(_)) => Finding::passed("a policy is offered, and was applied"),
                Ok(Provisioned::NoPolicy) => Finding::passed("no policy"),
                Err(error) => explain(&error),
            }
        };
        if !self.report.add(StepName::Provision, begun, finding) {
            return false;
        }
        let folders = phone.folders().len();
        let finding = match phone.inbox() {
            Ok(_) => Finding::passed(format!("{folders} folders")),
            Err(_) => Finding::failed(
                format!("{folders} folders, but no inbox among them"),
                "check that the user has a mailbox, and that its connector is linked",
            ),
        };
        self.report.add(StepName::Folders, Instant::now(), finding)
    }

    async fn inbox(&mut self, phone: &mut Phone) -> bool {
        let begun = Instant::now();
        let synced = match phone.inbox() {
            Ok(inbox) => phone.sync_round(&inbox).await,
            Err(error) => Err(error),
        };
        let finding = match synced {
            Ok(_) if is_quarantined(phone) => Finding::warned(
                "the device is quarantined: its inbox has the mail that says so, and nothing else",
                "let it in with `dme device allow`, and probe again",
            ),
            Ok(round) => {
                let more = if round.more { ", more wait" } else { "" };
                Finding::passed(format!("{} mails{more}", round.added))
            }
            Err(error) => explain(&error),
        };
        self.report.add(StepName::Inbox, begun, finding)
    }

    /// A Ping that is still waited for after a while is held, as it should be.
    async fn ping(&mut self, phone: &mut Phone) -> bool {
        let settled = settle(phone).await;
        let begun = Instant::now();
        let hold = self.options.hold;
        let waited = match (phone.inbox(), settled) {
            (Ok(_), Ok(Settled::No)) => {
                let finding = Finding::warned(
                    "not tried: more mail waits than a probe fetches, and is a change each time",
                    "probe as a user with fewer mails",
                );
                return self.report.add(StepName::Ping, begun, finding);
            }
            (Ok(inbox), Ok(Settled::Yes)) => timeout(hold, phone.ping(&[&inbox], HEARTBEAT)).await,
            (Err(error), _) | (_, Err(error)) => Ok(Err(error)),
        };
        let finding = match waited {
            Err(_) => Finding::passed(format!("held for {} ms", hold.as_millis())),
            Ok(Ok(Woken::Changed(_))) => Finding::passed("answered by a change"),
            Ok(Ok(Woken::Expired)) => Finding::warned(
                "answered at once, though nothing changed",
                "phones would ask again and again: look for a proxy that ends long requests",
            ),
            Ok(Err(error)) => explain(&error),
        };
        self.report.add(StepName::Ping, begun, finding)
    }

    /// Calendar, contacts, tasks and notes, as far as there are any: the first answer of each.
    async fn beside(&mut self, phone: &mut Phone) -> bool {
        if is_quarantined(phone) {
            return true;
        }
        let begun = Instant::now();
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for (kind, what) in BESIDE {
            let Ok(folder) = phone.folder_of(kind) else {
                missing.push(what);
                continue;
            };
            match phone.sync_round(&folder).await {
                Ok(round) => {
                    let more = if round.more { " and more" } else { "" };
                    there.push(format!("{} {what}{more}", round.added));
                }
                Err(error) => return self.report.add(StepName::Beside, begun, explain(&error)),
            }
        }
        let finding = match (there.is_empty(), missing.is_empty()) {
            (true, _) => Finding::passed("no calendar, contacts, tasks or notes of the user's own"),
            (false, true) => Finding::passed(there.join(", ")),
            (false, false) => Finding::passed(format!(
                "{}; no folder for {}",
                there.join(", "),
                missing.join(", ")
            )),
        };
        self.report.add(StepName::Beside, begun, finding)
    }
}

/// Whether all that the phone was given is the mail that it has to wait for an administrator.
fn is_quarantined(phone: &Phone) -> bool {
    let items = phone.inbox().and_then(|inbox| phone.items(&inbox));
    let mut subjects = items.iter().flat_map(|items| items.values()).map(|mail| &mail.subject);
    subjects.next().is_some_and(|subject| subject == QUARANTINE_SUBJECT)
        && subjects.next().is_none()
}

/// Whether the phone has all of the inbox: while mail waits, a Ping is answered at once.
enum Settled {
    Yes,
    No,
}

/// Fetches the rest of the inbox, as far as a probe goes.
async fn settle(phone: &mut Phone) -> Result<Settled, Error> {
    let inbox = phone.inbox()?;
    for _ in 0..ROUNDS {
        if !phone.sync_round(&inbox).await?.more {
            return Ok(Settled::Yes);
        }
    }
    Ok(Settled::No)
}

/// What an error means for an administrator.
fn explain(error: &Error) -> Finding {
    let advice = match error {
        Error::Unauthorized => {
            "check user name and password; try `user`, `user@realm` and `DOMAIN\\user`"
        }
        Error::Http { status: 403, .. } => {
            "the user or device may not use ActiveSync: look at its access group and device state"
        }
        Error::Http { status: 404, .. } => "check the path: it is /Microsoft-Server-ActiveSync",
        Error::Http { status: 502..=504, .. } => {
            "the server, or what is behind it, is down or busy: look at its connectors"
        }
        Error::Http { .. } => "look in the server's log for this request",
        Error::Wiped(_) => {
            "withdraw the order to wipe this device, or probe with another device id"
        }
        Error::Refused { status: 126..=131, .. } => {
            "the user or device may not use ActiveSync: look at its access group and device state"
        }
        Error::Refused { .. } => "look the status up in MS-ASCMD, and in the server's log",
        Error::Timeout { .. } | Error::Broken(_) => {
            "look for a proxy or firewall that ends connections early"
        }
        Error::Wbxml(..) | Error::Answer(..) | Error::NoBody(_) => {
            "the answer is not ActiveSync: look for a proxy or login page in between"
        }
        _ => "see the message",
    };
    Finding::failed(error.to_string(), advice)
}
