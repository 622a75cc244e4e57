//! What can go wrong with an object.

use dme_model::PartId;

/// Why an object could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is larger than is read.
    #[error("object of {size} bytes is larger than {limit}; make it smaller in another program")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most that is read.
        limit: usize,
    },
    /// It makes no item. The reason holds nothing of its content.
    #[error("object makes no item: {0}; mend it in another program")]
    Unconvertible(&'static str),
    /// An attachment is asked for that it does not have.
    #[error("object has no attachment {0}")]
    NoSuchPart(PartId),
    /// An instance is named on which the series does not fall.
    #[error("series has no instance at the time that was named")]
    NoSuchInstance,
    /// The edit is of another class than the object, or makes no sense for it.
    #[error("edit does not fit the object: {0}")]
    Misfit(&'static str),
    /// A list of people (`KIND:group`), which phones have no place for.
    #[error("card is of a group of people, not of a person")]
    Group,
}
