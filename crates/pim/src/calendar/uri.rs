//! `data:` URIs (RFC 2397), addresses of the web, and what is escaped with percent signs.

use base64::Engine;

/// The bytes that a text with percent escapes stands for.
pub(crate) fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(out)
}

/// The text with all but letters, digits and a few marks escaped.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Whether a URI is of a scheme (RFC 3986 §3.1).
pub(crate) fn has_scheme(uri: &str, scheme: &str) -> bool {
    uri.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(scheme))
}

/// The host (with its port) and the path of an address of the web, which any phone can open; none of
/// any other URI.
pub(crate) fn host_and_path(uri: &str) -> Option<(&str, &str)> {
    let (_, rest) = uri.split_once(':')?;
    let is_web = ["http", "https"].iter().any(|scheme| has_scheme(uri, scheme));
    let whole = rest.strip_prefix("//").filter(|_| is_web)?;
    let whole = whole.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = whole.split_once('/').unwrap_or((whole, ""));
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty())?;
    Some((host, path))
}

/// The media type of a `data:` URI; none where it names none.
pub(crate) fn data_type(uri: &str) -> Option<String> {
    let (head, _) = data_parts(uri)?;
    let media_type = head.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!media_type.is_empty()).then_some(media_type)
}

/// What stands before the content of a `data:` URI, and the content.
fn data_parts(uri: &str) -> Option<(&str, &str)> {
    uri.split_once(':').filter(|_| has_scheme(uri, "data"))?.1.split_once(',')
}

/// Media type (lower case) and content of a `data:` URI.
pub(crate) fn data(uri: &str) -> Option<(String, Vec<u8>)> {
    let (head, content) = data_parts(uri)?;
    let mut parts = head.split(';');
    let media_type = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let content = if parts.any(|part| part.trim().eq_ignore_ascii_case("base64")) {
        base64(content)?
    } else {
        percent_decode(content)?
    };
    Some((media_type, content))
}

/// Content in base64, with or without padding and spaces.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').collect();
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_uris_are_read() {
        for (uri, media_type, content) in [
            ("data:text/html,%3Cb%3Ea%3C%2Fb%3E", "text/html", "<b>a</b>"),
            ("DATA:text/plain;charset=utf-8;base64,YWI", "text/plain", "ab"),
            ("data:,x", "", "x"),
        ] {
            let found = data(uri).unwrap();
            assert_eq!(found, (media_type.to_owned(), content.as_bytes().to_vec()), "{uri}");
        }
        for uri in ["", "data:", "http://x/,", "data:,%4", "data:,%ä", "data:;base64,*"] {
            assert_eq!(data(uri), None, "{uri}");
        }
        assert_eq!(percent_decode(&percent_encode("ä b%")).unwrap(), "ä b%".as_bytes());
    }

    #[test]
    fn addresses_of_the_web_are_told_from_others() {
        for (uri, host, path) in [
            ("https://x.example", "x.example", ""),
            ("HTTP://x.example:8080/a/b%20c.pdf?d=/e#f", "x.example:8080", "a/b%20c.pdf"),
            ("https://bank.example@x.example/a", "x.example", "a"),
        ] {
            assert_eq!(host_and_path(uri), Some((host, path)), "{uri}");
        }
        for uri in ["", "/f/4711", "https:x", "https://", "https:///a", "file://x/a", "CID:a@b"] {
            assert_eq!(host_and_path(uri), None, "{uri}");
        }
    }
}
