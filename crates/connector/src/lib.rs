//! dme-connector
