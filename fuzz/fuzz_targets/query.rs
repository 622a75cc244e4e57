//! Any query is read or refused; what is read is the same when written in either form.

#![no_main]

use dme_eas::ProtocolVersion;
use dme_eas::query::{Packed, RequestLine};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let Ok(line) = RequestLine::parse(query) else { return };

    let packed = line.packed.unwrap_or(Packed {
        version: ProtocolVersion::V14_1,
        policy_key: None,
        locale: 0,
    });
    // A query too long for one form, or for us, may be refused; it may not be another.
    if let Some(again) = line.to_base64(packed).ok().and_then(|text| RequestLine::parse(&text).ok())
    {
        assert_eq!(again, RequestLine { packed: Some(packed), ..line.clone() });
    }

    let mut plain = RequestLine { packed: None, ..line };
    plain.parameters.accept_multi_part = false;
    if let Ok(again) = RequestLine::parse(&plain.to_plain()) {
        assert_eq!(again, plain);
    }
});
