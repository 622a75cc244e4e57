//! Any bytes are read as a phone's time zone, and as a name; the zone that comes of them can be
//! written in every form, is known by its id, and keeps its time when its structure is read again.

#![no_main]

use dme_model::{Timestamp, ZoneId};
use dme_zone::Zone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((seconds, data)) = data.split_first_chunk::<8>() else { return };
    let at = Timestamp::from_seconds(i64::from_le_bytes(*seconds));
    if let Ok(name) = std::str::from_utf8(data) {
        Zone::from_tzid(name);
        Zone::of(&ZoneId::from(name));
    }
    let Some(zone) = Zone::from_blob(data, &[], at) else { return };
    assert_eq!(Zone::of(zone.id()).as_ref(), Some(&zone), "known by its id");
    zone.to_utc(zone.to_local(at));
    let observances = zone.observances(2020);
    Zone::from_observances("Our office", &observances, at).expect("a definition of a zone");

    let own = Zone::from_blob(&zone.to_blob(at), &[zone.id().clone()], at);
    let offset = own.expect("what was written").offset_at(at);
    // Until 1973 some zones were off by seconds, which the structure cannot say.
    assert!(offset == zone.offset_at(at) || at.as_seconds() < 100_000_000);
});
