//! Any bytes that a ManageSieve server may send are read or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| dme_sieve::read_responses(data));
