//! Tokens to enrol connectors with, and codes for those that come back.

use crate::{Console, Refusal, api};
use dme_link::{Approval, ConnectorRecord, ConnectorState, Enrolment};
use dme_model::Timestamp;
use dme_server::records::audit::changed;
use std::time::Duration;

/// The longest a token may be good for.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// The longest a code may be good for: it is short, and may be overheard.
const LONGEST_CODE: Duration = Duration::from_secs(3_600);

impl Console {
    pub(crate) async fn issue_token(
        &self,
        new: api::NewToken,
    ) -> Result<api::IssuedToken, Refusal> {
        if self.link_addresses.is_empty() {
            return Err(Refusal::wrong("no-link-port", ""));
        }
        let valid = Duration::from_secs(new.valid_seconds);
        if valid.is_zero() || valid > LONGEST {
            return Err(Refusal::wrong("token-time", ""));
        }
        let sound = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if new.name.is_empty() || new.name.len() > 64 || !new.name.chars().all(sound) {
            return Err(Refusal::wrong("connector-name", ""));
        }
        let known = self.links.registrar().book().list().await.map_err(Refusal::failed)?;
        let taken = |one: &ConnectorRecord| {
            one.state != ConnectorState::Removed
                && (one.name == new.name || one.id.as_str() == new.name)
        };
        if known.iter().any(taken) {
            return Err(Refusal::wrong("connector-there", new.name));
        }
        let approval = if new.approved { Approval::Given } else { Approval::Needed };
        let registrar = self.links.registrar();
        let servers = self.link_addresses.clone();
        let token = registrar.issue_token(&new.name, servers, approval, valid).await;
        let token = token.map_err(Refusal::failed)?.to_text();
        changed("token", None, Some(new.name.clone()));
        changed("approved", None, Some(new.approved.to_string()));
        changed("valid_seconds", None, Some(new.valid_seconds.to_string()));
        tracing::info!(connector = new.name, approved = new.approved, "token issued");
        Ok(api::IssuedToken { token })
    }

    /// A code for a connector that has to be known again.
    pub(crate) async fn issue_code(
        &self,
        name: &str,
        new: api::NewCode,
    ) -> Result<api::IssuedCode, Refusal> {
        let valid = Duration::from_secs(new.valid_seconds);
        if valid.is_zero() || valid > LONGEST_CODE {
            return Err(Refusal::wrong("code-time", ""));
        }
        let record = self.enrolled(name).await?;
        let code = self.links.registrar().issue_code(&record.id, valid).await;
        let code = code.map_err(Refusal::failed)?.to_text();
        tracing::info!(connector = record.name, id = %record.id, "code issued");
        Ok(api::IssuedCode { code })
    }

    pub(crate) async fn list_tokens(&self) -> Result<Vec<api::Token>, Refusal> {
        let now = (self.front.clock)();
        let all = self.links.registrar().enrolments().list().await.map_err(Refusal::failed)?;
        Ok(all.into_iter().map(|one| token(one, now)).collect())
    }

    /// Takes back the tokens of this name that nobody used yet.
    pub(crate) async fn revoke_tokens(&self, name: &str) -> Result<Vec<api::Token>, Refusal> {
        let enrolments = self.links.registrar().enrolments();
        let all = enrolments.list().await.map_err(Refusal::failed)?;
        let now = (self.front.clock)();
        let (gone, _): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.name == name && one.used_by.is_none());
        if gone.is_empty() {
            return Err(Refusal::lacks("no-unused-token", name));
        }
        enrolments.revoke(name).await.map_err(Refusal::failed)?;
        tracing::info!(connector = name, tokens = gone.len(), "tokens revoked");
        Ok(gone.into_iter().map(|one| token(one, now)).collect())
    }
}

fn token(enrolment: Enrolment, now: Timestamp) -> api::Token {
    let state = match enrolment.used_by {
        Some(_) => "used",
        None if now >= enrolment.expires => "expired",
        None => "unused",
    };
    api::Token {
        name: enrolment.name,
        approved: enrolment.approval == Approval::Given,
        expires: enrolment.expires.as_seconds(),
        state: state.into(),
        code: enrolment.again.is_some(),
    }
}
