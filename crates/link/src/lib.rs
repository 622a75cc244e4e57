//! dme-link
