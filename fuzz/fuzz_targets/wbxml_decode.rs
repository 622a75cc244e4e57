//! Any bytes are read or refused; what is read, written and read again is the same.

#![no_main]

use bytes::Bytes;
use dme_wbxml::{Limits, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits { depth: 24, elements: 5_000, value: 1 << 16 };
    let Ok(element) = decode(&Bytes::copy_from_slice(data), &limits) else { return };
    let again = decode(&Bytes::from(encode(&element)), &Limits::default());
    assert_eq!(again.as_ref(), Ok(&element), "{}", element.with_contents());
    assert!(element.to_string().len() < 64 * (data.len() + 1) * 24);
});
