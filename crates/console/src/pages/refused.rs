//! What is shown in the place of a page that is not to be had.

use super::{Frame, html};
use crate::Refusal;
use askama::Template;

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    frame: Frame,
    words: &'a str,
}

/// Why, to somebody who is signed in.
pub(crate) fn refused(frame: Frame, words: &str) -> Result<String, Refusal> {
    html(&Refused { frame, words })
}
