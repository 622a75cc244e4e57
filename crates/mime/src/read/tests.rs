//! What is read of messages as clients, servers and attackers write them.

mod bodies;
mod headers;
mod hostile;
mod shapes;

use super::*;
use dme_model::Invitation;

fn want(kind: BodyKind, truncation: Option<u64>) -> BodyPreference {
    BodyPreference { kind, truncation, all_or_none: false, preview: None }
}

fn view(preferences: &[BodyPreference]) -> BodyView {
    let mime = MimeSupport::Never;
    BodyView { preferences: preferences.to_vec(), mime, part_preference: None }
}

/// Any calendar data with a method is of a meeting.
fn meeting(text: &str, _: Option<&str>) -> Option<Invitation> {
    text.contains("METHOD:").then(Invitation::default)
}

fn parse(raw: impl AsRef<[u8]>, view: &BodyView) -> Mail {
    let raw = Bytes::copy_from_slice(raw.as_ref());
    read(raw, Envelope::default(), view, meeting).unwrap()
}

/// The body in this form, whole.
fn body(raw: impl AsRef<[u8]>, kind: BodyKind) -> String {
    let body = parse(raw, &view(&[want(kind, None)])).body.unwrap();
    assert_eq!((body.truncated, body.full_size), (false, body.data.len() as u64));
    String::from_utf8(body.data.to_vec()).unwrap()
}

const ALTERNATIVE: &str = "From: Ann <ann@x.example>\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    Gr=C3=BC=C3=9Fe plain\r\n--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=FC=DFe <b>html</b></p>\r\n--b--\r\n";
