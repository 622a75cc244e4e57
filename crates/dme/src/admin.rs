//! Asks a running server's administration listener.

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use dme_console::{TOKEN_FILE, api};
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Which server is asked.
#[derive(Args)]
pub struct AdminOptions {
    /// The server's configuration file: says where it listens and where its token is.
    #[arg(long, default_value = "/etc/dme/server.toml")]
    config: PathBuf,
}

/// A way to ask a server.
pub struct AdminClient {
    address: String,
    token: String,
}

impl AdminOptions {
    /// The way to the server of this configuration.
    pub fn client(&self) -> Result<AdminClient> {
        let config = crate::commands::server_file(&self.config)?.server;
        let path = config.directory.join(TOKEN_FILE);
        let token = std::fs::read_to_string(&path).with_context(|| {
            format!("cannot read {}; is the server running, and may you read it?", path.display())
        })?;
        let mut address = config.admin.listen;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        Ok(AdminClient { address: address.to_string(), token: token.trim().to_owned() })
    }
}

impl AdminClient {
    /// Where it is asked.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks for something.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T> {
        self.call(Method::GET, path, &[], Bytes::new()).await
    }

    /// Asks for something, with what follows the `?`.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T> {
        self.call(Method::GET, path, query, Bytes::new()).await
    }

    /// Wants something done.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T> {
        self.call(Method::POST, path, &[], Bytes::from(serde_json::to_vec(body)?)).await
    }

    /// Wants something forgotten.
    pub async fn delete<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T> {
        self.call(Method::DELETE, path, &[], Bytes::new()).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Bytes,
    ) -> Result<T> {
        let answer = tokio::time::timeout(LIMIT, self.exchange(method, path, query, body)).await;
        answer.map_err(|_| anyhow!("the server at {} did not answer in time", self.address))?
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Bytes,
    ) -> Result<T> {
        let tcp = TcpStream::connect(&self.address).await.with_context(|| {
            format!("the server does not listen on {} (admin.listen)", self.address)
        })?;
        let (mut send, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await?;
        tokio::spawn(connection);
        let path: String = path.iter().map(|segment| format!("/{}", encode(segment))).collect();
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let request = Request::builder()
            .method(method)
            .uri(format!("/api{path}{query}"))
            .header(HOST, &self.address)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Full::new(body))?;
        let response = send.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            match serde_json::from_slice::<api::Failed>(&body) {
                Ok(failed) => bail!("{}", failed.error),
                Err(_) => bail!("the server answered {status}"),
            }
        }
        serde_json::from_slice(&body).context("the server's answer is of another release")
    }
}

/// A path segment; anything but letters, digits and a few signs is escaped.
fn encode(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte) {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
