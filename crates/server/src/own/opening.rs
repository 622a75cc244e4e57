//! What opens a user's mailboxes: whether a phone gets anywhere that shows something else than the
//! user's own password.

use crate::front::Front;
use dme_link::CredentialsNeeded;
use dme_mailbox::{Account, Credentials};
use dme_model::{Class, Function, RequestId, UserId};

/// Who serves each function of a user, and what opens the mailbox there.
pub struct Opening(Vec<(Function, String, CredentialsNeeded)>);

/// Why a phone would get nowhere without the user's own password.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unopened {
    /// The mail system needs it.
    #[error(
        "the mail system behind {connector} opens a mailbox only with the user's own {needed}, so \
         that a phone without it would get no {function}"
    )]
    Needed {
        /// Who serves the user.
        connector: String,
        /// `password` or `access token`.
        needed: &'static str,
        /// What would be missing.
        function: Function,
    },
    /// It cannot be told now.
    #[error("it cannot be told now what the mail system needs: {0}")]
    Unclear(String),
}

impl Opening {
    /// Whether all of it opens without the user's own password or token.
    ///
    /// # Errors
    /// What does not.
    pub fn without_password(&self) -> Result<(), Unopened> {
        for (function, connector, needed) in &self.0 {
            let needed = match needed {
                CredentialsNeeded::Password => "password",
                CredentialsNeeded::Bearer => "access token",
                CredentialsNeeded::None => continue,
            };
            let (connector, function) = (connector.clone(), *function);
            return Err(Unopened::Needed { connector, needed, function });
        }
        Ok(())
    }

    /// Whether mail opens only with the user's own password or token.
    pub fn mail_needs_password(&self) -> bool {
        let needs = |(function, _, needed): &(Function, String, CredentialsNeeded)| {
            *function == Function::Mail && *needed != CredentialsNeeded::None
        };
        self.0.iter().any(needs)
    }
}

impl Front {
    /// What opens a user's mailboxes, as each of the connectors is asked once. Mail there must be.
    ///
    /// # Errors
    /// Where it cannot be told now.
    pub async fn opening(&self, user: &UserId) -> Result<Opening, Unopened> {
        let account = Account {
            user: user.clone(),
            address: user.to_string(),
            display_name: None,
            credentials: Credentials::None,
        };
        let (request, now) = (RequestId::from("credentials"), (self.clock)());
        let functions = Class::ALL.map(Class::function);
        let explained = self.router.explain_each(&account, &request, now, &functions).await;
        let explained = explained.map_err(|error| Unopened::Unclear(error.to_string()))?;
        let endpoints = self.connectors.snapshot();
        let mut opening = Vec::new();
        for one in explained {
            match one.serving.or(one.home) {
                Some(connector) => {
                    let endpoint = endpoints.iter().find(|endpoint| endpoint.name == connector);
                    let needed = endpoint.and_then(|endpoint| endpoint.offer.needs(one.function));
                    opening.push((one.function, connector, needed.unwrap_or_default()));
                }
                None if one.function == Function::Mail => return Err(Unopened::Unclear(one.why)),
                None => {}
            }
        }
        Ok(Opening(opening))
    }
}
