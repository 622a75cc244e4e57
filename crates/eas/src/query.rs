//! The query of the request line: which command, of which device (MS-ASHTTP 2.2.1.1.1).
//!
//! Two spellings say the same: plain text, `Cmd=Sync&User=ann&DeviceId=…`, and base64 of a packed
//! form that also has the protocol version and the policy key, which else are headers.

mod base64_form;
mod plain;

use crate::error::{Error, Result};
use crate::status::CommonStatus;
use crate::version::ProtocolVersion;
use dme_model::DeviceId;

/// The longest query read.
const MAX_QUERY: usize = 4_096;

/// The longest device id; MS-ASHTTP says 32 characters and no phone has more.
const MAX_DEVICE_ID: usize = 32;

/// The longest device type; MS-ASHTTP says 32, some phones write more.
const MAX_DEVICE_TYPE: usize = 32;

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// A command (MS-ASHTTP 2.2.1.1.1.1.2).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Command {
            $($(#[$doc])* $name,)*
        }

        impl Command {
            /// All commands, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name, as the plain query has it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// Its number, as the base64 query has it.
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

commands! {
    /// What changed in some collections, both ways.
    Sync = 0,
    /// Send a message.
    SendMail = 1,
    /// Send a message on.
    SmartForward = 2,
    /// Answer a message.
    SmartReply = 3,
    /// An attachment's content.
    GetAttachment = 4,
    /// The list of folders and what changed in it.
    FolderSync = 9,
    /// A new folder.
    FolderCreate = 10,
    /// A folder taken away.
    FolderDelete = 11,
    /// A folder renamed or moved.
    FolderUpdate = 12,
    /// Items put into other folders.
    MoveItems = 13,
    /// How many changes a Sync would bring.
    GetItemEstimate = 14,
    /// An answer to an invitation.
    MeetingResponse = 15,
    /// Find items, people or files.
    Search = 16,
    /// The user's and the device's settings.
    Settings = 17,
    /// Tell me when something changes.
    Ping = 18,
    /// Whole items, attachments, emptying folders, moving conversations.
    ItemOperations = 19,
    /// The device's policy.
    Provision = 20,
    /// Whom a name stands for.
    ResolveRecipients = 21,
    /// Whether a certificate is valid.
    ValidateCert = 22,
    /// Find items or people (16.1).
    Find = 23,
}

impl Command {
    /// The command with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|command| command.name().eq_ignore_ascii_case(name))
    }

    /// The command with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|command| command.code() == code)
    }

    /// The first version that has it.
    pub fn since(self) -> ProtocolVersion {
        match self {
            Self::Find => ProtocolVersion::V16_1,
            _ => ProtocolVersion::V12_1,
        }
    }
}

/// What a request's query says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestLine {
    /// The command.
    pub command: Command,
    /// Whose mailbox the phone means, as it spells it; the login decides.
    pub user: Option<String>,
    /// Which device.
    pub device: DeviceId,
    /// Its kind, `iPhone` and so on.
    pub device_type: String,
    /// What only the base64 form says; else see the headers.
    pub packed: Option<Packed>,
    /// What belongs to some commands.
    pub parameters: Parameters,
}

/// What the base64 form says beside: in the plain form these are headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed {
    /// `MS-ASProtocolVersion`.
    pub version: ProtocolVersion,
    /// `X-MS-PolicyKey`.
    pub policy_key: Option<u32>,
    /// The language, as MS-LCID numbers them (`Accept-Language`).
    pub locale: u16,
}

/// The parameters of some commands (MS-ASHTTP 2.2.1.1.1.1.3).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parameters {
    /// GetAttachment: which.
    pub attachment_name: Option<String>,
    /// SmartReply and SmartForward: the folder of the original.
    pub collection_id: Option<String>,
    /// SmartReply and SmartForward: the original.
    pub item_id: Option<String>,
    /// SmartReply and SmartForward: the original, by its id from a search.
    pub long_id: Option<String>,
    /// SmartReply and SmartForward: which instance of a series.
    pub occurrence: Option<String>,
    /// SendMail, SmartReply and SmartForward: keep a copy in Sent.
    pub save_in_sent: bool,
    /// ItemOperations: the answer may be of several parts (`MS-ASAcceptMultiPart`).
    pub accept_multi_part: bool,
}

impl RequestLine {
    /// Reads a query in either form.
    ///
    /// # Errors
    /// [`Error::Query`] where it is neither or lacks a command; [`Error::Device`] where the device's
    /// id or type is missing or wrong; [`Error::Version`] where the version is not spoken here.
    pub fn parse(query: &str) -> Result<Self> {
        if query.len() > MAX_QUERY {
            return Err(Error::Query("longer than 4096 bytes"));
        }
        // A plain query has `=` between name and value; in base64 it can only stand at the end.
        if query.trim_end_matches('=').contains(['=', '&']) {
            plain::parse(query)
        } else {
            base64_form::parse(query)
        }
    }

    /// Which command a query asks for, and in which version where it says so, also where the rest of
    /// it is wrong: an answer to that is of the command's kind.
    pub fn command_of(query: &str) -> Option<(Command, Option<ProtocolVersion>)> {
        if query.len() > MAX_QUERY {
            return None;
        }
        plain::command_of(query)
            .map(|command| (command, None))
            .or_else(|| base64_form::command_of(query).map(|(c, version)| (c, Some(version))))
    }

    /// The plain form. What is in [`RequestLine::packed`] is not in it and goes into headers, as
    /// does the wish for several parts.
    pub fn to_plain(&self) -> String {
        plain::format(self)
    }

    /// The base64 form; `packed` takes the place of [`RequestLine::packed`].
    ///
    /// # Errors
    /// [`Error::Query`] where a value is longer than 255 bytes, which it cannot say.
    pub fn to_base64(&self, packed: Packed) -> Result<String> {
        base64_form::format(self, packed)
    }
}

/// An id that may stand in logs, file names and database keys.
fn device_id(text: &str) -> Result<DeviceId> {
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > MAX_DEVICE_ID || !text.bytes().all(sound) {
        return Err(Error::Device {
            status: CommonStatus::DeviceIdMissingOrInvalid,
            expected: "DeviceId must be 1 to 32 letters, digits, '-', '_' or '.'",
        });
    }
    Ok(DeviceId::new(text))
}

fn device_type(text: &str) -> Result<String> {
    let sound = |c: char| !c.is_control();
    if text.is_empty() || text.len() > MAX_DEVICE_TYPE || !text.chars().all(sound) {
        return Err(Error::Device {
            status: CommonStatus::DeviceTypeMissingOrInvalid,
            expected: "DeviceType must be 1 to 32 bytes without control characters",
        });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
