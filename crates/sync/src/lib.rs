//! dme-sync
