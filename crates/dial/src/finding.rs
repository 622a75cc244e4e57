//! What trying a configuration out showed, in words for an administrator.

use dme_mailbox::{Error, ErrorKind};

/// What one step showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What was tried.
    pub step: &'static str,
    /// What is right, or what is wrong.
    pub outcome: Result<String, String>,
}

/// What is wrong with reaching a server, and what an administrator may look at.
pub fn advised(error: &Error) -> String {
    let said = error.to_string();
    let advice = match error.kind {
        ErrorKind::Auth => {
            "check the password, and that `login` makes the name the server knows the user by"
        }
        ErrorKind::Unavailable if said.contains("certificate") => {
            "`host` must be a name in the certificate; if its authority is your own, name it in \
             `ca_file`"
        }
        ErrorKind::Unavailable | ErrorKind::Timeout => {
            "check `host`, `port` and `tls`, and that nothing between refuses the connection"
        }
        _ => return said,
    };
    format!("{said}; {advice}")
}
