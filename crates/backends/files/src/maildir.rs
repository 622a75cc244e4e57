//! Files of a Maildir: their names, and how a message gets in without being lost or half there.
//!
//! A file's name is a base, unique and for good, and an info that holds the marks as letters:
//! `1700000000.M1P2Q3.host,S=123,W=125:2,FS`. A message is written to `tmp`, made durable, and only
//! then linked into `new` or `cur` (rule S3).

use dme_model::Timestamp;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// In which of the two directories a message lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Nobody has looked at it yet.
    New,
    /// The usual place.
    Cur,
}

impl Place {
    pub(crate) const ALL: [Self; 2] = [Self::New, Self::Cur];

    pub(crate) const fn directory(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Cur => "cur",
        }
    }
}

/// Splits a file's name into base and info. None for what is not a message, or has a name that a
/// line of the journal cannot hold.
pub(crate) fn split(name: &str) -> Option<(&str, &str)> {
    let (base, _) = name.split_once(':').unwrap_or((name, ""));
    let info = &name[base.len()..];
    let sound = !base.is_empty()
        && !base.starts_with('.')
        && !base.contains(char::is_control)
        && info.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then_some((base, info))
}

/// The letters of an info, ascending, each once.
pub(crate) fn letters(info: &str) -> String {
    let mut letters: Vec<char> = info
        .strip_prefix(":2,")
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect();
    letters.sort_unstable();
    letters.dedup();
    letters.into_iter().collect()
}

/// The info that holds these letters.
pub(crate) fn info(letters: &str) -> String {
    format!(":2,{letters}")
}

/// A base that no other message has, anywhere.
pub(crate) fn unique_base() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    static HOST: LazyLock<String> = LazyLock::new(|| {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host: String = host
            .trim()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '-' })
            .take(64)
            .collect();
        // Tells apart processes of one number in several containers of one name.
        let chance = RandomState::new().build_hasher().finish();
        format!("R{chance:016x}.{}", if host.is_empty() { "localhost" } else { &host })
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let (seconds, micros, pid) = (now.as_secs(), now.subsec_micros(), std::process::id());
    format!("{seconds}.M{micros}P{pid}Q{count}{}", *HOST)
}

/// The sizes that Dovecot wants to find in a base: as it is, and with every line ended by CRLF.
pub(crate) fn sizes(message: &[u8]) -> String {
    let mut bare = 0;
    let mut before = 0;
    for &byte in message {
        bare += usize::from(byte == b'\n' && before != b'\r');
        before = byte;
    }
    format!(",S={},W={}", message.len(), message.len() + bare)
}

/// A new base for a message that moves, which keeps its sizes.
pub(crate) fn moved_base(base: &str) -> String {
    let sizes = base.find(',').map_or("", |comma| &base[comma..]);
    unique_base() + sizes
}

/// Writes a message under this name; durable once the directory is synced too. `AlreadyExists` where
/// the name is there already; the message then stays as it was.
pub(crate) fn write(
    folder: &Path,
    place: Place,
    name: &str,
    message: &[u8],
    received: Option<Timestamp>,
) -> io::Result<()> {
    let temporary = folder.join("tmp").join(unique_base());
    let directory = folder.join(place.directory());
    let written = (|| {
        let mut file = File::options().write(true).create_new(true).open(&temporary)?;
        file.write_all(message)?;
        if let Some(received) = received {
            let millis = u64::try_from(received.as_millis()).unwrap_or(0);
            file.set_modified(UNIX_EPOCH + Duration::from_millis(millis))?;
        }
        file.sync_all()?;
        fs::hard_link(&temporary, directory.join(name))
    })();
    // What cannot be removed is removed by whoever cleans tmp; the message is not harmed.
    let _ = fs::remove_file(&temporary);
    written
}

/// Removes what crashed programs left in `tmp`, as the rules of Maildir ask of every reader.
pub(crate) fn clean(folder: &Path) {
    const ABANDONED: Duration = Duration::from_secs(36 * 60 * 60);
    for entry in fs::read_dir(folder.join("tmp")).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|metadata| metadata.modified());
        let old = age.is_ok_and(|age| age.elapsed().is_ok_and(|age| age > ABANDONED));
        if old
            && (fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path())))
                .is_err()
        {
            tracing::warn!(path = %entry.path().display(), "an abandoned file cannot be removed");
        }
    }
}

/// When a message was received: a Maildir keeps it as the file's time of change.
pub(crate) fn received(metadata: &fs::Metadata) -> Timestamp {
    metadata.modified().unwrap_or(UNIX_EPOCH).into()
}

/// A hash that names the same act the same way in every release (FNV-1a, 128 bits). Not for
/// secrets.
pub(crate) fn fingerprint(parts: &[&str]) -> String {
    // The end of each part counts, so that ("a", "bc") is not ("ab", "c").
    hash(parts.iter().flat_map(|part| part.bytes().chain([0])))
}

/// Tells one content from another, by the same hash.
pub(crate) fn content_mark(content: &[u8]) -> String {
    hash(content.iter().copied())
}

fn hash(bytes: impl Iterator<Item = u8>) -> String {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in bytes {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    }
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_base_and_letters() {
        for (name, parts) in [
            ("1.a.b", Some(("1.a.b", ""))),
            ("1.a,S=5:2,SF", Some(("1.a,S=5", "FS"))),
            ("1.a:2,", Some(("1.a", ""))),
            ("1.a:1,x", Some(("1.a", ""))),
            ("1.a:2,SSa,b", Some(("1.a", "Sab"))),
            ("a:b:2,S", Some(("a", ""))),
            (".hidden", None),
            (":2,S", None),
            ("a\nb", None),
            ("a:2,S S", None),
        ] {
            let got = split(name).map(|(base, info)| (base, letters(info)));
            assert_eq!(got, parts.map(|(base, info)| (base, info.to_owned())), "{name:?}");
        }
    }

    #[test]
    fn sizes_count_every_line_end_as_two() {
        assert_eq!(sizes(b"a\r\nb\nc"), ",S=6,W=7");
        assert_eq!(sizes(b"\n"), ",S=1,W=2");
        assert_eq!(moved_base("1.x,S=6,W=7").split_once(',').unwrap().1, "S=6,W=7");
    }

    #[test]
    fn what_a_crash_left_behind_is_removed_after_a_day_and_a_half() {
        let folder = tempfile::tempdir().unwrap();
        let tmp = folder.path().join("tmp");
        fs::create_dir_all(tmp.join("folder/cur")).unwrap();
        for name in ["old", "young"] {
            fs::write(tmp.join(name), "").unwrap();
        }
        for name in ["old", "folder"] {
            let two_days_ago = SystemTime::now() - Duration::from_secs(48 * 60 * 60);
            File::open(tmp.join(name)).unwrap().set_modified(two_days_ago).unwrap();
        }
        clean(folder.path());
        let left: Vec<_> = fs::read_dir(&tmp).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["young"]);
    }

    #[test]
    fn bases_differ() {
        assert_ne!(unique_base(), unique_base());
        assert_ne!(fingerprint(&["a", "bc"]), fingerprint(&["ab", "c"]));
        // Written down, because a repeated request may meet another release.
        assert_eq!(fingerprint(&["k"]), "0880953655ab1be95aa0733055adf876");
    }
}
