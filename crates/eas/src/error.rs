//! Why a command, a query or a value in one is not understood.

use dme_wbxml::Tag;

/// The result of reading a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with a command. Names elements, never their content, so that it can be logged.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The root, or the element read, is another one.
    #[error("<{found}> stands where <{expected}> must")]
    Unexpected {
        /// What must be there.
        expected: Tag,
        /// What is there.
        found: Tag,
    },
    /// A required element is not there.
    #[error("<{element}> is missing in <{parent}>")]
    Missing {
        /// Where it must be.
        parent: Tag,
        /// What is missing.
        element: Tag,
    },
    /// An element's content is not of its type.
    #[error("<{element}> does not hold {expected}")]
    Value {
        /// Which element.
        element: Tag,
        /// What it must hold.
        expected: &'static str,
    },
    /// Elements that must not be together.
    #[error("<{0}> and <{1}> exclude each other")]
    Conflict(Tag, Tag),
    /// More elements of a kind than are taken.
    #[error("more than {limit} <{element}>")]
    TooMany {
        /// Which.
        element: Tag,
        /// How many are taken.
        limit: usize,
    },
    /// The protocol version asked for is not spoken here.
    #[error("protocol version is not one of 12.1, 14.0, 14.1, 16.0, 16.1")]
    Version,
    /// The command asked for is not one of the protocol's.
    #[error("query: the command is not known")]
    Command,
    /// The request line names no device, or one whose id or type is not one.
    #[error("query: {expected}")]
    Device {
        /// What is wrong, as the command's answer says it: 108 or 109.
        status: crate::CommonStatus,
        /// What must be there.
        expected: &'static str,
    },
    /// The request line's query is wrong; which part of it and how.
    #[error("query: {0}")]
    Query(&'static str),
}
