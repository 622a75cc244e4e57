//! What time a server has it.

use crate::address::Address;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::trust::Tls;
use bytes::Bytes;
use http::Request;
use http::header::{DATE, HOST};
use http_body_util::Full;
use std::time::Duration;
use tokio::time::timeout;

/// The `Date` in a server's answer (RFC 9110 §6.6.1), whatever else it says; none where it tells no
/// time. Nobody logs in.
///
/// # Errors
/// Where the server cannot be reached or answers no HTTP.
pub async fn date(address: &Address, tls: &Tls, patience: Duration) -> Result<Option<String>> {
    let asked = async {
        let mut connection = Connection::open(address, tls, patience).await?;
        let request = Request::head(address.path.as_str())
            .header(HOST, address.authority())
            .body(Full::<Bytes>::default())
            .map_err(|_| Error::Address(address.to_string()))?;
        let answer = connection.send(request).await.map_err(|unsent| unsent.into_error())?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(date.map(str::to_owned))
    };
    let late = Error::Timeout { what: "answer", after: patience };
    timeout(patience, asked).await.unwrap_or(Err(late))
}
