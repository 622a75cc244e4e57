//! Bytes within a card, in the form of each version: pictures and certificates.

use super::line::Line;
use dme_mime::decode;

/// The bytes that a line holds, if they are no more than this. None of what lies elsewhere
/// (`VALUE=uri`): that is not fetched.
pub(super) fn bytes(line: &Line, limit: usize) -> Option<Vec<u8>> {
    let value = line.value();
    let value = value.trim();
    let encoded = match value.split_at_checked(5) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("data:") => {
            let (kind, data) = rest.split_once(',')?;
            kind.to_ascii_lowercase().ends_with(";base64").then_some(data)?
        }
        _ => {
            let encoding = line.parameter("ENCODING").unwrap_or_default();
            let encoded = ["b", "base64"].iter().any(|one| encoding.eq_ignore_ascii_case(one));
            // 2.1 knows it without the parameter's name.
            let bare = || line.types().iter().any(|one| one == "BASE64");
            (encoded || bare()).then_some(value)?
        }
    };
    if encoded.len() / 4 * 3 > limit + 2 {
        return None;
    }
    let bytes = decode::base64(encoded.as_bytes());
    (!bytes.is_empty() && bytes.len() <= limit).then_some(bytes)
}
