//! dme-testkit
