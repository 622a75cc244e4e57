//! The pages at `/my`.

use crate::pages::{Frame, Look, moment};
use crate::{Refusal, api, reply};
use askama::Template;
use dme_server::site::SiteBody;
use http::{Response, StatusCode};

/// An account, as it is typed into a phone.
pub(super) struct Account {
    pub host: String,
    pub user: String,
    pub address: String,
}

#[derive(Template)]
#[template(path = "my.html")]
struct Own {
    frame: Frame,
    own: api::Own,
    rows: Vec<Row>,
}

struct Row {
    device: api::OwnDevice,
    /// What is to become of it, in words.
    wipe: Option<String>,
    last: String,
    first: String,
}

#[derive(Template)]
#[template(path = "my_made.html")]
struct Made {
    frame: Frame,
    made: api::MadePassword,
}

#[derive(Template)]
#[template(path = "my_invited.html")]
struct Invited {
    frame: Frame,
    invitation: api::Invitation,
    until: String,
}

#[derive(Template)]
#[template(path = "my_away.html")]
struct Away {
    frame: Frame,
    own: api::Own,
    away: Option<api::Away>,
}

#[derive(Template)]
#[template(path = "my_sign_in.html")]
struct SignIn {
    frame: Words,
    login: String,
    trouble: Option<String>,
}

#[derive(Template)]
#[template(path = "my_add.html")]
struct Add {
    frame: Words,
    account: Account,
    /// The link's own path; none once it is used.
    link: Option<String>,
    with_password: bool,
    password: Option<String>,
}

#[derive(Template)]
#[template(path = "my_refused.html")]
struct Refused {
    frame: Words,
    words: String,
}

/// What pages have where nobody is signed in.
struct Words {
    look: Look,
}

impl Words {
    fn t(&self, name: &str) -> String {
        self.look.language.text(name, &[])
    }
}

pub(super) fn own(frame: Frame, mut own: api::Own) -> Result<Response<SiteBody>, Refusal> {
    let devices = std::mem::take(&mut own.devices).into_iter();
    let rows = devices.map(|device| Row {
        wipe: wipe(&device.wipe).map(|name| frame.t(name)),
        last: moment(Some(device.last_seen)),
        first: moment(Some(device.first_seen)),
        device,
    });
    html(&Own { rows: rows.collect(), frame, own }, StatusCode::OK)
}

/// The name of the text that says how far a wipe is, as the interface has it; none where there is
/// none.
fn wipe(state: &str) -> Option<&'static str> {
    match state.split(' ').next().unwrap_or_default() {
        "requested" | "sent" => Some("my-wipe-ordered"),
        "acknowledged" => Some("my-wipe-done"),
        _ => None,
    }
}

pub(super) fn made(frame: Frame, made: api::MadePassword) -> Result<Response<SiteBody>, Refusal> {
    html(&Made { frame, made }, StatusCode::OK)
}

pub(super) fn invited(
    frame: Frame,
    invitation: api::Invitation,
) -> Result<Response<SiteBody>, Refusal> {
    let until = moment(Some(invitation.expires));
    html(&Invited { frame, invitation, until }, StatusCode::OK)
}

pub(super) fn away(
    frame: Frame,
    own: api::Own,
    away: Option<api::Away>,
) -> Result<Response<SiteBody>, Refusal> {
    html(&Away { frame, own, away }, StatusCode::OK)
}

pub(super) fn sign_in(
    look: Look,
    login: String,
    trouble: Option<String>,
) -> Result<Response<SiteBody>, Refusal> {
    let status = if trouble.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    html(&SignIn { frame: Words { look }, login, trouble }, status)
}

/// What a link opens.
pub(super) fn add(
    look: Look,
    account: Account,
    link: String,
    with_password: bool,
) -> Result<Response<SiteBody>, Refusal> {
    let (frame, link) = (Words { look }, Some(link));
    html(&Add { frame, account, link, with_password, password: None }, StatusCode::OK)
}

/// What is to be typed in, with the password that was just made.
pub(super) fn typed(
    look: Look,
    account: Account,
    password: String,
) -> Result<Response<SiteBody>, Refusal> {
    let (frame, password) = (Words { look }, Some(password));
    html(&Add { frame, account, link: None, with_password: true, password }, StatusCode::OK)
}

/// What is shown in the place of what is not to be had, to whoever asked.
pub(super) fn refused(look: Look, refusal: Refusal) -> Response<SiteBody> {
    let words = refusal.words_in(look.language);
    match html(&Refused { frame: Words { look }, words }, refusal.status) {
        Ok(page) => page,
        Err(refusal) => crate::browser::plain(refusal),
    }
}

fn html(page: &impl Template, status: StatusCode) -> Result<Response<SiteBody>, Refusal> {
    let text = page.render().map_err(Refusal::failed)?;
    Ok(reply::with_status(reply::answer("text/html; charset=utf-8", text), status))
}
