//! Any bytes that an IMAP server may send are read or refused, however they are cut.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| dme_imap::read_responses(data));
