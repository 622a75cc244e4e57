//! How many photos an answer has, and how large ones (MS-ASCMD 2.2.3.104, 2.2.3.105).

use super::{Binary, Photo, PhotoLimits};

/// Bytes of all photos in an answer.
const ALL_PHOTOS: usize = 8 << 20;

/// The photos given so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Album {
    limits: PhotoLimits,
    given: u32,
    bytes: usize,
}

impl Album {
    /// One without a photo yet.
    pub(crate) fn new(limits: PhotoLimits) -> Self {
        Self { limits, given: 0, bytes: 0 }
    }

    /// Whether no more photos are given.
    pub(crate) fn is_full(&self) -> bool {
        self.given >= self.limits.count || self.bytes >= ALL_PHOTOS
    }

    /// What the next one gets: the photo, or why not. When full, it need not be a whole one.
    pub(crate) fn take(&mut self, photo: Option<Vec<u8>>) -> Photo {
        let Some(photo) = photo else { return Photo::None };
        if u32::try_from(photo.len()).unwrap_or(u32::MAX) > self.limits.bytes {
            return Photo::TooLarge;
        }
        if self.is_full() {
            return Photo::LimitReached;
        }
        self.given += 1;
        self.bytes += photo.len();
        Photo::Here(Binary(photo))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_are_given_up_to_the_limits_and_the_rest_is_told_why() {
        let mut album = Album::new(PhotoLimits { bytes: 10, count: 2 });
        let sizes = [Some(3), None, Some(11), Some(10), Some(1), Some(11), None];
        let given = sizes.map(|size| album.take(size.map(|size| vec![0xFF; size])));
        let here = |size| Photo::Here(Binary(vec![0xFF; size]));
        let expected = [
            here(3),
            Photo::None,
            Photo::TooLarge,
            here(10),
            Photo::LimitReached,
            Photo::TooLarge,
            Photo::None,
        ];
        assert_eq!(given, expected);
    }
}
