//! The certificate phones see where none is configured: made by our own authority.

use crate::config::ServerConfig;
use crate::private_files::write_private;
use crate::role::{StartError, host};
use dme_link::Authority;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a self-made certificate serves; it holds for a year.
const SELF_MADE_FOR: Duration = Duration::from_secs(300 * 86_400);
/// How often a self-made certificate is looked at while the server runs.
const SELF_MADE_CHECK: Duration = Duration::from_secs(12 * 3600);

/// Makes the self-made certificate anew before it ends, also where the server runs for longer than
/// it holds. Whoever reads it takes the new one over by itself.
pub async fn keep_self_made(config: ServerConfig, authority: Arc<Authority>) {
    loop {
        tokio::time::sleep(SELF_MADE_CHECK).await;
        if let Err(error) = certificate_files(&config, &authority) {
            tracing::error!(%error, "the self-made certificate could not be renewed");
        }
    }
}

/// The phones' certificate and key: as configured, else made by our own authority, where it is not
/// there yet or is for another host.
pub fn certificate_files(
    config: &ServerConfig,
    authority: &Authority,
) -> Result<(PathBuf, PathBuf), StartError> {
    if let Some(certificate) = &config.phones.certificate {
        let key = config.phones.key.clone().unwrap_or_else(|| certificate.clone());
        return Ok((certificate.clone(), key));
    }
    let host = host(config)?.name;
    let certificate = config.directory.join("phones.pem");
    let key = config.directory.join("phones.key");
    let names = config.directory.join("phones.names");
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |reason| StartError::File { path, reason }
    };
    // Made anew only for another host or near its end: phones that accepted it ask again.
    let fresh = std::fs::metadata(&certificate)
        .and_then(|meta| meta.modified())
        .is_ok_and(|made| made.elapsed().unwrap_or_default() < SELF_MADE_FOR);
    if fresh && key.exists() && std::fs::read_to_string(&names).is_ok_and(|held| held == host) {
        return Ok((certificate, key));
    }
    let made =
        authority.listener_identity(&[host.clone(), "localhost".into(), "127.0.0.1".into()])?;
    write_private(&key, made.key.expose().as_bytes()).map_err(unusable(&key))?;
    std::fs::write(&certificate, made.chain).map_err(unusable(&certificate))?;
    std::fs::write(&names, host).map_err(unusable(&names))?;
    Ok((certificate, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_self_made_certificate_is_made_anew_before_it_ends_and_not_sooner() {
        let home = tempfile::tempdir().unwrap();
        let authority = Authority::open(&home.path().join("authority")).unwrap();
        let config = serde_json::json!({
            "directory": home.path(),
            "phones": { "host": "mail.example.org" },
            "realms": [],
        });
        let config: ServerConfig = serde_json::from_value(config).unwrap();
        let made = || {
            let (certificate, _) = certificate_files(&config, &authority).unwrap();
            (std::fs::read(&certificate).unwrap(), certificate)
        };
        let (first, file) = made();
        assert_eq!(made().0, first);
        let file = std::fs::File::open(file).unwrap();
        file.set_modified(SystemTime::now() - SELF_MADE_FOR).unwrap();
        assert_ne!(made().0, first);
    }
}
