//! Requests as a phone makes them: it provisions when told to, comes back later when told to.

use super::Phone;
use crate::client::{Body, Reply};
use crate::error::{Error, Result};
use dme_eas::CommonStatus;
use dme_eas::provision::{Applied, PolicyStatus, Request, Response, Status, Wiped};
use dme_eas::query::{Command, Parameters};
use dme_wbxml::Element;
use std::time::Duration;

/// How often one request is made at most.
const MAX_ATTEMPTS: u32 = 5;

/// What a server wants before it does what it was asked.
#[derive(PartialEq, Eq, Debug)]
enum Wish {
    Nothing,
    Provision,
    Pause(Duration),
}

/// An answer with its element.
pub(super) struct Answer {
    pub(super) reply: Reply,
    pub(super) element: Option<Element>,
}

/// What provisioning came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Provisioned {
    /// There is a policy, and this is its key.
    Key(u32),
    /// The server has no policy for this phone.
    NoPolicy,
}

impl Phone {
    /// Makes a request until the server does it.
    pub(super) async fn exchange(
        &mut self,
        command: Command,
        parameters: Parameters,
        body: Body,
        wait: Duration,
    ) -> Result<Answer> {
        for _ in 0..MAX_ATTEMPTS {
            let reply =
                self.client.command(command, parameters.clone(), body.clone(), wait).await?;
            let element = if reply.status == 200 { reply.element(command)? } else { None };
            match wish(&reply, element.as_ref()) {
                Wish::Nothing => {
                    let reply = reply.success(command.name())?;
                    return Ok(Answer { reply, element });
                }
                Wish::Provision => {
                    self.events.provisioned = self.events.provisioned.saturating_add(1);
                    self.provision().await?;
                }
                Wish::Pause(pause) => {
                    self.events.told_to_wait = self.events.told_to_wait.saturating_add(1);
                    if pause > self.longest_pause {
                        reply.success(command.name())?;
                        return Err(Error::GoesRound(command.name(), 1));
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
        Err(Error::GoesRound(command.name(), MAX_ATTEMPTS))
    }

    /// Sends an element and returns the answer's, which must be there.
    pub(super) async fn ask(&mut self, command: Command, element: Element) -> Result<Element> {
        let body = Body::Element(element);
        let answer = self.exchange(command, Parameters::default(), body, Duration::ZERO).await?;
        answer.element.ok_or(Error::NoBody(command))
    }

    /// Fetches the policy, applies it (a simulated phone can do anything) and acknowledges it. An
    /// order to wipe is acknowledged too, and then an error.
    ///
    /// # Errors
    /// [`Error::Wiped`]; [`Error::Refused`] where the server gives no policy for another reason than
    /// that there is none.
    pub async fn provision(&mut self) -> Result<Provisioned> {
        self.client.policy_key = Some(0);
        let download = Request::download(Some(self.device.clone()));
        let answer = self.client.provision(&download).await?;
        self.obey_wipe(&answer).await?;
        check(&answer)?;
        let Some(key) = key_of(&answer)? else {
            self.client.policy_key = None;
            self.policy = None;
            return Ok(Provisioned::NoPolicy);
        };
        self.policy = answer.policy.and_then(|answer| answer.policy).map(|policy| *policy);
        self.client.policy_key = Some(key);
        let answer = self.client.provision(&Request::acknowledge(key, Applied::Fully)).await?;
        self.obey_wipe(&answer).await?;
        check(&answer)?;
        let refused = Error::Refused { step: "acknowledging the policy", status: 5 };
        let key = key_of(&answer)?.ok_or(refused)?;
        self.client.policy_key = Some(key);
        Ok(Provisioned::Key(key))
    }

    async fn obey_wipe(&mut self, answer: &Response) -> Result<()> {
        let Some(wipe) = answer.wipe else { return Ok(()) };
        self.client.provision(&Request::wiped(wipe, Wiped::Success)).await?;
        self.forget();
        Err(Error::Wiped(wipe))
    }

    /// Forgets all that came from the server, as a wiped phone or one whose account was removed.
    pub fn forget(&mut self) {
        self.client.policy_key = None;
        self.folder_key = "0".to_owned();
        self.folders.clear();
    }
}

fn check(answer: &Response) -> Result<()> {
    match answer.status {
        Status::Success => Ok(()),
        status => Err(Error::Refused { step: "provisioning", status: status.code() }),
    }
}

/// The key given; none where the server has no policy.
fn key_of(answer: &Response) -> Result<Option<u32>> {
    match &answer.policy {
        None => Ok(None),
        Some(policy) => match (policy.status, policy.key) {
            (PolicyStatus::NoPolicy, _) => Ok(None),
            (PolicyStatus::Success, Some(key)) => Ok(Some(key)),
            (status, _) => Err(Error::Refused { step: "the policy", status: status.code() }),
        },
    }
}

/// What the server wants: by the HTTP status up to 12.1, by the answer's status from 14.0 on.
fn wish(reply: &Reply, element: Option<&Element>) -> Wish {
    match reply.status {
        449 => return Wish::Provision,
        503 => return Wish::Pause(reply.retry_after().unwrap_or(Duration::from_secs(1))),
        _ => {}
    }
    let status = element.and_then(|root| {
        let mut children = root.children().iter();
        children.find(|child| child.tag.name() == Some("Status"))?.as_text()?.parse().ok()
    });
    match status.and_then(CommonStatus::from_code) {
        Some(
            CommonStatus::DeviceNotProvisioned
            | CommonStatus::PolicyRefresh
            | CommonStatus::InvalidPolicyKey
            | CommonStatus::RemoteWipeRequested
            | CommonStatus::DeviceInformationRequired,
        ) => Wish::Provision,
        Some(CommonStatus::ServerErrorRetryLater | CommonStatus::MailboxServerOffline) => {
            Wish::Pause(reply.retry_after().unwrap_or(Duration::from_secs(1)))
        }
        _ => Wish::Nothing,
    }
}

impl std::fmt::Display for Provisioned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(_) => f.write_str("policy applied"),
            Self::NoPolicy => f.write_str("no policy"),
        }
    }
}
