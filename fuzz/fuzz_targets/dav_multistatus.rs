//! Any bytes that a WebDAV server may send are read or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    dme_dav::read_multistatus(data);
});
