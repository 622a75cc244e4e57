//! OPTIONS: what the server speaks, told in headers (MS-ASHTTP 2.2.3, 2.2.2.1.1.2), and the names
//! of the headers that phone and server use.

use crate::query::Command;
use crate::version::ProtocolVersion;

/// The path phones post to.
pub const PATH: &str = "/Microsoft-Server-ActiveSync";
/// The media type of WBXML (MS-ASHTTP 2.2.1.1.2.2).
pub const WBXML_CONTENT_TYPE: &str = "application/vnd.ms-sync.wbxml";
/// The media type of a message as the body of a 12.1 SendMail, SmartReply or SmartForward.
pub const MIME_CONTENT_TYPE: &str = "message/rfc822";

/// Of an answer: which release the server is of.
pub const SERVER: &str = "MS-Server-ActiveSync";
/// Of an answer to OPTIONS: the versions spoken.
pub const PROTOCOL_VERSIONS: &str = "MS-ASProtocolVersions";
/// Of an answer to OPTIONS: the commands served.
pub const PROTOCOL_COMMANDS: &str = "MS-ASProtocolCommands";
/// Of a request: the version it is in.
pub const PROTOCOL_VERSION: &str = "MS-ASProtocolVersion";
/// Of a request: the key of the policy the phone applies.
pub const POLICY_KEY: &str = "X-MS-PolicyKey";
/// Of a request: `T` where the answer may be of several parts.
pub const ACCEPT_MULTIPART: &str = "MS-ASAcceptMultiPart";
/// Of an answer: versions are spoken that were not before, ask OPTIONS again.
pub const RENEGOTIATE: &str = "X-MS-RP";

/// What a server says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The versions it speaks, ascending.
    pub versions: Vec<ProtocolVersion>,
    /// The commands it serves.
    pub commands: Vec<Command>,
}

impl Options {
    /// What is spoken here from one version to another.
    pub fn between(lowest: ProtocolVersion, highest: ProtocolVersion) -> Self {
        let versions = ProtocolVersion::ALL.into_iter();
        Self {
            versions: versions.filter(|v| (lowest..=highest).contains(v)).collect(),
            commands: Command::ALL.iter().copied().filter(|c| c.since() <= highest).collect(),
        }
    }

    /// The headers, name and value.
    pub fn to_headers(&self) -> [(&'static str, String); 3] {
        let versions: Vec<&str> = self.versions.iter().map(|version| version.as_str()).collect();
        let commands: Vec<&str> = self.commands.iter().map(|command| command.name()).collect();
        let newest = versions.last().copied().unwrap_or_default();
        [
            (SERVER, newest.to_owned()),
            (PROTOCOL_VERSIONS, versions.join(",")),
            (PROTOCOL_COMMANDS, commands.join(",")),
        ]
    }

    /// From the values of [`PROTOCOL_VERSIONS`] and [`PROTOCOL_COMMANDS`]; what is not known here
    /// is passed over.
    pub fn from_headers(versions: &str, commands: &str) -> Self {
        let mut versions: Vec<ProtocolVersion> =
            versions.split(',').filter_map(|version| version.parse().ok()).collect();
        versions.sort_unstable();
        let commands = commands.split(',').filter_map(|name| Command::from_name(name.trim()));
        Self { versions, commands: commands.collect() }
    }

    /// The newest version spoken by both sides, not above one.
    pub fn newest_up_to(&self, highest: ProtocolVersion) -> Option<ProtocolVersion> {
        self.versions.iter().copied().filter(|version| *version <= highest).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProtocolVersion::{V12_1, V14_1, V16_0, V16_1};

    #[test]
    fn headers_are_read_as_they_are_written() {
        let options = Options::between(V12_1, V16_1);
        let [(_, server), (_, versions), (_, commands)] = options.to_headers();
        assert_eq!((&*server, &*versions), ("16.1", "12.1,14.0,14.1,16.0,16.1"));
        assert!(commands.starts_with("Sync,SendMail,SmartForward,"), "{commands}");
        assert_eq!(Options::from_headers(&versions, &commands), options);
    }

    #[test]
    fn find_is_offered_with_16_1_only() {
        assert!(!Options::between(V12_1, V16_0).commands.contains(&Command::Find));
        assert!(Options::between(V16_1, V16_1).commands.contains(&Command::Find));
    }

    #[test]
    fn the_newest_common_version_is_found_among_unknown_ones() {
        let options = Options::from_headers("2.0, 2.5 ,12.0,14.1,12.1,99.0", "Sync,GetHierarchy");
        assert_eq!(options.versions, [V12_1, V14_1]);
        assert_eq!(options.commands, [Command::Sync]);
        assert_eq!(options.newest_up_to(V16_1), Some(V14_1));
        assert_eq!(options.newest_up_to(V12_1), Some(V12_1));
        assert_eq!(Options::from_headers("", "").newest_up_to(V16_1), None);
    }
}
