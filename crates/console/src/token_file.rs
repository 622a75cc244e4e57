//! The token that whoever may read the server's directory administers with: `dme` on the command
//! line.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dme_model::Secret;
use dme_server::private_files::write_private;
use dme_server::role::StartError;
use std::path::Path;

/// The token's file in the server's directory.
pub const TOKEN_FILE: &str = "admin.token";

/// The token in this directory; made where there is none.
pub(crate) fn token(directory: &Path) -> Result<Secret, StartError> {
    let path = directory.join(TOKEN_FILE);
    let failed = |reason| StartError::Directory { path: path.clone(), reason };
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(Secret::new(text.trim())),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let token = random().map_err(failed)?;
    write_private(&path, token.expose().as_bytes()).map_err(failed)?;
    Ok(token)
}

/// 256 bits that nobody guesses, as text.
pub(crate) fn random() -> std::io::Result<Secret> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| std::io::Error::other("no randomness to be had"))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
