//! The pages at `/my`.

use crate::pages::{Alone, Frame, Look, moment};
use crate::reply::html;
use crate::{Refusal, api};
use askama::Template;
use dme_model::Secret;
use dme_server::site::SiteBody;
use http::{Response, StatusCode};

/// An account, as it is typed into a phone.
pub(super) struct Account {
    pub host: String,
    pub user: String,
    pub address: String,
    /// A certificate is enough.
    pub passwordless: bool,
}

/// A key and its certificate that wait to be fetched.
pub(super) struct KeyFile {
    /// What it is fetched by.
    pub once: Secret,
    /// Of the file.
    pub password: String,
}

#[derive(Template)]
#[template(path = "my.html")]
struct Own {
    frame: Frame,
    own: api::Own,
    rows: Vec<Row>,
    certificates: Vec<Certificate>,
}

struct Certificate {
    one: api::DeviceCertificate,
    ends: String,
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
#[template(path = "my_certified.html")]
struct Certified {
    frame: Frame,
    file: KeyFile,
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
    frame: Alone,
    login: String,
    trouble: Option<String>,
}

/// How an account is set up on a device.
#[derive(Template)]
#[template(path = "my_add.html")]
pub(super) struct Add {
    frame: Alone,
    account: Account,
    /// The link's own path; none once it is used.
    link: Option<String>,
    with_password: bool,
    with_certificate: bool,
    password: Option<String>,
    file: Option<KeyFile>,
}

impl Add {
    pub fn new(look: Look, account: Account) -> Self {
        Self {
            frame: Alone::own(look),
            account,
            link: None,
            with_password: false,
            with_certificate: false,
            password: None,
            file: None,
        }
    }

    /// As a link shows it, which gives a password or a certificate when it is used.
    pub fn by(
        self,
        link: String,
        with_password: bool,
        with_certificate: bool,
    ) -> Result<Response<SiteBody>, Refusal> {
        html(&Self { link: Some(link), with_password, with_certificate, ..self }, StatusCode::OK)
    }

    /// With what was just made.
    pub fn given(
        self,
        password: Option<String>,
        file: Option<KeyFile>,
    ) -> Result<Response<SiteBody>, Refusal> {
        let with_certificate = file.is_some();
        html(&Self { password, file, with_certificate, ..self }, StatusCode::OK)
    }
}

#[derive(Template)]
#[template(path = "my_refused.html")]
struct Refused {
    frame: Alone,
    words: String,
}

pub(super) fn own(frame: Frame, mut own: api::Own) -> Result<Response<SiteBody>, Refusal> {
    let devices = std::mem::take(&mut own.devices).into_iter();
    let rows = devices.map(|device| Row {
        wipe: wipe(&device.wipe).map(|name| frame.t(name)),
        last: moment(Some(device.last_seen)),
        first: moment(Some(device.first_seen)),
        device,
    });
    let certificates = std::mem::take(&mut own.certificates).into_iter();
    let certificates =
        certificates.map(|one| Certificate { ends: moment(Some(one.ends)), one }).collect();
    html(&Own { rows: rows.collect(), certificates, frame, own }, StatusCode::OK)
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

/// A key and its certificate that were just made.
pub(super) fn certified(frame: Frame, file: KeyFile) -> Result<Response<SiteBody>, Refusal> {
    html(&Certified { frame, file }, StatusCode::OK)
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
    html(&SignIn { frame: Alone::own(look), login, trouble }, status)
}

/// What is shown in the place of what is not to be had, to whoever asked.
pub(super) fn refused(look: Look, refusal: Refusal) -> Response<SiteBody> {
    let words = refusal.words_in(look.language);
    match html(&Refused { frame: Alone::own(look), words }, refusal.status) {
        Ok(page) => page,
        Err(refusal) => crate::browser::plain(refusal),
    }
}
