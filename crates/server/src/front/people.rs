//! People of the directory, as Search, Find and ResolveRecipients show them.

use super::exchange::Exchange;
use super::failure::{Failure, LATER};
use super::room::Room;
use super::search::{MOST, RESULTS};
use dme_directory::{
    Details, DirectoryEntry, DirectoryService, PeopleFound, PeopleSearch, PhotoLimits,
};
use dme_eas::gal::{Person, PictureLimits, PictureStatus};
use dme_eas::range::Range;

/// The largest picture that is given, in bytes (MS-ASCMD 2.2.3.105).
const MAX_PICTURE: u32 = 100 * 1024;

/// A page of people.
pub(super) struct Page {
    /// They, as far as there are any on this page.
    pub people: Vec<Person>,
    /// The number of the first, counted from 0.
    pub first: u32,
    /// How many there are, as far as was looked.
    pub total: u32,
}

/// The page of a range; none where it begins beyond what can be fetched.
pub(super) async fn page(
    exchange: &Exchange<'_>,
    text: &str,
    range: Option<Range>,
    picture: Option<PictureLimits>,
) -> Result<Option<Page>, Failure> {
    let range = range.or(Range::new(0, RESULTS - 1));
    let (first, last) = range.map_or((0, 0), |range| (range.first(), range.last()));
    if first >= MOST {
        return Ok(None);
    }
    let limit = last.min(MOST - 1) - first + 1;
    let details = Details { photos: picture.map(photo_limits), certificates: false };
    let PeopleFound { entries, total } = search(exchange, text, first, limit, details).await?;
    let mut room = Room::new(exchange.front().limits.answer.0);
    let people = entries.into_iter().map(|entry| shown(entry, &mut room));
    Ok(Some(Page { people: people.collect(), first, total }))
}

/// Looks for people of the user's own organisation, on behalf of the user.
pub(super) async fn search(
    exchange: &Exchange<'_>,
    text: &str,
    first: u32,
    limit: u32,
    details: Details,
) -> Result<PeopleFound, Failure> {
    let front = exchange.front();
    let asking = exchange.device.user.clone();
    let realm = asking.realm();
    let Some(directory) = realm.and_then(|realm| front.directories.get(&realm)) else {
        return Ok(PeopleFound::default());
    };
    let search = PeopleSearch { asking, text: text.trim().to_owned(), first, limit, details };
    match tokio::time::timeout(front.times.call.0, directory.search(&search)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the directory could not be searched");
            Err(Failure::Later(LATER))
        }
        Err(_) => Err(Failure::Later(LATER)),
    }
}

/// What a phone's limits come to.
pub(super) fn photo_limits(limits: PictureLimits) -> PhotoLimits {
    PhotoLimits {
        bytes: limits.max_size.unwrap_or(MAX_PICTURE).min(MAX_PICTURE),
        count: limits.max_pictures.unwrap_or(u32::MAX),
    }
}

/// A picture, or why there is none. A picture for which the answer has no room is one too many.
pub(super) fn picture(
    photo: dme_directory::Photo,
    room: &mut Room,
) -> (PictureStatus, Option<Vec<u8>>) {
    use dme_directory::Photo;
    match photo {
        Photo::Here(_) if room.is_none() => (PictureStatus::LimitReached, None),
        Photo::Here(bytes) => {
            room.take(bytes.0.len() as u64);
            (PictureStatus::Success, Some(bytes.0))
        }
        Photo::None => (PictureStatus::None, None),
        Photo::TooLarge => (PictureStatus::TooLarge, None),
        Photo::LimitReached => (PictureStatus::LimitReached, None),
    }
}

/// An entry of the directory, as a phone is shown it.
fn shown(entry: DirectoryEntry, room: &mut Room) -> Person {
    let name = entry.name().to_owned();
    let DirectoryEntry { address, alias, card, photo, .. } = entry;
    Person {
        display_name: Some(name),
        phone: card.phone,
        office: card.office,
        title: card.title,
        company: card.company,
        alias,
        first_name: card.first_name,
        last_name: card.last_name,
        home_phone: card.home_phone,
        mobile_phone: card.mobile_phone,
        email: Some(address),
        picture: photo.map(|photo| picture(photo, room)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_directory::{Binary, Photo};

    #[test]
    fn a_picture_for_which_there_is_no_room_is_one_too_many() {
        let mut room = Room::new(10);
        let mut take = |size| picture(Photo::Here(Binary(vec![0xFF; size])), &mut room).0;
        assert_eq!(take(9), PictureStatus::Success);
        assert_eq!(take(9), PictureStatus::Success, "what it is full with is given");
        assert_eq!(take(1), PictureStatus::LimitReached);
    }

    #[test]
    fn a_phone_is_given_no_larger_pictures_than_the_protocol_allows() {
        let limits =
            |max_size, max_pictures| photo_limits(PictureLimits { max_size, max_pictures });
        assert_eq!(limits(None, None), PhotoLimits { bytes: 102_400, count: u32::MAX });
        assert_eq!(limits(Some(1_000_000), Some(3)), PhotoLimits { bytes: 102_400, count: 3 });
        assert_eq!(limits(Some(10), Some(0)), PhotoLimits { bytes: 10, count: 0 });
    }
}
