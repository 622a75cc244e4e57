//! Directories and files that nobody but their owner may read.

use crate::role::StartError;
use std::path::Path;

/// Makes the directory for us alone, also where it is there and open to others.
pub fn private_directory(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let unusable = |reason| StartError::Directory { path: path.to_owned(), reason };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
    let mode = std::fs::metadata(path).map_err(unusable)?.permissions().mode();
    if mode & 0o077 != 0
        && let Err(error) = std::fs::set_permissions(path, PermissionsExt::from_mode(0o700))
    {
        // It is somebody else's, who lets us in by its group.
        tracing::warn!(path = %path.display(), %error, "the directory is open to others");
    }
    Ok(())
}

/// Writes a file that only its owner can read, from the first byte on.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let _ = std::fs::remove_file(path);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_directory_is_nobody_elses_also_where_it_was() {
        let home = tempfile::tempdir().unwrap();
        for before in [None, Some(0o755), Some(0o770)] {
            let path = home.path().join(format!("{before:?}"));
            if let Some(mode) = before {
                std::fs::create_dir(&path).unwrap();
                std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            }
            private_directory(&path).unwrap();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o700, "{before:?}");
        }
    }
}
