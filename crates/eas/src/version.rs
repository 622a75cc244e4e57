//! The versions of the protocol (MS-ASHTTP 2.2.1.1.2.6).

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// A version of Exchange ActiveSync. Later ones compare greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ProtocolVersion {
    /// 12.1: Exchange 2007 SP1.
    V12_1,
    /// 14.0: Exchange 2010. Conversations, own encoding of sent mail.
    V14_0,
    /// 14.1: Exchange 2010 SP1. Body parts, pictures.
    V14_1,
    /// 16.0: Exchange 2016. Drafts, calendar without attendees' mail.
    V16_0,
    /// 16.1: Find, proposing new times, wiping one account.
    V16_1,
}

impl ProtocolVersion {
    /// All, in ascending order, as `MS-ASProtocolVersions` lists them.
    pub const ALL: [Self; 5] = [Self::V12_1, Self::V14_0, Self::V14_1, Self::V16_0, Self::V16_1];

    /// As `MS-ASProtocolVersion` has it: `14.1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V12_1 => "12.1",
            Self::V14_0 => "14.0",
            Self::V14_1 => "14.1",
            Self::V16_0 => "16.0",
            Self::V16_1 => "16.1",
        }
    }

    /// As the base64 form of the query has it: ten times the version (MS-ASHTTP 2.2.1.1.1.1).
    pub const fn as_byte(self) -> u8 {
        match self {
            Self::V12_1 => 121,
            Self::V14_0 => 140,
            Self::V14_1 => 141,
            Self::V16_0 => 160,
            Self::V16_1 => 161,
        }
    }

    /// From ten times the version.
    ///
    /// # Errors
    /// [`Error::Version`] for any version not spoken here.
    pub fn from_byte(byte: u8) -> Result<Self> {
        Self::ALL.into_iter().find(|version| version.as_byte() == byte).ok_or(Error::Version)
    }
}

impl FromStr for ProtocolVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        Self::ALL.into_iter().find(|version| version.as_str() == text).ok_or(Error::Version)
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_they_are_written_and_compare_by_age() {
        for version in ProtocolVersion::ALL {
            assert_eq!(version.as_str().parse(), Ok(version));
            assert_eq!(ProtocolVersion::from_byte(version.as_byte()), Ok(version));
        }
        assert!(ProtocolVersion::ALL.is_sorted());
        assert_eq!(" 14.1 ".parse(), Ok(ProtocolVersion::V14_1));
    }

    #[test]
    fn versions_not_spoken_here_are_refused() {
        for text in ["2.5", "12.0", "16.2", "14", "", "14.10"] {
            assert_eq!(text.parse::<ProtocolVersion>(), Err(Error::Version), "{text}");
        }
        assert_eq!(ProtocolVersion::from_byte(25), Err(Error::Version));
        assert_eq!(ProtocolVersion::from_byte(120), Err(Error::Version));
    }
}
