//! Whole journeys on real parts: the `dme` binary as server and connector, Dovecot, Postfix, OpenLDAP
//! and Samba, and a simulated phone.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

mod access;
mod account;
mod active_directory;
mod address_book;
mod address_list;
mod again;
mod answers;
mod architecture;
mod cli;
mod companies;
mod configure;
mod console;
mod console_journeys;
mod console_openapi;
mod console_openid;
mod console_pages;
mod console_rules;
mod console_signing_in;
mod failures;
mod journey;
mod kill;
mod limits;
mod mailboxes;
mod my;
mod my_journeys;
mod outage;
mod property;
mod protocol;
mod protocol_decoder;
mod protocol_drafts;
mod protocol_finding;
mod protocol_folders;
mod protocol_http;
mod protocol_items;
mod protocol_people;
mod protocol_policy;
mod protocol_pyactivesync;
mod protocol_rules;
mod protocol_sending;
mod protocol_shape;
mod protocol_sizes;
mod protocol_text;
mod protocol_thunderbird;
mod protocol_wholes;
mod realms;
mod records;
mod second_connector;
mod simulation;
mod site;
mod situations;
mod tokens;
mod two_hosts;
mod vacation;
