//! The room on the disk where the server keeps its directory: the database, keys and logs.

use std::io;
use std::path::Path;

/// Less room than this is little, whatever disk it is.
const LITTLE: u64 = 1 << 30;
/// Less than this is little where it is less than a twentieth.
const SOME: u64 = 10 << 30;

/// Bytes of a file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// That may still be written.
    pub free: u64,
    /// In all.
    pub total: u64,
}

impl Room {
    /// That of the file system on which this directory is.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn on(directory: &Path) -> io::Result<Self> {
        let found = rustix::fs::statvfs(directory)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(Self { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
    }

    /// Whether there is so little that somebody is to make more.
    pub const fn is_little(self) -> bool {
        self.free < LITTLE || self.free < SOME && self.free < self.total / 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_some_room_where_we_are_and_never_more_than_all() {
        let room = Room::on(Path::new(".")).unwrap();
        assert!(room.total > 0 && room.free <= room.total, "{room:?}");
        assert!(Room::on(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn little_is_a_gibibyte_or_a_twentieth_of_a_small_disk() {
        let gib = |free: u64, total: u64| Room { free: free << 30, total: total << 30 };
        assert!(!gib(1, 8).is_little());
        assert!(gib(0, 8).is_little());
        assert!(gib(4, 100).is_little());
        assert!(!gib(6, 100).is_little());
        assert!(!gib(20, 1000).is_little(), "that is enough for long");
    }
}
