//! Terms of use: their versions, and who accepted which.

use crate::endpoint::{Endpoint, get, post};
use crate::principal::Principal;
use crate::{Console, Refusal, api};

/// The longest terms of use, in bytes.
const TERMS: usize = 32 << 10;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/terms", "Every version of the terms of use")
            .by(|console, _| async move { console.list_terms().await }),
        post("/api/terms", "Publish terms of use that users are to accept")
            .takes::<api::NewTerms>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.publish_terms(&call.principal, &new).await
            }),
        get("/api/terms/{version}/accepted", "Who accepted a version of the terms")
            .by(|console, call| async move { console.acceptances(call.arg("version")).await }),
    ]
}

impl Console {
    pub(crate) async fn list_terms(&self) -> Result<Vec<api::Terms>, Refusal> {
        Ok(self.front.store.all_terms().await?.into_iter().map(terms_of).collect())
    }

    pub(crate) async fn publish_terms(
        &self,
        principal: &Principal,
        new: &api::NewTerms,
    ) -> Result<api::Terms, Refusal> {
        if new.text.len() > TERMS {
            return Err(Refusal::wrong("terms-long", TERMS.to_string()));
        }
        let (text, now) = (new.text.trim(), (self.front.clock)());
        Ok(terms_of(self.front.store.publish_terms(text, &principal.name, now).await?))
    }

    pub(crate) async fn acceptances(&self, version: &str) -> Result<Vec<api::Acceptance>, Refusal> {
        let missing = || Refusal::lacks("no-terms", version);
        let version: i64 = version.parse().map_err(|_| missing())?;
        if self.front.store.all_terms().await?.iter().all(|terms| terms.version != version) {
            return Err(missing());
        }
        let accepted = self.front.store.accepted(version).await?;
        let accepted = accepted.into_iter().map(|one| api::Acceptance {
            user: one.user.to_string(),
            version: one.version,
            accepted: one.accepted.as_seconds(),
            client: one.client,
        });
        Ok(accepted.collect())
    }
}

/// A version as it is told.
pub(super) fn terms_of(terms: dme_store::Terms) -> api::Terms {
    api::Terms {
        version: terms.version,
        text: terms.text,
        published: terms.published.as_seconds(),
        publisher: terms.publisher,
    }
}
