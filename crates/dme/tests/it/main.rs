//! Whole journeys on real parts: the `dme` binary as server and connector, Dovecot, Postfix and
//! OpenLDAP, and a simulated phone.

mod access;
mod architecture;
mod cli;
mod journey;
mod outage;
mod site;
