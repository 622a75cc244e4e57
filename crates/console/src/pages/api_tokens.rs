//! The tokens that programs administer by.

use super::time::moment;
use super::{Act, Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "api_tokens.html")]
struct ApiTokens {
    frame: Frame,
    rows: Vec<Row>,
    scopes: Vec<(&'static str, String)>,
}

struct Row {
    token: api::ApiToken,
    made: String,
    expires: String,
    used: String,
    acts: Vec<Act>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let frame = visit.frame;
    let rows = console.list_api_tokens().await?.into_iter().map(|token| {
        let revoke = Act::new(&["api-tokens", &token.name, "revoke"], frame.t("revoke"));
        Row {
            made: moment(Some(token.made)),
            expires: moment(Some(token.expires)),
            used: moment(token.last_used),
            acts: vec![revoke.grave().asks()],
            token,
        }
    });
    let rows = rows.collect();
    let scope = |scope: api::Scope| {
        let name = scope.duty().as_str();
        (name, frame.word("duty", name))
    };
    let scopes = api::Scope::ALL.map(scope).into();
    html(&ApiTokens { frame, rows, scopes })
}
