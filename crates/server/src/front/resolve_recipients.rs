//! ResolveRecipients (MS-ASCMD 2.2.1.15): names to addresses, from the directory.

use super::availability::Availability;
use super::certificates::usable;
use super::exchange::Exchange;
use super::failure::Failure;
use super::people::{photo_limits, picture, search};
use super::room::Room;
use dme_directory::{Details, DirectoryEntry, PeopleFound, Relevance, Terms};
use dme_eas::gal::PictureStatus;
use dme_eas::resolve_recipients::{
    CertificateRetrieval, Certificates, Options, Recipient, RecipientType, Request, Resolved,
    Response, Status,
};
use dme_eas::{CommonStatus, ProtocolVersion};
use dme_wbxml::Element;
use futures_util::future;

/// How many are suggested where the phone does not say.
const SUGGESTIONS: u32 = 20;
/// How many are suggested at the most, whatever the phone says.
const MOST: u32 = 100;
/// How many of a request are looked for at once.
const AT_ONCE: usize = 8;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        let response = Response { status: Status::ProtocolError, resolved: Vec::new() };
        return Ok(response.to_element(exchange.version));
    };
    let options = &request.options;
    let mut looked_up: Vec<Matches> = Vec::with_capacity(request.to.len());
    for several in request.to.chunks(AT_ONCE) {
        let several: Vec<_> = several.iter().map(|name| look_up(exchange, name, options)).collect();
        looked_up.extend(future::try_join_all(several).await?);
    }
    let availability = match options.availability {
        Some(span) => {
            let sure = looked_up.iter().filter(|found| found.status == Status::Success);
            let addresses = sure.flat_map(|found| &found.shown).map(|entry| entry.address.clone());
            Some(Availability::ask(exchange, span, addresses.collect()).await)
        }
        None => None,
    };
    let mut answer = Answer {
        options,
        availability,
        room: Room::new(exchange.front().limits.answer.0),
        certificates_left: options.max_certificates.unwrap_or(u32::MAX),
        now: exchange.now,
    };
    let resolved = request.to.iter().zip(looked_up).map(|(to, found)| answer.resolved(to, found));
    let response = Response { status: Status::Success, resolved: resolved.collect() };
    Ok(response.to_element(exchange.version))
}

/// Who matches a name.
struct Matches {
    status: Status,
    /// How many in all.
    count: u32,
    shown: Vec<DirectoryEntry>,
}

/// Finds who is meant. What costs more is then read of those alone who are shown.
async fn look_up(
    exchange: &Exchange<'_>,
    name: &str,
    options: &Options,
) -> Result<Matches, Failure> {
    let suggestions = options.max_ambiguous.unwrap_or(SUGGESTIONS).min(MOST);
    // Two tell whether there are several.
    let limit = suggestions.max(2);
    let found = search(exchange, name, 0, limit, Details::default()).await?;
    let (status, first, length) = judge(name, &found, suggestions);
    let certificates = status == Status::Success && wants_certificates(options);
    let asked = options.picture.filter(|_| exchange.version >= ProtocolVersion::V14_1);
    let details = Details { photos: asked.map(photo_limits), certificates };
    let count = if status == Status::Success { 1 } else { found.total };
    let mut shown: Vec<_> = found.entries.into_iter().skip(first).take(length).collect();
    if details != Details::default() && !shown.is_empty() {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let again = search(exchange, name, number(first), number(length), details).await?;
        // The directory may have changed meanwhile.
        for entry in again.entries {
            if let Some(place) = shown.iter_mut().find(|shown| shown.id == entry.id) {
                *place = entry;
            }
        }
    }
    Ok(Matches { status, count, shown })
}

/// Whether somebody is meant, and which of those found are shown: from which on, and how many.
fn judge(name: &str, found: &PeopleFound, suggestions: u32) -> (Status, usize, usize) {
    let is_exact = |entry: &DirectoryEntry| {
        Terms::parse(name).and_then(|terms| terms.relevance(entry)) == Some(Relevance::Exact)
    };
    let exact: Vec<usize> =
        (0..).zip(&found.entries).filter(|(_, e)| is_exact(e)).map(|(place, _)| place).collect();
    match (&exact[..], found.total) {
        (_, 0) => (Status::NotResolved, 0, 0),
        ([one], _) => (Status::Success, *one, 1),
        (_, 1) => (Status::Success, 0, 1),
        (_, total) if total > suggestions => {
            (Status::AmbiguousPartly, 0, usize::try_from(suggestions).unwrap_or(usize::MAX))
        }
        _ => (Status::Ambiguous, 0, found.entries.len()),
    }
}

fn wants_certificates(options: &Options) -> bool {
    options.certificates.is_some_and(|retrieval| retrieval != CertificateRetrieval::None)
}

/// What all recipients of an answer share.
struct Answer<'a> {
    options: &'a Options,
    availability: Option<Availability>,
    room: Room,
    certificates_left: u32,
    now: dme_model::Timestamp,
}

impl Answer<'_> {
    fn resolved(&mut self, to: &str, found: Matches) -> Resolved {
        let Matches { status, count, shown } = found;
        let recipients = shown.into_iter().map(|entry| self.recipient(entry, status)).collect();
        Resolved { to: to.to_owned(), status, count, recipients }
    }

    fn recipient(&mut self, entry: DirectoryEntry, status: Status) -> Recipient {
        let resolved = status == Status::Success;
        Recipient {
            kind: RecipientType::Directory,
            display_name: entry.name().to_owned(),
            availability: self
                .availability
                .as_ref()
                .filter(|_| resolved)
                .map(|availability| availability.of(&entry.address)),
            email: entry.address,
            certificates: (resolved && wants_certificates(self.options)).then(|| {
                self.certificates(entry.certificates.into_iter().map(|bytes| bytes.0).collect())
            }),
            picture: entry.photo.map(|photo| {
                let (status, bytes) = picture(photo, &mut self.room);
                (picture_status(status), bytes)
            }),
        }
    }

    /// A recipient's certificates: all of them or none (MS-ASCMD 2.2.3.101). They are whole ones
    /// also where short ones are asked for, whose form no document gives. A list has none: its
    /// members' are not gathered, and a phone then knows that not everybody can read what it
    /// encrypts.
    fn certificates(&mut self, known: Vec<Vec<u8>>) -> Certificates {
        let certificates = usable(known, self.now);
        let count = u32::try_from(certificates.len()).unwrap_or(u32::MAX);
        let answer = |status, certificates| Certificates {
            status,
            certificate_count: count,
            recipient_count: 1,
            certificates,
        };
        if count == 0 {
            return answer(Status::NoCertificate, Vec::new());
        }
        if count > self.certificates_left || self.room.is_none() {
            return answer(Status::CertificateLimit, Vec::new());
        }
        self.certificates_left -= count;
        for certificate in &certificates {
            self.room.take(certificate.len() as u64);
        }
        answer(Status::Success, certificates)
    }
}

/// A picture's status in this command (MS-ASCMD 2.2.3.177.12).
fn picture_status(status: PictureStatus) -> Status {
    match status {
        PictureStatus::Success => Status::Success,
        PictureStatus::None | PictureStatus::Unknown(_) => CommonStatus::NoPicture.into(),
        PictureStatus::TooLarge => CommonStatus::PictureTooLarge.into(),
        PictureStatus::LimitReached => CommonStatus::PictureLimitReached.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str], total: u32) -> PeopleFound {
        let entries = names.iter().map(|name| DirectoryEntry {
            id: (*name).into(),
            address: format!("{name}@example.org"),
            display_name: Some((*name).into()),
            ..DirectoryEntry::default()
        });
        PeopleFound { entries: entries.collect(), total }
    }

    #[test]
    fn who_is_meant_is_told_from_who_may_be() {
        let all = found(&["ann", "anna", "anne"], 3);
        for (name, found, suggestions, expected) in [
            ("ann", &all, 20, (Status::Success, 0, 1)),
            ("ANNA@example.org", &all, 20, (Status::Success, 1, 1)),
            ("an", &all, 20, (Status::Ambiguous, 0, 3)),
            ("an", &all, 3, (Status::Ambiguous, 0, 3)),
            ("an", &all, 2, (Status::AmbiguousPartly, 0, 2)),
            ("an", &all, 0, (Status::AmbiguousPartly, 0, 0)),
            ("an", &found(&["anna"], 1), 0, (Status::Success, 0, 1)),
            ("bob", &found(&[], 0), 20, (Status::NotResolved, 0, 0)),
            // Two of one name.
            ("ann", &found(&["ann", "ann"], 2), 20, (Status::Ambiguous, 0, 2)),
        ] {
            assert_eq!(judge(name, found, suggestions), expected, "{name}, {suggestions}");
        }
    }
}
