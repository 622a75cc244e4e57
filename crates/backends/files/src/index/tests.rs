//! The journal against a Maildir that changes, crashes and is lost.
