//! Messages on their way out: finishing what a phone sent, answers and forwards, drafts, and our
//! own notices.

mod draft;
mod finish;
mod notice;
mod reply;

pub use draft::{DraftChange, NewAttachment, draft};
pub use finish::{Finish, Finished, finish};
pub use notice::{Notice, notice};
pub use reply::{Verb, reply};
