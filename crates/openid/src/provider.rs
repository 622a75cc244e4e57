//! A provider: where its places are, which keys it signs with, and asking it who somebody is.

use crate::attempt::Attempt;
use crate::config::ProviderConfig;
use crate::fetch::{Fetch, NotFetched, Place};
use crate::token::{self, SignIn, TokenError, Wanted};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_model::{Secret, Timestamp};
use form_urlencoded::{Serializer, byte_serialize};
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long what a provider says of itself is believed; keys too, so that one that was withdrawn does
/// not sign for longer.
const KEPT: Duration = Duration::from_secs(3600);
/// How long it is while the provider cannot be asked.
const KEPT_WHILE_AWAY: Duration = Duration::from_secs(24 * 3600);
/// An unknown key has the keys fetched again, and a provider that was away is asked again, no oftener
/// than this.
const AGAIN: Duration = Duration::from_secs(60);

/// Why a provider's word could not be had, or does not count.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider cannot be asked.
    #[error("the provider cannot be asked: {0}")]
    NotFetched(#[from] NotFetched),
    /// It could not be asked a moment ago.
    #[error("the provider could not be asked a moment ago")]
    Away,
    /// What it says of itself cannot be.
    #[error("what the provider says of itself cannot be used: {0}")]
    Document(String),
    /// It does not take the code: that was used, or was never ours.
    #[error("the provider does not take the code: {0}")]
    Code(NotFetched),
    /// The token does not count.
    #[error("the token does not count: {0}")]
    Token(#[from] TokenError),
}

impl Error {
    /// Whether it is about the code or the token, and not about asking.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Code(_) | Self::Token(_) => true,
            Self::NotFetched(_) | Self::Away | Self::Document(_) => false,
        }
    }

    /// Why a code was not redeemed.
    fn of_redeeming(error: NotFetched) -> Self {
        match error {
            NotFetched::Refused { status, .. } if status.is_client_error() => Self::Code(error),
            error => Self::NotFetched(error),
        }
    }
}

/// Tells the time.
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A provider.
pub struct Provider {
    config: ProviderConfig,
    fetch: Fetch,
    clock: Clock,
    last: Mutex<Last>,
    /// Held by whoever asks the provider, so that it is asked once.
    asking: tokio::sync::Mutex<()>,
}

/// What was heard of it last.
#[derive(Default)]
struct Last {
    known: Option<Arc<Known>>,
    asked: Option<Timestamp>,
}

/// Who we are to a provider.
#[derive(Clone, Debug)]
pub struct Client {
    /// As it knows us.
    pub id: String,
    /// What shows that it is us; none of a public client, which PKCE alone protects.
    pub secret: Option<Secret>,
    /// Where browsers come back to.
    pub redirect: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The ways of signing in that are good enough; all where there are none.
    pub acr: Vec<String>,
}

/// What is known of a provider.
struct Known {
    document: Document,
    keys: JwkSet,
    fetched: Timestamp,
}

/// What it says of itself (OpenID Connect Discovery 1.0 §3).
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_endpoint: String,
    #[serde(default)]
    token_endpoint: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What a code is redeemed for (OpenID Connect Core 1.0 §3.1.3.3). The access token is not used.
#[derive(Deserialize)]
struct Redeemed {
    id_token: Secret,
}

impl Provider {
    /// The one that these settings name. Nothing is asked yet.
    pub fn new(config: ProviderConfig, clock: Clock) -> Self {
        let fetch = Fetch { ca_file: config.ca_file.clone() };
        Self { config, fetch, clock, last: Mutex::default(), asking: Default::default() }
    }

    /// Which it is.
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// Where somebody signs in, by its own word.
    ///
    /// # Errors
    /// Where the provider cannot be asked.
    pub async fn authorization_endpoint(&self) -> Result<String, Error> {
        Ok(self.known(false).await?.document.authorization_endpoint.clone())
    }

    /// The same, where it was heard already.
    pub fn known_authorization_endpoint(&self) -> Option<String> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.known.as_ref().map(|known| known.document.authorization_endpoint.clone())
    }

    /// Where a browser goes to sign in.
    ///
    /// # Errors
    /// Where the provider cannot be asked.
    pub async fn begin(&self, client: &Client, attempt: &Attempt) -> Result<String, Error> {
        let endpoint = self.authorization_endpoint().await?;
        Place::parse(&endpoint)
            .map_err(|what| Error::Document(format!("authorization_endpoint {what}")))?;
        let mut query = Serializer::new(String::new());
        let scopes: Vec<&str> =
            ["openid"].into_iter().chain(client.scopes.iter().map(String::as_str)).collect();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", &client.redirect)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", attempt.state.expose())
            .append_pair("nonce", attempt.nonce.expose())
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        if attempt.anew {
            query.append_pair("prompt", "login").append_pair("max_age", "0");
        }
        if !client.acr.is_empty() {
            query.append_pair("acr_values", &client.acr.join(" "));
        }
        let sign = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{sign}{}", query.finish()))
    }

    /// The login of whoever signed in, by the code with which their browser came back.
    ///
    /// # Errors
    /// Where the provider cannot be asked, or its word does not count.
    pub async fn finish(
        &self,
        client: &Client,
        attempt: &Attempt,
        code: &Secret,
    ) -> Result<String, Error> {
        let known = self.known(false).await?;
        let (basic, form) = known.document.redemption(client, attempt, code);
        let endpoint = &known.document.token_endpoint;
        let answer = self.fetch.post(endpoint, basic.as_ref(), form).await;
        let answer = answer.map_err(Error::of_redeeming)?;
        let Redeemed { id_token } = serde_json::from_slice(&answer)
            .map_err(|_| Error::Document("its answer to the code has no id_token".into()))?;
        let sign_in = SignIn {
            nonce: &attempt.nonce,
            anew_since: attempt.anew.then_some(attempt.began),
            acr: &client.acr,
        };
        let keys = self.keys_for(&id_token).await?;
        Ok(token::check_sign_in(&id_token, &keys.keys, &self.wanted(&client.id), &sign_in)?)
    }

    /// The login of whoever's access token this is, where it is one of the provider's, for this audience, and allows
    /// this scope where one is wanted.
    ///
    /// # Errors
    /// Where the provider cannot be asked, or its word does not count.
    pub async fn check(
        &self,
        access_token: &Secret,
        audience: &str,
        scope: Option<&str>,
    ) -> Result<String, Error> {
        let keys = self.keys_for(access_token).await?;
        Ok(token::check_access(access_token, &keys.keys, &self.wanted(audience), scope)?)
    }

    fn wanted<'a>(&'a self, audience: &'a str) -> Wanted<'a> {
        let ProviderConfig { issuer, login_claim, .. } = &self.config;
        Wanted { issuer, audience, login_claim, now: (self.clock)() }
    }

    /// What is known, with the key of a token where the provider has it.
    async fn keys_for(&self, token: &Secret) -> Result<Arc<Known>, Error> {
        let id = token::header(token)?.kid;
        let known = self.known(false).await?;
        if token::has_key(&known.keys, id.as_deref()) {
            return Ok(known);
        }
        // The provider may have begun to sign with another.
        self.known(true).await
    }

    /// What is known, or where that is too old, what it says now; `again` where the key of a token is
    /// not among what is known.
    async fn known(&self, again: bool) -> Result<Arc<Known>, Error> {
        if let Some(known) = self.remembered(again)? {
            return Ok(known);
        }
        let _one = self.asking.lock().await;
        // Another may have asked meanwhile.
        if let Some(known) = self.remembered(again)? {
            return Ok(known);
        }
        let now = (self.clock)();
        self.last.lock().unwrap_or_else(PoisonError::into_inner).asked = Some(now);
        let fetched = self.fetch_all(now).await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match (fetched, &last.known) {
            (Ok(fetched), _) => {
                let fetched = Arc::new(fetched);
                last.known = Some(fetched.clone());
                Ok(fetched)
            }
            (Err(error), Some(known)) if now < known.fetched.plus(KEPT_WHILE_AWAY) => {
                let issuer = &self.config.issuer;
                tracing::warn!(issuer, %error, "an OpenID provider is not asked again now");
                Ok(known.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// What is known and is good enough, where the provider need not be asked or was just now.
    fn remembered(&self, again: bool) -> Result<Option<Arc<Known>>, Error> {
        let (now, last) =
            ((self.clock)(), self.last.lock().unwrap_or_else(PoisonError::into_inner));
        let just_asked = last.asked.is_some_and(|asked| now < asked.plus(AGAIN));
        match &last.known {
            Some(known) if !again && now < known.fetched.plus(KEPT) => Ok(Some(known.clone())),
            Some(known) if just_asked && now < known.fetched.plus(KEPT_WHILE_AWAY) => {
                Ok(Some(known.clone()))
            }
            Some(_) | None if just_asked => Err(Error::Away),
            Some(_) | None => Ok(None),
        }
    }

    async fn fetch_all(&self, now: Timestamp) -> Result<Known, Error> {
        let issuer = &self.config.issuer;
        let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let wrong = |error: serde_json::Error| Error::Document(error.to_string());
        let document: Document =
            serde_json::from_slice(&self.fetch.get(&place).await?).map_err(wrong)?;
        if document.issuer != *issuer {
            let said: String = document.issuer.chars().take(200).collect();
            let words = format!("it calls itself {said:?}, and is called {issuer:?} here");
            return Err(Error::Document(words));
        }
        let keys = serde_json::from_slice(&self.fetch.get(&document.jwks_uri).await?);
        tracing::debug!(issuer, "the keys of an OpenID provider were fetched");
        Ok(Known { document, keys: keys.map_err(wrong)?, fetched: now })
    }
}

impl Document {
    /// What redeems a code: what follows `Basic `, where the secret is shown so, and the form.
    fn redemption(
        &self,
        client: &Client,
        attempt: &Attempt,
        code: &Secret,
    ) -> (Option<Secret>, String) {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code.expose())
            .append_pair("redirect_uri", &client.redirect)
            .append_pair("code_verifier", attempt.verifier.expose());
        let mut basic = None;
        match &client.secret {
            Some(secret) if self.takes_basic() => {
                // Each half is encoded before they are joined (RFC 6749 §2.3.1).
                let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encode(&client.id), encode(secret.expose()));
                basic = Some(Secret::new(STANDARD.encode(pair)));
            }
            Some(secret) => {
                form.append_pair("client_id", &client.id)
                    .append_pair("client_secret", secret.expose());
            }
            None => {
                form.append_pair("client_id", &client.id);
            }
        }
        (basic, form.finish())
    }

    /// Whether a client shows its secret by HTTP Basic; where nothing is said it does (§3).
    fn takes_basic(&self) -> bool {
        let said = &self.token_endpoint_auth_methods_supported;
        said.as_ref().is_none_or(|all| all.iter().any(|one| one == "client_secret_basic"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    /// Something that answers as a provider which calls itself by its address, and takes no code.
    struct Served {
        address: SocketAddr,
        asked: Arc<AtomicUsize>,
        serving: JoinHandle<()>,
    }

    async fn serve() -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = asked.clone();
        let serving = tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(tcp.read_u8().await.unwrap());
                }
                let asks = |what: &str| request.starts_with(what.as_bytes());
                let (status, body) = if asks("GET /.well-known/openid-configuration ") {
                    let document = json!({
                        "issuer": format!("http://{address}"),
                        "jwks_uri": format!("http://{address}/keys"),
                        "token_endpoint": format!("http://{address}/token"),
                    });
                    ("200 OK", document)
                } else if asks("GET /keys ") {
                    ("200 OK", json!({"keys": []}))
                } else if asks("POST /token ") {
                    ("400 Bad Request", json!({"error": "invalid_grant"}))
                } else {
                    ("404 Not Found", json!({}))
                };
                let body = body.to_string();
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
                tcp.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                // What is still to come of the form is taken, so that the answer is not lost.
                tcp.shutdown().await.unwrap();
                let _ = tcp.read_to_end(&mut request).await;
            }
        });
        Served { address, asked, serving }
    }

    fn provider(issuer: String) -> (Provider, Arc<AtomicI64>) {
        let login_claim = "preferred_username".to_owned();
        let config = ProviderConfig { issuer, login_claim, ca_file: None };
        let now = Arc::new(AtomicI64::new(1_790_000_000));
        let clock = now.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_seconds(clock.load(Ordering::Relaxed)));
        (Provider::new(config, clock), now)
    }

    #[tokio::test]
    async fn a_provider_that_calls_itself_otherwise_is_not_believed() {
        let served = serve().await;
        let (other, _) = provider(format!("http://{}/", served.address));
        let said = other.authorization_endpoint().await.unwrap_err().to_string();
        assert!(said.contains("calls itself"), "{said}");
        let (right, _) = provider(format!("http://{}", served.address));
        assert!(right.authorization_endpoint().await.is_ok());
    }

    #[tokio::test]
    async fn only_the_answer_to_a_code_tells_that_the_code_is_refused() {
        let served = serve().await;
        let client = Client {
            id: "dme".into(),
            secret: None,
            redirect: String::new(),
            scopes: Vec::new(),
            acr: Vec::new(),
        };
        let refused = async |issuer: String| {
            let (provider, _) = provider(issuer);
            let attempt = Attempt::new(false, Timestamp::from_seconds(0)).unwrap();
            let error = provider.finish(&client, &attempt, &Secret::new("code")).await.unwrap_err();
            (error.to_string(), error.is_refusal())
        };
        let (words, is_refusal) = refused(format!("http://{}", served.address)).await;
        assert!(words.contains("400") && words.contains("invalid_grant"), "{words}");
        assert!(is_refusal);
        // Where there is no such provider, nobody was asked for the code.
        let (words, is_refusal) = refused(format!("http://{}/elsewhere", served.address)).await;
        assert!(words.contains("404") && !is_refusal, "{words}");
    }

    #[tokio::test]
    async fn a_provider_is_asked_now_and_then_and_believed_a_while_when_it_is_away() {
        let served = serve().await;
        let (provider, now) = provider(format!("http://{}", served.address));
        let asked = || served.asked.load(Ordering::Relaxed);
        assert!(provider.known(false).await.is_ok());
        assert_eq!(asked(), 2, "the document, and the keys");
        // Neither again and again, nor for keys that somebody makes up.
        assert!(provider.known(false).await.is_ok() && provider.known(true).await.is_ok());
        assert_eq!(asked(), 2);
        now.fetch_add(61, Ordering::Relaxed);
        assert!(provider.known(true).await.is_ok());
        assert_eq!(asked(), 4, "it may sign with another key");
        now.fetch_add(3601, Ordering::Relaxed);
        assert!(provider.known(false).await.is_ok());
        assert_eq!(asked(), 6, "an hour later");

        served.serving.abort();
        let _ = served.serving.await;
        now.fetch_add(23 * 3600, Ordering::Relaxed);
        assert!(provider.known(false).await.is_ok(), "it is away");
        now.fetch_add(2 * 3600, Ordering::Relaxed);
        assert!(matches!(provider.known(false).await, Err(Error::NotFetched(_))));
        assert!(matches!(provider.known(false).await, Err(Error::Away)), "not asked at once again");
    }
}
