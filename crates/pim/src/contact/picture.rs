//! `PHOTO`: a picture within the card, in the form of each version.

use super::{
    MAX_PICTURE,
    card::{Card, Version},
    embedded,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use dme_model::Picture;

/// The line that holds the picture a phone is shown: the first within the card that is not too
/// large. One that lies elsewhere (`VALUE=uri`) is not fetched.
pub(super) fn find(card: &Card) -> Option<(usize, Picture)> {
    card.named("PHOTO").find_map(|line| {
        let bytes = embedded::bytes(line, MAX_PICTURE)?;
        Some((line.id, Picture(bytes.into())))
    })
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
