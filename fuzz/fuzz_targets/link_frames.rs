//! Any bytes that a link's peer may send are read or refused, however they are cut.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| dme_link::read_frames(data));
