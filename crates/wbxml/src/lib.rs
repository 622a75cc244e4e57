//! WBXML ↔ tree, with the code pages of Exchange ActiveSync (MS-ASWBXML).
//!
//! Of WBXML 1.3 only what MS-ASWBXML 2.1.1 allows is read or written: tags, inline strings, opaque
//! data and page switches. Everything else (attributes, string tables, entities, literals,
//! extensions, processing instructions) is an error.

mod decode;
mod element;
mod encode;
pub mod pages;
mod show;

pub use decode::{DecodeError, Limits, Problem, decode};
pub use element::{Content, Element, Tag};
pub use encode::{Encoder, encode};
