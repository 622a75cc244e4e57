//! Writes the seed corpus of the fuzz target `zone_blob`: `cargo run -p dme-zone --example
//! zone_fuzz_seeds`, in the repository's root.

use dme_model::{Timestamp, ZoneId};
use dme_zone::{BLOB_SIZE, Zone};
use std::{fs, io};

/// 2026-06-15T00:00:00Z.
const AT: Timestamp = Timestamp::from_seconds(1_781_481_600);

fn main() -> io::Result<()> {
    let zones = [
        ("berlin", "Europe/Berlin"),
        ("new_york", "America/New_York"),
        ("santiago", "America/Santiago"),
        ("kolkata", "Asia/Kolkata"),
        ("lord_howe", "Australia/Lord_Howe"),
        ("own", "<+01>-1<+02>,M3.5.0/2,M9.2.0/3"),
    ];
    for (name, id) in zones {
        let zone = Zone::of(&ZoneId::from(id)).unwrap_or_else(Zone::utc);
        write(name, &zone.to_blob(AT))?;
    }
    write("zeros", &[0; BLOB_SIZE])?;
    write("windows_name", b"W. Europe Standard Time")?;
    write("described_name", b"(UTC+01:00) Amsterdam, Berlin")
}

/// A moment, and a structure or a name.
fn write(name: &str, data: &[u8]) -> io::Result<()> {
    fs::create_dir_all("fuzz/corpus/zone_blob")?;
    let seed = [&AT.as_seconds().to_le_bytes(), data].concat();
    fs::write(format!("fuzz/corpus/zone_blob/{name}"), seed)
}
