//! Writing files so that they are never half there, and still there after a power cut (rule S3).

use crate::maildir::unique_base;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Makes what was renamed, linked, made or deleted in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Writes a file out of the way of other programs, under a name that no other has, durably. It can
/// be read and appended to.
pub(crate) fn write_aside(directory: &Path, content: &[u8]) -> io::Result<(PathBuf, File)> {
    let path = directory.join(unique_base());
    let mut file = File::options().read(true).append(true).create_new(true).open(&path)?;
    match file.write_all(content).and_then(|()| file.sync_all()) {
        Ok(()) => Ok((path, file)),
        Err(error) => {
            let _ = fs::remove_file(&path);
            Err(error)
        }
    }
}

/// Writes a file in the place of what is there, by way of a directory for what is not whole yet.
pub(crate) fn write_whole(aside: &Path, path: &Path, content: &[u8]) -> io::Result<File> {
    let (written, file) = write_aside(aside, content)?;
    if let Err(error) = fs::rename(&written, path) {
        let _ = fs::remove_file(&written);
        return Err(error);
    }
    path.parent().map_or(Ok(()), sync_directory)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_aside() {
        let root = tempfile::tempdir().unwrap();
        let aside = root.path().join("tmp");
        fs::create_dir(&aside).unwrap();
        let path = root.path().join("file");
        fs::write(&path, "old").unwrap();
        let mut before = File::open(&path).unwrap();
        let mut file = write_whole(&aside, &path, b"new").unwrap();
        file.write_all(b"er").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
        let mut old = String::new();
        before.read_to_string(&mut old).unwrap();
        assert_eq!(old, "old", "whoever reads the old one reads all of it");
        fs::create_dir(root.path().join("directory")).unwrap();
        assert!(write_whole(&aside, &root.path().join("directory"), b"x").is_err());
        assert_eq!(fs::read_dir(&aside).unwrap().count(), 0);
    }
}
