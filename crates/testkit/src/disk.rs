//! A small disk that can be filled up. Needs root.

use crate::process::run;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What takes the room.
const FILLER: &str = "filler";

/// A folder that has become a disk of its own, a `tmpfs`; it goes with what it holds when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Puts a disk of so many mebibytes in the place of this folder, with what is in it. Nobody may
    /// have a file open there.
    ///
    /// # Errors
    /// When it cannot be mounted, or is too small.
    pub fn instead_of(folder: &Path, mebibytes: u32) -> anyhow::Result<Self> {
        let aside = folder.with_extension("aside");
        fs::rename(folder, &aside)?;
        fs::create_dir(folder)?;
        let size = format!("size={mebibytes}m,mode=700");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder))?;
        let disk = Self { at: folder.to_owned() };
        run(Command::new("cp").arg("-a").arg(aside.join(".")).arg(folder))?;
        fs::remove_dir_all(aside)?;
        Ok(disk)
    }

    /// Takes all the room that is left.
    ///
    /// # Errors
    /// When it cannot be written to for another reason than that it is full.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut filler = File::options().create(true).append(true).open(self.at.join(FILLER))?;
        for piece in [1 << 16, 1] {
            loop {
                match filler.write_all(&vec![0; piece]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// When it was not full.
    pub fn free(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.at.join(FILLER))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process may still be there.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}
