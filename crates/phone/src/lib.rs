//! dme-phone
