//! Any bytes that a script may be are read, and take our block and give it back.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| dme_sieve::read_script(data));
