//! One user: access and why, who serves them, their devices.

use super::devices::Row;
use super::frame::path;
use super::{Act, Frame, Visit, html, moment};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "user.html")]
struct User {
    frame: Frame,
    user: api::User,
    routes: Vec<api::Route>,
    devices: Vec<Row>,
    passwords: Vec<Password>,
    certificates: Vec<Certificate>,
    sessions: Vec<SessionRow>,
    acts: Vec<Act>,
    /// What ends all their sessions.
    end_all: Vec<Act>,
}

/// A browser in which they are signed in.
struct SessionRow {
    session: api::UserSession,
    began: String,
    seen: String,
    acts: Vec<Act>,
}

/// A password that a device of theirs shows.
struct Password {
    one: api::DevicePassword,
    made: String,
    /// What takes it back.
    revoke: String,
}

/// A certificate that a device of theirs shows.
struct Certificate {
    one: api::DeviceCertificate,
    ends: String,
    /// What takes it back.
    revoke: String,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let mut user = console.show_user(visit.arg("user"), visit.frame.look.language).await?;
    let mut routes = console.explain_route(&user.user, None).await?;
    let language = visit.frame.look.language;
    for route in &mut routes {
        route.why = language.said(&route.why);
        for objection in route.candidates.iter_mut().flat_map(|one| &mut one.objections) {
            *objection = language.said(objection);
        }
    }
    let devices = std::mem::take(&mut user.devices).into_iter().map(Row::new).collect();
    let passwords = console.list_passwords(&user.user).await?.into_iter().map(|one| Password {
        made: moment(Some(one.made)),
        revoke: path(&["users", &user.user, "passwords", &one.number.to_string(), "revoke"]),
        one,
    });
    let passwords = passwords.collect();
    let certificates = console.list_certificates(&user.user).await?.into_iter();
    let certificates = certificates.map(|one| Certificate {
        ends: moment(Some(one.ends)),
        revoke: path(&["users", &user.user, "certificates", &one.number.to_string(), "revoke"]),
        one,
    });
    let certificates = certificates.collect();
    let frame = visit.frame;
    let act = |name: &str, text: &str| Act::new(&["users", &user.user, name], frame.t(text));
    let mut acts = vec![
        if user.disabled { act("enable", "enable") } else { act("disable", "disable").grave() },
        act("forget", "end-sessions"),
        Act::new(&["routes", &user.user, "flush"], frame.t("flush")),
    ];
    if user.second_factor && frame.configures {
        let reset = ["users", &user.user, "second-factor", "reset"];
        acts.push(Act::new(&reset, frame.t("second-factor-reset")).grave().asks());
    }
    let sessions = console.sessions_of(&user.user).await?.into_iter().map(|session| SessionRow {
        began: moment(Some(session.began)),
        seen: moment(Some(session.seen)),
        acts: vec![Act::new(
            &["users", &user.user, "sessions", &session.session, "end"],
            frame.t("end-session"),
        )],
        session,
    });
    let sessions = sessions.collect();
    let end_all = ["users", &user.user, "sessions", "end"];
    let end_all = vec![Act::new(&end_all, frame.t("end-all-sessions")).grave()];
    html(&User { acts, end_all, frame, user, routes, devices, passwords, certificates, sessions })
}
