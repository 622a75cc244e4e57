//! dme-routing
