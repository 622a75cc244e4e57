//! A server that answers as its test says.

use crate::world::{account, config, context};
use dme_dav::{DavConfig, DavMailSystem, PoolConfig};
use dme_mailbox::{ChangeToken, MailSystem, Mailbox};
use dme_model::{CollectionId, ItemId};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as the server got it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: String,
}

/// What it answers: status, further header lines, body. With the status [`SILENCE`] it says nothing
/// and holds the line.
pub type Told = (u16, &'static str, String);

pub const SILENCE: u16 = 0;

/// A server that answers as its test says; what is asked of it is kept.
pub struct Fake {
    pub port: u16,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    door: JoinHandle<()>,
}

impl Fake {
    pub async fn start(tells: impl Fn(&Asked) -> Told + Send + Sync + 'static) -> Self {
        Self::begin(tells, usize::MAX).await
    }

    /// The same, that hangs up after so many answers on one connection.
    pub async fn begin(
        tells: impl Fn(&Asked) -> Told + Send + Sync + 'static,
        answers: usize,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (tells, seen) = (Arc::new(tells), asked.clone());
        let door = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tells.clone(), seen.clone(), answers));
            }
        });
        Self { port, asked, door }
    }

    /// From now on it takes no connection; those that stand stay.
    pub fn closes_its_door(&self) {
        self.door.abort();
    }

    /// A handle of a user whose one calendar is `/c/`, told by the server's own answers.
    pub async fn open(&self) -> Arc<dyn Mailbox> {
        self.open_with(PoolConfig::default()).await
    }

    /// The same, of which so many requests are made at once.
    pub async fn open_with(&self, pool: PoolConfig) -> Arc<dyn Mailbox> {
        self.open_so(|config| DavConfig { pool, ..config }).await
    }

    /// The same with another configuration.
    pub async fn open_so(&self, so: impl FnOnce(DavConfig) -> DavConfig) -> Arc<dyn Mailbox> {
        let config = so(DavConfig {
            principal: Some("/p/{login}/".to_owned()),
            contacts: false,
            ..config(format!("http://127.0.0.1:{}/", self.port))
        });
        DavMailSystem::new(config).unwrap().open(&account("ann"), &context()).await.unwrap()
    }

    pub fn asked(&self, method: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|it| it.method == method).cloned().collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    tells: Arc<impl Fn(&Asked) -> Told>,
    seen: Arc<Mutex<Vec<Asked>>>,
    answers: usize,
) {
    for _ in 0..answers {
        let Some(asked) = read(&mut stream).await else { return };
        seen.lock().unwrap().push(asked.clone());
        let (status, headers, body) = tells(&asked);
        if status == SILENCE {
            return std::future::pending().await;
        }
        let answer =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        bytes.push(stream.read_u8().await.ok()?);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    let first = String::from_utf8_lossy(&bytes[..end]).lines().next()?.to_owned();
    let mut words = first.split(' ');
    Some(Asked {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        head,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

pub fn multistatus(inner: &str) -> Told {
    let body = format!(
        "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" \
         xmlns:S=\"http://calendarserver.org/ns/\">{inner}</multistatus>"
    );
    (207, "", body)
}

pub fn response(href: &str, props: &str) -> String {
    format!(
        "<response><href>{href}</href><propstat><prop>{props}</prop>\
         <status>HTTP/1.1 200 OK</status></propstat></response>"
    )
}

/// A calendar with the tag that these properties are.
pub fn calendar(tag: &str) -> String {
    let props = format!(
        "<resourcetype><collection/><C:calendar/></resourcetype><displayname>C</displayname>{tag}\
         <C:supported-calendar-component-set><C:comp name=\"VEVENT\"/>\
         </C:supported-calendar-component-set>"
    );
    response("/c/", &props)
}

/// The answer about the user, or that there is nothing.
pub fn user(asked: &Asked) -> Told {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("PROPFIND", "/p/ann/") => multistatus(&response(
            "/p/ann/",
            "<C:calendar-home-set><href>/</href></C:calendar-home-set>",
        )),
        ("OPTIONS", _) => (200, "DAV: 1, calendar-access\r\n", String::new()),
        _ => (404, "", String::new()),
    }
}

pub fn calendar_id() -> CollectionId {
    CollectionId::from("calendar:/c/")
}

pub fn token(text: &str) -> ChangeToken {
    ChangeToken(text.to_owned())
}

pub fn is_sync(asked: &Asked) -> bool {
    asked.method == "REPORT" && asked.body.contains("<sync-collection")
}

pub fn ids(names: &[&str]) -> Vec<ItemId> {
    names.iter().map(|name| ItemId::from(*name)).collect()
}
