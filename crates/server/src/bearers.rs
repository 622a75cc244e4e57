//! Access tokens that phones show in the place of a password (RFC 6750): whose they are, by the word of
//! the realm's OpenID provider. A token is checked anew at every request, by keys that are known, so
//! that it is good for no longer than it lives.

use crate::config::RealmConfig;
use crate::front::Clock;
use dme_directory::{Login, Realms};
use dme_model::{Realm, Secret};
use dme_openid::{Error, Provider, claimed_issuer};
use futures_util::future::join_all;
use http::HeaderValue;
use std::time::Duration;

/// The pause before a provider that did not answer at the start is asked again; each further one is
/// twice as long.
const AGAIN: Duration = Duration::from_secs(60);
/// The longest.
const LONGEST: Duration = Duration::from_secs(15 * 60);

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

    /// Asks each provider until it answers once, so that the first phone does not wait, and those that
    /// are refused are told where tokens are had.
    pub async fn begin(&self) {
        self.begin_with(AGAIN).await;
    }

    /// The same, with this pause before one that did not answer is asked again.
    async fn begin_with(&self, pause: Duration) {
        join_all(self.0.iter().map(|one| one.begin(pause))).await;
    }
}

impl Issuer {
    async fn begin(&self, mut pause: Duration) {
        while let Err(error) = self.provider.authorization_endpoint().await {
            let (issuer, realm) = (self.provider.issuer(), self.realm.as_str());
            tracing::warn!(issuer, realm, %error, again = ?pause,
                "phones of the realm show no tokens yet");
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::Timestamp;
    use dme_openid::ProviderConfig;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Hangs up on the first who asks, and is a provider for all others.
    async fn serve(listener: TcpListener) {
        let place = format!("http://{}", listener.local_addr().unwrap());
        drop(listener.accept().await.unwrap());
        let said = format!(
            r#"{{"issuer": "{place}", "jwks_uri": "{place}/keys", "keys": [],
                "authorization_endpoint": "{place}/sign-in"}}"#
        );
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(tcp.read_u8().await.unwrap());
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", said.len());
            tcp.write_all(format!("{head}{said}").as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_provider_that_is_away_at_the_start_is_asked_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let uri = format!("authorization_uri=\"{issuer}/sign-in\"");
        tokio::spawn(serve(listener));
        let login_claim = "preferred_username".to_owned();
        let config = ProviderConfig { issuer, login_claim, ca_file: None };
        // Whenever it is asked, more time has gone by than there must be between two questions.
        let now = AtomicI64::new(1_790_000_000);
        let clock: Clock =
            Arc::new(move || Timestamp::from_seconds(now.fetch_add(120, Ordering::Relaxed)));
        let bearers = Bearers(vec![Issuer {
            realm: Realm::named("example.org"),
            audience: "dme".into(),
            scope: None,
            provider: Provider::new(config, clock),
        }]);
        let challenge = || bearers.challenge(false).unwrap().to_str().unwrap().to_owned();
        assert_eq!(challenge(), "Bearer realm=\"DME\"");
        bearers.begin_with(Duration::ZERO).await;
        assert!(challenge().ends_with(&uri), "{}", challenge());
    }
}
