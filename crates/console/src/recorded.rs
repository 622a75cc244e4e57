//! What the record of acts is told of a call that changes something.

use crate::Refusal;
use crate::endpoint::{Args, Endpoint};
use crate::principal::{Duty, Origin, Principal};
use dme_audit::{Means, Outcome, Who};
use dme_server::records::audit::Deed;
use http::Method;
use serde_json::Value;
use std::net::IpAddr;

/// What is about to be done, and by whom.
pub(crate) fn deed(
    endpoint: &Endpoint,
    principal: &Principal,
    client: IpAddr,
    args: &Args,
) -> Deed {
    let by = match &principal.origin {
        Origin::TokenFile => Means::CommandLine,
        Origin::ApiToken { .. } => Means::Rest,
        Origin::Session if endpoint.duty == Duty::Own => Means::Own,
        Origin::Session | Origin::Emergency => Means::Console,
    };
    let (name, role) = (principal.name.clone(), principal.role_names());
    let address = Some(client.to_string());
    let targets = args.iter().map(|(_, value)| value.clone()).collect();
    let act = act(&endpoint.method, endpoint.path);
    Deed { who: Who { name, role, address, by }, act, targets, changes: Vec::new() }
}

/// What came of it.
pub(crate) fn outcome(answer: &Result<Value, Refusal>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Done,
        Err(refusal) if refusal.status.is_server_error() => Outcome::Failed(refusal.words.clone()),
        Err(refusal) => Outcome::Refused(refusal.words.clone()),
    }
}

/// It could not be written down, and was therefore not done.
pub(crate) fn unrecorded(error: dme_store::Error) -> Refusal {
    Refusal::failed(format!("nothing was done, because it cannot be recorded: {error}"))
}

/// An endpoint's name in the record: `devices.wipe` of `POST /api/devices/{user}/{device}/wipe`.
fn act(method: &Method, path: &str) -> String {
    let is_word = |part: &&str| !part.is_empty() && *part != "api" && !part.starts_with('{');
    let words: Vec<&str> = path.split('/').filter(is_word).collect();
    let ends_with_word = path.split('/').next_back().is_some_and(|last| is_word(&last));
    let verb = match *method {
        Method::DELETE => Some("delete"),
        Method::PUT => Some("put"),
        // What is posted to a collection is made.
        Method::POST if words.len() < 2 && ends_with_word => Some("post"),
        _ => None,
    };
    let name: Vec<&str> = words.into_iter().chain(verb).collect();
    name.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints;
    use std::collections::BTreeSet;

    #[test]
    fn each_endpoint_that_changes_something_has_a_name_of_its_own_in_the_record() {
        assert_eq!(act(&Method::POST, "/api/devices/{user}/{device}/wipe"), "devices.wipe");
        assert_eq!(act(&Method::POST, "/api/tokens"), "tokens.post");
        assert_eq!(act(&Method::DELETE, "/api/outbox/{number}"), "outbox.delete");
        let mut known = BTreeSet::new();
        for endpoint in endpoints::table().iter().filter(|one| one.method != Method::GET) {
            let name = act(&endpoint.method, endpoint.path);
            // With and without a user, for one and for all, it is the same act.
            let place = (name.clone(), endpoint.variables().collect::<Vec<_>>());
            assert!(name.contains('.'), "{name}");
            assert!(known.insert(place), "{name} of {}", endpoint.path);
        }
    }
}
