//! `ORGANIZER` and `ATTENDEE` (RFC 5545 §3.8.4).

use super::line::Line;
use super::object::Component;
use super::text;
use dme_model::{Address, Attendee, AttendeeKind, Participation, Proposal};

/// How many attendees of an event are shown. Those beyond stay in the object untouched.
pub const MAX_ATTENDEES: usize = 500;

/// The user: every address that is theirs.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a>(pub(crate) &'a [String]);

impl Owner<'_> {
    pub(crate) fn is(&self, email: &str) -> bool {
        self.0.iter().any(|one| one.eq_ignore_ascii_case(email))
    }

    /// Whether the event is the user's own: they organise it, or nobody does.
    pub(crate) fn organises(&self, event: &Component) -> bool {
        event.line("ORGANIZER").is_none_or(|line| self.is(&email(line)))
    }

    /// The user's own line among those of the attendees.
    pub(crate) fn line<'a>(&self, event: &'a Component) -> Option<&'a Line> {
        event.all("ATTENDEE").find(|line| self.is(&email(line)))
    }
}

/// The address of a person's line.
pub(crate) fn email(line: &Line) -> String {
    let uri = line.value().trim();
    match uri.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => {
            let address = uri.get(7..).unwrap_or_default();
            percent_decoded(address.split('?').next().unwrap_or(address).trim())
        }
        // Servers that name people by other URIs tell the address beside (RFC 7986 §6.2).
        _ => line.parameter("EMAIL").unwrap_or(uri).trim().to_owned(),
    }
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    super::uri::percent_decode(text)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|decoded| !decoded.contains(char::is_control))
        .unwrap_or_else(|| text.to_owned())
}

pub(crate) fn address(line: &Line) -> Address {
    let name = line.parameter("CN").map(text::one_line).filter(|name| !name.is_empty());
    Address { name, email: email(line) }
}

/// Whether mail can be sent there: one address and nothing that could be more.
pub(crate) fn is_reachable(email: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c);
    email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    }) && !email.contains(odd)
}

/// The `mailto` URI of an address.
pub(crate) fn uri(email: &str) -> String {
    format!("mailto:{email}")
}

pub(crate) fn participation(line: &Line) -> Participation {
    match line.parameter("PARTSTAT").map(str::to_ascii_uppercase).as_deref() {
        Some("ACCEPTED" | "COMPLETED" | "IN-PROCESS") => Participation::Accepted,
        Some("TENTATIVE") => Participation::Tentative,
        // To whom it was delegated has a line of their own.
        Some("DECLINED" | "DELEGATED") => Participation::Declined,
        _ => Participation::NeedsAction,
    }
}

pub(crate) fn partstat(participation: Participation) -> &'static str {
    match participation {
        Participation::NeedsAction => "NEEDS-ACTION",
        Participation::Accepted => "ACCEPTED",
        Participation::Tentative => "TENTATIVE",
        Participation::Declined => "DECLINED",
    }
}

pub(crate) fn kind(line: &Line) -> AttendeeKind {
    let cutype = line.parameter("CUTYPE").unwrap_or_default().to_ascii_uppercase();
    match (cutype.as_str(), line.parameter("ROLE").map(str::to_ascii_uppercase).as_deref()) {
        ("RESOURCE" | "ROOM", _) => AttendeeKind::Resource,
        // Exchange's way to write a room.
        (_, Some("NON-PARTICIPANT")) if cutype.is_empty() => AttendeeKind::Resource,
        (_, Some("OPT-PARTICIPANT" | "NON-PARTICIPANT")) => AttendeeKind::Optional,
        _ => AttendeeKind::Required,
    }
}

fn set_kind(line: &mut Line, new: AttendeeKind) {
    if kind(line) == new {
        return;
    }
    let cutype = line.parameter("CUTYPE").unwrap_or_default().to_ascii_uppercase();
    let was_thing = matches!(cutype.as_str(), "RESOURCE" | "ROOM");
    match new {
        AttendeeKind::Resource => line.set_parameter("CUTYPE", Some("RESOURCE")),
        _ if was_thing => line.set_parameter("CUTYPE", None),
        _ => {}
    }
    line.set_parameter(
        "ROLE",
        Some(match new {
            AttendeeKind::Required => "REQ-PARTICIPANT",
            AttendeeKind::Optional => "OPT-PARTICIPANT",
            AttendeeKind::Resource => "NON-PARTICIPANT",
        }),
    );
}

/// The parameter in which an attendee's proposal of another time is kept: begin and end in UTC,
/// parted by a slash. iCalendar has no place for it in the organiser's event.
pub(crate) const PROPOSAL: &str = "X-DME-PROPOSAL";

pub(crate) fn proposal(line: &Line) -> Option<Proposal> {
    let (start, end) = line.parameter(PROPOSAL)?.split_once('/')?;
    let moment = |text| Some(super::value::DateTime::parse(text)?.local.as_utc());
    Some(Proposal { start: moment(start)?, end: moment(end)? })
}

pub(crate) fn set_proposal(line: &mut Line, proposal: Option<Proposal>) {
    let text = proposal
        .map(|one| format!("{}/{}", super::value::utc(one.start), super::value::utc(one.end)));
    line.set_parameter(PROPOSAL, text.as_deref());
}

/// Which attendees are shown: without the organiser, each address once.
fn shown(event: &Component) -> impl Iterator<Item = (String, &Line)> {
    let organizer = event.line("ORGANIZER").map(email).unwrap_or_default();
    let mut seen = std::collections::BTreeSet::new();
    event
        .all("ATTENDEE")
        .map(|line| (email(line), line))
        .filter(move |(email, _)| {
            !email.is_empty()
                && !email.eq_ignore_ascii_case(&organizer)
                && seen.insert(email.to_ascii_lowercase())
        })
        .take(MAX_ATTENDEES)
}

pub(crate) fn attendees(event: &Component) -> Vec<Attendee> {
    shown(event)
        .map(|(_, line)| Attendee {
            address: address(line),
            kind: kind(line),
            participation: participation(line),
            proposal: proposal(line),
        })
        .collect()
}

/// Makes the attendees these. Who stays keeps their line and what it says beside; an answer that
/// is there is not taken back. Those who were not shown stay.
pub(crate) fn set_attendees(event: &mut Component, new: &[Attendee]) {
    let key = |email: &str| email.to_ascii_lowercase();
    let before: Vec<String> = shown(event).map(|(email, _)| key(&email)).collect();
    let wanted = |email: &str| new.iter().find(|one| key(&one.address.email) == key(email));
    event.retain_lines(|line| {
        !line.is("ATTENDEE") || {
            let email = email(line);
            !before.contains(&key(&email)) || wanted(&email).is_some()
        }
    });
    for line in event.lines_mut().filter(|line| line.is("ATTENDEE")) {
        let email = email(line);
        let Some(one) = wanted(&email).filter(|_| before.contains(&key(&email))) else { continue };
        set_kind(line, one.kind);
        if participation(line) == Participation::NeedsAction
            && one.participation != Participation::NeedsAction
        {
            line.set_parameter("PARTSTAT", Some(partstat(one.participation)));
        }
        if one.address.name.is_some() && one.address.name != address(line).name {
            line.set_parameter("CN", one.address.name.as_deref());
        }
    }
    let mut added = before;
    for one in new {
        if !added.contains(&key(&one.address.email)) && !one.address.email.is_empty() {
            added.push(key(&one.address.email));
            event.push(attendee_line(one));
        }
    }
}

fn attendee_line(one: &Attendee) -> Line {
    let mut line = Line::new("ATTENDEE", uri(&one.address.email));
    line.set_parameter("CN", one.address.name.as_deref());
    if one.kind == AttendeeKind::Resource {
        line.set_parameter("CUTYPE", Some("RESOURCE"));
    }
    let role = match one.kind {
        AttendeeKind::Required => "REQ-PARTICIPANT",
        AttendeeKind::Optional => "OPT-PARTICIPANT",
        AttendeeKind::Resource => "NON-PARTICIPANT",
    };
    line.with("ROLE", role).with("PARTSTAT", partstat(one.participation)).with("RSVP", "TRUE")
}

/// A person's line of this name.
pub(crate) fn line(name: &str, who: &Address) -> Line {
    let mut line = Line::new(name, uri(&who.email));
    line.set_parameter("CN", who.name.as_deref());
    line
}
