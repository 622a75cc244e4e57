//! dme-files
