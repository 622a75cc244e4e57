//! WBXML ↔ tree, with the code pages of Exchange ActiveSync (MS-ASWBXML).

mod element;

pub use element::{Content, Element, Tag};
