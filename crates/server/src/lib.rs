//! dme-server
