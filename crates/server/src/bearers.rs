//! Access tokens that phones show in the place of a password (RFC 6750): whose they are, by the word of
//! the realm's OpenID provider. A token is checked anew at every request, by keys that are known, so
//! that it is good for no longer than it lives.

use crate::config::RealmConfig;
use crate::front::Clock;
use dme_directory::{Login, Realms};
use dme_model::{Realm, Secret};
use dme_openid::{Error, Provider, claimed_issuer};
use http::HeaderValue;

/// Those of all realms.
pub struct Bearers(Vec<Issuer>);

/// Whose tokens let phones of one realm in.
struct Issuer {
    realm: Realm,
    audience: String,
    scope: Option<String>,
    provider: Provider,
}

/// Why a token lets nobody in.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// No realm has such an issuer.
    #[error("no realm takes tokens of its issuer")]
    Stranger,
    /// Its word does not count.
    #[error(transparent)]
    Refused(Error),
    /// The provider may let only people of its own realm in.
    #[error("its provider has no say about {0:?}")]
    OtherRealm(String),
    /// The provider cannot be asked.
    #[error(transparent)]
    Away(Error),
}

impl Bearers {
    /// Of these realms.
    pub fn new(realms: &[RealmConfig], clock: &Clock) -> Self {
        let issuers = realms.iter().filter_map(|realm| {
            let tokens = realm.tokens.as_ref()?;
            Some(Issuer {
                realm: Realm::named(realm.name.as_str()),
                audience: tokens.audience.clone(),
                scope: tokens.scope.clone(),
                provider: Provider::new(tokens.provider(), clock.clone()),
            })
        });
        Self(issuers.collect())
    }

    /// Whose a token is.
    ///
    /// # Errors
    /// Why it lets nobody in.
    pub async fn check(&self, realms: &Realms, token: &Secret) -> Result<Login, NotTaken> {
        let issuer = claimed_issuer(token).ok_or(NotTaken::Stranger)?;
        let mut why = NotTaken::Stranger;
        for one in self.0.iter().filter(|one| one.provider.issuer() == issuer) {
            let said = match one.provider.check(token, &one.audience, one.scope.as_deref()).await {
                Ok(said) => said,
                Err(error) if error.is_refusal() => {
                    why = NotTaken::Refused(error);
                    continue;
                }
                Err(error) => return Err(NotTaken::Away(error)),
            };
            let login = Login::parse(&said).ok();
            let user = login.as_ref().and_then(|login| realms.resolve(login).ok());
            let realm = user.and_then(|user| realms.realm_of(&user));
            match login.filter(|_| realm.as_ref() == Some(&one.realm)) {
                Some(login) => return Ok(login),
                None => why = NotTaken::OtherRealm(said),
            }
        }
        Err(why)
    }

    /// What a phone that is not let in is told of tokens: where they are had. `shown`: it showed one.
    /// None where no realm takes any.
    pub fn challenge(&self, shown: bool) -> Option<HeaderValue> {
        let first = self.0.first()?;
        let mut challenge = "Bearer realm=\"DME\"".to_owned();
        let sound = |url: &String| !url.is_empty() && !url.contains(['"', '\\']);
        if let Some(url) = first.provider.known_authorization_endpoint().filter(sound) {
            challenge.push_str(&format!(", authorization_uri=\"{url}\""));
        }
        if shown {
            challenge.push_str(", error=\"invalid_token\"");
        }
        HeaderValue::try_from(challenge).ok()
    }

    /// Asks each provider once, so that the first phone does not wait, and those that are refused are
    /// told where tokens are had.
    pub async fn begin(&self) {
        for one in &self.0 {
            if let Err(error) = one.provider.authorization_endpoint().await {
                let (issuer, realm) = (one.provider.issuer(), one.realm.as_str());
                tracing::warn!(issuer, realm, %error, "phones of the realm show no tokens yet");
            }
        }
    }
}
