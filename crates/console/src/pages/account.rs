//! One's own account: the second factor, the sessions.

use super::{Act, Frame, Visit, html, moment};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    frame: Frame,
    account: api::Account,
    made: String,
    /// Recovery codes that are left.
    left: usize,
    offered: Option<api::OfferedFactor>,
    offer: Vec<Act>,
    change: Vec<Act>,
    rows: Vec<Row>,
    others: Vec<Act>,
}

struct Row {
    session: api::OwnSession,
    began: String,
    seen: String,
    acts: Vec<Act>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let frame = visit.frame;
    let mut account = console.account(&visit.principal, Some(&visit.session)).await?;
    let offered = match account.second_factor {
        Some(_) => None,
        None => console.offered_second_factor(&visit.principal, &visit.session)?,
    };
    let act =
        |segments: &[&str], text: &str| Act::new(&[&["account"], segments].concat(), frame.t(text));
    let rows = std::mem::take(&mut account.sessions).into_iter().map(|session| Row {
        began: moment(Some(session.began)),
        seen: moment(Some(session.seen)),
        acts: match session.current {
            true => Vec::new(),
            false => vec![act(&["sessions", &session.session, "end"], "end-session")],
        },
        session,
    });
    let rows: Vec<Row> = rows.collect();
    let left = account.second_factor.as_ref().map_or(0, |held| held.recovery_codes);
    let mut change = vec![act(&["recovery-codes"], "recovery-renew").asks()];
    if !account.second_factor_required {
        change.push(act(&["second-factor", "remove"], "second-factor-remove").grave().asks());
    }
    html(&Account {
        made: moment(account.second_factor.as_ref().map(|held| held.made)),
        offer: vec![act(&["second-factor"], "second-factor-begin").asks()],
        others: vec![act(&["sessions", "end-others"], "end-other-sessions").grave()],
        left: usize::try_from(left).unwrap_or_default(),
        change,
        offered,
        rows,
        account,
        frame,
    })
}
