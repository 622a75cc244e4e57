//! A connection's worth of ActiveSync: requests out, answers in, no state but the policy key.

use crate::address::Address;
use crate::connection::{Connection, Unsent, collect};
use crate::error::{Error, Result};
use crate::trust::Tls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dme_eas::ProtocolVersion;
use dme_eas::options as names;
use dme_eas::query::{Command, Packed, Parameters, RequestLine};
use dme_model::{DeviceId, Secret};
use dme_wbxml::{Element, Limits};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request};
use http_body_util::Full;
use std::time::Duration;
use tokio::time::timeout;

/// How the query is spelt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QueryForm {
    /// `Cmd=Sync&User=…`, as most phones.
    #[default]
    Plain,
    /// Base64, as Outlook and iOS.
    Base64,
}

/// Who the phone is, and how it speaks.
#[derive(Clone, Debug)]
pub struct Account {
    /// Where ActiveSync is.
    pub address: Address,
    /// The login: `ann`, `ann@corp.example` or `CORP\ann`. Empty to send none.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// An access token that is shown in the place of login and password (RFC 6750).
    pub token: Option<Secret>,
    /// The device's id: 1 to 32 letters and digits.
    pub device: DeviceId,
    /// Its kind, such as `iPhone`.
    pub device_type: String,
    /// The protocol version it speaks.
    pub version: ProtocolVersion,
    /// How it spells the query.
    pub query: QueryForm,
    /// `User-Agent`.
    pub user_agent: String,
    /// What becomes of the connection after an answer.
    pub connection: AfterAnswer,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterAnswer {
    /// It serves the next request, as phones do.
    Kept,
    /// It is closed: for servers that close it themselves and do not say so.
    Closed,
}

impl Account {
    /// A simulated phone that speaks 16.1 in plain queries.
    pub fn new(address: Address, user: impl Into<String>, password: Secret) -> Self {
        Self {
            address,
            user: user.into(),
            password,
            token: None,
            device: DeviceId::new("DMESIMULATED0001"),
            device_type: "SimulatedPhone".to_owned(),
            version: ProtocolVersion::V16_1,
            query: QueryForm::Plain,
            user_agent: "dme-phone/1".to_owned(),
            connection: AfterAnswer::Kept,
        }
    }
}

/// How long the phone waits, and how much it takes.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For an answer, beyond the wait asked for.
    pub answer: Duration,
    /// The largest answer, in bytes.
    pub max_answer: usize,
}

impl Default for Patience {
    /// 10 s, 60 s, 128 MB.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            max_answer: 128 << 20,
        }
    }
}

/// Which answer a test wants lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// The request is served in full, the answer thrown away, the connection closed.
    Answer,
    /// The connection is closed so long after the request was sent.
    After(Duration),
}

/// The body of a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// None: repeat the last Sync or Ping.
    Empty,
    /// WBXML.
    Element(Element),
    /// A message (12.1).
    Mime(Bytes),
    /// Anything, for tests.
    Raw {
        /// `Content-Type`.
        content_type: &'static str,
        /// The bytes.
        bytes: Bytes,
    },
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came.
    pub body: Bytes,
    headers: HeaderMap,
}

impl Reply {
    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `Retry-After` in seconds, as long as it is sensible.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds: u64 = self.header(RETRY_AFTER.as_str())?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.min(86_400)))
    }

    /// Whether the answer is of several parts.
    pub fn is_multipart(&self) -> bool {
        self.header(CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.starts_with(dme_eas::multipart::CONTENT_TYPE))
    }

    /// The WBXML in it; none where there is no body.
    ///
    /// # Errors
    /// Where the body is something else.
    pub fn element(&self, command: Command) -> Result<Option<Element>> {
        if self.body.is_empty() {
            return Ok(None);
        }
        let body = if self.is_multipart() {
            dme_eas::multipart::split(&self.body)?.into_iter().next().unwrap_or_default()
        } else {
            self.body.clone()
        };
        dme_wbxml::decode(&body, &Limits::default()).map(Some).map_err(|e| Error::Wbxml(command, e))
    }

    /// This answer, or an error where the HTTP status is not 200.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] for 401, [`Error::Http`] for any other.
    pub fn success(self, what: &'static str) -> Result<Self> {
        match self.status {
            200 => Ok(self),
            401 => Err(Error::Unauthorized),
            status => Err(Error::Http { what, status, retry_after: self.retry_after() }),
        }
    }
}

/// A client on one connection. Its methods send one request each; see `commands.rs` for the typed
/// ones and [`crate::Phone`] for one that behaves.
pub struct Client {
    /// Who it is.
    pub account: Account,
    /// How long it waits.
    pub patience: Patience,
    /// The key of the policy it applies; sent with every request once there is one.
    pub policy_key: Option<u32>,
    tls: Tls,
    connection: Option<Connection>,
    loss: Option<Loss>,
}

impl Client {
    /// A client; it connects at its first request. Clone one [`Tls`] into all of them.
    pub fn new(account: Account, tls: Tls) -> Self {
        Self {
            account,
            patience: Patience::default(),
            policy_key: None,
            tls,
            connection: None,
            loss: None,
        }
    }

    /// Another client of the same account, on a connection of its own.
    pub fn another(&self) -> Self {
        Self {
            account: self.account.clone(),
            patience: self.patience,
            policy_key: self.policy_key,
            tls: self.tls.clone(),
            connection: None,
            loss: None,
        }
    }

    /// The answer to the next request will be lost in this way; the request then ends with
    /// [`Error::AnswerDropped`].
    pub fn lose_next(&mut self, loss: Loss) {
        self.loss = Some(loss);
    }

    /// Closes the connection; the next request opens another.
    pub fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Sends a command. `wait` is how long the command itself may take, beyond the usual patience.
    ///
    /// # Errors
    /// Where no answer comes; any HTTP status is an answer.
    pub async fn command(
        &mut self,
        command: Command,
        parameters: Parameters,
        body: Body,
        wait: Duration,
    ) -> Result<Reply> {
        let accept_multipart = parameters.accept_multi_part;
        let line = RequestLine {
            command,
            user: Some(self.account.user.clone()),
            device: self.account.device.clone(),
            device_type: self.account.device_type.clone(),
            packed: None,
            parameters,
        };
        let version = self.account.version;
        let query = match self.account.query {
            QueryForm::Plain => line.to_plain(),
            QueryForm::Base64 => {
                let policy_key = self.policy_key;
                let packed = Packed { version, policy_key, locale: 0x0409 };
                line.to_base64(packed).map_err(Error::Request)?
            }
        };
        let mut request =
            self.request(Method::POST, &format!("{}?{query}", self.account.address.path))?;
        let headers = request.headers_mut();
        if self.account.query == QueryForm::Plain {
            insert(headers, names::PROTOCOL_VERSION, version.as_str());
            if let Some(key) = self.policy_key {
                insert(headers, names::POLICY_KEY, &key.to_string());
            }
            if accept_multipart {
                insert(headers, names::ACCEPT_MULTIPART, "T");
            }
        }
        let (content_type, bytes) = match body {
            Body::Empty => (None, Bytes::new()),
            Body::Element(element) => {
                (Some(names::WBXML_CONTENT_TYPE), Bytes::from(dme_wbxml::encode(&element)))
            }
            Body::Mime(bytes) => (Some(names::MIME_CONTENT_TYPE), bytes),
            Body::Raw { content_type, bytes } => (Some(content_type), bytes),
        };
        if let Some(content_type) = content_type {
            insert(headers, CONTENT_TYPE.as_str(), content_type);
        }
        *request.body_mut() = Full::new(bytes);
        self.exchange(request, wait).await
    }

    /// Asks what the server speaks.
    ///
    /// # Errors
    /// Where the answer is not 200.
    pub async fn options(&mut self) -> Result<names::Options> {
        let request = self.request(Method::OPTIONS, &self.account.address.path)?;
        let reply = self.exchange(request, Duration::ZERO).await?.success("OPTIONS")?;
        let header = |name: &str| reply.header(name).unwrap_or_default();
        let versions = header(names::PROTOCOL_VERSIONS);
        Ok(names::Options::from_headers(versions, header(names::PROTOCOL_COMMANDS)))
    }

    /// Sends any other request to the account's host: Autodiscover, tests.
    ///
    /// # Errors
    /// Where no answer comes; any HTTP status is an answer.
    pub async fn send(
        &mut self,
        method: &str,
        target: &str,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<Reply> {
        let method = method.parse().map_err(|_| Error::Address(method.to_owned()))?;
        let mut request = self.request(method, target)?;
        if let Some(content_type) = content_type {
            insert(request.headers_mut(), CONTENT_TYPE.as_str(), content_type);
        }
        *request.body_mut() = Full::new(body);
        self.exchange(request, Duration::ZERO).await
    }

    fn request(&self, method: Method, target: &str) -> Result<Request<Full<Bytes>>> {
        let account = &self.account;
        let mut request = Request::new(Full::default());
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().map_err(|_| Error::Address(target.to_owned()))?;
        let headers = request.headers_mut();
        insert(headers, HOST.as_str(), &account.address.authority());
        insert(headers, USER_AGENT.as_str(), &account.user_agent);
        let shown = match &account.token {
            Some(token) => Some(format!("Bearer {}", token.expose())),
            None if account.user.is_empty() => None,
            None => {
                let login = format!("{}:{}", account.user, account.password.expose());
                Some(format!("Basic {}", STANDARD.encode(login)))
            }
        };
        if let Some(shown) = shown {
            let mut shown = http::HeaderValue::from_str(&shown)
                .map_err(|_| Error::Address(account.user.clone()))?;
            shown.set_sensitive(true);
            headers.insert(AUTHORIZATION, shown);
        }
        Ok(request)
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>, wait: Duration) -> Result<Reply> {
        let loss = self.loss.take();
        let after = self.patience.answer.saturating_add(wait);
        let late = Error::Timeout { what: "answer", after };
        // It is put back only after a whole exchange: what ends early leaves none behind.
        let mut connection = match self.connection.take().filter(Connection::is_usable) {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        if let Some(Loss::After(delay)) = loss {
            let _ = timeout(delay, connection.send(request)).await;
            return Err(Error::AnswerDropped);
        }
        let served = async {
            let answer = match connection.send(request).await {
                // The server closed a kept connection just before.
                Err(Unsent::Never(request)) => {
                    connection = self.connect().await?;
                    connection.send(*request).await
                }
                answer => answer,
            };
            let (head, body) = answer.map_err(Unsent::into_error)?.into_parts();
            let body = collect(body, self.patience.max_answer).await?;
            Ok(Reply { status: head.status.as_u16(), body, headers: head.headers })
        };
        let reply = timeout(after, served).await.unwrap_or(Err(late))?;
        if loss == Some(Loss::Answer) {
            return Err(Error::AnswerDropped);
        }
        if self.account.connection == AfterAnswer::Kept {
            self.connection = Some(connection);
        }
        Ok(reply)
    }

    async fn connect(&self) -> Result<Connection> {
        Connection::open(&self.account.address, &self.tls, self.patience.connect).await
    }
}

/// Inserts a header; a value that cannot stand in one is left out.
fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = http::HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
