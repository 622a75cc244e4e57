//! Messages on their way out: finishing what a phone sent, answers and forwards, drafts, our own
//! notices, and out-of-office answers.

pub(crate) mod assemble;
mod draft;
mod finish;
mod meeting;
mod notice;
mod reply;
mod vacation;
pub(crate) mod write;

pub use draft::{DRAFT_KEY, DraftChange, Drafted, NewAttachment, draft};
pub(crate) use finish::recipients;
pub use finish::{Finish, Finished, finish};
pub use meeting::{MeetingMail, meeting};
pub use notice::{Notice, notice};
pub use reply::{Verb, reply};
pub use vacation::vacation;
