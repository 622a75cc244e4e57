//! dme-store
