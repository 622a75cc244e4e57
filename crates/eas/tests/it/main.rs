//! The codec against what the documentation says of it.

mod elements;
mod items;
