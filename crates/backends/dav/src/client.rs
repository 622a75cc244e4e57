//! HTTP to one server: connections that are kept, logins, redirects, limits.
//!
//! Every request carries its user's credentials, so connections belong to nobody and any may be
//! used by the next request. Credentials go to the one configured server alone: a redirect to
//! another, or from `https` to `http`, is an error.

use crate::check::advised;
use crate::config::{Auth, DavConfig};
use crate::error::{ConfigError, Refusal, WireError};
use crate::href::{Origin, Path};
use crate::multistatus::{Multistatus, preconditions};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use dme_dial::{Dialer, Doubt, login_name, opens_until};
use dme_mailbox::{Account, Credentials, Error, ErrorKind};
use dme_model::UserId;
use http::header::{AUTHORIZATION, HOST, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// Redirects followed for one request.
const MAX_REDIRECTS: usize = 5;
/// Bytes of a refusal that are read for its reason.
const MAX_REFUSAL: u64 = 64 << 10;
/// Bytes of all heads of an answer.
const MAX_HEAD: usize = 64 << 10;

/// A client of one server, for all users.
pub(crate) struct Client {
    pub(crate) origin: Origin,
    dialer: Dialer,
    connect: Duration,
    silence: Duration,
    doubt: Doubt,
    idle_limit: Duration,
    total: Arc<Semaphore>,
    per_user: usize,
    users: Mutex<HashMap<UserId, Weak<Semaphore>>>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
}

/// What a request is to the server, so far as it matters for trying again.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: Path,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// On whose behalf requests are made.
#[derive(Clone)]
pub(crate) struct Login {
    user: UserId,
    authorization: HeaderValue,
}

impl Login {
    /// As configured, for this user.
    pub(crate) fn new(config: &DavConfig, account: &Account) -> Result<Self, Error> {
        let authorization = match (&config.auth, &account.credentials) {
            (Auth::Password, Credentials::Password(secret)) => {
                basic(&login_name(config.login, account), secret.expose())?
            }
            (Auth::Bearer, Credentials::Bearer(token)) => {
                hidden(&format!("Bearer {}", token.expose()))?
            }
            (Auth::Master { user, secret }, _) => basic(user, secret.expose())?,
            (Auth::Password, _) => return Err(missing("password")),
            (Auth::Bearer, _) => return Err(missing("access token")),
        };
        Ok(Self { user: account.user.clone(), authorization })
    }
}

fn basic(user: &str, password: &str) -> Result<HeaderValue, Error> {
    hidden(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
}

fn hidden(value: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| told(ErrorKind::Auth, "the login holds what no HTTP header can"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn missing(what: &str) -> Error {
    told(ErrorKind::Auth, &format!("login: this system needs the user's {what}"))
}

fn told(kind: ErrorKind, context: &str) -> Error {
    Error::new(kind, format!("dav: {context}"))
}

impl Request {
    /// A request without body.
    pub(crate) fn new(method: Method, path: &Path) -> Self {
        Self { method, path: path.clone(), headers: Vec::new(), body: Bytes::new() }
    }

    /// One with a method of WebDAV and a document.
    pub(crate) fn xml(method: &'static str, path: &Path, document: String) -> Self {
        // The names are our own and short, so that none is refused.
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::OPTIONS);
        Self { body: document.into(), ..Self::new(method, path) }
            .with("content-type", "application/xml; charset=utf-8")
    }

    /// With one more header; one that no header can have is left out.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// With the depth to which it goes (RFC 4918 §10.2).
    pub(crate) fn depth(self, depth: &str) -> Self {
        self.with("depth", depth)
    }

    /// Whether it may be carried out twice without harm.
    fn is_repeatable(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "OPTIONS" | "PROPFIND" | "REPORT")
    }
}

impl Answer {
    /// The value of a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header that is a list, in lower case.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let words = values.flat_map(|value| value.split(','));
        words.map(|word| word.trim().to_ascii_lowercase()).filter(|it| !it.is_empty()).collect()
    }

    /// The refusal it is, if it is one.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        (!self.status.is_success()).then(|| Refusal {
            status: self.status.as_u16(),
            preconditions: preconditions(&self.body),
            after: self
                .headers
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse().ok())
                .map(|seconds: u32| Duration::from_secs(u64::from(seconds.min(3_600)))),
        })
    }

    /// The answer, unless it is a refusal.
    pub(crate) fn success(self) -> Result<Self, WireError> {
        match self.refusal() {
            Some(refusal) => Err(WireError::Refused(refusal)),
            None => Ok(self),
        }
    }

    /// What it says of several resources.
    pub(crate) fn multistatus(self) -> Result<Multistatus, WireError> {
        let answer = self.success()?;
        match answer.status.as_u16() {
            207 => Ok(Multistatus::read(&answer.body)?),
            status => Err(WireError::Nonsense(format!("an answer {status} where 207 is due"))),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// Of the server there, whose certificate must be for this name. `at` is the table of the
    /// configuration, for errors.
    pub(crate) fn new(
        at: &'static str,
        config: &DavConfig,
        origin: Origin,
        certified_as: &str,
    ) -> Result<Self, ConfigError> {
        let dialer = Dialer::new(at, &config.server(&origin), origin.port)?;
        let dialer = dialer.certified_as(certified_as)?.prompt();
        Ok(Self {
            origin,
            dialer,
            connect: config.timeouts.connect.0,
            silence: config.timeouts.silence.0,
            doubt: Doubt::after(config.timeouts.connect.0),
            idle_limit: config.pool.idle.0,
            total: Arc::new(Semaphore::new(config.pool.total.min(Semaphore::MAX_PERMITS))),
            per_user: config.pool.per_user,
            users: Mutex::default(),
            idle: Mutex::default(),
        })
    }

    /// Carries out a request, following redirects on the same server; answers also a refusal.
    /// `limit` is the largest body of a success, in bytes.
    pub(crate) async fn send(
        &self,
        login: &Login,
        request: Request,
        limit: u64,
        deadline: Instant,
    ) -> Result<Answer, WireError> {
        let _permits = self.permits(&login.user, deadline).await?;
        let mut request = request;
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.exchange(login, &request, limit, deadline).await?;
            match self.redirected(&answer)? {
                None => return Ok(answer),
                Some(to) => request.path = to,
            }
        }
        Err(WireError::Nonsense(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Where an answer sends us, if it does.
    fn redirected(&self, answer: &Answer) -> Result<Option<Path>, WireError> {
        if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let to = answer.header(LOCATION.as_str()).unwrap_or_default();
        let to_other = || WireError::Redirected(to.chars().take(200).collect());
        Path::read(to, &self.origin).map(Some).ok_or_else(to_other)
    }

    /// The right to make one more request.
    async fn permits(
        &self,
        user: &UserId,
        deadline: Instant,
    ) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), WireError> {
        let own = self.user(user);
        let busy = |what: &str| {
            let after = Duration::from_secs(5);
            told(ErrorKind::Busy { after }, &format!("{what} connections are in use"))
        };
        let both = async { (own.acquire_owned().await, self.total.clone().acquire_owned().await) };
        match timeout_at(deadline, both).await {
            Ok((Ok(own), Ok(total))) => Ok((own, total)),
            _ => Err(busy("all").into()),
        }
    }

    fn user(&self, user: &UserId) -> Arc<Semaphore> {
        let mut users = lock(&self.users);
        if let Some(known) = users.get(user).and_then(Weak::upgrade) {
            return known;
        }
        if users.len() >= 64 && users.len().is_power_of_two() {
            users.retain(|_, known| known.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(self.per_user.min(Semaphore::MAX_PERMITS)));
        users.insert(user.clone(), Arc::downgrade(&new));
        new
    }

    /// One request and its answer, on a kept connection or on a new one where that was dead.
    async fn exchange(
        &self,
        login: &Login,
        request: &Request,
        limit: u64,
        deadline: Instant,
    ) -> Result<Answer, WireError> {
        if let Some(kept) = self.kept() {
            match self.exchange_on(kept, login, request, limit, deadline).await {
                Err(Lost { error: WireError::Http(error), unsent })
                    if unsent || request.is_repeatable() && !error.is_parse() => {}
                result => return result.map_err(|lost| lost.error),
            }
        }
        let new = timeout_at(opens_until(deadline, self.connect), self.dial()).await;
        let new = new.map_err(|_| WireError::Timeout)??;
        let result = self.exchange_on(new, login, request, limit, deadline).await;
        result.map_err(|lost| lost.error)
    }

    /// Finds the server and connects, without a request; says how that went.
    pub(crate) async fn reach(&self) -> Result<String, String> {
        let place = self.dialer.place().await.map_err(|error| error.to_string())?;
        let dialled = timeout(self.connect, self.dial()).await.unwrap_or(Err(WireError::Timeout));
        match dialled {
            Ok(_) => Ok(format!("{place}: reached")),
            Err(error) => Err(format!("{place}: {}", advised(&error.told("connect")))),
        }
    }

    async fn dial(&self) -> Result<SendRequest<Full<Bytes>>, WireError> {
        let stream = self.dialer.secure(self.dialer.connect().await?).await?;
        let mut builder = http1::Builder::new();
        builder.max_headers(200).max_buf_size(MAX_HEAD);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Waits for a piece of an answer; none where it came to nothing, or where the server takes no
    /// connections any more.
    async fn told<T>(&self, piece: impl Future<Output = T>, deadline: Instant) -> Option<T> {
        let end = deadline.min(Instant::now() + self.silence);
        let reach =
            || Box::pin(async { matches!(timeout(self.connect, self.dial()).await, Ok(Ok(_))) });
        self.doubt.answer(piece, end, reach).await
    }

    async fn exchange_on(
        &self,
        mut sender: SendRequest<Full<Bytes>>,
        login: &Login,
        request: &Request,
        limit: u64,
        deadline: Instant,
    ) -> Result<Answer, Lost> {
        let outgoing = self.outgoing(login, request)?;
        let sent = self.told(sender.try_send_request(outgoing), deadline).await;
        let response = match sent.ok_or(WireError::Timeout)? {
            Ok(response) => response,
            Err(mut error) => {
                let unsent = error.take_message().is_some();
                return Err(Lost { error: error.into_error().into(), unsent });
            }
        };
        let (head, mut body) = response.into_parts();
        let limit = if head.status.is_success() { limit } else { MAX_REFUSAL };
        let mut data = BytesMut::new();
        loop {
            let frame = self.told(body.frame(), deadline).await;
            let Some(frame) = frame.ok_or(WireError::Timeout)? else { break };
            let Ok(chunk) = frame.map_err(WireError::from)?.into_data() else { continue };
            if data.len() as u64 + chunk.len() as u64 > limit {
                // A refusal is no less one for its long reason.
                if head.status.is_success() {
                    return Err(WireError::Flood(limit).into());
                }
                break;
            }
            data.extend_from_slice(&chunk);
        }
        self.keep(sender, &body);
        Ok(Answer { status: head.status, headers: head.headers, body: data.freeze() })
    }

    fn outgoing(
        &self,
        login: &Login,
        request: &Request,
    ) -> Result<hyper::Request<Full<Bytes>>, WireError> {
        let default = if self.origin.tls { 443 } else { 80 };
        let host = match self.origin.port == default {
            true => self.origin.host.clone(),
            false => format!("{}:{}", self.origin.host, self.origin.port),
        };
        let mut outgoing = hyper::Request::builder()
            .method(request.method.clone())
            .uri(request.path.as_str())
            .header(HOST, host)
            .header(USER_AGENT, concat!("DME/", env!("CARGO_PKG_VERSION")))
            .header(AUTHORIZATION, &login.authorization);
        for (name, value) in &request.headers {
            outgoing = outgoing.header(name, value);
        }
        let outgoing = outgoing.body(Full::new(request.body.clone()));
        outgoing.map_err(|error| told(ErrorKind::Bug, &format!("a request: {error}")).into())
    }

    fn kept(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = lock(&self.idle);
        while let Some(kept) = idle.pop() {
            if kept.since.elapsed() < self.idle_limit && kept.sender.is_ready() {
                return Some(kept.sender);
            }
        }
        None
    }

    fn keep(&self, sender: SendRequest<Full<Bytes>>, body: &Incoming) {
        use hyper::body::Body as _;
        if sender.is_closed() || !body.is_end_stream() {
            return;
        }
        let mut idle = lock(&self.idle);
        idle.retain(|kept| kept.since.elapsed() < self.idle_limit && !kept.sender.is_closed());
        idle.push(Idle { sender, since: Instant::now() });
    }
}

/// A request that was not answered.
struct Lost {
    error: WireError,
    /// Not a byte of it went out.
    unsent: bool,
}

impl<E: Into<WireError>> From<E> for Lost {
    fn from(error: E) -> Self {
        Self { error: error.into(), unsent: false }
    }
}
