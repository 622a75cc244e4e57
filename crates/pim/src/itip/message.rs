//! The mail that carries what is said of a meeting.

use super::words::Words;
use crate::calendar::{
    Writing,
    line::Line,
    object::{Component, Node, Object},
    timezone,
};
use dme_mime::compose::{MeetingMail, meeting};
use dme_model::{Address, Notice, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// What is said to whom.
pub(crate) struct Message {
    pub(crate) method: &'static str,
    /// The components, as yet with all that stands in them.
    pub(crate) components: Vec<Component>,
    pub(crate) to: Vec<Address>,
    pub(crate) words: Words,
    /// When the act was done.
    pub(crate) at: Timestamp,
    /// Tells this act from all others, beside what the message is and of which meeting.
    pub(crate) act: String,
}

impl Message {
    /// The finished mail. `calendar` defines the zones that the components name.
    pub(crate) fn notice(self, calendar: &Component, writing: &Writing) -> Option<Notice> {
        let email = writing.owner.first()?.clone();
        let from = Address { name: writing.name.clone(), email };
        let uid = self.components.first()?.value("UID").unwrap_or_default().to_owned();
        let mut object = Object::new();
        object.calendar.push(Line::new("METHOD", self.method));
        let components: Vec<Component> = self.components.into_iter().map(strip).collect();
        let lines = components.iter().flat_map(Component::lines);
        let named: BTreeSet<&str> = lines.filter_map(|line| line.parameter("TZID")).collect();
        for zone in calendar.components().filter(|one| one.is("VTIMEZONE")) {
            if timezone::name(zone).is_some_and(|tzid| named.contains(tzid.as_str())) {
                object.calendar.push_component(zone.clone());
            }
        }
        object.calendar.nodes.extend(components.into_iter().map(Node::Component));
        let to: Vec<&str> = self.to.iter().map(|one| one.email.as_str()).collect();
        let name = digest(&[self.method, &uid, &self.act, &to.join(",")]);
        let message = meeting(&MeetingMail {
            from,
            to: self.to,
            subject: self.words.subject,
            text: self.words.text,
            method: self.method,
            calendar: object.to_bytes(),
            now: self.at,
            seed: name.clone(),
        });
        Some(Notice { name, message })
    }
}

/// Hexadecimal digits that tell one list of texts from another.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What is the user's own business stays at home: alarms, categories, how their time shows, and
/// notes of programs.
fn strip(mut component: Component) -> Component {
    component.retain_components(|one| !one.is("VALARM"));
    component.retain_lines(|line| {
        let own = ["X-DME-", "X-MOZ-"].iter().any(|start| line.name().starts_with(start));
        let named = ["CATEGORIES", "X-MICROSOFT-CDO-BUSYSTATUS", "METHOD"];
        !own && !named.contains(&line.name())
    });
    for line in component.lines_mut() {
        for name in [
            "X-DME-PROPOSAL",
            "X-DME-REPLIED",
            "SCHEDULE-AGENT",
            "SCHEDULE-STATUS",
            "SCHEDULE-FORCE-SEND",
        ] {
            line.set_parameter(name, None);
        }
    }
    component
}
