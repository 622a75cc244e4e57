//! dme-imap
