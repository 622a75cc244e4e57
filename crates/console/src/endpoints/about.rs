//! This interface itself, and the ways into the console.

use crate::endpoint::{Endpoint, delete, get, post};
use crate::openapi::{self, Ways};
use crate::principal::{Origin, Principal, Reach};
use crate::{Refusal, api};

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/openapi.json", "This interface, as an OpenAPI 3.1 document")
            .reach(Reach::Filtered)
            .by(|console, _| async move {
                Ok(openapi::document(&console.endpoints, Ways::Administration))
            }),
        post("/api/console/link", "Make a link to sign in to the console by, once").by(
            |console, call| async move {
                is_at_the_server(&call.principal)?;
                console.link()
            },
        ),
        get("/api/console/emergency", "The account for emergencies, and when it was used")
            .by(|console, _| async move { console.emergency().await }),
        post(
            "/api/console/emergency",
            "Make the account for emergencies; its password is shown once",
        )
        .takes::<api::NewEmergency>()
        .by(|console, mut call| async move {
            is_at_the_server(&call.principal)?;
            console.make_emergency(call.body()?).await
        }),
        delete("/api/console/emergency", "Take the account for emergencies away")
            .fresh()
            .by(|console, _| async move { console.remove_emergency().await }),
    ]
}

/// What lets one in as an administrator is made by whoever may read the server's directory.
fn is_at_the_server(principal: &Principal) -> Result<(), Refusal> {
    match principal.origin {
        Origin::TokenFile => Ok(()),
        _ => Err(Refusal::barred("at-the-server", "")),
    }
}
