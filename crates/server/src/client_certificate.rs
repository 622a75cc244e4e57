//! The certificate that a phone showed to a proxy which ended its TLS, as the proxy hands it on
//! (RFC 9440).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_link::Fingerprint;
use http::{HeaderMap, HeaderName};

/// The longest header that is read, in bytes.
const LONGEST: usize = 16 << 10;

/// The key of the certificate in a header: a byte sequence of RFC 8941 §3.3.5, the certificate in
/// DER as base64 between colons. None where there is none, or anything else, or several: then nobody
/// can tell which of them the proxy wrote.
pub fn handed_on(headers: &HeaderMap, name: &HeaderName) -> Option<Fingerprint> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let value = value.as_bytes().trim_ascii();
    let inner = value.strip_prefix(b":")?.strip_suffix(b":")?;
    if inner.len() > LONGEST {
        return None;
    }
    Fingerprint::of_certificate(&STANDARD.decode(inner).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_link::Authority;
    use std::time::Duration;

    #[test]
    fn one_certificate_is_read_and_whatever_else_stands_there_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let made = authority.device_identity("ann@example.org", Duration::from_secs(60)).unwrap();
        let text = STANDARD.encode(&made.certificate);
        let name = HeaderName::from_static("client-cert");
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(&name, value.parse().unwrap());
            }
            handed_on(&headers, &name)
        };
        let good = format!(":{text}:");
        assert_eq!(read(&[&good]), Some(made.fingerprint));
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[&good, &good]), None, "of two, one is not the proxy's");
        for wrong in ["", ":", "::", ":AAAA:", ":?:", &text, &format!(":{text}")] {
            assert_eq!(read(&[wrong]), None, "{wrong}");
        }
    }
}
