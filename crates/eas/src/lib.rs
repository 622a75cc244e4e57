//! dme-eas
