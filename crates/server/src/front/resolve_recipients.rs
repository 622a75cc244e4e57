//! ResolveRecipients (MS-ASCMD 2.2.1.15): names to addresses, from the directory.

use super::exchange::Exchange;
use super::failure::Failure;
use dme_directory::Person;
use dme_eas::CommonStatus;
use dme_eas::resolve_recipients::{
    CertificateRetrieval, Certificates, Recipient, RecipientType, Request, Resolved, Response,
    Status,
};
use dme_wbxml::Element;

/// How many are suggested where the phone does not say.
const SUGGESTIONS: u32 = 20;
/// How many are suggested at the most, whatever the phone says.
const MOST: u32 = 100;

pub(super) async fn handle(exchange: &Exchange<'_>, body: &Element) -> Result<Element, Failure> {
    let Ok(request) = Request::from_element(body) else {
        let response = Response { status: Status::ProtocolError, resolved: Vec::new() };
        return Ok(response.to_element(exchange.version));
    };
    let mut resolved = Vec::with_capacity(request.to.len());
    for name in &request.to {
        resolved.push(resolve(exchange, name, &request).await?);
    }
    let response = Response { status: Status::Success, resolved };
    Ok(response.to_element(exchange.version))
}

async fn resolve(
    exchange: &Exchange<'_>,
    name: &str,
    request: &Request,
) -> Result<Resolved, Failure> {
    let limit = request.options.max_ambiguous.unwrap_or(SUGGESTIONS).clamp(1, MOST);
    // One more than suggested tells whether there are more.
    let people = exchange.front().find_people(&exchange.device.user, name, limit + 1).await?;
    let exact = people.iter().find(|person| person.address.eq_ignore_ascii_case(name.trim()));
    let (status, shown) = match (exact, people.len()) {
        (Some(person), _) => (Status::Success, vec![person]),
        (None, 0) => (Status::NotResolved, Vec::new()),
        (None, 1) => (Status::Success, people.iter().collect()),
        (None, found) if found > limit as usize => {
            (Status::AmbiguousPartly, people.iter().take(limit as usize).collect())
        }
        (None, _) => (Status::Ambiguous, people.iter().collect()),
    };
    Ok(Resolved {
        to: name.to_owned(),
        status,
        count: u32::try_from(shown.len()).unwrap_or(u32::MAX),
        recipients: shown.into_iter().map(|person| recipient(person, request)).collect(),
    })
}

/// A person as the phone is told. Certificates, free/busy times and pictures are not known here,
/// and that is what is said of each that was asked for.
fn recipient(person: &Person, request: &Request) -> Recipient {
    let wanted = request
        .options
        .certificates
        .is_some_and(|retrieval| retrieval != CertificateRetrieval::None);
    Recipient {
        kind: RecipientType::Directory,
        display_name: person.display_name.clone().unwrap_or_else(|| person.address.clone()),
        email: person.address.clone(),
        availability: request
            .options
            .availability
            .map(|_| (CommonStatus::AvailabilityFailure.into(), None)),
        certificates: wanted.then(|| Certificates {
            status: Status::NoCertificate,
            recipient_count: 1,
            certificates: Vec::new(),
        }),
        picture: request.options.picture.map(|_| (CommonStatus::NoPicture.into(), None)),
    }
}
