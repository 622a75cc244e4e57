//! Real servers for tests, each in a folder of its own on free loopback ports, ended when
//! dropped. They are Debian's packages, run as root without systemd.

pub mod certificate;
pub mod chromium;
pub mod cyrus;
pub mod debian;
pub mod disk;
pub mod dnsmasq;
pub mod dovecot;
pub mod hanging;
pub mod host;
pub mod ports;
pub mod postfix;
pub mod postgres;
pub mod process;
pub mod radicale;
pub mod samba;
pub mod slapd;
pub mod xandikos;
