//! The token that whoever may read the server's directory administers with: `dme` on the command
//! line.

use crate::opaque::random;
use dme_model::Secret;
use dme_server::private_files::write_private;
use dme_server::role::StartError;
use std::path::Path;

/// The token's file in the server's directory.
pub const TOKEN_FILE: &str = "admin.token";

/// The token in this directory; made where there is none.
pub(crate) fn token(directory: &Path) -> Result<Secret, StartError> {
    let path = directory.join(TOKEN_FILE);
    let failed = |reason| StartError::File { path: path.clone(), reason };
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(Secret::new(text.trim())),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let token = random().map_err(failed)?;
    write_private(&path, token.expose().as_bytes()).map_err(failed)?;
    Ok(token)
}
