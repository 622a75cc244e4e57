//! Autodiscover v2: one GET, no password, one address in return.
//!
//! `/autodiscover/autodiscover.json?Email=ann@corp.example&Protocol=ActiveSync`, or with the address
//! in the path: `/autodiscover/autodiscover.json/v1.0/ann@corp.example?Protocol=ActiveSync`.

use super::{AutodiscoverError, MAX_ADDRESS, MAX_DOCUMENT};
use serde::{Deserialize, Serialize};

/// The path, without the address some clients put behind it.
pub const PATH: &str = "/autodiscover/autodiscover.json";

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonRequest {
    /// The user's address; some clients send none but a domain's.
    pub email: String,
    /// Which protocol's address is wanted; `ActiveSync`, in any letter case.
    pub protocol: String,
}

impl JsonRequest {
    /// Reads path and query (without its `?`) of the request. The path is compared without regard
    /// to letter case.
    ///
    /// # Errors
    /// Where it is another path, or address or protocol is missing or too long.
    pub fn from_target(path: &str, query: &str) -> Result<Self, AutodiscoverError> {
        let rest = path
            .get(..PATH.len())
            .filter(|start| start.eq_ignore_ascii_case(PATH))
            .and_then(|_| path.get(PATH.len()..))
            .ok_or(AutodiscoverError::Missing("the path of autodiscover v2"))?;
        let in_path = rest.rsplit('/').next().filter(|last| last.contains(['@', '%']));
        let mut email = in_path.map(decode);
        let mut protocol = None;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if name.eq_ignore_ascii_case("email") {
                email = Some(decode(value));
            } else if name.eq_ignore_ascii_case("protocol") {
                protocol = Some(decode(value));
            }
        }
        let email = email.ok_or(AutodiscoverError::Missing("Email"))?;
        let protocol = protocol.ok_or(AutodiscoverError::Missing("Protocol"))?;
        if email.len() > MAX_ADDRESS || protocol.len() > MAX_ADDRESS {
            return Err(AutodiscoverError::TooLarge);
        }
        Ok(Self { email, protocol })
    }

    /// Whether ActiveSync's address is wanted.
    pub fn wants_active_sync(&self) -> bool {
        self.protocol.eq_ignore_ascii_case("ActiveSync")
    }

    /// Path and query to ask with.
    pub fn to_target(&self) -> String {
        format!("{PATH}?Email={}&Protocol={}", encode(&self.email), encode(&self.protocol))
    }
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JsonResponse {
    /// With 200: the address.
    Found {
        /// The protocol asked for.
        #[serde(rename = "Protocol")]
        protocol: String,
        /// Its address.
        #[serde(rename = "Url")]
        url: String,
    },
    /// With 400: why not. `ProtocolNotSupported`, `MandatoryParameterMissing`, `UserNotFound`.
    Failed {
        /// A word for programs.
        #[serde(rename = "ErrorCode")]
        code: String,
        /// A sentence for people.
        #[serde(rename = "ErrorMessage")]
        message: String,
    },
}

impl JsonResponse {
    /// The ActiveSync address.
    pub fn active_sync(url: impl Into<String>) -> Self {
        Self::Found { protocol: "ActiveSync".to_owned(), url: url.into() }
    }

    /// The document.
    pub fn to_json(&self) -> String {
        match self {
            Self::Found { protocol, url } => {
                serde_json::json!({ "Protocol": protocol, "Url": url }).to_string()
            }
            Self::Failed { code, message } => {
                serde_json::json!({ "ErrorCode": code, "ErrorMessage": message }).to_string()
            }
        }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is too large or of another shape.
    pub fn from_json(document: &[u8]) -> Result<Self, AutodiscoverError> {
        if document.len() > MAX_DOCUMENT {
            return Err(AutodiscoverError::TooLarge);
        }
        serde_json::from_slice(document)
            .map_err(|e| AutodiscoverError::Malformed(format!("is not the expected JSON: {e}")))
    }
}

/// Percent-decodes; `+` stays, as it is a common character of mail addresses.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match hex {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3) and `@`.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
