//! `PHOTO`: a picture within the card, in the form of each version.

use super::{
    MAX_PICTURE,
    card::{Card, Version},
    line::Line,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use dme_mime::decode;
use dme_model::Picture;

/// The line that holds the picture a phone is shown: the first within the card that is not too
/// large. One that lies elsewhere (`VALUE=uri`) is not fetched.
pub(super) fn find(card: &Card) -> Option<(usize, Picture)> {
    card.named("PHOTO").find_map(|line| Some((line.id, picture(line)?)))
}

fn picture(line: &Line) -> Option<Picture> {
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
    if encoded.len() / 4 * 3 > MAX_PICTURE + 2 {
        return None;
    }
    let bytes = decode::base64(encoded.as_bytes());
    let fits = !bytes.is_empty() && bytes.len() <= MAX_PICTURE;
    fits.then(|| Picture(bytes.into()))
}

/// Puts another picture in the place of those that could be shown, or takes them out.
pub(super) fn write(card: &mut Card, picture: Option<&Picture>) {
    // All that could be shown go: another one would come up in the place of one taken out.
    while let Some((id, _)) = find(card) {
        card.remove(id);
    }
    let Some(Picture(bytes)) = picture else { return };
    let encoded = STANDARD.encode(bytes);
    let kind = match bytes.get(..4) {
        Some([0x89, b'P', b'N', b'G']) => "png",
        Some(b"GIF8") => "gif",
        Some(b"RIFF") => "webp",
        _ => "jpeg",
    };
    let kinds = format!("TYPE={}", kind.to_ascii_uppercase());
    match card.version {
        Version::V4 => card.append("PHOTO", &[], &format!("data:image/{kind};base64,{encoded}")),
        Version::V3 => card.append("PHOTO", &["ENCODING=b", &kinds], &encoded),
        Version::V2 => card.append("PHOTO", &[&kinds, "ENCODING=BASE64"], &encoded),
    };
}
