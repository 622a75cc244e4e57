//! Autodiscover for phones: from a mail address to the ActiveSync address.
//!
//! Two dialects: the XML one ("POX", MS-ASCMD 2.2.1.1 and MS-OXDSCLI, schema `mobilesync`), a POST
//! to `/autodiscover/autodiscover.xml`; and the JSON one ("v2"), a GET of
//! `/autodiscover/autodiscover.json` that needs no password and says nothing but the address.
//! Both are here in both directions.

mod json;
mod xml;

#[cfg(test)]
mod tests;

pub use json::{JsonRequest, JsonResponse};
pub use xml::MAX_DOCUMENT;

use std::fmt::Write as _;
use xml::{Node, write_text};

/// Namespace of the request, and the value of its root's `xmlns`.
pub const REQUEST_SCHEMA: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006";
/// Namespace of the answer; what `AcceptableResponseSchema` of a phone's request says.
pub const RESPONSE_SCHEMA: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
/// Namespace of the element round the answer.
const ENVELOPE_SCHEMA: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
/// The longest mail address taken, in bytes (RFC 5321 §4.5.3.1 allows 254).
const MAX_ADDRESS: usize = 320;

/// What is wrong with an Autodiscover document.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AutodiscoverError {
    /// Larger, deeper or with more elements than any real one.
    #[error("document is larger or deeper than autodiscover allows")]
    TooLarge,
    /// Not XML, or not JSON.
    #[error("document {0}")]
    Malformed(String),
    /// Declares or uses entities.
    #[error("document declares or uses entities, which are refused")]
    Entity,
    /// Something that must be there is not.
    #[error("document lacks {0}")]
    Missing(&'static str),
}

/// What a phone asks: the settings for an address (MS-ASCMD 2.2.1.1, request).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// `EMailAddress`: the user's SMTP address, up to 320 bytes.
    pub email: String,
    /// `AcceptableResponseSchema`; anything but [`RESPONSE_SCHEMA`] is answered with
    /// [`ErrorCode::NoProvider`].
    pub schema: String,
}

impl Request {
    /// A request as phones make it.
    pub fn new(email: impl Into<String>) -> Self {
        Self { email: email.into(), schema: RESPONSE_SCHEMA.to_owned() }
    }

    /// Reads a request. A missing schema reads as empty, so that the answer can be 601.
    ///
    /// # Errors
    /// Where the document is not a small plain XML document with an address in it; the answer to
    /// that is [`ErrorCode::InvalidRequest`].
    pub fn from_xml(document: &[u8]) -> Result<Self, AutodiscoverError> {
        let root = xml::parse(document)?;
        if !root.name.eq_ignore_ascii_case("Autodiscover") {
            return Err(AutodiscoverError::Missing("the Autodiscover element"));
        }
        let request = root.child("Request").ok_or(AutodiscoverError::Missing("Request"))?;
        let email =
            request.text_of("EMailAddress").ok_or(AutodiscoverError::Missing("EMailAddress"))?;
        if email.len() > MAX_ADDRESS {
            return Err(AutodiscoverError::TooLarge);
        }
        let schema = request.text_of("AcceptableResponseSchema").unwrap_or_default();
        Ok(Self { email: email.to_owned(), schema: schema.to_owned() })
    }

    /// Whether the answer may be in the one schema there is here. The comparison is by content:
    /// some phones write `https` or another case.
    pub fn wants_mobilesync(&self) -> bool {
        self.schema.to_ascii_lowercase().contains("/mobilesync/responseschema/")
    }

    /// The document.
    pub fn to_xml(&self) -> String {
        let mut out = declaration("Autodiscover", REQUEST_SCHEMA);
        out.push_str("<Request>");
        write_text(&mut out, "EMailAddress", &self.email);
        write_text(&mut out, "AcceptableResponseSchema", &self.schema);
        out.push_str("</Request></Autodiscover>");
        out
    }
}

/// One server of a [`Response::Settings`] (MS-ASCMD 2.2.3.165).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Server {
    /// `MobileSync`: where ActiveSync is; `Url` and `Name` carry the same address.
    MobileSync {
        /// The address, `https://…/Microsoft-Server-ActiveSync`.
        url: String,
    },
    /// `CertEnroll`: where client certificates are enrolled.
    CertEnroll {
        /// The address.
        url: String,
        /// The template's name.
        template: String,
    },
}

/// Whom the answer is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// `DisplayName`; left out where unknown.
    pub display_name: Option<String>,
    /// `EMailAddress`.
    pub email: String,
}

/// Why there are no settings (MS-ASCMD 2.2.3.62).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCode {
    /// 600: the request was not understood.
    InvalidRequest,
    /// 601: none can answer in the schema asked for.
    NoProvider,
    /// Another code of another server.
    Other(u16),
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Self::InvalidRequest => 600,
            Self::NoProvider => 601,
            Self::Other(code) => code,
        }
    }

    /// By the number on the wire.
    pub fn from_number(number: u16) -> Self {
        match number {
            600 => Self::InvalidRequest,
            601 => Self::NoProvider,
            other => Self::Other(other),
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::InvalidRequest => "Invalid Request",
            Self::NoProvider => "Provider is not available",
            Self::Other(_) => "Error",
        }
    }
}

/// The status of an error in the `mobilesync` schema (MS-ASCMD 2.2.3.177.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// 1.
    Success,
    /// 2: the request broke the protocol.
    ProtocolError,
    /// Another server's own.
    Other(u16),
}

impl Status {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Self::Success => 1,
            Self::ProtocolError => 2,
            Self::Other(code) => code,
        }
    }

    /// By the number on the wire.
    pub fn from_number(number: u16) -> Self {
        match number {
            1 => Self::Success,
            2 => Self::ProtocolError,
            other => Self::Other(other),
        }
    }
}

/// The answer (MS-ASCMD 2.2.1.1, response).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
    /// The settings.
    Settings {
        /// For whom.
        user: User,
        /// `Culture`, `en:us`.
        culture: String,
        /// Where to go.
        servers: Vec<Server>,
    },
    /// Ask again with this address instead. Whoever follows these must stop after a few.
    Redirect {
        /// For whom.
        user: User,
        /// The other address.
        email: String,
    },
    /// The user is known, the settings could not be had.
    Failure {
        /// For whom, where known.
        user: Option<User>,
        /// Why.
        status: Status,
        /// For people.
        message: String,
    },
    /// The request itself was refused.
    Rejected {
        /// Why.
        code: ErrorCode,
        /// The time of day the specification wants told, `HH:MM:SS.sssssss`.
        time: String,
        /// A number by which to find it in the log.
        id: u32,
    },
}

impl Response {
    /// The settings of a user with one ActiveSync address, which is the usual answer.
    pub fn mobile_sync(user: User, url: impl Into<String>) -> Self {
        let servers = vec![Server::MobileSync { url: url.into() }];
        Self::Settings { user, culture: "en:us".to_owned(), servers }
    }

    /// The ActiveSync address in it, if any.
    pub fn mobile_sync_url(&self) -> Option<&str> {
        let Self::Settings { servers, .. } = self else { return None };
        servers.iter().find_map(|server| match server {
            Server::MobileSync { url } => Some(url.as_str()),
            Server::CertEnroll { .. } => None,
        })
    }

    /// The document.
    pub fn to_xml(&self) -> String {
        let mut out = declaration("Autodiscover", ENVELOPE_SCHEMA);
        if let Self::Rejected { code, time, id } = self {
            // In the envelope's own namespace: there is no schema to answer in.
            let time = quick_xml::escape::escape(time.as_str());
            let _ = write!(out, "<Response><Error Time=\"{time}\" Id=\"{id}\">");
            write_text(&mut out, "ErrorCode", &code.number().to_string());
            write_text(&mut out, "Message", code.message());
            out.push_str("<DebugData/></Error></Response></Autodiscover>");
            return out;
        }
        let _ = write!(out, "<Response xmlns=\"{RESPONSE_SCHEMA}\">");
        match self {
            Self::Settings { user, culture, servers } => {
                write_text(&mut out, "Culture", culture);
                write_user(&mut out, user);
                out.push_str("<Action><Settings>");
                servers.iter().for_each(|server| write_server(&mut out, server));
                out.push_str("</Settings></Action>");
            }
            Self::Redirect { user, email } => {
                write_text(&mut out, "Culture", "en:us");
                write_user(&mut out, user);
                out.push_str("<Action>");
                write_text(&mut out, "Redirect", email);
                out.push_str("</Action>");
            }
            Self::Failure { user, status, message } => {
                write_text(&mut out, "Culture", "en:us");
                if let Some(user) = user {
                    write_user(&mut out, user);
                }
                out.push_str("<Action><Error>");
                write_text(&mut out, "Status", &status.number().to_string());
                write_text(&mut out, "Message", message);
                out.push_str("</Error></Action>");
            }
            Self::Rejected { .. } => {}
        }
        out.push_str("</Response></Autodiscover>");
        out
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where the document is not a small plain XML document of that shape.
    pub fn from_xml(document: &[u8]) -> Result<Self, AutodiscoverError> {
        let root = xml::parse(document)?;
        let response = root.child("Response").ok_or(AutodiscoverError::Missing("Response"))?;
        if let Some(error) = response.child("Error") {
            let code = number(error, "ErrorCode").ok_or(AutodiscoverError::Missing("ErrorCode"))?;
            let code = ErrorCode::from_number(code);
            return Ok(Self::Rejected { code, time: String::new(), id: 0 });
        }
        let user = response.child("User").and_then(read_user);
        let action = response.child("Action").ok_or(AutodiscoverError::Missing("Action"))?;
        if let Some(error) = action.child("Error") {
            let status = number(error, "Status").or_else(|| number(error, "ErrorCode"));
            let status = Status::from_number(status.unwrap_or_default());
            let message = error.text_of("Message").unwrap_or_default().to_owned();
            return Ok(Self::Failure { user, status, message });
        }
        let user = user.ok_or(AutodiscoverError::Missing("User"))?;
        if let Some(email) = action.text_of("Redirect") {
            return Ok(Self::Redirect { user, email: email.to_owned() });
        }
        let settings = action.child("Settings").ok_or(AutodiscoverError::Missing("Settings"))?;
        let culture = response.text_of("Culture").unwrap_or_default().to_owned();
        let servers = settings.children.iter().filter_map(read_server).collect();
        Ok(Self::Settings { user, culture, servers })
    }
}

fn declaration(root: &str, schema: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><{root} xmlns=\"{schema}\">")
}

fn write_user(out: &mut String, user: &User) {
    out.push_str("<User>");
    if let Some(name) = &user.display_name {
        write_text(out, "DisplayName", name);
    }
    write_text(out, "EMailAddress", &user.email);
    out.push_str("</User>");
}

fn write_server(out: &mut String, server: &Server) {
    out.push_str("<Server>");
    match server {
        Server::MobileSync { url } => {
            write_text(out, "Type", "MobileSync");
            write_text(out, "Url", url);
            write_text(out, "Name", url);
        }
        Server::CertEnroll { url, template } => {
            write_text(out, "Type", "CertEnroll");
            write_text(out, "Url", url);
            write_text(out, "ServerData", template);
        }
    }
    out.push_str("</Server>");
}

fn read_user(node: &Node) -> Option<User> {
    Some(User {
        display_name: node.text_of("DisplayName").map(str::to_owned),
        email: node.text_of("EMailAddress")?.to_owned(),
    })
}

/// A server of a kind known here; others are passed over, as the specification asks of phones.
fn read_server(node: &Node) -> Option<Server> {
    let url = node.text_of("Url")?.to_owned();
    match node.text_of("Type")? {
        "MobileSync" => Some(Server::MobileSync { url }),
        "CertEnroll" => {
            let template = node.text_of("ServerData").unwrap_or_default().to_owned();
            Some(Server::CertEnroll { url, template })
        }
        _ => None,
    }
}

fn number(node: &Node, name: &str) -> Option<u16> {
    node.text_of(name)?.parse().ok()
}
