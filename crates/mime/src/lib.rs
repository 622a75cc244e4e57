//! dme-mime
