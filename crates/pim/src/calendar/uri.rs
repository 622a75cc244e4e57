//! `data:` URIs (RFC 2397) and what is escaped with percent signs.

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

/// Media type (lower case) and content of a `data:` URI.
pub(crate) fn data(uri: &str) -> Option<(String, Vec<u8>)> {
    let scheme = uri.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"))?;
    let (head, content) = uri.get(scheme.len()..)?.split_once(',')?;
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
}
