//! Whole journeys on real parts: the `dme` binary as server and connector, Dovecot, Postfix and
//! OpenLDAP, and a simulated phone.

mod access;
mod architecture;
mod cli;
mod journey;
mod outage;
mod protocol;
mod protocol_decoder;
mod protocol_mail;
mod protocol_policy;
mod protocol_pyactivesync;
mod protocol_shape;
mod protocol_text;
mod site;
